"""Identity by hand and by counting, with gaps, N, and sequence that is not related."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budwood.corpus.similarity.window_alignment import BAND, stretch_identity
from budwood.genomics.sequence import N, reverse_complement
from corpus.planted import WIDTH, random_windows

QUERY = random_windows(1, 1)


def identity(query, target, *stretches, diagonal=0):
    return stretch_identity(query, target, np.array([diagonal]), stretches)[0].tolist()


@given(st.lists(st.integers(0, WIDTH - 1), unique=True, max_size=60))
@settings(deadline=None, max_examples=25)
def test_substitutions_are_counted_exactly(hits):
    target = QUERY.copy()
    target[0, hits] = (target[0, hits] + 1) % 4
    inner = [hit for hit in hits if 20 <= hit < WIDTH - 20]
    found = identity(QUERY, target, WIDTH - 40)[0]
    # Changes near an end may be trimmed off with it; the path may find a base or two off the diagonal.
    assert 1 - len(hits) / (WIDTH - 40) - 1e-6 <= found <= 1
    if len(inner) == len(hits) <= 5:
        assert found <= 1 - (len(hits) - 2) / (WIDTH - 40) or len(hits) < 3


@pytest.mark.parametrize("gap", [1, 5, BAND])
def test_bases_the_target_has_more_are_columns(gap):
    target = np.concatenate([QUERY[:, :256], random_windows(1, 2)[:, :gap], QUERY[:, 256:]], axis=1)[
        :, :WIDTH
    ]
    whole, half = identity(QUERY, target, WIDTH - gap, 250)
    assert whole == pytest.approx((WIDTH - gap) / WIDTH, abs=2 / WIDTH)
    assert half == 1


@pytest.mark.parametrize("gap", [1, 5, BAND])
def test_bases_the_target_lacks_are_columns(gap):
    target = np.concatenate([QUERY[:, :200], QUERY[:, 200 + gap :], random_windows(1, 2)[:, :gap]], axis=1)
    assert identity(QUERY, target, WIDTH)[0] == pytest.approx((WIDTH - gap) / WIDTH, abs=2 / WIDTH)


def test_a_gap_beyond_the_band_ends_the_alignment():
    target = np.concatenate([QUERY[:, :300], QUERY[:, 340:], random_windows(1, 2)[:, :40]], axis=1)
    assert identity(QUERY, target, 290, 400) == [1.0, 0.0]


@pytest.mark.parametrize("shift", [-300, -40, 0, 40, 300])
def test_the_diagonal_says_where_they_overlap(shift):
    target = np.concatenate([random_windows(1, 3), QUERY, random_windows(1, 4)], axis=1)
    target = target[:, WIDTH - shift : 2 * WIDTH - shift]
    assert identity(QUERY, target, WIDTH - abs(shift), diagonal=shift)[0] > 0.98


def test_unrelated_windows_share_no_stretch():
    first, second = random_windows(500, 4), random_windows(500, 5)
    assert not stretch_identity(first, second, np.zeros(500, np.int64), [154]).any()


def test_n_equals_nothing():
    unknown = np.full((1, WIDTH), N, np.uint8)
    assert identity(unknown, unknown, 1, WIDTH) == [0.0, 0.0]
    target = QUERY.copy()
    target[0, 100:110] = N
    assert identity(QUERY, target, WIDTH)[0] == pytest.approx(1 - 10 / WIDTH, abs=4 / WIDTH)


def test_the_other_strand_of_both_is_as_similar():
    first = random_windows(40, 6)
    second = np.where(np.random.default_rng(7).random(first.shape) < 0.1, (first + 1) % 4, first)
    zero = np.zeros(40, np.int64)
    there = stretch_identity(first, second, zero, [200, 400])
    back = stretch_identity(reverse_complement(first), reverse_complement(second), zero, [200, 400])
    assert np.abs(there - back).max() < 0.02


def test_no_pairs():
    assert stretch_identity(QUERY[:0], QUERY[:0], np.empty(0, np.int64), [5]).shape == (0, 1)
