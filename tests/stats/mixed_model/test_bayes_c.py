"""BayesC by Gibbs sampling: ridge regression and full enumeration as references."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.linalg import hadamard

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


def _orthogonal(seed: int, effects: np.ndarray, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """64 records of predictors orthogonal to one another and to the mean, of squared length 64."""
    x = hadamard(64)[:, 1 : 1 + len(effects)].astype(float)
    return x, 3.0 + x @ effects + noise * np.random.default_rng(seed).normal(size=64)


def test_orthogonal_predictors_have_the_posterior_of_each_alone() -> None:
    va, ve, share = 0.2, 2.0, 0.25
    x, y = _orthogonal(1, np.array([0.6, -0.4, 0.3, *np.zeros(17)]), 1.4)
    estimate, error = x.T @ y / 64, ve / 64
    # The estimate of a predictor is N(0, va + error) where it has an effect and N(0, error) elsewhere.
    factor = np.sqrt(error / (va + error)) * np.exp(estimate**2 / 2 * (1 / error - 1 / (va + error)))
    inclusion = share * factor / (share * factor + 1 - share)
    effects = inclusion * estimate * va / (va + error)
    prior = BayesCPrior(inclusion=share, counts=np.inf, variances=(va, ve))
    found = sample_bayes_c(x, y, np.ones((8, 64)), prior=prior, iterations=3000, burn_in=100, seed=3)
    np.testing.assert_allclose(found.inclusion.mean(axis=0), inclusion, atol=0.015)
    np.testing.assert_allclose(found.effects.mean(axis=0), effects, atol=0.01)


def test_the_share_of_predictors_with_an_effect_has_its_posterior_mean() -> None:
    va, ve, mean, counts = 0.2, 2.0, 0.5, 10.0
    x, y = _orthogonal(2, np.array([0.6, -0.5, 0.4, *np.zeros(17)]), 1.4)
    estimate, error = x.T @ y / 64, ve / 64
    factor = np.sqrt(error / (va + error)) * np.exp(estimate**2 / 2 * (1 / error - 1 / (va + error)))
    share = np.linspace(0.0, 1.0, 20001)[1:-1]
    log = np.log(share[:, None] * factor + 1 - share[:, None]).sum(axis=1)
    log += (counts * mean - 1) * np.log(share) + (counts * (1 - mean) - 1) * np.log1p(-share)
    chance = np.exp(log - log.max())
    chance /= chance.sum()
    inclusion = chance @ (share[:, None] * factor / (share[:, None] * factor + 1 - share[:, None]))
    prior = BayesCPrior(inclusion=mean, counts=counts, variances=(va, ve))
    found = sample_bayes_c(x, y, np.ones((8, 64)), prior=prior, iterations=3000, burn_in=100, seed=4)
    assert found.share.mean() == pytest.approx(chance @ share, abs=0.01)
    np.testing.assert_allclose(found.inclusion.mean(axis=0), inclusion, atol=0.02)


def test_the_variances_have_their_posterior_means() -> None:
    x, y = _orthogonal(3, np.random.default_rng(8).normal(size=30) * 0.4, 1.5)
    prior = BayesCPrior(inclusion=1.0 - 1e-12, counts=np.inf)
    found = sample_bayes_c(x, y, np.ones((8, 64)), prior=prior, iterations=4000, burn_in=200, seed=5)
    # Priors as BGLR has them: scaled inverse chi-squared with the mode at half of the variance each.
    variance, degrees = float(np.var(y)), prior.degrees
    modes = (variance * 0.5 / 30, variance * 0.5)
    va, ve = np.meshgrid(np.geomspace(0.01, 3.0, 600), np.geomspace(0.2, 20.0, 600), indexing="ij")
    rest = y - y.mean()
    within = (x.T @ rest) ** 2 / 64
    left = float(rest @ rest - within.sum())
    log = -0.5 * (30 * np.log(ve + 64 * va) + within.sum() / (ve + 64 * va))
    log -= 0.5 * ((64 - 1 - 30) * np.log(ve) + left / ve)
    for value, mode in ((va, modes[0]), (ve, modes[1])):
        # The last term is the width of a cell of the logarithmic grid.
        log += -(degrees / 2 + 1) * np.log(value) - mode * (degrees + 2) / (2 * value) + np.log(value)
    chance = np.exp(log - log.max())
    chance /= chance.sum()
    assert found.effect_variance.mean() == pytest.approx((chance * va).sum(), rel=0.02)
    assert found.residual.mean() == pytest.approx((chance * ve).sum(), rel=0.02)
