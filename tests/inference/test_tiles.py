"""Tiles cover a sequence, look the same from both ends and count every base once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budwood.errors import BudwoodError
from budwood.genomics.assembly import InMemoryAssembly
from budwood.genomics.interval import Interval
from budwood.genomics.sequence import PAD, decode, reverse_complement
from budwood.inference.embed import Pool, embed_intervals, embed_sequences, embed_windows
from budwood.inference.tiles import cut_tiles, tile_bounds
from budwood.model.checkpoint import Checkpoint, random_checkpoint
from budwood.model.encoder_config import BudwoodConfig


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return random_checkpoint(BudwoodConfig(stem_channels=8, hidden_size=16, layers=1, heads=2), seed=1)


def bases(length: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 5, length, dtype=np.uint8)


@given(length=st.integers(1, 20_000), overlap=st.integers(0, 510))
def test_tiles_cover_overlap_and_are_symmetric(length: int, overlap: int) -> None:
    starts, ends = tile_bounds(length, overlap)
    sizes = ends - starts
    assert starts[0] == 0
    assert ends[-1] == length
    assert np.array_equal(starts, length - ends[::-1])
    if length <= 512:
        assert len(starts) == 1
    else:
        assert set(sizes.tolist()) <= {511, 512}
        assert (ends[:-1] - starts[1:] >= overlap).all()
        assert (np.diff(starts) > 0).all()


@settings(max_examples=20, deadline=None)
@given(length=st.integers(500, 3000), overlap=st.integers(0, 400))
def test_every_base_counts_once(length: int, overlap: int) -> None:
    """The share of a tile is that of its bases, each divided among the tiles that cover it."""
    tiles = cut_tiles([bases(3), bases(length)], overlap)
    own = tiles.sequence == 1
    cover = sum(
        ((np.arange(length) >= a) & (np.arange(length) < b)).astype(float)
        for a, b in zip(tiles.start[own], tiles.end[own], strict=True)
    )
    by_base = [(1 / cover[a:b]).sum() / length for a, b in zip(tiles.start[own], tiles.end[own], strict=True)]
    np.testing.assert_allclose(tiles.share[own], by_base, atol=1e-12)
    assert tiles.share[~own].tolist() == [1.0]


@settings(max_examples=15, deadline=None)
@given(
    length=st.integers(1, 2000),
    overlap=st.sampled_from([0, 128, 300]),
    pool=st.sampled_from(Pool),
    oriented=st.booleans(),
)
def test_the_reverse_complement_has_the_same_vector(checkpoint, length, overlap, pool, oriented) -> None:
    there = bases(length)
    words = {"pool": pool, "overlap": overlap, "oriented": oriented, "cache": False}
    given_strand, other = embed_sequences([there, reverse_complement(there)], checkpoint, **words)
    if oriented:
        other = np.roll(other, 32)
    # Two orders of one sum of float32 numbers of size 1.
    np.testing.assert_allclose(given_strand, other, rtol=0, atol=2e-6)


def test_short_sequences_are_windows_to_the_bit(checkpoint) -> None:
    rows = np.full((3, 512), PAD, dtype=np.uint8)
    short = [bases(512, 1), bases(40, 2), bases(1, 3)]
    for row, codes in zip(rows, short, strict=True):
        row[: len(codes)] = codes
    expected = embed_windows(rows, checkpoint, cache=False)
    assert np.array_equal(embed_sequences(short, checkpoint, cache=False), expected)
    letters = [decode(codes) for codes in short]
    assert np.array_equal(embed_sequences(letters, checkpoint, cache=False), expected)


def test_a_long_sequence_is_the_mean_of_its_tiles(checkpoint) -> None:
    codes = bases(1024)
    halves = embed_sequences([codes[:512], codes[512:]], checkpoint, cache=False)
    tiles = cut_tiles([codes], 0)
    vectors = embed_windows(tiles.codes, checkpoint, cache=False)
    pooled = embed_sequences([codes], checkpoint, overlap=0, cache=False)
    np.testing.assert_allclose(pooled[0], tiles.share @ vectors, atol=1e-6)
    # Three tiles of which the middle one counts for half of what the others cover.
    assert len(tiles.share) == 3
    np.testing.assert_allclose(pooled[0], halves.mean(0), atol=0.2)


def test_the_centre_of_a_long_sequence_is_read_in_its_middle_window(checkpoint) -> None:
    codes = bases(1300)
    (middle,) = embed_sequences([codes], checkpoint, pool=Pool.CENTRE, cache=False)
    (window,) = embed_windows(codes[None, 394:906], checkpoint, pool=Pool.CENTRE, cache=False)
    assert np.array_equal(middle, window)


def test_long_intervals_are_embedded_whole(checkpoint) -> None:
    codes = bases(2000)
    assembly = InMemoryAssembly({"c": decode(codes)})
    places = [Interval("c", 100, 1500), Interval("c", 100, 1500, "-"), Interval("c", 0, 512)]
    found = embed_intervals(assembly, places, checkpoint, cache=False)
    expected = embed_sequences([codes[100:1500], codes[100:1500], codes[:512]], checkpoint, cache=False)
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-6)


def test_nothing_gives_nothing(checkpoint) -> None:
    assert embed_sequences([], checkpoint, cache=False).shape == (0, 32)


@pytest.mark.parametrize(
    ("sequences", "message"),
    [
        ([bases(5), bases(0)], "sequence 2"),
        (["AC", ""], "sequence 2"),
        (["AC.GT"], "sequence 1"),
        ([np.zeros((2, 3), np.uint8)], "sequence 1"),
    ],
)
def test_sequences_that_are_none_are_refused(checkpoint, sequences, message: str) -> None:
    with pytest.raises(BudwoodError, match=message):
        embed_sequences(sequences, checkpoint, cache=False)


@pytest.mark.parametrize("overlap", [-1, 511, 512, 1000])
def test_overlaps_that_leave_no_step_are_refused(checkpoint, overlap: int) -> None:
    with pytest.raises(BudwoodError, match="overlap"):
        embed_sequences(["ACGT"], checkpoint, overlap=overlap, cache=False)
