"""Sites and decoys stand in the middle, on the gene's strand, with the letters they must show."""

from __future__ import annotations

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.genomics.annotation.genes import Annotation, CodingPart, Gene, Span, Transcript
from budwood.genomics.assembly import InMemoryAssembly
from budwood.genomics.sequence import decode, encode, reverse_complement
from budwood.probing.sites import IN_FRAME, OUT_OF_FRAME, SITE, SITE_LETTERS, collect_sites

LENGTH = 3000
#: Letters planted in the gene: a start with one ATG in frame and one out of frame behind the intron of 300
#: bases, an ATG across the intron (its A is the last base of the first exon), and the splice sites.
PLANTED = ((1000, "ATG"), (1299, "AGT"), (1598, "AGTG"), (1702, "ATG"), (1803, "ATG"))


def plant(strand: str):
    """A contig with one gene of two exons on a strand; apart from what is planted it is of A and C alone."""
    codes = np.random.default_rng(7).integers(0, 2, LENGTH, dtype=np.uint8)
    for start, letters in PLANTED:
        codes[start : start + len(letters)] = encode(letters)
    codes[1400:1402] = encode("GT")
    codes[1500:1502] = encode("AG")
    spans = [(1000, 1300), (1600, 2000)]
    if strand == "-":
        codes = reverse_complement(codes)
        spans = [(LENGTH - end, LENGTH - start) for start, end in reversed(spans)]
    exons = tuple(Span(*span) for span in spans)
    transcript = Transcript("t", exons, tuple(CodingPart(s, e, 0) for s, e in spans))
    gene = Gene("g", "c", spans[0][0], spans[-1][1], strand, (transcript,))
    return InMemoryAssembly({"c": codes}), Annotation((gene,))


@pytest.mark.parametrize("strand", "+-")
@pytest.mark.parametrize("kind", sorted(SITE_LETTERS))
def test_letters_stand_at_the_middle_on_both_strands(kind, strand):
    sites = collect_sites(*plant(strand), kind)
    assert sites.is_site.tolist() == [True] + [False] * (2 if kind == "start_codon" else 1)
    letters = SITE_LETTERS[kind]
    begin = 256 - (2 if kind == "acceptor" else 0)
    assert {decode(w[begin : begin + len(letters)]) for w in sites.windows} == {letters}
    # The true site is the planted one: the same window from either strand.
    assert np.array_equal(sites.windows[0], collect_sites(*plant("+"), kind).windows[0])


@pytest.mark.parametrize("strand", "+-")
def test_the_frame_of_a_decoy_is_counted_along_the_coding_sequence(strand):
    sites = collect_sites(*plant(strand), "start_codon")
    assert sites.role.tolist() == [SITE, IN_FRAME, OUT_OF_FRAME]
    # 1702 is base 402 of the coding sequence, a multiple of three; 1803 would be base 503.
    forward = collect_sites(*plant("+"), "start_codon").windows
    assert np.array_equal(sites.windows, forward)
    in_frame, out_of_frame = forward[1], forward[2]
    assert decode(in_frame[256 + 101 : 256 + 104]) == "ATG"
    assert decode(out_of_frame[256 - 101 : 256 - 98]) == "ATG"
    assert sites.against(IN_FRAME).tolist() == [True, True, False]


def test_a_limit_keeps_sites_with_their_decoys():
    assembly, annotation = plant("+")
    gene = annotation.genes[0]
    twice = Annotation((gene, Gene("h", "c", gene.start, gene.end, "+", gene.transcripts)))
    assert collect_sites(assembly, twice, "donor").role.tolist()[::2] == [SITE, SITE]
    assert collect_sites(assembly, twice, "donor", limit=1).is_site.tolist() == [True, False]
    assert collect_sites(assembly, twice, "start_codon", limit=1).is_site.tolist() == [True, False, False]


def test_unknown_kinds_and_empty_annotations_are_reported():
    assembly, annotation = plant("+")
    with pytest.raises(BudwoodError, match="unknown site"):
        collect_sites(assembly, annotation, "enhancer")
    with pytest.raises(BudwoodError, match="no gene has a donor"):
        collect_sites(assembly, Annotation(()), "donor")
