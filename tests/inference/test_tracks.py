"""Predicted tracks: those of the objective's head, the same from either strand, in any batch and place."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from budwood.errors import BudwoodError
from budwood.genomics.assembly import InMemoryAssembly
from budwood.genomics.interval import Interval
from budwood.genomics.sequence import N, reverse_complement
from budwood.inference.tiles import tile_bounds
from budwood.inference.tracks import count_tiles, predict_tracks
from budwood.model.checkpoint import Checkpoint, random_checkpoint
from budwood.model.encoder import reverse_complement_tokens
from budwood.model.encoder_config import BudwoodConfig
from budwood.model.track_head import TrackHead
from budwood.training.objective.objectives import ObjectiveConfig, PretrainingObjective

SHAPE = BudwoodConfig(stem_channels=8, hidden_size=16, layers=1, heads=2)
NAMES = ("open chromatin", "state 1", "transposon")


@pytest.fixture(scope="module")
def objective() -> PretrainingObjective:
    torch.manual_seed(0)
    made = PretrainingObjective(random_checkpoint(SHAPE).encoder, ObjectiveConfig(track_weight=1.0), 3)
    assert made.track_head is not None
    with torch.no_grad():
        made.track_head.weight.normal_()
        made.track_head.bias.normal_()
    return made.eval()


@pytest.fixture(scope="module")
def checkpoint(objective) -> Checkpoint:
    head = TrackHead.of(objective.track_head, NAMES)
    return replace(random_checkpoint(SHAPE), encoder=objective.encoder, tracks=head)


def letters(length: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 4, length, dtype=np.uint8)


def whole(codes: np.ndarray, checkpoint: Checkpoint, **how) -> np.ndarray:
    found = list(predict_tracks(InMemoryAssembly({"1": codes}), checkpoint, **how))
    assert [each.start for each in found[1:]] == [each.end for each in found[:-1]]
    assert (found[0].start, found[-1].end) == (0, len(codes))
    return np.concatenate([each.probability for each in found])


def test_a_window_has_the_probabilities_of_the_objective(objective, checkpoint) -> None:
    codes = letters(512)
    tokens = torch.from_numpy(codes[None].astype(np.int64))
    with torch.no_grad():
        means = [
            functional.avg_pool1d(
                objective.read(strand).readout(objective.track_head).transpose(1, 2), 8
            ).transpose(1, 2)
            for strand in (tokens, reverse_complement_tokens(tokens))
        ]
        expected = ((means[0] + means[1].flip(1)) / 2).sigmoid()[0].numpy()
    np.testing.assert_allclose(whole(codes, checkpoint), expected, atol=1e-5)


@pytest.mark.parametrize("length", [8, 504, 512, 1000, 1600, 5000, 4096])
def test_the_other_strand_has_the_same_in_the_other_order(checkpoint, length) -> None:
    codes = letters(length)
    codes[length // 3 : length // 3 + 40] = N
    there, back = whole(codes, checkpoint), whole(reverse_complement(codes), checkpoint)
    np.testing.assert_allclose(back[::-1], there, atol=1e-5)


@pytest.mark.parametrize("length", [1, 9, 511, 700, 1999, 3001])
def test_every_step_is_of_the_tile_in_which_it_lies_farthest_from_the_ends(checkpoint, length) -> None:
    codes = letters(length)
    found = whole(codes, checkpoint, batch_size=3, threads=2)
    starts, ends = tile_bounds(length)
    for step in range(-(-length // 8)):
        low, high = 8 * step, min(8 * step + 8, length)
        inside = [min(2 * low + 8 - 2 * a, 2 * b - 2 * low - 8) for a, b in zip(starts, ends, strict=True)]
        best = [k for k, depth in enumerate(inside) if depth == max(inside)]
        logits = [
            checkpoint.read_tracks(codes[None, starts[k] : ends[k]])[0, low - starts[k] : high - starts[k]]
            for k in best
        ]
        expected = [1 / (1 + np.exp(-each.mean(0))) for each in logits]
        assert min(np.abs(found[step] - each).max() for each in expected) < 1e-5
    assert len(found) == -(-length // 8)


def test_places_have_the_probabilities_of_the_genome(checkpoint) -> None:
    genome = InMemoryAssembly({"a": letters(3000), "b": letters(90, 1), "c": letters(600, 2)})
    of = {
        (each.contig, each.start + 8 * step): row
        for each in predict_tracks(genome, checkpoint)
        for step, row in enumerate(each.probability)
    }
    assert len(of) == 375 + 12 + 75
    places = [Interval("c", 5, 6), Interval("a", 700, 1500, "-"), Interval("a", 20, 21), Interval("a", 5, 5)]
    places += [Interval("a", 40, 48), Interval("a", 1499, 1510)]
    found = list(predict_tracks(genome, checkpoint, places=places, names=["transposon"], batch_size=2))
    steps = [
        (each.contig, each.start + 8 * step, row[0])
        for each in found
        for step, row in enumerate(each.probability)
    ]
    wanted = [("a", 16), ("a", 40), *(("a", 8 * k) for k in range(87, 189)), ("c", 0)]
    assert [each[:2] for each in steps] == wanted
    np.testing.assert_allclose([each[2] for each in steps], [of[each][2] for each in wanted], atol=1e-5)
    tiles = {(stretch.contig, stretch.start) for stretch in found}
    assert count_tiles(genome.contigs, places) <= len(tiles)
    assert count_tiles(genome.contigs) == len(tile_bounds(3000)[0]) + 1 + 2


def test_steps_without_a_known_base_have_no_probability(checkpoint) -> None:
    codes = letters(64)
    codes[15:33] = N
    found = whole(codes, checkpoint)
    assert np.isnan(found).all(1).tolist() == [False, False, True, True, False, False, False, False]


def test_bfloat16_is_near(checkpoint) -> None:
    codes = letters(2000)
    exact, half = whole(codes, checkpoint), whole(codes, checkpoint.in_precision("bf16"))
    assert 0 < np.abs(exact - half).max() < 0.1


def test_what_cannot_be_read_is_refused(checkpoint) -> None:
    genome = InMemoryAssembly({"a": letters(30)})
    for place in (Interval("b", 0, 5), Interval("a", 20, 31)):
        with pytest.raises(BudwoodError, match="not on the genome"):
            list(predict_tracks(genome, checkpoint, places=[place]))
    with pytest.raises(BudwoodError, match="predicts no tracks"):
        list(predict_tracks(genome, replace(checkpoint, tracks=None)))
    with pytest.raises(BudwoodError, match="predicts no track 'state 2'"):
        list(predict_tracks(genome, checkpoint, names=["state 2"]))
    with pytest.raises(BudwoodError, match="batch size is 0"):
        list(predict_tracks(genome, checkpoint, batch_size=0))
    broken = replace(checkpoint.head, bias=torch.full((3,), torch.nan))
    with pytest.raises(BudwoodError, match="not finite"):
        list(predict_tracks(genome, replace(checkpoint, tracks=broken)))
