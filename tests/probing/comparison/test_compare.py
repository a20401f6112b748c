"""A comparison finds what is planted, and nothing in noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.model.checkpoint import Checkpoint, random_checkpoint
from budwood.model.encoder import BudwoodConfig
from budwood.probing.comparison.compare import compare_features
from budwood.probing.comparison.probes import KernelProbe, Target
from budwood.probing.tasks.examples import ExampleSet, ReadPart

MOTIFS = np.array([[0, 1, 2, 3], [3, 3, 2, 0], [1, 1, 0, 0]])


@pytest.fixture(scope="module")
def tiny() -> Checkpoint:
    return random_checkpoint(BudwoodConfig(stem_channels=8, hidden_size=16, layers=1, heads=2), seed=1)


def planted(count: int, seed: int, classes: int = 2) -> ExampleSet:
    """Windows with one of several motifs in the middle."""
    random = np.random.default_rng(seed)
    windows = random.integers(0, 4, (count, 40), dtype=np.uint8)
    own = np.arange(count) % classes
    windows[:, 18:22] = MOTIFS[own]
    return ExampleSet(
        task="planted",
        windows=windows,
        labels=np.array(["a", "b", "c"])[own],
        values=np.empty(0),
        contig=np.full(count, "c1"),
        position=np.arange(count) * 50_000,
        reading=ReadPart.MIDDLE,
        stranded=True,
    )


def test_a_planted_motif_is_found_by_what_sees_it(tiny: Checkpoint) -> None:
    found = compare_features(planted(60, 1), planted(40, 2), tiny, show=False)
    scores = {row.name: row.scores["auroc"].value for row in found.rows}
    assert scores["one-hot, linear"] > 0.95
    assert scores["convolution, network"] > 0.9
    assert scores["GC and length, linear"] < 0.8
    names = [row.features for row in found.rows]
    assert {"3-mers", "6-mers", "random weights", "convolution"} <= set(names)
    for row in found.rows:
        assert (row.above is None) == (not row.baseline)
        score = row.scores["auroc"]
        assert score.lower <= score.value + 1e-9
    best = found.rows[found.best_baseline]
    assert best.scores["auroc"].value == max(r.scores["auroc"].value for r in found.rows if r.baseline)
    assert found.adds is not True
    assert "beats every baseline" not in found.conclusion


def test_values_and_three_classes(tiny: Checkpoint) -> None:
    three = compare_features(planted(60, 1, 3), planted(36, 2, 3), tiny, show=False)
    assert three.measure == "balanced_accuracy"
    assert three.classes == ("a", "b", "c")

    def valued(each: ExampleSet) -> ExampleSet:
        return replace(each, labels=np.array([], dtype=np.str_), values=(each.labels == "a") + 0.0)

    numbers = compare_features(valued(planted(60, 1)), valued(planted(40, 2)), tiny, show=False)
    assert numbers.measure == "pearson_r"
    assert {row.name: row for row in numbers.rows}["one-hot, linear"].scores["pearson_r"].value > 0.8
    constant = replace(valued(planted(40, 2)), values=np.ones(40))
    with pytest.raises(BudwoodError, match="all test values are the same"):
        compare_features(valued(planted(60, 1)), constant, tiny, show=False)


def test_scaling_and_tuning_do_not_see_the_test() -> None:
    random = np.random.default_rng(0)
    features, labels = random.normal(size=(60, 5)), np.arange(60) % 2
    features[:, 0] += labels
    probe = KernelProbe(features, Target(numbers=labels, blocks=np.arange(60), classes=2))
    new = random.normal(size=(8, 5))
    alone = np.concatenate([probe.predict(row[None]).decision for row in new])
    np.testing.assert_allclose(probe.predict(new).decision, alone, atol=1e-9)


def test_too_few_examples_are_refused(tiny: Checkpoint) -> None:
    with pytest.raises(BudwoodError, match="10 test examples"):
        compare_features(planted(40, 1), planted(10, 2), tiny, show=False)


@pytest.mark.parametrize("turned", [False, True])
def test_a_kernel_probe_that_learns_nothing_gives_finite_values(turned: bool) -> None:
    labels = np.arange(60) % 2
    # Alike everywhere, or each example beside one of the other class that is nearer than any of its own.
    features = (
        np.repeat(np.random.default_rng(0).normal(size=(30, 3)) * 9, 2, axis=0)
        if turned
        else np.ones((60, 3))
    )
    probe = KernelProbe(features, Target(numbers=labels, blocks=np.arange(60), classes=2))
    found = probe.predict(features)
    assert np.isfinite(found.decision).all()
