from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from budwood.genomics.annotation.base_class import COMPLEMENT_REGION, BaseClass
from budwood.genomics.annotation.genes import (
    Annotation,
    CodingPart,
    Gene,
    Signal,
    Span,
    Transcript,
)


def model(
    name: str, strand: str, exons: list[tuple[int, int]], coding: tuple[int, int] | None, contig: str = "c"
) -> Gene:
    """A gene of one transcript whose coding sequence is the exons within ``coding``."""
    parts: list[CodingPart] = []
    phase = 0
    spans = [(max(a, coding[0]), min(b, coding[1])) for a, b in exons] if coding else []
    for start, end in sorted(s for s in spans if s[0] < s[1])[:: 1 if strand == "+" else -1]:
        parts.append(CodingPart(start, end, phase))
        phase = (phase - (end - start)) % 3
    transcript = Transcript(f"{name}.1", tuple(Span(*e) for e in exons), tuple(sorted(parts)))
    return Gene(name, contig, exons[0][0], exons[-1][1], strand, (transcript,))


@st.composite
def genes(draw: st.DrawFn) -> Gene:
    cuts = sorted(draw(st.lists(st.integers(0, 200), min_size=2, max_size=8, unique=True)))
    cuts = cuts[: len(cuts) // 2 * 2]
    exons = list(zip(cuts[::2], cuts[1::2], strict=True))
    low, high = sorted(draw(st.tuples(st.integers(0, 200), st.integers(0, 200))))
    name = draw(st.text("abcdef", min_size=1, max_size=3))
    return model(name, draw(st.sampled_from("+-")), exons, (low, high) if low < high else None)


def painted_slowly(annotation: Annotation, length: int) -> NDArray[np.uint8]:
    """Class of every base, from its definition."""
    found = np.zeros(length, dtype=np.uint8)
    coding = [g for g in annotation.genes if g.representative is not None and g.representative.cds]
    for base in range(length):
        over: list[tuple[tuple[int, ...], str, int]] = []
        for gene in coding:
            best = gene.representative
            assert best is not None
            place = [p for p in best.cds if p.start <= base < p.end]
            rank = (best.coding_length, -best.exons[0].start)
            if place:
                ordered = sorted(best.cds, reverse=gene.strand == "-")
                before = sum(p.end - p.start for p in ordered[: ordered.index(place[0])])
                inside = base - place[0].start if gene.strand == "+" else place[0].end - 1 - base
                first = BaseClass.CODING_FORWARD_0 if gene.strand == "+" else BaseClass.CODING_REVERSE_0
                over.append(((2, *rank), gene.name, first + (before + inside) % 3))
            elif any(e.start <= base < e.end for e in best.exons):
                over.append(((1,), "", BaseClass.UTR))
            elif best.exons[0].start <= base < best.exons[-1].end:
                over.append(((0,), "", BaseClass.INTRON))
        found[base] = max(over)[2] if over else BaseClass.INTERGENIC
    return found


@settings(deadline=None)
@given(st.lists(genes(), max_size=5, unique_by=lambda g: g.name))
def test_painting_follows_the_definition(found: list[Gene]) -> None:
    annotation = Annotation(tuple(found))
    assert annotation.paint("c", 205).tolist() == painted_slowly(annotation, 205).tolist()


@settings(deadline=None)
@given(st.lists(genes(), max_size=5), st.integers(0, 210), st.integers(0, 60))
def test_a_stretch_is_painted_like_the_whole_contig(found: list[Gene], start: int, length: int) -> None:
    annotation = Annotation(tuple(found))
    whole = annotation.paint("c", 300)
    assert annotation.classes("c", start, start + length).tolist() == whole[start : start + length].tolist()


@settings(deadline=None)
@given(st.lists(genes(), max_size=4, unique_by=lambda g: g.representative and g.representative.coding_length))
def test_the_reverse_complement_swaps_the_strands(found: list[Gene]) -> None:
    length = 220

    def turned(gene: Gene) -> Gene:
        old = gene.transcripts[0]
        exons = tuple(Span(length - e.end, length - e.start) for e in reversed(old.exons))
        cds = tuple(CodingPart(length - p.end, length - p.start, p.phase) for p in reversed(old.cds))
        strand = "-" if gene.strand == "+" else "+"
        return Gene(
            gene.name, "c", exons[0].start, exons[-1].end, strand, (Transcript(old.name, exons, cds),)
        )

    here = Annotation(tuple(found)).paint("c", length)
    there = Annotation(tuple(turned(gene) for gene in found)).paint("c", length)
    assert there.tolist() == [COMPLEMENT_REGION[code] for code in here[::-1]]


def test_codon_positions_run_on_over_introns_on_both_strands() -> None:
    forward = Annotation((model("g", "+", [(2, 7), (10, 14)], (3, 13)),))
    assert forward.paint("c", 16).tolist() == [0, 0, 2, 3, 4, 5, 3, 1, 1, 1, 4, 5, 3, 2, 0, 0]
    backward = Annotation((model("g", "-", [(2, 7), (10, 14)], (3, 13)),))
    assert backward.paint("c", 16).tolist() == [0, 0, 2, 6, 8, 7, 6, 1, 1, 1, 8, 7, 6, 2, 0, 0]


def test_a_partial_first_codon_is_kept_in_phase() -> None:
    cds = (CodingPart(0, 4, 1), CodingPart(6, 9, 0))
    gene = Gene("g", "c", 0, 9, "+", (Transcript("t", (Span(0, 4), Span(6, 9)), cds),))
    annotation = Annotation((gene,))
    assert annotation.paint("c", 9).tolist() == [5, 3, 4, 5, 1, 1, 3, 4, 5]
    assert annotation.start_codons() == []


def test_the_longest_coding_sequence_represents_the_gene() -> None:
    short = Transcript("short", (Span(0, 90),), (CodingPart(0, 30, 0),))
    long = Transcript("long", (Span(0, 60),), (CodingPart(0, 60, 0),))
    again = Transcript("again", (Span(0, 80),), (CodingPart(0, 60, 0),))
    assert Gene("g", "c", 0, 90, "+", (short, long, again)).representative is again
    assert Gene("g", "c", 0, 90, "+").representative is None


def test_genes_without_protein_stay_intergenic() -> None:
    assert not Annotation((model("trna", "+", [(0, 10), (20, 30)], None),)).paint("c", 40).any()


def test_splice_sites_and_start_codons_carry_their_strand() -> None:
    annotation = Annotation(
        (model("f", "+", [(0, 9), (20, 29)], (0, 29)), model("r", "-", [(40, 49), (60, 69)], (40, 69)))
    )
    assert annotation.splice_sites() == [
        Signal("c", 9, "+", "donor"),
        Signal("c", 19, "+", "acceptor"),
        Signal("c", 59, "-", "donor"),
        Signal("c", 49, "-", "acceptor"),
    ]
    assert annotation.start_codons() == [
        Signal("c", 0, "+", "start_codon"),
        Signal("c", 68, "-", "start_codon"),
    ]
    assert annotation.splice_sites("other") == []


def test_splice_sites_of_all_transcripts_are_told_once() -> None:
    first = Transcript("1", (Span(0, 9), Span(20, 29)), (CodingPart(0, 9, 0), CodingPart(20, 29, 0)))
    second = Transcript("2", (Span(0, 9), Span(23, 29)), (CodingPart(0, 9, 0), CodingPart(23, 29, 0)))
    annotation = Annotation((Gene("g", "c", 0, 29, "+", (first, second)),))
    assert len(annotation.splice_sites()) == 2
    assert [s.position for s in annotation.splice_sites(all_transcripts=True)] == [9, 19, 22]


def test_a_chromosome_of_many_genes_is_painted_whole() -> None:
    exons = [(400 * i, 400 * i + 200) for i in range(6)]
    many = tuple(
        model(
            f"g{k}",
            "+-"[k % 2],
            [(a + 2500 * k, b + 2500 * k) for a, b in exons],
            (2500 * k, 2500 * k + 2400),
        )
        for k in range(2000)
    )
    annotation = Annotation(many)
    painted = annotation.paint("c", 5_000_000)
    assert np.count_nonzero(painted >= BaseClass.CODING_FORWARD_0) == 2000 * 1200


def test_genes_of_a_contig_are_those_of_the_file_in_its_order() -> None:
    found = tuple(
        model(f"g{i}", "+", [(i, i + 9)], (i, i + 9), contig=("c", "d")[i % 3 == 0]) for i in range(9)
    )
    annotation = Annotation(found)
    for contig in ("c", "d", "none"):
        assert annotation.genes_on(contig) == tuple(gene for gene in found if gene.contig == contig)
        assert {site.contig for site in annotation.start_codons(contig)} <= {contig}
    assert annotation.start_codons() == [Signal(g.contig, g.start, "+", "start_codon") for g in found]
