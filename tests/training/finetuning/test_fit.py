"""Fine-tuning learns, stops early, keeps the best weights, and reads both strands alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.genomics.sequence import PAD, reverse_complement
from budwood.model.checkpoint import random_checkpoint
from budwood.model.encoder import BudwoodEncoder
from budwood.model.encoder_config import BudwoodConfig
from budwood.training.finetuning.fit import FitConfig, fit_network, read_network
from budwood.training.finetuning.outputs import Outputs, class_outputs, value_outputs
from budwood.training.finetuning.sequence_network import SequenceNetwork, Strand

SHAPE = BudwoodConfig(stem_channels=8, hidden_size=16, layers=1, heads=2)
QUICK = FitConfig(learning_rate=5e-3, head_rate=2e-2, epochs=15, patience=15, batch=16)


def encoder() -> BudwoodEncoder:
    return random_checkpoint(SHAPE, seed=1).encoder


def sequences(count: int = 120) -> NDArray[np.uint8]:
    return np.random.default_rng(0).choice(4, (count, 32), p=[0.3, 0.2, 0.2, 0.3]).astype(np.uint8)


def fitted(
    truth: NDArray[np.float64], outputs: Outputs, *, strand: Strand = "own", config: FitConfig = QUICK
) -> tuple[SequenceNetwork, tuple[float, ...], int]:
    network = SequenceNetwork(encoder(), outputs.size, strand=strand)
    history = fit_network(
        network,
        sequences(len(truth)),
        outputs.targets(truth),
        outputs,
        training=np.arange(90),
        validation=np.arange(90, len(truth)),
        config=config,
        head=network.head.parameters(),
        show=False,
    )
    return network, history.validation, history.best


def test_several_values_are_learnt_at_once_and_unknown_ones_do_not_count() -> None:
    codes = sequences()
    truth = np.stack([(codes == 2).mean(axis=1) * 50 + 7, (codes == 0).mean(axis=1)], axis=1)
    known = truth.copy()
    known[::3, 1] = np.nan
    outputs = value_outputs(["g", "a"], known, np.arange(90))
    network, losses, best = fitted(known, outputs)
    predicted = outputs.predictions(read_network(network, codes))
    assert losses[best - 1] == min(losses)
    for column in range(2):
        assert np.corrcoef(predicted[90:, column], truth[90:, column])[0, 1] > 0.8


def test_classes_are_learnt_as_probabilities() -> None:
    codes = sequences()
    labels = np.where((codes < 2).mean(axis=1) > 0.5, "low", "high")
    outputs, truth = class_outputs("gc", labels.tolist())
    network, _, _ = fitted(truth, outputs)
    shares = outputs.predictions(read_network(network, codes))
    assert shares.sum(axis=1) == pytest.approx(1)
    assert ((shares[90:, 1] > 0.5) == (truth[90:, 0] == 1)).mean() > 0.8


def test_training_stops_when_validation_gets_no_better_and_keeps_the_best_weights() -> None:
    truth = np.random.default_rng(1).normal(size=(120, 1))
    outputs = value_outputs(["noise"], truth, np.arange(90))
    network, losses, best = fitted(truth, outputs, config=replace(QUICK, epochs=30, patience=2))
    assert len(losses) == best + 2 < 30
    again = read_network(network, sequences()[90:])
    loss = float(outputs.loss(torch.from_numpy(again).float(), outputs.targets(truth)[90:]))
    assert loss == pytest.approx(min(losses), rel=1e-4)


def test_the_same_seed_gives_the_same_network() -> None:
    truth = np.random.default_rng(1).normal(size=(100, 1))
    outputs = value_outputs(["noise"], truth, np.arange(90))
    short = replace(QUICK, epochs=1)
    one, two = (fitted(truth, outputs, config=short)[0] for _ in range(2))
    assert np.array_equal(read_network(one, sequences(100)), read_network(two, sequences(100)))


@pytest.mark.parametrize("strand", ["own", "both"])
def test_both_strands_give_the_same_and_padding_does_not_matter(strand: Strand) -> None:
    network = SequenceNetwork(encoder(), 2, strand=strand)
    codes = sequences(6)
    given = read_network(network, codes)
    padded = np.pad(codes, ((0, 0), (0, 9)), constant_values=PAD)
    assert read_network(network, padded) == pytest.approx(given, abs=1e-5)
    turned = read_network(network, reverse_complement(codes))
    assert np.allclose(turned, given, atol=1e-5) == (strand == "both")


def test_a_diverging_training_is_an_error_and_bad_numbers_are_refused() -> None:
    truth = np.random.default_rng(1).normal(size=(100, 1)) * np.array([1e30])
    outputs = Outputs(names=("x",), centres=(0.0,), scales=(1.0,))
    with pytest.raises(BudwoodError, match="no number"):
        fitted(truth, outputs)
    for wrong in ({"learning_rate": 0.0}, {"learning_rate": 2.0}, {"epochs": 0}, {"batch": 0}):
        with pytest.raises(BudwoodError):
            FitConfig(**wrong)  # type: ignore[arg-type]


def test_a_value_that_does_not_vary_is_refused() -> None:
    with pytest.raises(BudwoodError, match="does not vary"):
        value_outputs(["x"], np.ones((5, 1)), np.arange(5))
