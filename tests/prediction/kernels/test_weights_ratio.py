"""The likelihood ratio of weighted markers: found where the weights hold the effects, and not by chance."""

from __future__ import annotations

import numpy as np
import pytest

from budwood.genomics.genotypes import Genotypes
from budwood.prediction.kernels.panel_kernels import PanelKernels
from budwood.prediction.kernels.weights_ratio import MOVES, WeightsRatio, weights_ratio
from budwood.stats.mixed_model.reml import reml

LINES, MARKERS = 120, 300


def panel(seed: int) -> tuple[PanelKernels, np.ndarray, np.ndarray]:
    """Lines, weights of every tenth stretch of markers, and the genetic value of the markers weighed."""
    random = np.random.default_rng(seed)
    dosage = random.integers(0, 3, (LINES, MARKERS)).astype(np.int8)
    names = [f"l{i:03d}" for i in range(LINES)]
    weights = np.zeros(MARKERS)
    for start in random.choice(30, 3, replace=False) * 10:
        weights[start : start + 10] = 1.0
    effects = random.normal(size=MARKERS) * weights
    value = dosage @ effects
    kernels = PanelKernels(Genotypes.from_matrix(names, dosage), {}, {"function": weights})
    return kernels, value / value.std(), random.normal(size=LINES)


def test_weights_that_hold_the_effects_help() -> None:
    kernels, value, noise = panel(1)
    found = weights_ratio(kernels, "function", np.arange(LINES), value + 0.7 * noise)
    assert found is not None
    assert found.helps
    assert (found.moves, found.as_good) == (MOVES, 0)
    assert "explain more than all markers do: likelihood" in found.sentence
    rows = np.arange(LINES)
    own = [kernels.training_kernel(name, rows) for name in ("relationship", "function")]
    both, alone = (reml(value + 0.7 * noise, each).log_likelihood for each in (own, own[:1]))
    assert found.ratio == pytest.approx(2 * (both - alone))


def test_the_test_seldom_finds_what_is_not_there() -> None:
    random = np.random.default_rng(11)
    found = []
    for seed in range(8):
        kernels = panel(100 + seed)[0]
        found.append(weights_ratio(kernels, "function", np.arange(60), random.normal(size=60), seed=seed))
    assert sum(each.helps for each in found if each is not None) <= 1


def test_without_moves_the_ratio_alone_does_not_help() -> None:
    found = WeightsRatio(ratio=9.0, p=0.001, moves=0, as_good=0)
    assert not found.helps
    assert "not moved" in found.sentence
