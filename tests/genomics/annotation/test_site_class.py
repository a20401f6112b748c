"""Classes of markers by the genes around them."""

from __future__ import annotations

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.genomics.annotation.genes import Annotation, CodingPart, Gene, Span, Transcript
from budwood.genomics.annotation.site_class import PROMOTER_REACH, SiteClass, site_classes
from budwood.genomics.genotypes import Markers

# Exons 2,000-2,100 and 2,300-2,500; coding from 2,050 to 2,400.
CDS = (CodingPart(2_050, 2_100, 0), CodingPart(2_300, 2_400, 2))
TRANSCRIPT = Transcript("t", (Span(2_000, 2_100), Span(2_300, 2_500)), CDS)


def markers_at(*places: tuple[str, int]) -> Markers:
    blank = np.full(len(places), "", dtype=object)
    contigs = np.array([contig for contig, _ in places], dtype=object)
    return Markers(blank, contigs, np.array([position for _, position in places]), blank, blank)


def names(markers: Markers, *genes: Gene, **more: object) -> list[str]:
    return [SiteClass(value).name for value in site_classes(markers, Annotation(genes), **more)]


def test_every_class_at_its_borders_on_both_strands() -> None:
    places = [
        999,
        1_000,
        1_999,
        2_000,
        2_049,
        2_050,
        2_099,
        2_100,
        2_299,
        2_399,
        2_400,
        2_499,
        2_500,
        3_499,
        3_500,
    ]
    body = ["UTR", "UTR", "CODING", "CODING", "INTRON", "INTRON", "CODING", "UTR", "UTR"]
    markers = markers_at(*(("1", place) for place in places))
    forward, reverse = (Gene("g", "1", 2_000, 2_500, strand, (TRANSCRIPT,)) for strand in "+-")
    assert names(markers, forward) == ["INTERGENIC", "PROMOTER", "PROMOTER", *body, *["INTERGENIC"] * 3]
    assert names(markers, reverse) == [*["INTERGENIC"] * 3, *body, "PROMOTER", "PROMOTER", "INTERGENIC"]
    assert PROMOTER_REACH == 1_000


def test_a_promoter_inside_another_gene_is_that_gene() -> None:
    other = Gene(
        "h", "1", 2_600, 2_900, "+", (Transcript("h", (Span(2_600, 2_900),), (CodingPart(2_600, 2_900, 0),)),)
    )
    gene = Gene("g", "1", 2_000, 2_500, "+", (TRANSCRIPT,))
    markers = markers_at(("1", 2_400), ("1", 2_550))
    assert names(markers, gene, other) == ["UTR", "PROMOTER"]


def test_genes_without_protein_unplaced_markers_and_other_contigs_are_intergenic() -> None:
    transfer = Gene("t", "1", 5_000, 5_100, "+", (Transcript("t", (Span(5_000, 5_100),)),))
    gene = Gene("g", "1", 2_000, 2_500, "+", (TRANSCRIPT,))
    markers = markers_at(("1", 5_050), ("1", 4_500), ("1", -1), ("2", 2_060), ("", 2_060))
    assert names(markers, gene, transfer) == ["INTERGENIC"] * 5


def test_markers_far_apart_and_in_any_order() -> None:
    far = 7 << 20
    late = Transcript("l", (Span(far, far + 300),), (CodingPart(far, far + 300, 0),))
    genes = (Gene("g", "1", 2_000, 2_500, "+", (TRANSCRIPT,)), Gene("l", "1", far, far + 300, "+", (late,)))
    markers = markers_at(("1", far + 5), ("1", 2_060), ("1", far - 5), ("1", 3 << 20))
    assert names(markers, *genes) == ["CODING", "CODING", "PROMOTER", "INTERGENIC"]


def test_aliases_and_contigs_that_do_not_fit() -> None:
    gene = Gene("g", "1", 2_000, 2_500, "+", (TRANSCRIPT,))
    markers = markers_at(("chr1", 2_060))
    assert names(markers, gene, aliases={"chr1": "1"}) == ["CODING"]
    with pytest.raises(BudwoodError, match="no contig of the genotypes is in the annotation") as told:
        names(markers, gene)
    assert "genotypes have chr1; the annotation has 1" in str(told.value)
    with pytest.raises(BudwoodError, match="the markers have no places"):
        names(markers_at(("", -1)), gene)
