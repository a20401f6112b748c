"""The encoder does not mind which strand, how much padding or what company a window comes in."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from budwood.errors import BudwoodError
from budwood.genomics.annotation.base_class import COMPLEMENT_REGION, BaseClass
from budwood.genomics.sequence import PAD, reverse_complement
from budwood.model.checkpoint import Checkpoint, random_checkpoint
from budwood.model.encoder import BudwoodConfig, BudwoodEncoder


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return random_checkpoint(BudwoodConfig(stem_channels=16, hidden_size=32, layers=2, heads=2), seed=3)


windows = st.integers(9, 96).flatmap(
    lambda n: st.lists(st.integers(0, 4), min_size=n, max_size=n).map(
        lambda codes: np.array(codes, dtype=np.uint8)
    )
)


def tokens(codes: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.atleast_2d(codes).astype(np.int64))


@settings(max_examples=25, deadline=None)
@given(codes=windows, centre=st.sampled_from([None, 8]))
def test_embedding_does_not_change_with_the_strand(checkpoint, codes, centre):
    there = checkpoint.encoder.embed(tokens(codes), centre=centre)
    back = checkpoint.encoder.embed(tokens(reverse_complement(codes)), centre=centre)
    torch.testing.assert_close(there, back, rtol=0, atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(codes=windows)
def test_predictions_turn_with_the_sequence(checkpoint, codes):
    with torch.no_grad():
        there = checkpoint.encoder(tokens(codes))
        back = checkpoint.encoder(tokens(reverse_complement(codes)))
    torch.testing.assert_close(there.bases, back.bases.flip(1).flip(2), rtol=0, atol=1e-5)
    turned = back.regions.flip(1)[..., list(COMPLEMENT_REGION)]
    torch.testing.assert_close(there.regions, turned, rtol=0, atol=1e-5)
    torch.testing.assert_close(there.last_hidden_state, back.last_hidden_state.flip(1), rtol=0, atol=1e-5)


@settings(max_examples=25, deadline=None)
@given(codes=windows, padding=st.integers(1, 40))
def test_padding_does_not_change_anything(checkpoint, codes, padding):
    padded = np.concatenate([codes, np.full(padding, PAD, dtype=np.uint8)])
    with torch.no_grad():
        bare, long = checkpoint.encoder(tokens(codes)), checkpoint.encoder(tokens(padded))
    torch.testing.assert_close(long.bases[:, : len(codes)], bare.bases, rtol=0, atol=1e-5)
    torch.testing.assert_close(
        checkpoint.encoder.embed(tokens(padded)), checkpoint.encoder.embed(tokens(codes)), rtol=0, atol=1e-6
    )


@settings(max_examples=25, deadline=None)
@given(codes=windows, left=st.integers(0, 40), right=st.integers(0, 40), masked=st.booleans())
def test_padding_on_either_side_gives_the_same_readings(checkpoint, codes, left, right, masked):
    """With a mask, what stands under it does not matter."""
    inside = slice(left, left + len(codes))
    filling = 0 if masked else PAD
    padded = tokens(np.pad(codes, (left, right), constant_values=filling))
    mask = torch.zeros_like(padded)
    mask[:, inside] = 1
    with torch.no_grad():
        bare = checkpoint.encoder(tokens(codes))
        read = checkpoint.encoder(padded, mask if masked else None)
        if not masked:
            torch.testing.assert_close(checkpoint.encoder.read_regions(padded), read.regions)
    for name in ("bases", "regions", "last_hidden_state"):
        torch.testing.assert_close(read[name][:, inside], bare[name], rtol=0, atol=1e-5)
    torch.testing.assert_close(read.pooler_output, bare.pooler_output, rtol=0, atol=1e-6)
    assert not read.last_hidden_state[:, :left].any()
    assert not read.last_hidden_state[:, left + len(codes) :].any()


def test_rows_padded_on_different_sides_are_read_as_if_alone(checkpoint):
    random = np.random.default_rng(2)
    codes = random.integers(0, 4, (3, 40), dtype=np.uint8)
    codes[0, :9] = codes[1, 30:] = PAD
    with torch.no_grad():
        together = checkpoint.encoder(tokens(codes))
        for row in range(3):
            alone = checkpoint.encoder(tokens(codes[row]))
            torch.testing.assert_close(together.bases[row], alone.bases[0], rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (torch.tensor([[0, PAD, 1, 2]]), "padding stands between bases"),
        (torch.tensor([[0, 1, 7, 2]]), "numbers from 0 to 7"),
        (torch.tensor([[0, 1, -100, 2]]), "numbers from -100 to 2"),
        (torch.tensor([0, 1, 2]), "shape"),
    ],
)
def test_input_that_is_no_batch_of_sequences_is_refused(checkpoint, ids, message):
    for read in (checkpoint.encoder, checkpoint.encoder.embed):
        with pytest.raises(BudwoodError, match=message):
            read(ids)


def test_arguments_that_the_encoder_does_not_have_are_refused(checkpoint):
    codes = tokens(np.zeros(8, dtype=np.uint8))
    checkpoint.encoder(codes, output_attentions=False, inputs_embeds=None)
    with pytest.raises(BudwoodError, match="no argument output_attentions"):
        checkpoint.encoder(codes, output_attentions=True)


def test_company_in_the_batch_does_not_change_a_window(checkpoint):
    random = np.random.default_rng(0)
    batch = random.integers(0, 4, (7, 96), dtype=np.uint8)
    together = checkpoint.encoder.embed(tokens(batch))
    alone = torch.cat([checkpoint.encoder.embed(tokens(row)) for row in batch])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-6)


def test_padding_alone_embeds_to_zero(checkpoint):
    empty = torch.full((1, 24), PAD)
    assert not checkpoint.encoder.embed(empty).any()


def test_save_and_load_give_the_same_readings(checkpoint, tmp_path):
    checkpoint.encoder.save_pretrained(tmp_path)
    again = BudwoodEncoder.from_pretrained(tmp_path).eval()
    codes = tokens(np.random.default_rng(1).integers(0, 4, 64, dtype=np.uint8))
    assert torch.equal(again.embed(codes), checkpoint.encoder.embed(codes))
    with torch.no_grad():
        assert torch.equal(again(codes).regions, checkpoint.encoder(codes).regions)


def test_random_checkpoints_know_their_seed_and_leave_the_generator_alone():
    config = BudwoodConfig(stem_channels=8, hidden_size=16, layers=1, heads=2)
    before = torch.get_rng_state()
    first, same, other = (random_checkpoint(config, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(before, torch.get_rng_state())
    assert first.digest == same.digest != other.digest
    codes = tokens(np.arange(32) % 4)
    assert torch.equal(first.encoder.embed(codes), same.encoder.embed(codes))
    assert not torch.equal(first.encoder.embed(codes), other.encoder.embed(codes))


def test_a_region_seen_from_the_other_strand_and_back_is_itself():
    for region in BaseClass:
        assert COMPLEMENT_REGION[COMPLEMENT_REGION[region]] == region
    assert COMPLEMENT_REGION[BaseClass.DONOR_FORWARD] == BaseClass.DONOR_REVERSE


@settings(max_examples=25, deadline=None)
@given(codes=windows, bias=st.booleans())
def test_a_layer_reads_the_parts_of_vectors_as_it_reads_the_vectors(checkpoint, codes, bias):
    layer = torch.nn.Linear(checkpoint.embedding_size, 5, bias=bias)
    with torch.no_grad():
        reading = checkpoint.encoder.strand(tokens(codes))
        torch.testing.assert_close(reading.readout(layer), layer(reading.features))
