"""Alternative alleles of records as arrays: what each replaces, or why it has no score."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.genomics.assembly import Assembly
from budwood.genomics.haplotypes.calls import Site
from budwood.genomics.interval import Interval
from budwood.genomics.sequence import N, decode, encode

#: Longest allele that is scored, in bases; longer ones are structural variants.
LONGEST: Final = 1_000
_PIECE: Final = 1 << 20
_LETTERS: Final = frozenset("ACGT")
_CODE: Final = {letter: code for code, letter in enumerate("ACGT")}


class NoScoreReason(StrEnum):
    """Why an allele has no score."""

    SCORED = "scored"
    NO_ALTERNATIVE = "no_alternative"
    SYMBOLIC = "symbolic"
    SPANNING_DELETION = "spanning_deletion"
    UNKNOWN_BASE = "unknown_base"
    SAME_AS_REFERENCE = "same_as_reference"
    TOO_LONG = "too_long"
    UNKNOWN_CONTIG = "unknown_contig"
    BEYOND_CONTIG = "beyond_contig"
    REFERENCE_MISMATCH = "reference_mismatch"


@dataclass(frozen=True)
class AlleleEdit:
    """What an allele other than a single-base change replaces, without the bases both alleles share.

    Attributes
    ----------
    start, end
        Replaced bases of the contig, 0-based and half-open; equal for an insertion.
    letters
        Codes of what replaces them.
    """

    start: int
    end: int
    letters: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class AlleleTable:
    """Alternative alleles of a run of records, in their order.

    Attributes
    ----------
    contigs
        Names in the assembly.
    record
        (n,) number of the record of each allele.
    contig
        (n,) index into ``contigs``, -1 where there is none.
    start
        (n,) first replaced base, 0-based.
    reference, alternative
        (n,) codes of the bases of a single-base change; N for any other allele.
    reasons
        (n,) :class:`NoScoreReason` of each allele, ``SCORED`` where it has a score.
    edits
        What alleles other than single-base changes replace, by row.
    """

    contigs: tuple[str, ...]
    record: NDArray[np.int64]
    contig: NDArray[np.int64]
    start: NDArray[np.int64]
    reference: NDArray[np.uint8]
    alternative: NDArray[np.uint8]
    reasons: NDArray[np.object_]
    edits: Mapping[int, AlleleEdit]

    def __len__(self) -> int:
        return len(self.record)

    @property
    def scored(self) -> NDArray[np.bool_]:
        """(n,) whether each allele has a score."""
        found: NDArray[np.bool_] = self.reasons == NoScoreReason.SCORED
        return found

    @property
    def substitution(self) -> NDArray[np.bool_]:
        """(n,) whether each allele is a single-base change with a score."""
        return self.scored & (self.alternative < N)

    def around(self, assembly: Assembly, reach: int) -> NDArray[np.uint8]:
        """Bases around single-base changes.

        Parameters
        ----------
        assembly
            The genome.
        reach
            Bases on either side.

        Returns
        -------
        ndarray
            (n, 2 reach + 1) codes; N beyond the contig and for other alleles.
        """
        found = np.full((len(self), 2 * reach + 1), N, dtype=np.uint8)
        rows = np.flatnonzero(self.substitution)
        rows = rows[np.lexsort((self.start[rows], self.contig[rows]))]
        offsets = np.arange(-reach, reach + 1)
        pieces = np.stack([self.contig[rows], self.start[rows] // _PIECE], axis=1)
        edges = np.flatnonzero((pieces[1:] != pieces[:-1]).any(1)) + 1
        for here in np.split(rows, edges) if len(rows) else ():
            contig = self.contigs[self.contig[here[0]]]
            low = max(0, int(self.start[here[0]]) - reach)
            high = min(int(self.start[here[-1]]) + reach + 1, assembly.contigs[contig])
            codes = assembly.sequence(Interval(contig, low, high))
            columns = self.start[here][:, None] + offsets - low
            inside = (columns >= 0) & (columns < len(codes))
            found[here] = np.where(inside, codes[np.where(inside, columns, 0)], N)
        return found


def allele_table(
    sites: Iterable[Site], assembly: Assembly, aliases: Mapping[str, str] | None = None
) -> AlleleTable:
    """Alternative alleles of records, with their REF checked against the assembly.

    Parameters
    ----------
    sites
        Records.
    assembly
        The genome that they refer to.
    aliases
        Contig names of the records and what the assembly calls them.

    Returns
    -------
    AlleleTable
        One row for each alternative allele.

    Examples
    --------
    >>> from budwood.genomics.assembly import InMemoryAssembly
    >>> genome = InMemoryAssembly({"Chr1": "ACGTACGT"})
    >>> record = Site("Chr1", 1, "m", ("CGT", "C", "CGA", "*"))
    >>> table = allele_table([record], genome)
    >>> [str(reason) for reason in table.reasons]
    ['scored', 'scored', 'spanning_deletion']
    >>> table.edits[0].start, table.edits[0].end, int(table.start[1])
    (2, 4, 3)
    """
    builder = _Builder(assembly, aliases or {})
    for number, site in enumerate(sites):
        builder.add(number, site)
    return builder.table()


class _Builder:
    """Collects rows."""

    def __init__(self, assembly: Assembly, aliases: Mapping[str, str]) -> None:
        self._assembly = assembly
        self._aliases = aliases
        self._contigs = tuple(assembly.contigs)
        self._index = {name: i for i, name in enumerate(self._contigs)}
        self._rows: list[tuple[int, int, int, int, int]] = []
        self._reasons: list[NoScoreReason] = []
        self._edits: dict[int, AlleleEdit] = {}
        self._piece = ("", 0, b"")

    def add(self, number: int, site: Site) -> None:
        """Take the alleles of one record."""
        contig = self._index.get(self._aliases.get(site.contig, site.contig), -1)
        fault = self._fault(contig, site)
        reference = site.alleles[0]
        for allele in site.alleles[1:]:
            reason = _reason(reference, allele, fault)
            start, old, new = site.start, N, N
            if reason is NoScoreReason.SCORED:
                start, end, letters = _trimmed(site.start, reference, allele)
                if end == start + 1 and len(letters) == 1:
                    old, new = _CODE[reference[start - site.start]], _CODE[letters]
                else:
                    self._edits[len(self._rows)] = AlleleEdit(start, end, encode(letters))
            self._rows.append((number, contig, start, old, new))
            self._reasons.append(reason)

    def table(self) -> AlleleTable:
        """The rows as arrays."""
        columns = np.array(self._rows, dtype=np.int64).reshape(-1, 5).T
        record, contig, start, old, new = columns
        reasons = np.empty(len(self._reasons), dtype=object)
        reasons[:] = self._reasons
        codes = (old.astype(np.uint8), new.astype(np.uint8))
        return AlleleTable(self._contigs, record, contig, start, *codes, reasons, self._edits)

    def _fault(self, contig: int, site: Site) -> NoScoreReason:
        """What is wrong with the place and the REF of a record."""
        if contig < 0:
            return NoScoreReason.UNKNOWN_CONTIG
        name, reference = self._contigs[contig], site.alleles[0]
        end = site.start + len(reference)
        if site.start < 0 or end > self._assembly.contigs[name]:
            return NoScoreReason.BEYOND_CONTIG
        if not _LETTERS.issuperset(reference):
            return NoScoreReason.UNKNOWN_BASE
        if len(reference) > LONGEST:
            return NoScoreReason.TOO_LONG
        here = self._letters(name, site.start, end)
        return NoScoreReason.SCORED if here == reference else NoScoreReason.REFERENCE_MISMATCH

    def _letters(self, contig: str, start: int, end: int) -> str:
        """Letters of the assembly, of which a piece around the last record is kept."""
        name, begin, letters = self._piece
        if name != contig or start < begin or end > begin + len(letters):
            until = min(max(end, start + 4096), self._assembly.contigs[contig])
            letters = decode(self._assembly.sequence(Interval(contig, start, until))).encode()
            begin = start
            self._piece = (contig, begin, letters)
        return letters[start - begin : end - begin].decode()


def _reason(reference: str, allele: str, fault: NoScoreReason) -> NoScoreReason:
    if allele == "*":
        return NoScoreReason.SPANNING_DELETION
    if allele[:1] in "<.[]" or allele[-1:] in ".[]" or "[" in allele or "]" in allele:
        return NoScoreReason.SYMBOLIC
    if fault is not NoScoreReason.SCORED:
        return fault
    if not _LETTERS.issuperset(allele):
        return NoScoreReason.UNKNOWN_BASE
    if len(allele) > LONGEST:
        return NoScoreReason.TOO_LONG
    return NoScoreReason.SAME_AS_REFERENCE if allele == reference else NoScoreReason.SCORED


def _trimmed(start: int, reference: str, allele: str) -> tuple[int, int, str]:
    """Place and letters of a replacement without the bases that both alleles end and begin with."""
    if len(reference) == len(allele) == 1:
        return start, start + 1, allele
    shared = min(len(reference), len(allele))
    after = 0
    while after < shared and reference[-1 - after] == allele[-1 - after]:
        after += 1
    before = 0
    while before < shared - after and reference[before] == allele[before]:
        before += 1
    return start + before, start + len(reference) - after, allele[before : len(allele) - after]


def check_reference_alleles(table: AlleleTable, where: str) -> None:
    """Refuse records that for the most part do not fit the assembly.

    Parameters
    ----------
    table
        Alleles of the first records of a file.
    where
        Name of the file, for the message.

    Raises
    ------
    BudwoodError
        If more than half of at least 20 alleles have another REF than the assembly, or lie on contigs it does
        not have.
    """
    wrong = np.isin(
        table.reasons.astype(str),
        [NoScoreReason.REFERENCE_MISMATCH, NoScoreReason.UNKNOWN_CONTIG, NoScoreReason.BEYOND_CONTIG],
    )
    judged = wrong | table.scored
    if wrong.sum() >= 20 and wrong.sum() > judged.sum() / 2:
        mismatched = np.count_nonzero(table.reasons == NoScoreReason.REFERENCE_MISMATCH)
        what = "have another REF than the genome" if mismatched else "lie on no contig of the genome"
        raise BudwoodError(
            f"{int(wrong.sum()):,} of {int(judged.sum()):,} alleles {what}",
            where=where,
            mend="give the genome that the variants were called on, or --alias for other names of contigs",
        )
