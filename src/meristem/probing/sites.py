"""Real sites of gene structure and the decoys they are told from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from meristem.config import WINDOW
from meristem.errors import MeristemError
from meristem.genomics.annotation import Annotation, Gene, Signal
from meristem.genomics.assembly import Assembly
from meristem.genomics.interval import Interval
from meristem.genomics.sequence import encode

#: Letters a site must show at its first bases along the gene, by kind.
SITE_LETTERS: Final = {"donor": "GT", "acceptor": "AG", "start_codon": "ATG"}


@dataclass(frozen=True)
class SiteSet:
    """Windows around sites and decoys.

    Attributes
    ----------
    kind
        ``"donor"``, ``"acceptor"`` or ``"start_codon"``.
    windows
        (2 k, 512) codes along the gene's strand; the letters' boundary stands in the middle: a donor's GT
        and a start's ATG begin there, an acceptor's AG ends there.
    is_site
        (2 k,) bool, as many true as false.
    contig
        (2 k,) contig of each window, for splits.
    """

    kind: str
    windows: NDArray[np.uint8]
    is_site: NDArray[np.bool_]
    contig: NDArray[np.object_]


def collect_sites(
    assembly: Assembly, annotation: Annotation, kind: str, *, limit: int | None = None, seed: int = 0
) -> SiteSet:
    """Annotated sites with their usual letters, and for each a decoy of the same gene.

    A decoy shows the same letters on the same strand inside the same gene but is no annotated site of any
    transcript. Each gene gives as many decoys as sites (fewer where it has too few, and then as few sites).

    Parameters
    ----------
    limit
        Largest number of sites; a random choice of genes when there are more.

    Raises
    ------
    MeristemError
        If the kind is unknown or no gene has a site.
    """
    if kind not in SITE_LETTERS:
        raise MeristemError(f"unknown site {kind!r}", mend=f"choose from {', '.join(SITE_LETTERS)}")
    random = np.random.default_rng(seed)
    starts = kind == "start_codon"
    signals = annotation.start_codons if starts else annotation.splice_sites
    known = {(s.contig, s.position, s.strand) for s in signals(all_transcripts=True) if s.kind == kind}
    drawn: list[tuple[Signal, bool]] = []
    genes = [gene for gene in annotation.genes if gene.strand in "+-" and gene.contig in assembly.contigs]
    for index in random.permutation(len(genes)):
        drawn += _of_gene(genes[index], assembly, kind, known, random)
        if limit is not None and len(drawn) >= 2 * limit:
            break
    if not drawn:
        raise MeristemError(f"no gene has a {kind} with a decoy", mend="give an annotation with exons or CDS")
    drawn = drawn[: 2 * limit] if limit else drawn
    windows = np.stack([_window(assembly, signal) for signal, _ in drawn])
    contigs = np.array([signal.contig for signal, _ in drawn], dtype=object)
    return SiteSet(kind, windows, np.array([real for _, real in drawn]), contigs)


def _of_gene(
    gene: Gene,
    assembly: Assembly,
    kind: str,
    known: set[tuple[str, int, str]],
    random: np.random.Generator,
) -> Iterator[tuple[Signal, bool]]:
    places = [p for p in _places(gene, assembly, kind) if _fits(p, assembly.contigs[gene.contig])]
    real = [p for p in places if (gene.contig, p, gene.strand) in known]
    decoys = [p for p in places if (gene.contig, p, gene.strand) not in known]
    pairs = min(len(real), len(decoys))
    for chosen, truth in ((real, True), (decoys, False)):
        for index in random.choice(len(chosen), pairs, replace=False) if pairs else ():
            yield Signal(gene.contig, chosen[index], gene.strand, kind), truth


def _places(gene: Gene, assembly: Assembly, kind: str) -> list[int]:
    """Every position in the gene that shows the letters, given as an annotation would."""
    letters = encode(SITE_LETTERS[kind])
    codes = assembly.sequence(Interval(gene.contig, gene.start, gene.end, gene.strand))
    span = len(codes) - len(letters) + 1
    if span <= 0:
        return []
    shows = np.logical_and.reduce([codes[i : i + span] == letter for i, letter in enumerate(letters)])
    along = np.flatnonzero(shows) + (len(letters) - 1 if kind == "acceptor" else 0)
    positions = gene.start + along if gene.strand == "+" else gene.end - 1 - along
    return [int(p) for p in positions]


def _bounds(position: int, strand: str, kind: str) -> tuple[int, int]:
    """The window with the site's boundary in its middle."""
    if strand == "+":
        middle = position + 1 if kind == "acceptor" else position
    else:
        middle = position if kind == "acceptor" else position + 1
    return middle - WINDOW // 2, middle + WINDOW // 2


def _fits(position: int, length: int) -> bool:
    return WINDOW // 2 <= position < length - WINDOW // 2


def _window(assembly: Assembly, signal: Signal) -> NDArray[np.uint8]:
    start, end = _bounds(signal.position, signal.strand, signal.kind)
    return assembly.sequence(Interval(signal.contig, start, end, signal.strand))
