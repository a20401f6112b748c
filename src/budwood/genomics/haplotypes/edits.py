"""Edits: what the alleles of a file change in the reference, and which copies carry each change.

An *edit* replaces the reference bases ``start:end`` by ``bases``. It is an allele without what it shares
with REF: the common suffix is cut first and then the common prefix, so that an allele of a multi-allelic
record and the same allele in a record of its own are the same edit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.genomics.assembly import Assembly
from budwood.genomics.haplotypes.assumptions import Assumption
from budwood.genomics.haplotypes.calls import ABSENT, MISSING, CallBlock, CallSource, Site
from budwood.genomics.haplotypes.contig_reader import ContigReader
from budwood.genomics.sequence import encode

_BASES = frozenset("ACGT")


@dataclass(frozen=True, eq=False)
class SiteCalls:
    """What the phase policy needs to know about the calls of one site.

    Attributes
    ----------
    heterozygous
        ``bool`` (n,): the copies of the accession differ in sequence.
    unphased
        ``bool`` (n,): they differ and their order is unknown.
    present
        ``bool`` (n, ploidy): the accession has this copy.
    phase_matters
        Whether any accession is heterozygous with unknown order.
    """

    heterozygous: NDArray[np.bool_]
    unphased: NDArray[np.bool_]
    present: NDArray[np.bool_]
    phase_matters: bool


@dataclass(frozen=True, eq=False)
class Edit:
    """A change of the reference and the copies that carry it.

    Attributes
    ----------
    start, end
        Reference bases replaced, 0-based half-open; equal for a pure insertion before ``start``.
    bases
        Codes that stand in their place; empty for a pure deletion.
    carriers
        ``bool`` (n, ploidy).
    site
        Calls of the record the allele comes from.
    """

    start: int
    end: int
    bases: NDArray[np.uint8]
    carriers: NDArray[np.bool_]
    site: SiteCalls

    @property
    def lengthening(self) -> int:
        """Bases gained (negative: lost)."""
        return len(self.bases) - (self.end - self.start)

    @property
    def last_position(self) -> int:
        """Last reference position that owns changed bases (inserted ones belong to the next position)."""
        return self.end if self.lengthening > 0 else self.end - 1

    def brings_into_view(self, start: int) -> int:
        """Further reference bases that a window at ``start`` shows (negative: fewer) because of the edit.

        Parameters
        ----------
        start
            0-based start of the window.

        Returns
        -------
        int
            Number of reference bases.
        """
        return min(self.end - start, -self.lengthening)


@dataclass(frozen=True)
class EditBatch:
    """Edits of one contig by (start, end); all later ones of the contig start at ``frontier`` or after.

    Attributes
    ----------
    contig
        Contig of all edits.
    edits
        Edits in order.
    frontier
        0-based position before which no later edit of the contig starts.
    """

    contig: str
    edits: list[Edit]
    frontier: int


def trim_allele(ref: str, alt: str) -> tuple[int, int, str]:
    """What ALT changes in REF: (first and one past the last REF letter replaced, letters in their place).

    Parameters
    ----------
    ref, alt
        REF and ALT in letters.

    Returns
    -------
    tuple of int, int, str
        Start and end of the replaced letters of REF (0-based, half-open), and the letters in their place.

    Examples
    --------
    >>> trim_allele("A", "G")
    (0, 1, 'G')
    >>> trim_allele("CAA", "CA")
    (1, 2, '')
    >>> trim_allele("CA", "CTTA")
    (1, 1, 'TT')
    >>> trim_allele("ACG", "TCT")
    (0, 3, 'TCT')
    """
    shorter = min(len(ref), len(alt))
    suffix = 0
    while suffix < shorter and ref[-1 - suffix] == alt[-1 - suffix]:
        suffix += 1
    prefix = 0
    while prefix < shorter - suffix and ref[prefix] == alt[prefix]:
        prefix += 1
    return prefix, len(ref) - suffix, alt[prefix : len(alt) - suffix]


def stream_edits(source: CallSource, assembly: Assembly, tally: Counter[str]) -> Iterator[EditBatch]:
    """Edits of a whole file, contig by contig, ordered, with overlaps on one copy settled.

    Where two edits of one copy overlap, the one first by (start, end, bases) is applied and the
    other is not. Two insertions into the same gap overlap; an insertion into the gap before or after a
    replaced stretch does not overlap it. Every reason to leave something out is counted in ``tally`` under
    the keys of :class:`budwood.genomics.haplotypes.assumptions.Assumption`. A batch with the contig's length
    plus one as its frontier ends the contig.

    Parameters
    ----------
    source
        Calls with letters, sorted by contig and position.
    assembly
        The reference that the calls refer to.
    tally
        Counter to add to.

    Yields
    ------
    EditBatch
        The next edits of a contig.

    Raises
    ------
    BudwoodError
        If the sites are not sorted by contig and position.
    """
    finished: set[str] = set()
    contig, reader, ordering, last = "", None, _Ordering(tally), 0
    for block in source.blocks():
        if not block.sites:
            continue
        tally[Assumption.SITES_READ] += len(block.sites)
        if block.sites[0].contig != contig:
            if reader is not None:
                yield EditBatch(contig, ordering.release(reader.length + 1), reader.length + 1)
            finished.add(contig)
            contig, ordering, last = block.sites[0].contig, _Ordering(tally), 0
            reader = ContigReader(assembly, contig) if contig in assembly.contigs else None
            _refuse_unsorted(contig in finished, block.sites[0])
        for site in block.sites:
            if site.start < 0:  # position 0 or unknown: left out, so its place in the file does not matter
                continue
            _refuse_unsorted(site.start < last, site)
            last = site.start
        if reader is None:
            tally[Assumption.SITES_CONTIG_ABSENT] += len(block.sites)
            continue
        ordering.add(_edits_of_block(block, reader, tally))
        yield EditBatch(contig, ordering.release(last), last)
    if reader is not None:
        yield EditBatch(contig, ordering.release(reader.length + 1), reader.length + 1)


def _refuse_unsorted(unsorted: bool, site: Site) -> None:
    if unsorted:
        raise BudwoodError(
            "the sites are not sorted by contig and position",
            where=f"{site.contig}:{site.start + 1}, {site.identifier}",
            mend="sort the file, for example with 'bcftools sort'",
        )


class _Ordering:
    """Puts the edits of one contig in order and lets the first of two overlapping ones win on each copy."""

    def __init__(self, tally: Counter[str]) -> None:
        self._tally = tally
        self._waiting: list[Edit] = []
        self._open: list[Edit] = []

    def add(self, edits: list[Edit]) -> None:
        # Letters settle ties, so that the order of records at one position does not matter.
        self._waiting = sorted(
            [*self._waiting, *edits], key=lambda edit: (edit.start, edit.end, edit.bases.tobytes())
        )

    def release(self, frontier: int) -> list[Edit]:
        """Edits that start before ``frontier``, settled."""
        ready = [edit for edit in self._waiting if edit.start < frontier]
        self._waiting = self._waiting[len(ready) :]
        settled = (self._settle(edit) for edit in ready)
        return [edit for edit in settled if edit is not None]

    def _settle(self, edit: Edit) -> Edit | None:
        self._open = [other for other in self._open if _overlap(other, edit)]
        if self._open:
            taken = np.logical_or.reduce([other.carriers for other in self._open])
            conflicts = int(np.count_nonzero(edit.carriers & taken))
            if conflicts:
                self._tally[Assumption.CALLS_OVERLAPPING] += conflicts
                edit = replace(edit, carriers=edit.carriers & ~taken)
                # Without carriers an unphased call still says that the order of the copies is a guess.
                if not (edit.carriers.any() or edit.site.phase_matters):
                    return None
        self._open.append(edit)
        return edit


def _overlap(earlier: Edit, later: Edit) -> bool:
    same_gap = earlier.start == earlier.end == later.start == later.end
    return later.start < earlier.end or same_gap


def _edits_of_block(block: CallBlock, reader: ContigReader, tally: Counter[str]) -> list[Edit]:
    """Edits of a block in file order, each with at least one carrier."""
    absent = block.alleles == ABSENT
    everyone = None if absent.any() else ~absent[0]
    missing = block.alleles == MISSING
    edits: list[Edit] = []
    for j, site in enumerate(block.sites):
        fault = _fault(site, reader)
        if fault is not None:
            tally[fault] += 1
            continue
        tally[Assumption.SITES_USED] += 1
        tally[Assumption.CALLS_MISSING] += int(np.count_nonzero(missing[j]))
        present = ~absent[j] if everyone is None else everyone
        calls = _sorted_copies(site, block.alleles[j], block.phased[j])
        edits += _edits_of_site(site, calls, block.phased[j], present, tally)
    return edits


def _sorted_copies(site: Site, calls: NDArray[np.int8], phased: NDArray[np.bool_]) -> NDArray[np.int8]:
    """Calls (n, ploidy) with the copies of unphased ones in one order: REF, then other alleles by letters.

    0/1 and 1/0 say the same, whichever order a file spells them in and numbers its alleles in.
    """
    mixed = ~phased & (calls != calls[:, :1]).any(axis=1)
    if not mixed.any():
        return calls
    order = sorted(range(1, len(site.alleles)), key=lambda number: site.alleles[number])
    rank = np.zeros(len(site.alleles) + 2, dtype=np.int16)  # the last two are for -2 and -1
    rank[order] = np.arange(2, len(order) + 2)
    rank[0], rank[MISSING], rank[ABSENT] = 0, 1, len(site.alleles) + 1
    allele = np.empty(len(rank), dtype=np.int8)
    allele[rank] = [*range(len(site.alleles)), ABSENT, MISSING]
    result = calls.copy()
    result[mixed] = allele[np.sort(rank[calls[mixed]], axis=1)]
    return result


def _fault(site: Site, reader: ContigReader) -> Assumption | None:
    """Why a site cannot be used, None when it can."""
    ref = site.alleles[0]
    if not 0 <= site.start <= reader.length - len(ref):
        return Assumption.SITES_PAST_END
    if not ref or not _BASES.issuperset(ref):
        return Assumption.SITES_REFERENCE_AMBIGUOUS
    if not np.array_equal(reader.codes(site.start, site.start + len(ref)), encode(ref)):
        return Assumption.SITES_REFERENCE_MISMATCH
    return None


def _edits_of_site(
    site: Site,
    calls: NDArray[np.int8],
    phased: NDArray[np.bool_],
    present: NDArray[np.bool_],
    tally: Counter[str],
) -> list[Edit]:
    """Edits of one site: calls (n, ploidy), phased (n,), present (n, ploidy)."""
    carried: list[tuple[str, NDArray[np.bool_]]] = []
    for number, allele in enumerate(site.alleles[1:], start=1):
        carriers = calls == number
        count = int(np.count_nonzero(carriers))
        if allele == "*":
            tally[Assumption.CALLS_DELETED_UPSTREAM] += count
        elif not allele or not _BASES.issuperset(allele):
            tally[Assumption.CALLS_NOT_SEQUENCE] += count
        elif count and allele != site.alleles[0]:
            carried.append((allele, carriers))
    if not carried:
        return []
    site_calls = _site_calls([carriers for _, carriers in carried], phased, present)
    edits = []
    for allele, carriers in carried:
        first, stop, letters = trim_allele(site.alleles[0], allele)
        edits.append(
            Edit(site.start + first, site.start + stop, encode(letters), carriers, site_calls),
        )
    return edits


def _site_calls(
    carried: list[NDArray[np.bool_]], phased: NDArray[np.bool_], present: NDArray[np.bool_]
) -> SiteCalls:
    heterozygous = np.zeros(len(phased), dtype=np.bool_)
    for carriers in carried:
        for copy in range(1, carriers.shape[1]):
            heterozygous |= (carriers[:, copy] != carriers[:, 0]) & present[:, copy]
    unphased = heterozygous & ~phased
    return SiteCalls(heterozygous, unphased, present, bool(unphased.any()))
