"""Expected consequences against brute force, and what they must not depend on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from budwood.genomics.annotation.base_class import COMPLEMENT_REGION, BaseClass
from budwood.genomics.genetic_code import translate
from budwood.genomics.sequence import encode, reverse_complement
from budwood.inference.variants.expected_consequence import (
    PARTS,
    expected_consequence,
    expected_of_edit,
    expected_of_substitutions,
)

GENE = "ATGGCTTGGCGATACAAATCATTGCAGTAA"
FLANK = 6


def certain_gene(strand: str) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """A gene with flanks, and region probabilities of 1 for what each base is."""
    codes = encode("CCTCCA" + GENE + "ACTTCA")
    regions = np.zeros((len(codes), len(BaseClass)), dtype=np.float32)
    for i in range(len(codes)):
        place = i - FLANK
        kind = BaseClass.INTERGENIC
        if 0 <= place < len(GENE):
            kind = BaseClass(BaseClass.CODING_FORWARD_0 + place % 3)
            kind = BaseClass.START_FORWARD if place < 3 else kind
            kind = BaseClass.STOP_FORWARD if place >= len(GENE) - 3 else kind
        regions[i, kind] = 1
    if strand == "-":
        return reverse_complement(codes), regions[::-1, list(COMPLEMENT_REGION)]
    return codes, regions


def truth(place: int, new: str) -> str:
    """Part of a change of the gene by translating it before and after."""
    before = translate(encode(GENE))
    after = translate(encode(GENE[:place] + new + GENE[place + 1 :]))
    if after == before:
        return ""
    if place < 3:
        return "start_lost"
    if place >= len(GENE) - 3:
        return "stop_lost"
    return "stop_gained" if "*" in after[:-1] else "missense"


@pytest.mark.parametrize("strand", ["+", "-"])
def test_every_change_of_a_gene_has_its_consequence(strand: str) -> None:
    codes, regions = certain_gene(strand)
    for place in range(len(GENE)):
        at = FLANK + place if strand == "+" else len(codes) - 1 - FLANK - place
        for new in set("ACGT") - {GENE[place]}:
            alternative = encode(new) if strand == "+" else reverse_complement(encode(new))
            around = codes[at - 2 : at + 3]
            parts = expected_of_substitutions(around[None], alternative, regions[at : at + 1])[0]
            found = {name for name, value in zip(PARTS, parts, strict=True) if value > 0.5}
            assert found == ({truth(place, new)} - {""}), (place, new)


@pytest.mark.parametrize("strand", ["+", "-"])
@pytest.mark.parametrize(
    ("start", "end", "letters", "part"),
    [
        (7, 8, "", "frameshift"),
        (7, 9, "", "frameshift"),
        (7, 7, "A", "frameshift"),
        (9, 12, "", "inframe"),
        (10, 13, "", "inframe"),
        (9, 9, "GCT", "inframe"),
        (9, 9, "TAA", "stop_gained"),
        (7, 9, "AA", "stop_gained"),  # TGG becomes TAA
        (6, 9, "CCC", "missense"),
        (1, 2, "C", "start_lost"),
        (0, 3, "CCC", "start_lost"),
        (28, 30, "TG", "stop_lost"),
    ],
)
def test_replacements_have_their_consequence(
    strand: str, start: int, end: int, letters: str, part: str
) -> None:
    codes, regions = certain_gene(strand)
    first, last, new = FLANK + start, FLANK + end, encode(letters)
    if strand == "-":
        first, last, new = len(codes) - last, len(codes) - first, reverse_complement(new)
    parts = expected_of_edit(codes, regions, first, last, new)
    found = {name for name, value in zip(PARTS, parts, strict=True) if value > 0.5}
    assert part in found


def test_a_change_of_a_splice_site_is_seen_by_its_probability() -> None:
    codes, regions = encode("ACGTACGTA"), np.zeros((9, 17), dtype=np.float32)
    regions[4:6, BaseClass.DONOR_REVERSE] = 0.25, 0.5
    lost = PARTS.index("splice_lost")
    assert expected_of_substitutions(codes[None, 2:7], encode("C"), regions[4:5])[0, lost] == 0.25
    assert expected_of_edit(codes, regions, 4, 6, encode(""))[lost] == 0.5
    # What is put between two bases changes what both belong to.
    assert expected_of_edit(codes, regions, 5, 5, encode("A"))[lost] == 0.25


STRETCHES = st.integers(0, 2**32 - 1).map(
    lambda seed: (
        np.random.default_rng(seed).integers(0, 5, 24).astype(np.uint8),
        np.random.default_rng(seed).dirichlet(np.full(17, 0.3), 24).astype(np.float32),
    )
)


@given(STRETCHES, st.integers(6, 14), st.integers(0, 4), st.text("ACGT", max_size=6))
@settings(max_examples=60, deadline=None)
def test_the_strand_that_is_written_makes_no_difference(
    stretch: tuple[NDArray[np.uint8], NDArray[np.float32]], start: int, removed: int, letters: str
) -> None:
    codes, regions = stretch
    end, new = start + removed, encode(letters)
    there = expected_of_edit(codes, regions, start, end, new)
    turned = regions[::-1, list(COMPLEMENT_REGION)]
    back = expected_of_edit(
        reverse_complement(codes), turned, len(codes) - end, len(codes) - start, reverse_complement(new)
    )
    # The base that decides about the frame is the first of equals, seen from either side.
    unique = len(np.unique(regions[start:end, 3:9].sum(1))) == removed
    if unique or not removed:
        np.testing.assert_allclose(there, back, atol=1e-5)
    assert ((there >= 0) & (there <= 1)).all()
    assert 0 <= expected_consequence(there) <= 1


@given(STRETCHES, st.integers(4, 18), st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_a_single_base_change_is_the_same_by_either_function(
    stretch: tuple[NDArray[np.uint8], NDArray[np.float32]], at: int, new: int
) -> None:
    codes, regions = stretch
    letters = np.array([new], dtype=np.uint8)
    by_edit = expected_of_edit(codes, regions, at, at + 1, letters)
    by_change = expected_of_substitutions(codes[None, at - 2 : at + 3], letters, regions[at : at + 1])[0]
    np.testing.assert_allclose(by_edit, by_change, atol=1e-5)
