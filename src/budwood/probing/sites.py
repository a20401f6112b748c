"""Annotated splice sites and start codons, with decoys that show the same bases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.config import WINDOW
from budwood.errors import BudwoodError
from budwood.genomics.annotation.genes import Annotation, CodingPart, Gene, Signal
from budwood.genomics.assembly import Assembly
from budwood.genomics.interval import Interval
from budwood.genomics.sequence import encode

#: Bases of each kind of site, along the gene.
SITE_LETTERS: Final = {"donor": "GT", "acceptor": "AG", "start_codon": "ATG"}

#: Roles of the rows of a :class:`SiteSet`.
SITE: Final = "site"
IN_FRAME: Final = "in-frame"
OUT_OF_FRAME: Final = "out-of-frame"
OF_GENE: Final = "of the gene"


@dataclass(frozen=True)
class SiteSet:
    """Windows around sites and decoys.

    Attributes
    ----------
    kind
        ``"donor"``, ``"acceptor"`` or ``"start_codon"``.
    windows
        (k, 512) codes along the gene's strand. The boundary of the site lies in the middle: a donor's GT and
        a start's ATG begin there, an acceptor's AG ends there.
    role
        (k,) ``"site"``, or the kind of decoy: ``"of the gene"`` for GT and AG; ``"in-frame"`` and
        ``"out-of-frame"`` for ATG.
    contig, position
        (k,) contig and position of each site or decoy, for splits.
    """

    kind: str
    windows: NDArray[np.uint8]
    role: NDArray[np.object_]
    contig: NDArray[np.object_]
    position: NDArray[np.int64]

    @property
    def is_site(self) -> NDArray[np.bool_]:
        """(k,) which rows are sites."""
        return np.asarray(self.role == SITE, dtype=np.bool_)

    def against(self, decoy: str) -> NDArray[np.bool_]:
        """Select the sites and the decoys of one kind.

        Parameters
        ----------
        decoy
            The kind of decoy.

        Returns
        -------
        numpy.ndarray
            (k,) ``bool``.
        """
        return np.asarray((self.role == SITE) | (self.role == decoy), dtype=np.bool_)


def collect_sites(
    assembly: Assembly, annotation: Annotation, kind: str, *, limit: int | None = None, seed: int = 0
) -> SiteSet:
    """Collect annotated sites with their usual bases, each with decoys from the same gene.

    A decoy shows the same bases on the same strand of the same gene but is not an annotated site of any
    transcript. For donors and acceptors, decoys are drawn from all such GT or AG inside the gene, one for
    each site (fewer sites where a gene has too few decoys). For the start codon of a gene's representative
    transcript, two ATG are drawn from the same spliced coding sequence: one at a distance from the start that
    is a multiple of three (in-frame: a methionine inside the protein) and one at another distance
    (out-of-frame). ATG across an intron are not used, nor are genes that lack either decoy.

    Parameters
    ----------
    assembly
        The genome.
    annotation
        Its genes.
    kind
        ``"donor"``, ``"acceptor"`` or ``"start_codon"``.
    limit
        Largest number of sites; a random choice of genes if there are more.
    seed
        Seed of the choice.

    Returns
    -------
    SiteSet
        Each site followed by its decoys: two rows for each donor or acceptor, three for each start.

    Raises
    ------
    BudwoodError
        If the kind is unknown or no gene has a site.
    """
    if kind not in SITE_LETTERS:
        raise BudwoodError(f"unknown site {kind!r}", mend=f"choose from {', '.join(SITE_LETTERS)}")
    random = np.random.default_rng(seed)
    starts = kind == "start_codon"
    signals = annotation.start_codons if starts else annotation.splice_sites
    known = {(s.contig, s.position, s.strand) for s in signals(all_transcripts=True) if s.kind == kind}
    of_gene = _starts_of_gene if starts else _splice_sites_of_gene
    most = None if limit is None else limit * (3 if starts else 2)
    drawn: list[tuple[Signal, str]] = []
    genes = [gene for gene in annotation.genes if gene.strand in "+-" and gene.contig in assembly.contigs]
    for index in random.permutation(len(genes)):
        drawn += of_gene(genes[index], assembly, kind, known, random)
        if most is not None and len(drawn) >= most:
            break
    if not drawn:
        raise BudwoodError(f"no gene has a {kind} with a decoy", mend="give an annotation with exons or CDS")
    drawn = drawn[:most]
    windows = np.stack([site_window(assembly, signal) for signal, _ in drawn])
    contigs = np.array([signal.contig for signal, _ in drawn], dtype=object)
    roles = np.array([role for _, role in drawn], dtype=object)
    positions = np.array([signal.position for signal, _ in drawn], dtype=np.int64)
    return SiteSet(kind, windows, roles, contigs, positions)


def _splice_sites_of_gene(
    gene: Gene,
    assembly: Assembly,
    kind: str,
    known: set[tuple[str, int, str]],
    random: np.random.Generator,
) -> list[tuple[Signal, str]]:
    places = [p for p in _places(gene, assembly, kind) if window_fits(p, assembly.contigs[gene.contig])]
    real = [p for p in places if (gene.contig, p, gene.strand) in known]
    decoys = [p for p in places if (gene.contig, p, gene.strand) not in known]
    pairs = min(len(real), len(decoys))
    if not pairs:
        return []
    chosen = [random.choice(some, pairs, replace=False).tolist() for some in (real, decoys)]
    return [
        (Signal(gene.contig, position, gene.strand, kind), role)
        for pair in zip(*chosen, strict=True)
        for position, role in zip(pair, (SITE, OF_GENE), strict=True)
    ]


def _starts_of_gene(
    gene: Gene,
    assembly: Assembly,
    kind: str,
    known: set[tuple[str, int, str]],
    random: np.random.Generator,
) -> list[tuple[Signal, str]]:
    best = gene.representative
    if best is None or not best.cds:
        return []
    along = _coding_positions(best.cds, gene.strand)
    codes = assembly.sequence(Interval(gene.contig, best.cds[0].start, best.cds[-1].end, gene.strand))
    letters = codes[np.abs(along - along[0])]
    last = len(along) - 2
    shows = np.logical_and.reduce([letters[i : i + last] == letter for i, letter in enumerate(encode("ATG"))])
    shows &= np.abs(along[2:] - along[:last]) == 2
    usable = [
        i for i in np.flatnonzero(shows).tolist() if window_fits(int(along[i]), assembly.contigs[gene.contig])
    ]
    marked = [(gene.contig, int(along[i]), gene.strand) in known for i in usable]
    if 0 not in usable or not marked[0]:
        return []
    decoys = [i for i, mark in zip(usable, marked, strict=True) if not mark]
    groups = [[i for i in decoys if (i % 3 == 0) == inside] for inside in (True, False)]
    if not all(groups):
        return []
    chosen = [0, *(group[int(random.integers(len(group)))] for group in groups)]
    return [
        (Signal(gene.contig, int(along[i]), gene.strand, kind), role)
        for i, role in zip(chosen, (SITE, IN_FRAME, OUT_OF_FRAME), strict=True)
    ]


def _coding_positions(cds: tuple[CodingPart, ...], strand: str) -> NDArray[np.int64]:
    """Positions of the bases of a coding sequence, in reading order."""
    forward = np.concatenate([np.arange(part.start, part.end) for part in cds])
    return forward if strand == "+" else forward[::-1]


def _places(gene: Gene, assembly: Assembly, kind: str) -> list[int]:
    """Every position in the gene that shows the bases of the site, as an annotation would give it."""
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
    """The window with the boundary of the site in its middle."""
    if strand == "+":
        middle = position + 1 if kind == "acceptor" else position
    else:
        middle = position if kind == "acceptor" else position + 1
    return middle - WINDOW // 2, middle + WINDOW // 2


def window_fits(position: int, length: int) -> bool:
    """Whether the window around a position lies within its contig.

    Parameters
    ----------
    position, length
        Position, and length of its contig in bases.

    Returns
    -------
    bool
        Whether it does.

    Examples
    --------
    >>> window_fits(300, 1000), window_fits(100, 1000)
    (True, False)
    """
    return WINDOW // 2 <= position < length - WINDOW // 2


def site_window(assembly: Assembly, signal: Signal) -> NDArray[np.uint8]:
    """Bases around a site along its gene, with the boundary of the site in the middle.

    Parameters
    ----------
    assembly
        The genome.
    signal
        The site.

    Returns
    -------
    numpy.ndarray
        (512,) codes.
    """
    start, end = _bounds(signal.position, signal.strand, signal.kind)
    return assembly.sequence(Interval(signal.contig, start, end, signal.strand))
