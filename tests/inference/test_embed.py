"""Embedding encodes each distinct sequence once, keeps what it has, and goes on after a kill."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from budwood.errors import BudwoodError
from budwood.genomics.assembly import InMemoryAssembly
from budwood.genomics.interval import Interval
from budwood.genomics.sequence import PAD, decode, reverse_complement
from budwood.inference import embed as module
from budwood.inference.chunk_runner import encoding_threads
from budwood.inference.embed import (
    GenomeTiles,
    Pool,
    embed_intervals,
    embed_windows,
    encode_batch,
    stack_intervals,
    tile,
)
from budwood.inference.vector_store import open_store
from budwood.model.checkpoint import random_checkpoint
from budwood.model.encoder import BudwoodConfig


@pytest.fixture(scope="module")
def checkpoint():
    return random_checkpoint(BudwoodConfig(stem_channels=8, hidden_size=16, layers=1, heads=2), seed=1)


@pytest.fixture
def passes(monkeypatch):
    """Rows sent through the encoder, one entry per pass."""
    seen: list[int] = []
    true = encode_batch

    def counted(codes, *others):
        seen.append(len(codes))
        return true(codes, *others)

    monkeypatch.setattr(module, "encode_batch", counted)
    return seen


def windows(rows: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 4, (rows, 64), dtype=np.uint8)


def test_equal_sequences_are_encoded_once_and_equal_to_the_bit(checkpoint, passes):
    distinct = windows(3)
    vectors = embed_windows(distinct[[0, 1, 0, 2, 0]], checkpoint, cache=False)
    assert sum(passes) == 3
    assert np.array_equal(vectors[0], vectors[2])
    assert np.array_equal(vectors[0], vectors[4])
    np.testing.assert_allclose(vectors[[0, 1, 3]], encode_batch(distinct, checkpoint), atol=1e-6)


def test_what_was_encoded_before_is_not_encoded_again(checkpoint, passes):
    first = embed_windows(windows(5), checkpoint)
    again = embed_windows(np.concatenate([windows(5), windows(2, seed=9)]), checkpoint)
    assert sum(passes) == 7
    assert np.array_equal(again[:5], first)


def test_an_interruption_keeps_what_was_saved(checkpoint, monkeypatch):
    true, done = encode_batch, 0

    def dies(codes, *others):
        nonlocal done
        done += 1
        if done > 20:
            raise KeyboardInterrupt
        return true(codes, *others)

    monkeypatch.setattr(module, "encode_batch", dies)
    with pytest.raises(KeyboardInterrupt):
        embed_windows(windows(600), checkpoint)
    with open_store(checkpoint.digest, "mean", 32) as store:
        assert len(store) == 256
    monkeypatch.setattr(module, "encode_batch", true)
    resumed = embed_windows(windows(600), checkpoint)
    np.testing.assert_allclose(resumed, embed_windows(windows(600), checkpoint, cache=False), atol=1e-6)


def test_another_runner_gets_whole_chunks_of_what_is_not_kept(checkpoint, monkeypatch):
    monkeypatch.setattr(module, "_CHUNK", 2)
    kept = embed_windows(windows(10), checkpoint)
    sizes: list[int] = []

    class Elsewhere:
        def run(self, chunks, encode_batch, advance):
            for codes in chunks:
                sizes.append(len(codes))
                yield encode_batch(codes, advance=advance)

    vectors = embed_windows(windows(100), checkpoint, runner=Elsewhere())
    assert sizes == [32, 32, 26]
    np.testing.assert_allclose(vectors, embed_windows(windows(100), checkpoint, cache=False), atol=1e-6)
    assert np.array_equal(vectors[:10], kept)


def test_broken_weights_are_told_and_nothing_is_kept(checkpoint):
    broken = replace(checkpoint, encoder=copy.deepcopy(checkpoint.encoder))
    with torch.no_grad():
        broken.encoder.network.norm_patch.weight[0] = torch.nan
    with pytest.raises(BudwoodError, match="not finite"):
        embed_windows(windows(3), broken)
    with open_store(broken.digest, "mean", 32) as store:
        assert len(store) == 0


def test_pools_are_kept_apart(checkpoint):
    mean, centre = (embed_windows(windows(2), checkpoint, pool=pool) for pool in Pool)
    assert not np.allclose(mean, centre)


def test_strand_does_not_matter_but_is_read(checkpoint):
    letters = decode(windows(1)[0])
    assembly = InMemoryAssembly({"c": letters})
    both = [Interval("c", 3, 40), Interval("c", 3, 40, "-")]
    rows = stack_intervals(assembly, both)
    assert np.array_equal(rows[1][:37], reverse_complement(rows[0][:37]))
    assert (rows[:, 37:] == PAD).all()
    forward, reverse = embed_intervals(assembly, both, checkpoint, cache=False)
    np.testing.assert_allclose(forward, reverse, atol=1e-6)


sequences = st.integers(1, 80).flatmap(lambda n: st.lists(st.integers(0, 4), min_size=n, max_size=n))


@settings(max_examples=25, deadline=None)
@given(codes=sequences, padding=st.integers(0, 9), pool=st.sampled_from(Pool))
def test_oriented_vectors_hold_both_strands(checkpoint, codes, padding, pool):
    """Their halves' mean is the plain vector, and the reverse complement swaps them."""
    there = np.array(codes, dtype=np.uint8)
    rows = np.full((2, len(there) + padding), PAD, dtype=np.uint8)
    rows[:, : len(there)] = there, reverse_complement(there)
    oriented = embed_windows(rows, checkpoint, pool=pool, oriented=True, cache=False)
    assert oriented.shape == (2, 64)
    assert oriented.dtype == np.float32
    given, other = np.split(oriented, 2, axis=1)
    plain = embed_windows(rows, checkpoint, pool=pool, cache=False)
    np.testing.assert_allclose((given + other) / 2, plain, rtol=0, atol=1e-6)
    np.testing.assert_allclose(given[0], other[1], rtol=0, atol=1e-6)
    np.testing.assert_allclose(given[1], other[0], rtol=0, atol=1e-6)


