"""What each allele replaces, and why some have no score."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budwood.errors import BudwoodError
from budwood.genomics.assembly import InMemoryAssembly
from budwood.genomics.haplotypes.calls import Site
from budwood.genomics.sequence import N, decode
from budwood.inference.variants.allele_table import (
    LONGEST,
    NoScoreReason,
    allele_table,
    check_reference_alleles,
)

LETTERS = "ACGTACGTTTGCANNACGTGGGCA" * 60
GENOME = InMemoryAssembly({"Chr1": LETTERS, "short": "A"})


@pytest.mark.parametrize(
    ("contig", "start", "alleles", "reason"),
    [
        ("Chr1", 0, ("A", "C"), NoScoreReason.SCORED),
        ("Chr1", 0, ("ACG", "A"), NoScoreReason.SCORED),
        ("Chr1", 0, ("A", "ACG"), NoScoreReason.SCORED),
        ("Chr1", 0, ("AC", "GT"), NoScoreReason.SCORED),
        ("Chr1", 0, ("A", "*"), NoScoreReason.SPANNING_DELETION),
        ("Chr1", 0, ("A", "<DEL>"), NoScoreReason.SYMBOLIC),
        ("Chr1", 0, ("A", "<*>"), NoScoreReason.SYMBOLIC),
        ("Chr1", 0, ("A", "A[Chr1:9["), NoScoreReason.SYMBOLIC),
        ("Chr1", 0, ("A", "]Chr1:9]A"), NoScoreReason.SYMBOLIC),
        ("Chr1", 0, ("A", "A."), NoScoreReason.SYMBOLIC),
        ("Chr1", 0, ("A", ".A"), NoScoreReason.SYMBOLIC),
        ("Chr1", 0, ("A", "N"), NoScoreReason.UNKNOWN_BASE),
        ("Chr1", 0, ("A", "R"), NoScoreReason.UNKNOWN_BASE),
        ("Chr1", 13, ("N", "A"), NoScoreReason.UNKNOWN_BASE),
        ("Chr1", 13, ("A", "C"), NoScoreReason.REFERENCE_MISMATCH),
        ("Chr1", 0, ("A", "A"), NoScoreReason.SAME_AS_REFERENCE),
        ("Chr1", 0, ("C", "A"), NoScoreReason.REFERENCE_MISMATCH),
        ("Chr1", 0, ("AG", "A"), NoScoreReason.REFERENCE_MISMATCH),
        ("Chr1", -1, ("A", "C"), NoScoreReason.BEYOND_CONTIG),
        ("Chr1", 10**9, ("A", "C"), NoScoreReason.BEYOND_CONTIG),
        ("short", 0, ("AC", "A"), NoScoreReason.BEYOND_CONTIG),
        ("Chr9", 0, ("A", "C"), NoScoreReason.UNKNOWN_CONTIG),
        ("Chr1", 0, ("A", "A" * (LONGEST + 1)), NoScoreReason.TOO_LONG),
        ("Chr1", 0, (LETTERS[: LONGEST + 1].replace("N", "A"), "A"), NoScoreReason.UNKNOWN_BASE),
    ],
)
def test_each_kind_of_allele(
    contig: str, start: int, alleles: tuple[str, str], reason: NoScoreReason
) -> None:
    if len(alleles[0]) > LONGEST:
        reason = NoScoreReason.TOO_LONG
    table = allele_table([Site(contig, start, "m", alleles)], GENOME)
    assert table.reasons.tolist() == [reason]
    assert table.scored.tolist() == [reason is NoScoreReason.SCORED]


def test_a_record_without_alternative_has_no_row() -> None:
    sites = [Site("Chr1", 0, "m", ("A",)), Site("Chr1", 1, "m", ("C", "A", "G"))]
    assert allele_table(sites, GENOME).record.tolist() == [1, 1]


@given(st.integers(0, 11), st.integers(1, 5), st.text("ACGT", min_size=1, max_size=6))
@settings(max_examples=100, deadline=None)
def test_the_trimmed_replacement_gives_the_same_sequence(start: int, length: int, new: str) -> None:
    old = LETTERS[start : min(start + length, 13)]
    table = allele_table([Site("Chr1", start, "m", (old, new))], GENOME)
    whole = LETTERS[:start] + new + LETTERS[start + len(old) :]
    if table.reasons[0] is NoScoreReason.SAME_AS_REFERENCE:
        assert whole == LETTERS
    elif 0 in table.edits:
        edit = table.edits[0]
        assert LETTERS[: edit.start] + decode(edit.letters) + LETTERS[edit.end :] == whole
        assert int(table.alternative[0]) == N
    else:
        at, letter = int(table.start[0]), decode(table.alternative)
        assert LETTERS[:at] + letter + LETTERS[at + 1 :] == whole
        assert decode(table.reference) == LETTERS[at]


def test_bases_around_are_those_of_the_genome_whatever_the_order() -> None:
    places = [700, 3, 1, 0, 9, 1439, 400]
    sites = [
        Site("Chr1", p, "m", (LETTERS[p], "A" if LETTERS[p] != "A" else "C"))
        for p in places
        if LETTERS[p] != "N"
    ]
    table = allele_table(sites, GENOME)
    padded = "NNNN" + LETTERS + "NNNN"
    for row, site in enumerate(sites):
        assert decode(table.around(GENOME, 4)[row]) == padded[site.start : site.start + 9]


def test_names_are_matched_by_alias_alone() -> None:
    site = Site("1", 0, "m", ("A", "C"))
    assert allele_table([site], GENOME).reasons.tolist() == [NoScoreReason.UNKNOWN_CONTIG]
    assert allele_table([site], GENOME, {"1": "Chr1"}).reasons.tolist() == [NoScoreReason.SCORED]


def test_a_file_of_another_genome_is_refused() -> None:
    good = [Site("Chr1", p, "m", (LETTERS[p], "*" if LETTERS[p] == "A" else "A")) for p in range(13)]
    bad = [Site("Chr1", p, "m", ("ACGT"["ACGT".index(LETTERS[p]) - 1], "TT")) for p in range(13)] * 2
    check_reference_alleles(allele_table(good + bad[:13], GENOME), "x.vcf")
    with pytest.raises(BudwoodError, match="have another REF than the genome"):
        check_reference_alleles(allele_table(good + bad, GENOME), "x.vcf")
    lost = [Site("Chr7", p, "m", ("A", "C")) for p in range(30)]
    with pytest.raises(BudwoodError, match="lie on no contig"):
        check_reference_alleles(allele_table(lost, GENOME), "x.vcf")
