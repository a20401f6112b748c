"""BayesC by Gibbs sampling: ridge regression and full enumeration as references."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from budwood.stats.mixed_model.bayes_c import BayesCPrior, sample_bayes_c


def test_all_predictors_in_the_model_are_ridge_regression() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 25))
    x -= x.mean(axis=0)
    y = x[:, :6].sum(axis=1) + rng.normal(size=40) + 7.0
    prior = BayesCPrior(inclusion=1.0 - 1e-12, counts=np.inf, variances=(0.3, 1.2))
    weights = rng.uniform(0.5, 2.0, (2, 40))
    weights[1, :10] = 0.0
    found = sample_bayes_c(x, y, weights, prior=prior, iterations=2000, burn_in=100, seed=1)
    for chain, w in enumerate(weights):
        design = np.column_stack([np.ones(40), x])
        penalty = np.diag([0.0, *[1.2 / 0.3] * 25])
        expected = np.linalg.solve(design.T @ (w[:, None] * design) + penalty, design.T @ (w * y))
        np.testing.assert_allclose(found.mean[chain], expected[0], atol=0.05)
        np.testing.assert_allclose(found.effects[chain], expected[1:], atol=0.05)


def test_inclusions_and_effects_equal_full_enumeration() -> None:
    rng = np.random.default_rng(4)
    n, m, va, ve, share = 30, 4, 0.5, 1.0, 0.3
    x = rng.normal(size=(n, m))
    x[:, 1] += x[:, 0]
    x -= x.mean(axis=0)
    y = 0.6 * x[:, 0] - 0.3 * x[:, 3] + rng.normal(size=n)
    y -= y.mean()
    chances, effects, inclusions = [], [], []
    for inside in product((0, 1), repeat=m):
        chosen = np.array(inside, dtype=bool)
        # A flat prior of the mean integrates out of centred data.
        covariance = ve * np.eye(n) + va * x[:, chosen] @ x[:, chosen].T
        _, size = np.linalg.slogdet(covariance)
        solved = np.linalg.solve(covariance, y)
        log_chance = (
            -0.5 * (size + y @ solved) + chosen.sum() * np.log(share) + (~chosen).sum() * np.log1p(-share)
        )
        chances.append(log_chance)
        effects.append(np.where(chosen, va * x.T @ solved, 0.0))
        inclusions.append(chosen)
    chance = np.exp(np.array(chances) - max(chances))
    chance /= chance.sum()
    prior = BayesCPrior(inclusion=share, counts=np.inf, variances=(va, ve))
    found = sample_bayes_c(x, y, np.ones((4, n)), prior=prior, iterations=4000, burn_in=200, seed=2)
    np.testing.assert_allclose(found.inclusion.mean(axis=0), chance @ np.array(inclusions), atol=0.02)
    np.testing.assert_allclose(found.effects.mean(axis=0), chance @ np.array(effects), atol=0.015)


def test_few_large_effects_are_found_and_the_error_of_the_chain_falls() -> None:
    rng = np.random.default_rng(3)
    x = rng.integers(0, 2, (150, 120)) - 0.5
    x -= x.mean(axis=0)
    y = 2.0 * x[:, 5] - 2.0 * x[:, 60] + 0.5 * rng.normal(size=150)
    short, long = (
        sample_bayes_c(x, y, np.ones((1, 150)), iterations=rounds, burn_in=rounds // 5)
        for rounds in (60, 600)
    )
    assert set(np.argsort(-long.inclusion[0])[:2].tolist()) == {5, 60}
    assert long.share[0] < 0.2
    assert long.monte_carlo_error[0] < short.monte_carlo_error[0]
    assert long.residual[0] == pytest.approx(0.25, rel=0.3)