def test_oriented_vectors_are_kept_apart_and_kept(checkpoint, passes):
    plain = embed_windows(windows(4), checkpoint)
    oriented = embed_windows(windows(4), checkpoint, oriented=True)
    again = embed_windows(windows(4), checkpoint, oriented=True)
    assert sum(passes) == 8
    assert np.array_equal(oriented, again)
    assert np.array_equal(embed_windows(windows(4), checkpoint), plain)
    assert not np.allclose(oriented[:, :32], oriented[:, 32:])


def test_intervals_are_oriented_by_their_strand(checkpoint):
    assembly = InMemoryAssembly({"c": decode(windows(1)[0])})
    both = [Interval("c", 3, 40), Interval("c", 3, 40, "-")]
    forward, reverse = embed_intervals(assembly, both, checkpoint, oriented=True, cache=False)
    np.testing.assert_allclose(forward, np.roll(reverse, 32), atol=1e-6)
    assert not np.allclose(forward, reverse, atol=1e-3)


def test_tiles_cover_every_base_once():
    assembly = InMemoryAssembly({"a": "A" * 1100, "b": "C" * 10})
    tiles = tile(assembly)
    assert [t.length for t in tiles] == [512, 512, 76, 10]
    assert sum(t.length for t in tiles) == 1110


def test_too_long_or_empty_intervals_are_told():
    assembly = InMemoryAssembly({"a": "A" * 1100})
    for start, end in ((0, 513), (5, 5)):
        with pytest.raises(BudwoodError, match="give 1 to 512"):
            stack_intervals(assembly, [Interval("a", start, end)])


def test_a_damaged_cache_is_told(tmp_path):
    (tmp_path / f"{'a' * 32}-mean.sqlite").write_bytes(b"this is no database at all, not even nearly" * 50)
    with pytest.raises(BudwoodError, match="embedding cache"), open_store("a" * 64, "mean", 32, tmp_path):
        pass


def test_windows_of_a_genome_are_made_when_they_are_asked_for():
    contigs = {"a": 1024, "none": 0, "b": 1300, "c": 5}
    assembly = InMemoryAssembly({name: "A" * length for name, length in contigs.items()})
    windows = GenomeTiles(contigs)
    assert list(windows) == tile(assembly)
    assert windows[1:4] == tile(assembly)[1:4]
    assert len(GenomeTiles({})) == 0
    with pytest.raises(IndexError):
        windows[6]


def test_threads_share_the_batches_and_leave_their_number_as_it_was(checkpoint):
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        with encoding_threads(checkpoint) as threads:
            assert (threads, torch.get_num_threads()) == (2, 1)
            with encoding_threads(checkpoint) as inner:
                assert inner == 1
        assert torch.get_num_threads() == 2
        shared = embed_windows(windows(100), checkpoint, cache=False)
        torch.set_num_threads(1)
        assert np.array_equal(embed_windows(windows(100), checkpoint, cache=False), shared)
    finally:
        torch.set_num_threads(before)
