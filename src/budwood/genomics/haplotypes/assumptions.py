"""What the haplotype table had to assume or leave out, by name."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Assumption(StrEnum):
    """Keys of :attr:`budwood.genomics.haplotypes.table.HaplotypeTable.assumptions`.

    A *site* is a record of the file, a *call* is the allele of one copy of one accession at one site.

    Examples
    --------
    >>> Assumption.CALLS_MISSING.value
    'calls_missing'
    """

    SITES_READ = "sites_read"
    SITES_USED = "sites_used"
    SITES_CONTIG_ABSENT = "sites_contig_absent"
    SITES_PAST_END = "sites_past_end"
    SITES_REFERENCE_MISMATCH = "sites_reference_mismatch"
    SITES_REFERENCE_AMBIGUOUS = "sites_reference_ambiguous"
    CALLS_MISSING = "calls_missing"
    CALLS_NOT_SEQUENCE = "calls_not_sequence"
    CALLS_DELETED_UPSTREAM = "calls_deleted_upstream"
    CALLS_OVERLAPPING = "calls_overlapping"
    PHASE_ASSUMED = "phase_assumed"
    WINDOWS_PHASE_ASSUMED = "windows_phase_assumed"

    @property
    def meaning(self) -> str:
        """What is counted, as a phrase that follows the number."""
        return _MEANING[self]


_MEANING: Mapping[Assumption, str] = {
    Assumption.SITES_READ: "sites read",
    Assumption.SITES_USED: "sites used",
    Assumption.SITES_CONTIG_ABSENT: "sites left out: their contig is not in the reference",
    Assumption.SITES_PAST_END: "sites left out: they lie past the end of their contig or at position 0",
    Assumption.SITES_REFERENCE_MISMATCH: "sites left out: REF is not what the reference has there",
    Assumption.SITES_REFERENCE_AMBIGUOUS: "sites left out: REF has letters other than A, C, G and T",
    Assumption.CALLS_MISSING: "missing calls, taken as the reference allele",
    Assumption.CALLS_NOT_SEQUENCE: "calls of symbolic or ambiguous alleles, taken as the reference allele",
    Assumption.CALLS_DELETED_UPSTREAM: "calls of the allele *, left to the deletion that covers them",
    Assumption.CALLS_OVERLAPPING: "calls left out: an earlier variant of the same copy overlaps them",
    Assumption.PHASE_ASSUMED: (
        "windows of single accessions with unknown phase: reference alleles were put on the first copies, "
        "others on the last, whichever order the file spells them in"
    ),
    Assumption.WINDOWS_PHASE_ASSUMED: "windows in which the phase of at least one accession was assumed",
}


def describe_assumptions(assumptions: Mapping[str, int]) -> tuple[str, ...]:
    """One line per count that is not zero, for summaries and reports.

    Parameters
    ----------
    assumptions
        Count by key of :class:`Assumption`.

    Returns
    -------
    tuple of str
        Count and meaning, in the order of :class:`Assumption`.

    Examples
    --------
    >>> describe_assumptions({"sites_used": 3, "calls_missing": 0})
    ('3 sites used',)
    """
    return tuple(f"{assumptions[key]:,} {key.meaning}" for key in Assumption if assumptions.get(key, 0))
