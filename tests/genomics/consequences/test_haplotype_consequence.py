"""Variants on one copy, against the translation of that copy."""

import numpy as np
import pytest

from budwood.genomics.annotation.genes import Annotation, CodingPart, Gene, Span, Transcript
from budwood.genomics.assembly import InMemoryAssembly
from budwood.genomics.consequences.caller import ConsequenceCaller
from budwood.genomics.consequences.edit import complemented
from budwood.genomics.consequences.haplotype_consequence import (
    HaplotypeConsequence,
    bcsq_value,
    haplotype_consequences,
)
from budwood.genomics.haplotypes.calls import CallBlock, Site

# M A K L W P S *, an intron after the first base of K.
LEFT, INTRON, RIGHT = "CCATGGCTA", "GTACCATAAG", "AACTTTGGCCATCATAAGG"
GENOME = LEFT + INTRON + RIGHT
SIZE = len(GENOME)


def annotation(strand: str) -> Annotation:
    exons, cds = [(0, 9), (19, SIZE)], [(2, 9, 0), (19, SIZE - 2, 2)]
    if strand == "-":
        exons = [(SIZE - end, SIZE - start) for start, end in reversed(exons)]
        cds = [(SIZE - end, SIZE - start, phase) for start, end, phase in reversed(cds)]
    transcript = Transcript(
        "t", tuple(Span(*e) for e in exons), tuple(CodingPart(*p) for p in cds), "protein_coding"
    )
    return Annotation((Gene("g", "1", 0, SIZE, strand, (transcript,)),))


def joint(
    records: list[tuple[int, str, str]],
    calls: list[list[list[int]]],
    *,
    phased: bool = True,
    strand: str = "+",
) -> list[tuple[Site, tuple[HaplotypeConsequence, ...]]]:
    """Joint consequences of records given on the gene's strand; ``calls`` by record, accession and copy."""
    genome, sites = GENOME, []
    for start, reference, allele in records:
        assert GENOME[start : start + len(reference)] == reference
        place, letters = start, (reference, allele)
        if strand == "-":
            place, letters = SIZE - start - len(reference), tuple(map(complemented, letters))
        sites.append(Site("1", place, f"v{start}", letters))
    order = sorted(range(len(sites)), key=lambda row: sites[row].start)
    genome = GENOME if strand == "+" else complemented(GENOME)
    alleles = np.array(calls, dtype=np.int8)[order]
    block = CallBlock(tuple(sites[row] for row in order), alleles, np.full(alleles.shape[:2], phased))
    caller = ConsequenceCaller(annotation(strand), InMemoryAssembly({"1": genome}))
    return list(haplotype_consequences(caller, [block]))


def the_one(found: list[tuple[Site, tuple[HaplotypeConsequence, ...]]]) -> HaplotypeConsequence:
    distinct = {entry for _, entries in found for entry in entries}
    assert len(distinct) == 1
    return distinct.pop()


@pytest.mark.parametrize("strand", ["+", "-"])
def test_two_changes_of_one_codon_across_an_intron(strand: str) -> None:
    # AAA: A|AA with A>T and the last A>G gives TAG, each alone TAA and AAG.
    found = joint([(8, "A", "T"), (20, "A", "G")], [[[1, 0]], [[1, 0]]], strand=strand)
    one = the_one(found)
    assert one.terms[0] == "stop_gained"
    assert (one.hgvs_p, one.copies, one.strand) == ("p.Lys3*", 1, strand)
    assert all(entries for _, entries in found)


@pytest.mark.parametrize("strand", ["+", "-"])
def test_a_second_indel_restores_the_frame(strand: str) -> None:
    # AAC TTT GGC: C is lost, a base is gained further on.
    found = joint([(20, "AC", "A"), (25, "G", "GA")], [[[1, 1]], [[0, 1]]], strand=strand)
    one = the_one(found)
    assert "frameshift_variant" not in one.terms
    assert one.copies == 1
    assert one.hgvs_c == "c.[10del;14_15insA]" or one.hgvs_c.startswith("c.[")


def test_changes_on_different_copies_or_of_different_codons_are_not_joined() -> None:
    records = [(8, "A", "T"), (20, "A", "G")]
    assert not any(entries for _, entries in joint(records, [[[1, 0]], [[0, 1]]]))
    apart = [(6, "C", "T"), (20, "A", "G")]
    assert not any(entries for _, entries in joint(apart, [[[1, 1]], [[1, 1]]]))


def test_phase_is_never_assumed() -> None:
    records = [(8, "A", "T"), (20, "A", "G")]
    both_open = [[[1, 0]], [[1, 0]]]
    assert not any(entries for _, entries in joint(records, both_open, phased=False))
    # A homozygous call needs no phase, nor does the only heterozygous one.
    assert the_one(joint(records, [[[1, 1]], [[1, 0]]], phased=False)).copies == 1
    assert the_one(joint(records, [[[1, 1]], [[1, 1]]], phased=False)).copies == 2


def test_copies_of_every_accession_and_ploidy_count() -> None:
    calls = [[[1, 1, 0, 1], [1, -2, -2, -2], [-1, 1, 1, 1]], [[1, 0, 1, 1], [1, -2, -2, -2], [1, 1, 1, 0]]]
    assert the_one(joint([(8, "A", "T"), (20, "A", "G")], calls)).copies == 2 + 1 + 2


def test_the_value_stands_at_the_first_record_and_the_others_point_to_it() -> None:
    (first, here), (second, there) = joint([(8, "A", "T"), (20, "A", "G")], [[[1, 0]], [[1, 0]]])
    value = bcsq_value(first, here)
    assert value == "stop_gained&splice_region|g|t|protein_coding|+|p.Lys3*|c.[7A>T+9A>G]|1"
    assert bcsq_value(second, there) == "@9"
    assert bcsq_value(first, ()) == ""


def test_every_record_comes_back_in_order() -> None:
    records = [(0, "C", "T"), (8, "A", "T"), (12, "C", "G"), (20, "A", "G")]
    found = joint(records, [[[1, 0]]] * 4)
    assert [site.identifier for site, _ in found] == ["v0", "v8", "v12", "v20"]
    assert [len(entries) for _, entries in found] == [0, 1, 0, 1]
