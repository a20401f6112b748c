"""Loci that two genomes have in common: orthologous genes, or windows of one genome build."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from budwood.errors import BudwoodError
from budwood.genomics.checks.marker_match import plain_contig
from budwood.genomics.genotypes import Markers
from budwood.genomics.interval import Interval


@dataclass(frozen=True, kw_only=True, eq=False)
class LocusMap:
    """Pairs of corresponding places in a source's and a target's genome.

    Attributes
    ----------
    names
        L names.
    source, target
        (L,) intervals. A locus may stand in several pairs (paralogs).
    kind
        What the pairs are, for people: ``"orthologous genes"``, ``"windows of one genome"``.
    notes
        Sentences on what was dropped or assumed.
    """

    names: tuple[str, ...]
    source: tuple[Interval, ...]
    target: tuple[Interval, ...]
    kind: str
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    def shuffled(self, rng: np.random.Generator) -> LocusMap:
        """The same loci with partners drawn at random: the control for orthology."""
        order = rng.permutation(len(self))
        return LocusMap(
            names=self.names,
            source=self.source,
            target=tuple(self.target[i] for i in order),
            kind=f"shuffled {self.kind}",
            notes=self.notes,
        )


def orthologous_loci(
    pairs: Sequence[tuple[str, str]],
    source_genes: Mapping[str, Interval],
    target_genes: Mapping[str, Interval],
    kind: str = "orthologous genes",
) -> LocusMap:
    """Loci of orthologous genes.

    Parameters
    ----------
    pairs
        Gene of the source and gene of the target.
    source_genes, target_genes
        Place of each gene.

    Returns
    -------
    LocusMap
        The pairs of which both genes have a place.

    Raises
    ------
    BudwoodError
        If no pair has both.

    Examples
    --------
    >>> here, there = {"a1": Interval("1", 0, 9)}, {"b1": Interval("2", 5, 8)}
    >>> orthologous_loci([("a1", "b1"), ("a2", "b2")], here, there).names
    ('a1:b1',)
    """
    pairs = list(dict.fromkeys(pairs))
    known = [(one, other) for one, other in pairs if one in source_genes and other in target_genes]
    if not known:
        raise BudwoodError(
            f"none of the {len(pairs):,} gene pairs has both genes in the gene tables",
            mend="give the pairs as source gene, target gene, with the names that the gene tables use",
        )
    notes = [f"{len(known):,} of {len(pairs):,} pairs of {kind} have both genes placed."]
    return LocusMap(
        names=tuple(f"{one}:{other}" for one, other in known),
        source=tuple(source_genes[one] for one, _ in known),
        target=tuple(target_genes[other] for _, other in known),
        kind=kind,
        notes=tuple(notes),
    )


def window_loci(markers: Iterable[Markers], size: int = 50_000) -> LocusMap:
    """Windows of one genome build in which two populations both have markers.

    Parameters
    ----------
    markers
        Markers of the source and of the target.
    size
        Bases of a window.

    Returns
    -------
    LocusMap
        One pair for each window; empty where they have none in common.
    """
    held = []
    for each in markers:
        placed = each.position >= 0
        contigs = [plain_contig(str(contig)) for contig in each.contig[placed]]
        held.append(set(zip(contigs, (each.position[placed] // size).tolist(), strict=True)))
    shared = sorted(set.intersection(*held))
    windows = tuple(Interval(contig, number * size, (number + 1) * size) for contig, number in shared)
    return LocusMap(
        names=tuple(f"{each.contig}:{each.start + 1}-{each.end}" for each in windows),
        source=windows,
        target=windows,
        kind="windows of one genome",
    )


def locus_members(loci: Sequence[Interval], markers: Markers, reach: int) -> csr_matrix:
    """Which markers lie in or near which locus.

    Parameters
    ----------
    loci
        L intervals; contigs match without case, ``chr`` and leading zeros.
    markers
        m markers.
    reach
        Bases on either side of a locus that belong to it.

    Returns
    -------
    scipy.sparse.csr_matrix
        (L, m) of 0 and 1.

    Examples
    --------
    >>> words = np.array(["chr01", "chr01", "chr02"], dtype=object)
    >>> markers = Markers(words, words, np.array([5, 90, 5]), words, words)
    >>> locus_members([Interval("1", 10, 20)], markers, reach=8).toarray()
    array([[1., 0., 0.]])
    """
    placed = np.flatnonzero(markers.position >= 0)
    contigs = [str(contig) for contig in markers.contig[placed]]
    starts = markers.position[placed]
    return _members(loci, contigs, starts, starts + 1, reach, placed, len(markers))


def locus_windows(loci: Sequence[Interval], windows: Sequence[Interval], reach: int) -> csr_matrix:
    """Which windows overlap which locus or its reach.

    Parameters
    ----------
    loci
        L intervals; contigs match without case, ``chr`` and leading zeros.
    windows
        W intervals that do not overlap each other, such as those of a
        :class:`~budwood.genomics.haplotypes.table.HaplotypeTable`.
    reach
        Bases on either side of a locus that belong to it.

    Returns
    -------
    scipy.sparse.csr_matrix
        (L, W) of 0 and 1.

    Examples
    --------
    >>> windows = [Interval("chr1", 0, 10), Interval("chr1", 10, 20), Interval("chr1", 40, 50)]
    >>> locus_windows([Interval("1", 22, 30)], windows, reach=3).toarray()
    array([[0., 1., 0.]])
    """
    contigs = [window.contig for window in windows]
    starts = np.array([window.start for window in windows], dtype=np.int64)
    ends = np.array([window.end for window in windows], dtype=np.int64)
    return _members(loci, contigs, starts, ends, reach, np.arange(len(windows)), len(windows))


def _members(
    loci: Sequence[Interval],
    contigs: Sequence[str],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    reach: int,
    columns: NDArray[np.intp],
    width: int,
) -> csr_matrix:
    """(L, width): which pieces of a genome, which do not overlap each other, overlap which locus."""
    by_contig: dict[str, NDArray[np.intp]] = {}
    plain = np.array([plain_contig(contig) for contig in contigs], dtype=object)
    for contig in dict.fromkeys(plain):
        pieces = np.flatnonzero(plain == contig)
        by_contig[contig] = pieces[np.argsort(starts[pieces], kind="stable")]
    found, bounds = [], [0]
    for locus in loci:
        pieces = by_contig.get(plain_contig(locus.contig), np.empty(0, dtype=np.intp))
        first = np.searchsorted(ends[pieces], locus.start - reach, side="right")
        last = max(first, np.searchsorted(starts[pieces], locus.end + reach))
        found.append(columns[pieces[first:last]])
        bounds.append(bounds[-1] + int(last - first))
    indices = np.concatenate(found) if found else np.empty(0, dtype=np.intp)
    return csr_matrix((np.ones(len(indices)), indices, bounds), shape=(len(loci), width))
