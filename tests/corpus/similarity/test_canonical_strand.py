"""Canonical windows are the same for either strand, whole or base by base."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from budwood.corpus.similarity.canonical_strand import CanonicalWindows, canonical_windows, is_noncanonical
from budwood.genomics.sequence import N, reverse_complement

# Two codes only make windows that equal their reverse complement at both ends, or wholly, likely.
some_windows = st.integers(0, 40).flatmap(
    lambda width: arrays(np.uint8, (4, width), elements=st.sampled_from([0, 3, N]))
)


@given(some_windows)
def test_either_strand_gives_the_lesser(windows):
    turned = reverse_complement(windows)
    expected = [min(window.tolist(), other.tolist()) for window, other in zip(windows, turned, strict=True)]
    for strand in (windows, turned):
        assert canonical_windows(strand).tolist() == expected
    assert not (is_noncanonical(windows) & is_noncanonical(turned)).any()


@given(some_windows, st.integers(0, 2**32))
def test_codes_and_bases_read_the_same_windows(windows, seed):
    random = np.random.default_rng(seed)
    order, places, reverse = random.permutation(4), random.integers(0, 4, 6), random.random(6) < 0.5
    read = CanonicalWindows(windows, order)
    expected = canonical_windows(windows)[order[places]]
    expected = np.where(reverse[:, None], reverse_complement(expected), expected)
    assert (read.codes(places, reverse) == expected).all()
    width = windows.shape[1]
    at = np.tile(np.arange(-2, width + 2), (6, 1))
    if width:
        padded = np.pad(expected, ((0, 0), (2, 2)), constant_values=N)
        assert (read.bases(places, at, reverse) == padded).all()


def test_reading_leaves_the_windows_as_they_are():
    windows = np.array([[3, 3], [0, 0]], np.uint8)
    CanonicalWindows(windows, np.arange(2)).codes(np.arange(2))
    assert windows.tolist() == [[3, 3], [0, 0]]
