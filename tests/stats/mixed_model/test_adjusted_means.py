"""Means adjusted for environments: closed forms, brute force, invariances."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from budwood.stats.mixed_model.adjusted_means import AdjustedMeans, adjusted_means

Vector = NDArray[np.float64]
Rows = NDArray[np.intp]


def table(
    seed: int, lines: int = 12, places: int = 5, share: float = 0.5
) -> tuple[Rows, Rows, Vector, Vector]:
    """Cells of a two-way table with gaps, connected by line 0, and squared standard errors."""
    rng = np.random.default_rng(seed)
    observed = rng.random((lines, places)) < share
    observed[0] = True
    observed[np.arange(lines), rng.integers(places, size=lines)] = True
    line, place = np.nonzero(observed)
    value = rng.normal(size=lines)[line] + 10.0 * rng.normal(size=places)[place] + rng.normal(size=len(line))
    return line, place, value, rng.uniform(0.2, 2.0, len(line))


def by_force(line: Rows, place: Rows, value: Vector, variance: Vector) -> tuple[Vector, NDArray[np.float64]]:
    """Generalised least squares with dense matrices: estimates of the lines and their covariance."""
    n, several = line.max() + 1, place.max() + 1
    last = np.zeros((len(value), several - 1))
    for j in range(several - 1):
        last[:, j] = (place == j).astype(float) - (place == several - 1)
    x = np.hstack([np.eye(n)[line], last])
    information = x.T @ (x / variance[:, None])
    covariance = np.linalg.inv(information)
    return (covariance @ (x.T @ (value / variance)))[:n], covariance[:n, :n]


@pytest.mark.parametrize("seed", range(4))
def test_equal_dense_generalised_least_squares(seed: int) -> None:
    line, place, value, variance = table(seed)
    found = adjusted_means(line, place, value, variance)
    estimates, covariance = by_force(line, place, value, found.interaction + variance)
    np.testing.assert_allclose(found.value, estimates, atol=1e-9)
    np.testing.assert_allclose(found.standard_error**2, np.diagonal(covariance), rtol=1e-8)
    np.testing.assert_allclose(found.weight, np.diagonal(np.linalg.inv(covariance)), rtol=1e-8)


@pytest.mark.parametrize("seed", range(3))
def test_interaction_maximises_the_restricted_likelihood(seed: int) -> None:
    line, place, value, variance = table(seed, lines=15)
    n, several = line.max() + 1, place.max() + 1
    x = np.hstack([np.eye(n)[line], np.eye(several)[place][:, 1:]])

    def deviance(s: float) -> float:
        v = s + variance
        information = x.T @ (x / v[:, None])
        rest = value - x @ np.linalg.solve(information, x.T @ (value / v))
        return float(np.log(v).sum() + np.linalg.slogdet(information)[1] + (rest**2 / v).sum())

    best = minimize_scalar(deviance, bounds=(0.0, 20.0), method="bounded", options={"xatol": 1e-9})
    found = adjusted_means(line, place, value, variance).interaction
    assert deviance(found) <= min(best.fun, deviance(0.0)) + 1e-6


def test_a_complete_table_gives_plain_means_and_equal_weights() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(6, 4)) + 5.0 * rng.normal(size=4)
    line, place = (each.ravel() for each in np.indices(values.shape))
    found = adjusted_means(line, place, values.ravel())
    np.testing.assert_allclose(found.value, values.mean(axis=1), atol=1e-12)
    rest = values - values.mean(axis=1)[:, None] - values.mean(axis=0) + values.mean()
    variance = (rest**2).sum() / (5 * 3)
    assert found.interaction == pytest.approx(variance)
    np.testing.assert_allclose(found.standard_error, np.sqrt(variance / 4), rtol=1e-10)
    np.testing.assert_allclose(found.weight, 4 / variance, rtol=1e-10)


def test_one_environment_gives_the_values_and_their_inverse_variances() -> None:
    found = adjusted_means(
        np.arange(4),
        np.zeros(4, dtype=np.intp),
        np.array([1.0, 2.0, 4.0, 8.0]),
        np.array([1.0, 2.0, 4.0, 4.0]),
    )
    np.testing.assert_allclose(found.value, [1, 2, 4, 8])
    np.testing.assert_allclose(found.weight, [1, 0.5, 0.25, 0.25])


def _renamed(found: AdjustedMeans, lines: Rows, places: Rows) -> tuple[Vector, Vector, Vector]:
    return found.value[lines], found.weight[lines], found.environment_effect[places]


def test_order_and_names_of_lines_environments_and_cells_do_not_matter() -> None:
    line, place, value, variance = table(3)
    rng = np.random.default_rng(9)
    lines, places, order = (
        rng.permutation(line.max() + 1),
        rng.permutation(place.max() + 1),
        rng.permutation(len(value)),
    )
    plain = adjusted_means(line, place, value, variance)
    other = adjusted_means(lines[line][order], places[place][order], value[order], variance[order])
    for one, two in zip(
        (plain.value, plain.weight, plain.environment_effect), _renamed(other, lines, places), strict=True
    ):
        np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-6)


def test_a_shift_of_an_environment_changes_nothing_and_scales_carry_over() -> None:
    line, place, value, variance = table(5)
    plain = adjusted_means(line, place, value, variance)
    shifted = adjusted_means(line, place, value + np.where(place == 1, 30.0, 0.0), variance)
    np.testing.assert_allclose(np.diff(plain.value), np.diff(shifted.value), atol=1e-7)
    scaled = adjusted_means(line, place, 1000.0 * value, 1e6 * variance)
    np.testing.assert_allclose(scaled.value, 1000.0 * plain.value, rtol=1e-6)
    np.testing.assert_allclose(scaled.weight, plain.weight / 1e6, rtol=1e-4)


def test_sets_of_environments_without_a_common_line_are_kept_apart() -> None:
    line = np.array([0, 1, 0, 1, 2, 3, 2, 3])
    place = np.array([0, 0, 1, 1, 2, 2, 3, 3])
    value = np.array([1.0, 3.0, 2.0, 4.0, 101.0, 105.0, 102.0, 106.0])
    found = adjusted_means(line, place, value)
    assert len(np.unique(found.component)) == 2
    assert found.value[:2].mean() == pytest.approx(found.value[2:].mean())
    np.testing.assert_allclose(np.diff(found.value)[[0, 2]], [2.0, 4.0])


def test_a_line_alone_in_its_environments_has_no_value() -> None:
    line, place = np.array([0, 1, 2, 2]), np.array([0, 0, 1, 2])
    found = adjusted_means(line, place, np.array([1.0, 2.0, 50.0, 60.0]))
    assert np.isfinite(found.value[:2]).all()
    assert np.isnan(found.value[2])
    assert found.weight[2] == 0.0


def test_true_effects_are_found_better_than_by_plain_means() -> None:
    rng = np.random.default_rng(2)
    lines, places = 200, 12
    true, effect = rng.normal(size=lines), 5.0 * rng.normal(size=places)
    observed = rng.random((lines, places)) < 0.25
    observed[:5] = True  # checks
    line, place = np.nonzero(observed)
    value = true[line] + effect[place] + rng.normal(size=len(line))
    found = adjusted_means(line, place, value)
    plain = np.bincount(line, value, lines) / np.maximum(np.bincount(line, minlength=lines), 1)
    kept = np.isfinite(found.value)
    r = np.corrcoef(true[kept], found.value[kept])[0, 1]
    assert r > 0.75 > 0.5 > np.corrcoef(true[kept], plain[kept])[0, 1]
    errors = found.value[kept] - true[kept] - effect.mean()
    assert 0.85 < np.mean(errors**2) / np.mean(found.standard_error[kept] ** 2) < 1.2
