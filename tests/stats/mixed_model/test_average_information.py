"""Kernels that nearly repeat one another, and traits that no kernel explains, still get their estimates."""

from __future__ import annotations

import numpy as np
import pytest

from budwood.stats.mixed_model.reml import reml


def near_twins(random: np.random.Generator, n: int = 100) -> list[np.ndarray]:
    """Two kernels of the same 30 markers, the second a little disturbed."""
    markers = random.normal(size=(n, 30))
    markers -= markers.mean(axis=0)
    disturbed = markers + 0.02 * random.normal(size=markers.shape)
    return [x @ x.T / x.shape[1] for x in (markers, disturbed)]


@pytest.mark.parametrize("seed", range(12))
def test_near_twins_settle_on_pure_noise(seed: int) -> None:
    random = np.random.default_rng(seed)
    kernels = near_twins(random)
    y = random.normal(size=100)
    estimates = reml(y, kernels)
    # Whatever the split between twins, the likelihood is at least that of either alone.
    alone = max(reml(y, [kernel]).log_likelihood for kernel in kernels)
    assert estimates.log_likelihood >= alone - 1e-6
    assert min(estimates.kernels) >= 0.0


def test_near_twins_share_what_one_would_have() -> None:
    random = np.random.default_rng(3)
    kernels = near_twins(random)
    u = np.linalg.cholesky(kernels[0] + 1e-9 * np.eye(100)) @ random.normal(size=100)
    y = u + 0.5 * random.normal(size=100)
    both, one = reml(y, kernels), reml(y, kernels[:1])
    assert sum(both.kernels) == pytest.approx(one.kernels[0], rel=0.05)
    assert both.residual == pytest.approx(one.residual, rel=0.05)
