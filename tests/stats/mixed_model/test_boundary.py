"""Variance components where few records put the genetic share at 0 or 1."""

from dataclasses import replace

import numpy as np
import pytest

from budwood.stats.mixed_model.boundary import averaged_components, genetic_share
from budwood.stats.mixed_model.fixed_effects import whitened_design
from budwood.stats.mixed_model.reml import reml
from budwood.stats.mixed_model.spectral_reml import spectral_reml


def _records(seed: int, n: int, h2: float) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    features = generator.normal(size=(n, 3 * n))
    kernel = features @ features.T / (3 * n)
    u = np.linalg.cholesky(kernel + 1e-9 * np.eye(n)) @ generator.normal(size=n)
    return np.sqrt(h2) * u + np.sqrt(1.0 - h2) * generator.normal(size=n), kernel


def test_the_mean_share_is_that_of_an_integral_over_the_likelihood() -> None:
    y, kernel = _records(1, 25, 0.5)
    found = averaged_components(y, [kernel], reml(y, [kernel]))
    spectrum = spectral_reml(kernel, whitened_design(25))
    scale = spectrum.values.mean()
    squares, values = (spectrum.vectors.T @ y) ** 2, spectrum.values / scale
    h = (np.arange(20_000) + 0.5) / 20_000
    # The integral over the residual scale of the likelihood times 1 / scale, by hand.
    d = h[:, None] * values + 1.0 - h[:, None]
    log = -0.5 * np.log(d).sum(axis=1) - 0.5 * len(values) * np.log((squares / d).sum(axis=1))
    mass = np.exp(log - log.max())
    share = found.kernels[0] * scale / (found.kernels[0] * scale + found.residual)
    assert share == pytest.approx(mass @ h / mass.sum(), abs=1e-3)


def test_shares_at_either_end_are_drawn_inside() -> None:
    ends = 0
    for seed in range(30):
        y, kernel = _records(seed, 20, 0.5)
        estimate = reml(y, [kernel])
        share = genetic_share(estimate, [kernel])
        average = genetic_share(averaged_components(y, [kernel], estimate), [kernel])
        assert 0.05 < average < 0.95
        ends += share < 0.01 or share > 0.99
    assert ends >= 5


def test_several_kernels_keep_their_proportions_and_a_large_panel_its_estimate() -> None:
    y, kernel = _records(3, 400, 0.6)
    other = np.eye(400) + 0.5
    estimate = reml(y, [kernel])
    average = averaged_components(y, [kernel], estimate)
    assert genetic_share(average, [kernel]) == pytest.approx(genetic_share(estimate, [kernel]), abs=0.03)
    two = averaged_components(y, [kernel, other], replace(estimate, kernels=(3.0, 1.0)))
    assert two.kernels[0] / two.kernels[1] == pytest.approx(3.0)
