"""Families stay together, whatever the order and the strand, and none grows beyond its limit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budwood.corpus.similarity.homology import HomologyConfig, HomologyLinks, homology_clusters, link_clusters
from budwood.genomics.sequence import N, reverse_complement
from corpus.planted import WIDTH, edited_copies, random_windows

FAMILIES, COPIES = 30, 4


@pytest.fixture(scope="module")
def families():
    masters = random_windows(FAMILIES, 1)
    copies = [edited_copies(masters, 0.12, seed, shift=128, indels=0.1) for seed in range(2, 2 + COPIES - 1)]
    return np.concatenate([masters, *copies])


def same_partition(first, second):
    return len(set(zip(first, second, strict=True))) == len(set(first)) == len(set(second))


def test_families_are_whole_and_apart(families):
    clusters = homology_clusters(families, HomologyConfig(max_share=0.1))
    assert same_partition(clusters, np.tile(np.arange(FAMILIES), COPIES))
    assert clusters[:FAMILIES].tolist() == list(range(FAMILIES))


def test_unrelated_windows_are_clusters_of_their_own():
    assert homology_clusters(random_windows(3000, 5)).tolist() == list(range(3000))


@given(st.permutations(range(FAMILIES * COPIES)), st.integers(0, 2**32))
@settings(max_examples=8, deadline=None)
def test_order_and_strand_do_not_matter(families, order, seed):
    order = np.array(order)
    turn = np.random.default_rng(seed).random(len(order)) < 0.5
    turned = np.where(turn[:, None], reverse_complement(families), families)
    expected = homology_clusters(families)
    assert same_partition(expected[order], homology_clusters(turned[order]))


def test_a_component_above_its_share_loses_its_weakest_links():
    # Two tight groups of three joined by one weak link, and a pair as weak that is small enough to stay.
    links = HomologyLinks(
        np.array([0, 1, 3, 4, 2, 6]),
        np.array([1, 2, 4, 5, 3, 7]),
        np.array([0.9, 0.9, 0.9, 0.9, 0.77, 0.77], np.float32),
    )
    parted = link_clusters(links, 8, HomologyConfig(max_share=0.5))
    assert parted.tolist() == [0, 0, 0, 1, 1, 1, 2, 2]
    assert link_clusters(links, 8, HomologyConfig(max_share=1.0)).tolist() == [0, 0, 0, 0, 0, 0, 1, 1]


def test_what_is_alike_at_the_highest_demand_stays_whole():
    windows = random_windows(1, 8).repeat(20, axis=0)
    assert homology_clusters(windows).tolist() == [0] * 20


@pytest.mark.parametrize("count", [0, 1, 3])
def test_windows_without_known_bases_are_apart(count):
    windows = np.full((count, WIDTH), N, np.uint8)
    assert homology_clusters(windows).tolist() == list(range(count))
