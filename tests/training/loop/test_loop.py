"""Training learns, resumes exactly, and stops with one sentence when the loss is lost."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from budwood.corpus.sampling.genome import load_training_genome
from budwood.corpus.sampling.sampler import SamplerConfig, WindowSampler
from budwood.errors import BudwoodError
from budwood.genomics.assembly import InMemoryAssembly
from budwood.genomics.sequence import decode
from budwood.model.encoder import BudwoodConfig, BudwoodEncoder
from budwood.training.loop import loop
from budwood.training.loop.loop import train
from budwood.training.monitoring.speed import operations_per_base
from budwood.training.objective.objectives import ObjectiveConfig, PretrainingObjective
from budwood.training.recipe.schedule import Schedule

SHAPE = BudwoodConfig(stem_channels=16, hidden_size=32, layers=1, heads=2)


@pytest.fixture(scope="module")
def sampler() -> WindowSampler:
    random = np.random.default_rng(0)
    # A repeated word: what is hidden can be told from what is left.
    word = decode(random.integers(0, 4, 16, dtype=np.uint8))
    genome = load_training_genome("synthetic", InMemoryAssembly({"c1": word * 400}))
    return WindowSampler([genome], [1.0], SamplerConfig(window=64), seed=5)


def objective() -> PretrainingObjective:
    torch.manual_seed(0)
    return PretrainingObjective(BudwoodEncoder(SHAPE), ObjectiveConfig(mean_span=2))


def schedule(steps: int, **others) -> Schedule:
    return Schedule(steps=steps, batch=8, warmup=5, save_every=4, precision="no", **others)


def test_loss_falls_on_sequence_that_can_be_learned(sampler, tmp_path):
    train(objective(), sampler, schedule(100), tmp_path, show=False)
    last = json.loads((tmp_path / "log.jsonl").read_text().splitlines()[-1])
    assert last["span"] < 1.2 < np.log(4)


def test_a_stopped_training_ends_in_the_same_weights(sampler, tmp_path):
    whole, stopped = objective(), objective()
    train(whole, sampler, schedule(10), tmp_path / "whole", show=False)

    def give_up(_: PretrainingObjective) -> dict[str, float]:
        raise KeyboardInterrupt

    cut = Schedule(steps=10, batch=8, warmup=5, save_every=4, validate_every=6, precision="no")
    with pytest.raises(KeyboardInterrupt):
        train(stopped, sampler, cut, tmp_path / "cut", validate=give_up, show=False)
    resumed = objective()
    train(resumed, sampler, schedule(10), tmp_path / "cut", show=False)
    for name, weight in whole.state_dict().items():
        assert torch.equal(weight, resumed.state_dict()[name]), name


def test_a_lost_loss_stops_with_one_sentence_and_keeps_the_state(sampler, tmp_path):
    with pytest.raises(BudwoodError, match="the last good state is kept"):
        train(objective(), sampler, schedule(60, learning_rate=1e20, matrix_rate=1e20), tmp_path, show=False)
    assert not (tmp_path / "state.partial").exists()


def test_a_state_of_another_network_is_refused(sampler, tmp_path):
    train(objective(), sampler, schedule(4), tmp_path, show=False)
    other = PretrainingObjective(
        BudwoodEncoder(BudwoodConfig(stem_channels=8, hidden_size=16, layers=1, heads=2)), ObjectiveConfig()
    )
    with pytest.raises(BudwoodError, match=r"and the network needs|lacks|unexpected"):
        train(other, sampler, schedule(8), tmp_path, show=False)


def test_windows_that_are_read_in_pieces_give_the_same_losses(sampler, tmp_path):
    lines = []
    for size in (None, 3, 1):
        folder = tmp_path / str(size)
        train(objective(), sampler, schedule(1), folder, batch_size=size, show=False)
        lines.append(json.loads((folder / "log.jsonl").read_text().splitlines()[-1]))
    for line in lines[1:]:
        # One sum of float32 numbers in another order; the log keeps five digits after the point.
        assert line["loss"] == pytest.approx(lines[0]["loss"], rel=1e-5, abs=1e-5)


def test_long_windows_that_cannot_be_shared_out_are_refused(tmp_path):
    """8 windows of 64 bases can be read in 4 pieces; every other batch has 2 windows of 256, which cannot."""
    letters = decode(np.random.default_rng(0).integers(0, 4, 2000, dtype=np.uint8))
    genome = load_training_genome("synthetic", InMemoryAssembly({"c": letters}))
    windows = WindowSampler([genome], [1.0], SamplerConfig(window=64, long_window=256), seed=5)
    with pytest.raises(BudwoodError, match="2 windows of 256 bases cannot be cut into 4 pieces"):
        train(objective(), windows, schedule(4, accumulate=4), tmp_path / "run", show=False)
    assert not (tmp_path / "run").exists()
    train(objective(), windows, schedule(2, accumulate=2), tmp_path / "run", show=False)


def test_the_share_of_peak_counts_long_windows_as_what_they_cost(tmp_path, monkeypatch):
    """The seconds at peak of a step are its operations over the peak, by the length of its windows."""
    letters = decode(np.random.default_rng(0).integers(0, 4, 4000, dtype=np.uint8))
    genome = load_training_genome("synthetic", InMemoryAssembly({"c": letters}))
    windows = WindowSampler([genome], [1.0], SamplerConfig(window=64, long_window=512), seed=5)
    seen: list[tuple[int, float]] = []
    monkeypatch.setattr(loop, "measured_peak", lambda *_: 1e9)
    true = loop.TrainingLog.add

    def add(self, step, losses, bases, least_seconds, **words):
        seen.append((bases, least_seconds))
        true(self, step, losses, bases, least_seconds, **words)

    monkeypatch.setattr(loop.TrainingLog, "add", add)
    model = objective()
    expected = [8 * 64 * operations_per_base(model.encoder, length) / 1e9 for length in (64, 512)]
    train(model, windows, schedule(2), tmp_path, show=False)
    assert seen == [(8 * 64, pytest.approx(expected[0])), (8 * 64, pytest.approx(expected[1]))]
    assert expected[1] > expected[0]
