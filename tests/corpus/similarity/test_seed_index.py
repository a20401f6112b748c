"""The index finds the seed matches that comparing all k-mers finds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from budwood.corpus.similarity.minhash import SketchConfig, sketch
from budwood.corpus.similarity.seed_index import SeedIndex, SeedLayout, best_per_query, candidate_pairs
from budwood.errors import BudwoodError

LENGTH, WIDTH = 4, 14
CONFIG = SketchConfig(LENGTH, 1)
few_windows = arrays(np.uint8, (6, WIDTH), elements=st.integers(0, 4))


def shared_kmers(windows):
    """Pairs (later, earlier) of windows and how many distinct k-mers they share, by comparing sets."""
    drawn = sketch(windows, CONFIG)
    sets = [set(drawn.hashes[drawn.rows == row].tolist()) for row in range(len(windows))]
    pairs = {(i, j): len(sets[i] & sets[j]) for i in range(len(windows)) for j in range(i)}
    return {pair: count for pair, count in pairs.items() if count}


@given(few_windows, st.integers(1, 6))
def test_matches_are_those_of_all_kmers_however_they_were_added(windows, split):
    layout = SeedLayout.of(len(windows), WIDTH, LENGTH, 1)
    keys = layout.pack(sketch(windows, CONFIG), np.arange(len(windows)))
    index = SeedIndex(layout, most=100)
    for part in np.array_split(keys, split):
        index.add(part)
    hits = layout.earlier_targets(index.hits(keys))
    counts = {}
    for hit in hits >> (2 * layout.position_bits + 3):
        pair = (int(hit) >> layout.row_bits, int(hit) & ((1 << layout.row_bits) - 1))
        counts[pair] = counts.get(pair, 0) + 1
    assert counts == shared_kmers(windows)
    # With a band over every diagonal the pairs are these too, except that a pair's strands count apart.
    pairs = candidate_pairs(hits, layout, band=2 * WIDTH, least=1)
    assert set(zip(pairs.query.tolist(), pairs.target.tolist(), strict=True)) == set(counts)


def test_the_fullest_diagonal_is_found():
    random = np.random.default_rng(1)
    windows = random.integers(0, 4, (2, 200), dtype=np.uint8)
    windows[1, 60:160] = windows[0, 20:120]
    config = SketchConfig(12, 1)
    layout = SeedLayout.of(2, 200, 12, 1)
    keys = layout.pack(sketch(windows, config), np.arange(2))
    index = SeedIndex(layout, most=10)
    index.add(keys)
    pairs = candidate_pairs(layout.earlier_targets(index.hits(keys)), layout, band=16, least=2)
    assert (pairs.query.tolist(), pairs.target.tolist(), pairs.reverse.tolist()) == ([1], [0], [False])
    assert pairs.diagonal.tolist() == [-40]
    assert pairs.score.tolist() == [89]


def test_the_best_of_each_query_come_first():
    layout = SeedLayout.of(8, 100, 10, 1)
    random = np.random.default_rng(2)
    master = random.integers(0, 4, 100, dtype=np.uint8)
    windows = random.integers(0, 4, (8, 100), dtype=np.uint8)
    for row in range(7):
        windows[row, : 30 + 10 * row] = master[: 30 + 10 * row]
    windows[7] = master
    keys = layout.pack(sketch(windows, SketchConfig(10, 1)), np.arange(8))
    index = SeedIndex(layout, most=10)
    index.add(keys)
    pairs = best_per_query(candidate_pairs(layout.earlier_targets(index.hits(keys)), layout, 16, 1), 3)
    assert pairs.target[pairs.query == 7].tolist() == [6, 5, 4]
    assert pairs.rank.max() == 2


def test_a_frequent_kmer_is_looked_at_a_limited_number_of_times():
    windows = np.random.default_rng(3).integers(0, 4, (1, 50), dtype=np.uint8).repeat(40, axis=0)
    layout = SeedLayout.of(40, 50, 10, 1)
    keys = layout.pack(sketch(windows, SketchConfig(10, 1)), np.arange(40))
    index = SeedIndex(layout, most=5)
    index.add(keys)
    assert len(index.hits(keys)) == 5 * len(keys)
    assert len(index) == len(keys)


def test_more_windows_than_fit_are_refused():
    with pytest.raises(BudwoodError, match="too many for one index"):
        SeedLayout.of(1 << 25, 512, 16, 8)
