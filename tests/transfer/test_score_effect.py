"""The statistic of transfer: closed form, level, power, and that a bad source costs nothing."""

from __future__ import annotations

import numpy as np
import pytest

from budwood.stats.mixed_model.reml import reml
from budwood.transfer.score_effect import (
    fit_transfer,
    gblup,
    p_of,
    score_effect,
    score_statistics,
    second_kernel_test,
)


def families(n: int, rng: np.random.Generator) -> np.ndarray:
    markers = rng.binomial(2, rng.uniform(0.1, 0.9, (4, 150))[np.arange(n) % 4]).astype(float)
    centred = markers - markers.mean(axis=0)
    return centred @ centred.T / 60.0


def draw(kernel: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.linalg.cholesky(kernel + 1e-8 * np.eye(len(kernel))) @ rng.normal(size=len(kernel))


def test_delta_is_the_generalised_least_squares_estimate() -> None:
    rng = np.random.default_rng(1)
    kernel = families(60, rng)
    score, y = draw(kernel, rng), draw(kernel, rng) + rng.normal(size=60)
    found = score_effect(y, score, kernel)
    fixed = np.column_stack([np.ones(60), score])
    components = reml(y, [kernel], fixed=fixed)
    v = np.linalg.inv(components.kernels[0] * kernel + components.residual * np.eye(60))
    covariance = np.linalg.inv(fixed.T @ v @ fixed)
    assert found.delta == pytest.approx((covariance @ fixed.T @ v @ y)[1], rel=1e-5)
    assert found.standard_error == pytest.approx(covariance[1, 1] ** 0.5, rel=1e-5)


def test_the_test_holds_its_level_for_scores_with_families() -> None:
    """Score and trait have the same families and nothing else in common: 5 % of the tests may reject."""
    rng = np.random.default_rng(2)
    rejected = []
    for _ in range(200):
        kernel = families(30, rng)
        y = draw(kernel, rng) + rng.normal(size=30)
        rejected.append(score_effect(y, draw(kernel, rng), kernel).p_value < 0.05)
    # Three standard errors of 200 tests.
    assert np.mean(rejected) == pytest.approx(0.05, abs=3 * (0.05 * 0.95 / 200) ** 0.5)


def test_a_score_without_use_gives_back_the_target_alone() -> None:
    rng = np.random.default_rng(3)
    kernel = families(50, rng)
    y = draw(kernel, rng) + rng.normal(size=50)
    fit = fit_transfer(y[:40], -y[:40] - 5.0 * rng.normal(size=40), kernel[:40, :40])
    assert fit.effect.used == 0.0
    own = np.diagonal(kernel)[40:]
    alone = gblup(y[:40], [kernel[:40, :40]]).predict([kernel[40:, :40]], [own]).value
    np.testing.assert_array_equal(fit.predict(kernel[40:, :40], own, rng.normal(size=10)), alone)


def test_a_score_that_holds_the_trait_takes_over() -> None:
    rng = np.random.default_rng(4)
    kernel = families(60, rng)
    score = rng.normal(size=60)
    y = 3.0 * score + 0.1 * rng.normal(size=60)
    fit = fit_transfer(y[:40], score[:40], kernel[:40, :40])
    found = fit.predict(kernel[40:, :40], np.diagonal(kernel)[40:], score[40:])
    assert np.corrcoef(found, y[40:])[0, 1] > 0.99


@pytest.mark.parametrize("factor", [1e-6, 1.0, 1e6])
def test_the_unit_and_place_of_a_score_do_not_matter(factor: float) -> None:
    rng = np.random.default_rng(5)
    kernel = families(40, rng)
    score, y = rng.normal(size=40), rng.normal(size=40)
    y += score
    one, other = score_effect(y, score, kernel), score_effect(y, factor * score + 7.0 * factor, kernel)
    assert other.p_value == pytest.approx(one.p_value, rel=1e-6)
    assert other.used * factor == pytest.approx(one.used, rel=1e-6)


@pytest.mark.parametrize("score", [np.zeros(40), np.full(40, 3.0)])
def test_a_score_that_does_not_vary_is_not_used(score: np.ndarray) -> None:
    rng = np.random.default_rng(6)
    found = score_effect(rng.normal(size=40), score, families(40, rng))
    assert np.isnan(found.delta)
    assert found.used == 0.0


def test_a_second_kernel_is_found_where_it_acts_and_not_where_it_does_not() -> None:
    rng = np.random.default_rng(7)
    first, second = families(120, rng), families(120, rng)
    noise = 0.5 * rng.normal(size=120)
    assert second_kernel_test(draw(first, rng) + 2.0 * draw(second, rng) + noise, first, second)[0] < 0.001
    p = [second_kernel_test(draw(first, rng) + noise, first, second)[0] for _ in range(12)]
    assert np.mean(np.array(p) < 0.05) < 0.4


def test_the_statistic_of_many_scores_is_that_of_each() -> None:
    rng = np.random.default_rng(8)
    kernel = families(40, rng)
    y = draw(kernel, rng) + rng.normal(size=40)
    scores = np.vstack([draw(kernel, rng), rng.normal(size=40), np.zeros(40)])
    found = p_of(score_statistics(y, scores, kernel), 40)
    assert found[:2] == pytest.approx(
        [score_effect(y, each, kernel).p_value for each in scores[:2]], rel=1e-6
    )
    assert found[2] == 1.0


def test_random_traits_mend_the_level_where_the_relationship_does_not_hold_the_trait() -> None:
    """The trait acts through ten features alone, which the relationship does not know to be special."""
    rng = np.random.default_rng(9)
    plain, mended = [], []
    for _ in range(60):
        features = rng.normal(size=(120, 10))
        kernel = (features @ features.T + (noise := rng.normal(size=(120, 200))) @ noise.T) / 210
        y = features @ rng.normal(size=10) + rng.normal(size=120)
        scores = (features @ rng.normal(size=(10, 101))).T
        statistics = score_statistics(y, scores, kernel)
        plain.append(p_of(statistics[:1], 120)[0] < 0.05)
        mended.append(p_of(statistics[:1] / statistics[1:].mean(), 120)[0] < 0.05)
    assert np.mean(plain) > 0.2
    assert np.mean(mended) == pytest.approx(0.05, abs=3 * (0.05 * 0.95 / 60) ** 0.5)
