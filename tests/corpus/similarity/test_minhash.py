"""Sketches do not depend on the strand, and windows that are not base codes are refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from budwood.corpus.similarity.canonical_strand import canonical_windows
from budwood.corpus.similarity.minhash import SketchConfig, check_windows, content_order, sketch
from budwood.errors import BudwoodError
from budwood.genomics.sequence import N, reverse_complement
from corpus.planted import random_windows

some_windows = st.integers(0, 60).flatmap(
    lambda width: arrays(np.uint8, (3, width), elements=st.integers(0, N))
)


def drawn_kmers(windows, config):
    drawn = sketch(windows, config)
    return list(zip(drawn.rows, drawn.positions, drawn.hashes, drawn.reverse, strict=True))


@given(some_windows, st.integers(4, 16), st.sampled_from([1, 2, 8]))
def test_the_other_strand_draws_the_same_kmers(windows, length, scale):
    config = SketchConfig(length, scale)
    turned = drawn_kmers(reverse_complement(windows), config)
    width = windows.shape[1]
    expected = [
        (row, width - length - position, hashed) for row, position, hashed, _ in drawn_kmers(windows, config)
    ]
    assert sorted(expected) == sorted((row, position, hashed) for row, position, hashed, _ in turned)


@given(some_windows, st.integers(4, 16))
def test_every_kmer_without_n_is_drawn_once_at_scale_one(windows, length):
    places = [(row, position) for row, position, *_ in drawn_kmers(windows, SketchConfig(length, 1))]
    width = windows.shape[1]
    assert places == [
        (row, position)
        for row in range(3)
        for position in range(width - length + 1)
        if (windows[row, position : position + length] != N).all()
    ]


@given(arrays(np.uint8, (2, 5), elements=st.integers(0, 3)))
def test_hashes_are_equal_exactly_where_kmers_or_their_complements_are(windows):
    drawn = sketch(windows, SketchConfig(5, 1))
    alike = (windows[0] == windows[1]).all() or (windows[0] == reverse_complement(windows[1])).all()
    assert (drawn.hashes[0] == drawn.hashes[1]) == alike


@given(arrays(np.uint8, (2, 8), elements=st.integers(0, 3)))
def test_places_skipped_may_differ_on_either_strand(windows):
    drawn = sketch(windows, SketchConfig(8, 1, (2, 5)))
    looked_at = np.delete(windows, (2, 5), axis=1)
    alike = (looked_at[0] == looked_at[1]).all() or (looked_at[0] == reverse_complement(looked_at[1])).all()
    assert (drawn.hashes[0] == drawn.hashes[1]) == alike


def test_one_kmer_in_scale_is_drawn():
    drawn = sketch(random_windows(400, 1), SketchConfig(16, 8))
    assert len(drawn) == pytest.approx(400 * 497 / 8, rel=0.02)


@given(some_windows)
def test_canonical_windows_are_the_same_for_either_strand(windows):
    assert (canonical_windows(windows) == canonical_windows(reverse_complement(windows))).all()


def test_content_order_goes_by_priority_then_by_bases():
    windows = random_windows(50, 2)
    priority = np.arange(50) % 3
    shuffled = np.random.default_rng(0).permutation(50)
    ordered = windows[content_order(windows, priority)]
    turned = reverse_complement(windows[shuffled])
    assert (
        canonical_windows(ordered) == canonical_windows(turned[content_order(turned, priority[shuffled])])
    ).all()
    assert (np.diff(priority[content_order(windows, priority)]) >= 0).all()
    assert (content_order(windows, None) == np.arange(50)).all()


@pytest.mark.parametrize(
    ("windows", "sentence"),
    [
        (np.full((2, 8), 5, np.uint8), "code 5 is not a base"),
        (np.zeros((2, 8), np.int64), "not rows of base codes"),
        (np.zeros(8, np.uint8), "not rows of base codes"),
        (np.zeros((1, 2000), np.uint8), "too wide"),
    ],
)
def test_what_is_no_window_is_refused(windows, sentence):
    with pytest.raises(BudwoodError, match=sentence):
        check_windows(windows)


def test_configurations_that_draw_nothing_are_refused():
    with pytest.raises(BudwoodError, match="4 to 16"):
        SketchConfig(length=17)
    with pytest.raises(BudwoodError, match="cannot be drawn"):
        SketchConfig(scale=0)
    with pytest.raises(BudwoodError, match="not symmetric"):
        SketchConfig(length=8, skipped=(2,))
    with pytest.raises(BudwoodError, match="priorities"):
        content_order(random_windows(2, 1), np.zeros(3, np.int64))
