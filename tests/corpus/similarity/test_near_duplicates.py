"""Planted copies are found, nothing else is dropped, and order and strand do not matter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budwood.corpus.similarity.canonical_strand import canonical_windows
from budwood.corpus.similarity.near_duplicates import NearDuplicateConfig, near_duplicates
from budwood.errors import BudwoodError
from budwood.genomics.sequence import N, reverse_complement
from corpus.planted import WIDTH, edited_copies, random_windows


def kept_sequences(windows, result):
    return {window.tobytes() for window in canonical_windows(windows[result.keep])}


@pytest.fixture(scope="module")
def mixed():
    """Random windows, copies of some and copies of copies, in random order."""
    base = random_windows(40, 3)
    first = edited_copies(base[:20], 0.04, 4, shift=150, indels=0.1)
    second = edited_copies(first[:10], 0.04, 5, indels=0.1)
    windows = np.concatenate([base, first, second])
    return windows[np.random.default_rng(6).permutation(len(windows))]


@pytest.mark.parametrize(("divergence", "recall"), [(0.0, 1.0), (0.02, 1.0), (0.05, 0.97), (0.1, 0.85)])
def test_copies_on_both_strands_shifted_and_edited_are_found(divergence, recall):
    originals = random_windows(300, 1)
    copies = edited_copies(originals, divergence, 2, shift=256, indels=0.15)
    result = near_duplicates(np.concatenate([originals, copies]))
    assert result.keep[:300].all()
    found = result.partner[300:] == np.arange(300)
    assert found.mean() >= recall
    assert (found == ~result.keep[300:]).all()
    assert result.identity[300:][found].mean() == pytest.approx(1 - divergence, abs=0.02)


def test_unrelated_windows_are_all_kept():
    assert near_duplicates(random_windows(5000, 7)).keep.all()


@given(st.lists(st.booleans(), min_size=70, max_size=70))
@settings(max_examples=10, deadline=None)
def test_the_strand_given_does_not_matter(mixed, turn):
    turned = np.where(np.array(turn)[:, None], reverse_complement(mixed), mixed)
    expected, result = near_duplicates(mixed), near_duplicates(turned)
    assert (expected.partner == result.partner).all()
    assert (expected.identity == result.identity).all()


@given(st.permutations(range(70)), st.integers(1, 3))
@settings(max_examples=10, deadline=None)
def test_with_priorities_the_order_given_does_not_matter(mixed, order, levels):
    priority = np.arange(70) % levels
    order = np.array(order)
    expected = near_duplicates(mixed, priority=priority)
    result = near_duplicates(mixed[order], priority=priority[order])
    assert kept_sequences(mixed, expected) == kept_sequences(mixed[order], result)
    assert (expected.keep[order] == result.keep).all()


def test_lower_priority_numbers_stay():
    windows = random_windows(1, 1).repeat(3, axis=0)
    assert near_duplicates(windows).partner.tolist() == [-1, 0, 0]
    assert near_duplicates(windows, priority=np.array([2, 1, 0])).partner.tolist() == [2, 2, -1]


def test_the_partner_of_a_dropped_window_is_kept_and_as_similar_as_required(mixed):
    config = NearDuplicateConfig()
    result = near_duplicates(mixed, config)
    dropped = ~result.keep
    assert dropped.any()
    assert result.keep[result.partner[dropped]].all()
    assert (result.identity[dropped] >= config.min_identity).all()
    assert (result.partner[result.keep] == -1).all()
    assert (result.identity[result.keep] == 0).all()


def test_a_chain_of_overlapping_windows_does_not_vanish_into_its_first():
    contig = np.random.default_rng(1).integers(0, 4, 128 * 40 + WIDTH, dtype=np.uint8)
    windows = np.lib.stride_tricks.sliding_window_view(contig, WIDTH)[::128]
    # A window overlaps the next by 75 %, the one after by half, the third by a quarter.
    assert (np.flatnonzero(near_duplicates(windows).keep) == np.arange(0, 41, 3)).all()


def test_a_repeat_family_larger_than_the_seed_limit_collapses():
    master = random_windows(1, 9)
    windows = edited_copies(master.repeat(1000, axis=0), 0.05, 10, shift=100, indels=0.1)
    assert near_duplicates(windows).keep.sum() <= 3


def test_coverage_is_the_share_of_the_window_that_must_agree():
    windows = random_windows(2, 11)
    windows[1, 200:450] = windows[0, 50:300]
    assert not near_duplicates(windows, NearDuplicateConfig(min_coverage=0.45)).keep[1]
    assert near_duplicates(windows, NearDuplicateConfig(min_coverage=0.6)).keep[1]


def test_windows_without_known_bases_repeat_nothing():
    windows = np.full((4, WIDTH), N, np.uint8)
    assert near_duplicates(windows).keep.all()
    windows[2:] = random_windows(1, 1)
    windows[2, ::3] = N
    assert near_duplicates(windows).keep.all()


def test_a_stretch_of_n_does_not_hide_a_repeat():
    windows = random_windows(1, 12).repeat(2, axis=0)
    windows[1, 150:300] = N
    assert near_duplicates(windows).partner.tolist() == [-1, 0]


@pytest.mark.parametrize("shape", [(0, WIDTH), (0, 0), (3, 0), (3, 8)])
def test_empty_and_tiny_windows_are_kept(shape):
    assert near_duplicates(np.zeros(shape, np.uint8)).keep.tolist() == [True] * shape[0]


def test_one_repeated_base_is_a_repeat_like_any_other():
    assert near_duplicates(np.zeros((3, WIDTH), np.uint8)).partner.tolist() == [-1, 0, 0]


def test_thresholds_outside_their_range_are_refused():
    with pytest.raises(BudwoodError, match="min_identity"):
        NearDuplicateConfig(min_identity=85)
    with pytest.raises(BudwoodError, match="min_coverage"):
        NearDuplicateConfig(min_coverage=0)
