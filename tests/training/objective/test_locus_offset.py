"""Places in a locus: classes of distance, the same on both strands."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from budwood.corpus.sampling.locus import NO_ANCHOR, reverse_locus
from budwood.corpus.sampling.sampler import WindowBatch
from budwood.training.objective.locus_offset import NO_OFFSET, OFFSETS, offset_labels

LENGTH = 40


def window(anchor: int, direction: int) -> WindowBatch:
    codes = np.zeros((1, LENGTH), dtype=np.uint8)
    return WindowBatch(
        codes,
        codes > 0,
        codes,
        np.array([anchor]),
        np.array([direction], dtype=np.int8),
        np.zeros(1, dtype=np.int16),
        codes.astype(np.uint16),
        np.zeros(1, dtype=np.float32),
    )


@given(st.integers(-20_000, 20_000), st.sampled_from([-1, 1]))
def test_both_strands_give_a_base_the_same_class(anchor: int, direction: int) -> None:
    here = offset_labels(window(anchor, direction))[0]
    there = offset_labels(window(*reverse_locus(anchor, direction, LENGTH)))[0]
    assert (here == there[::-1]).all()
    assert here.max() < OFFSETS


@pytest.mark.parametrize(
    ("distance", "label"),
    [
        *((0, 6), (15, 6), (16, 7), (255, 8), (4096, 11), (90_000, 11)),
        *((-1, 5), (-16, 5), (-17, 4), (-4096, 1), (-4097, 0)),
    ],
)
def test_classes_end_at_their_edges(distance: int, label: int) -> None:
    assert offset_labels(window(-distance, 1))[0, 0] == label


def test_a_window_of_no_gene_asks_nothing() -> None:
    assert (offset_labels(window(NO_ANCHOR, 0)) == NO_OFFSET).all()
