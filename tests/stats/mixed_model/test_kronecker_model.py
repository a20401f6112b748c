"""Both engines of separable records against dense closed forms and against one another."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from budwood.stats.mixed_model.blup import blup
from budwood.stats.mixed_model.column_covariance import FactorAnalytic, SumOfKernels
from budwood.stats.mixed_model.kronecker_grid import kronecker_grid_of
from budwood.stats.mixed_model.kronecker_model import Targets, kronecker_reml
from budwood.stats.mixed_model.kronecker_scattered import kronecker_scattered_of
from budwood.stats.mixed_model.reml import reml
from budwood.stats.mixed_model.variance_components import VarianceComponents

N, M = 12, 4


def kernel_of(n: int, seed: int = 0) -> np.ndarray:
    features = np.random.default_rng(seed).normal(size=(n, 3 * n))
    features -= features.mean(axis=0)
    return features @ features.T / (3 * n)


def simulated(n: int, g: np.ndarray, r: np.ndarray, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng, kernel = np.random.default_rng(seed), kernel_of(n)
    left = np.linalg.cholesky(kernel + 1e-10 * np.eye(n))
    right = np.linalg.cholesky(g + 1e-10 * np.eye(len(g)))
    u = left @ rng.normal(size=(n, len(g))) @ right.T
    return kernel, 5.0 * np.arange(len(g)) + u + rng.normal(size=u.shape) * np.sqrt(r)


def with_holes(y: np.ndarray, share: float = 0.3) -> np.ndarray:
    holed = y.copy()
    holed[np.random.default_rng(9).random(y.shape) < share] = np.nan
    return holed


def both_engines(kernel: np.ndarray, y: np.ndarray) -> list:
    row, column = np.nonzero(~np.isnan(y))
    shuffled = np.random.default_rng(3).permutation(len(row))
    row, column = row[shuffled], column[shuffled]
    return [
        kronecker_grid_of(kernel, y),
        kronecker_scattered_of(kernel, row, column, y[row, column], np.ones(len(row))),
    ]


def dense(kernel: np.ndarray, y: np.ndarray, g: np.ndarray, r: np.ndarray):
    """Records, fixed effects and covariance, written out."""
    row, column = np.nonzero(~np.isnan(y))
    v = kernel[np.ix_(row, row)] * g[np.ix_(column, column)] + np.diag(r[column])
    return row, column, y[row, column], np.eye(y.shape[1])[column], v


G = np.array([[1.0, 0.4, 0.2, 0.1], [0.4, 0.8, 0.3, 0.2], [0.2, 0.3, 1.5, 0.5], [0.1, 0.2, 0.5, 0.6]])
R = np.array([0.5, 0.7, 0.4, 0.9])


@pytest.mark.parametrize("share", [0.0, 0.3])
@pytest.mark.parametrize("engine", [0, 1])
def test_restricted_likelihood_is_that_of_error_contrasts(engine: int, share: float) -> None:
    kernel, y = simulated(N, G, R)
    y = with_holes(y, share)
    _, _, records, x, v = dense(kernel, y, G, R)
    contrasts = np.linalg.svd(x.T)[2][M:]
    expected = multivariate_normal(cov=contrasts @ v @ contrasts.T).logpdf(contrasts @ records)
    found = both_engines(kernel, y)[engine].likelihood(G, R).value
    assert found == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("share", [0.0, 0.3])
@pytest.mark.parametrize("engine", [0, 1])
def test_derivatives_are_those_of_differences(engine: int, share: float) -> None:
    kernel, y = simulated(N, G, R)
    records = both_engines(kernel, with_holes(y, share))[engine]
    found, step = records.likelihood(G, R), 1e-5
    for i in range(M):
        for j in range(i + 1):
            bump = np.zeros((M, M))
            bump[i, j] = bump[j, i] = step
            rise = records.likelihood(G + bump, R).value - records.likelihood(G - bump, R).value
            analytic = found.by_covariance[i, j] * (1.0 if i == j else 2.0)
            assert analytic == pytest.approx(rise / (2 * step), rel=1e-5, abs=1e-7)
        bump_r = np.eye(M)[i] * step
        rise = records.likelihood(G, R + bump_r).value - records.likelihood(G, R - bump_r).value
        assert found.by_residual[i] == pytest.approx(rise / (2 * step), rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("share", [0.0, 0.3])
@pytest.mark.parametrize("engine", [0, 1])
def test_predictions_are_those_of_the_written_out_mixed_model(engine: int, share: float) -> None:
    every = kernel_of(N + 3)
    kernel, y = every[:N, :N], with_holes(simulated(N, G, R)[1], share)
    row, column, records, x, v = dense(kernel, y, G, R)
    solved = both_engines(kernel, y)[engine].solve(G, R)
    mix = np.array([[1.0, 0.0, 0.0, 0.0], [0.25, 0.25, 0.25, 0.25]])
    targets = Targets(mix @ G, np.diagonal(mix @ G @ mix.T), mix)
    found = solved.predict(every[:, :N], np.diagonal(every), targets)
    inverse = np.linalg.inv(v)
    normal = np.linalg.inv(x.T @ inverse @ x)
    means = normal @ x.T @ inverse @ records
    assert solved.means == pytest.approx(means)
    for b, weights in enumerate(mix):
        c = every[:, :N][:, row] * (weights @ G)[column]
        own = np.diagonal(every) * (weights @ G @ weights)
        effect = c @ inverse @ (records - x @ means)
        shift = weights - c @ inverse @ x
        assert found.effect[:, b] == pytest.approx(effect, abs=1e-9)
        assert found.value[:, b] == pytest.approx(effect + weights @ means)
        less = own - np.einsum("ij,jk,ik->i", c, inverse, c)
        value = less + np.einsum("ij,jk,ik->i", shift, normal, shift)
        assert found.pev_value[:, b] == pytest.approx(value, rel=1e-7)
        without = shift - weights
        assert found.pev_effect[:, b] == pytest.approx(
            less + np.einsum("ij,jk,ik->i", without, normal, without), rel=1e-7
        )


def test_weights_act_as_replicates() -> None:
    """A record of weight 4 is worth the mean of four records of weight 1."""
    kernel, y = simulated(N, G, R)
    row, column = np.divmod(np.arange(N * M), M)
    heavy = kronecker_scattered_of(kernel, row, column, y.ravel(), np.full(N * M, 4.0))
    wide = kronecker_scattered_of(kernel, row, column, y.ravel(), np.ones(N * M))
    assert heavy.likelihood(G, R).value == pytest.approx(wide.likelihood(G, R / 4).value)


def test_one_kernel_for_all_columns_is_reml_of_the_same_records() -> None:
    kernel, y = simulated(30, 0.7 * np.ones((3, 3)) + 0.4 * np.eye(3), np.ones(3))
    structure = SumOfKernels({"main": np.ones((3, 3)), "own": np.eye(3)}, np.arange(3))
    row, column = np.divmod(np.arange(90), 3)
    between = kernel[np.ix_(row, row)]
    expected = reml(y.ravel(), [between, between * (column[:, None] == column)], fixed=np.eye(3)[column])
    for records in both_engines(kernel, y):
        fit = kronecker_reml(records, structure)
        assert fit.parameters == pytest.approx([*expected.kernels, expected.residual], rel=2e-3, abs=2e-4)
        assert fit.log_likelihood == pytest.approx(expected.log_likelihood, abs=1e-3)


def test_main_effects_of_a_full_grid_are_gblup_of_the_means() -> None:
    """With equal records in every column, means of rows carry all that is known of the main effect."""
    kernel, y = simulated(30, np.ones((5, 5)), np.ones(5))
    fit = kronecker_reml(kronecker_grid_of(kernel, y), SumOfKernels({"main": np.ones((5, 5))}, np.arange(5)))
    variance, residual = fit.parameters
    means = blup(y.mean(axis=1), [kernel], VarianceComponents((variance,), residual / 5, 0.0))
    line = means.predict([kernel], [np.diagonal(kernel)])
    target = Targets(np.full((1, 5), variance), np.array([variance]), np.full((1, 5), 0.2))
    found = fit.solved.predict(kernel, np.diagonal(kernel), target)
    assert found.value[:, 0] == pytest.approx(line.value)
    assert found.pev_value[:, 0] == pytest.approx(line.pev_value)


def test_factor_analytic_variances_are_recovered() -> None:
    loadings = np.array([1.0, 1.2, 0.8, 1.1, -0.4, 0.9])
    g, r = np.outer(loadings, loadings) + 0.2 * np.eye(6), np.full(6, 0.4)
    kernel, y = simulated(250, g, r, seed=4)
    structure = FactorAnalytic(1, np.arange(6), 6)
    fit = kronecker_reml(kronecker_grid_of(kernel, y), structure)
    found, residual = structure.covariance(fit.parameters)
    assert np.corrcoef(found.ravel(), g.ravel())[0, 1] > 0.97
    assert residual.mean() == pytest.approx(0.4, abs=0.1)
    # More parameters never fit worse, and the simpler structure's likelihood is reached.
    simple = kronecker_reml(kronecker_grid_of(kernel, y), FactorAnalytic(0, np.arange(6), 6))
    assert fit.log_likelihood > simple.log_likelihood + 10.0


def test_interaction_variances_are_recovered() -> None:
    truth = np.array([1.0, 0.5, 0.8])
    m, n = 8, 150
    found = []
    for seed in range(4):
        kernel, y = simulated(n, truth[0] + truth[1] * np.eye(m), np.full(m, truth[2]), seed)
        structure = SumOfKernels({"main": np.ones((m, m)), "own": np.eye(m)}, np.arange(m))
        found.append(kronecker_reml(kronecker_grid_of(kernel, with_holes(y, 0.1)), structure).parameters)
    assert np.mean(found, axis=0) == pytest.approx(truth, rel=0.2)


@pytest.mark.parametrize("order", [0, 1, 2])
def test_gradients_of_the_factor_analytic_structure(order: int) -> None:
    structure = FactorAnalytic(order, np.array([0, 2, 3]), 5)
    rng = np.random.default_rng(0)
    parameters = structure.start + 0.05 * rng.random(len(structure.start))
    slope_g, slope_r = rng.normal(size=(3, 3)), rng.normal(size=3)
    slope_g = slope_g + slope_g.T

    def value(p: np.ndarray) -> float:
        g, r = structure.covariance(p)
        return float(np.vdot(slope_g, g) + slope_r @ r)

    numeric = [
        (value(parameters + 1e-6 * e) - value(parameters - 1e-6 * e)) / 2e-6 for e in np.eye(len(parameters))
    ]
    assert structure.gradient(parameters, slope_g, slope_r) == pytest.approx(np.array(numeric), abs=1e-6)
    every = structure.everywhere(parameters)
    assert every.shape == (5, 5)
    assert every[np.ix_([0, 2, 3], [0, 2, 3])] == pytest.approx(structure.covariance(parameters)[0])
    assert np.linalg.eigvalsh(every)[0] > 0.0


def test_a_search_that_runs_out_of_steps_goes_on_and_then_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel, y = simulated(40, G, R)
    records, structure = kronecker_grid_of(kernel, y), FactorAnalytic(1, np.arange(M), M)
    whole = kronecker_reml(records, structure)
    assert whole.settled
    module = "budwood.stats.mixed_model.kronecker_model"
    monkeypatch.setattr(f"{module}._ITERATIONS", 3)
    short = kronecker_reml(records, structure)
    assert not short.settled
    assert short.log_likelihood < whole.log_likelihood
    monkeypatch.setattr(f"{module}._SEARCHES", 500)
    resumed = kronecker_reml(records, structure)
    assert resumed.settled
    assert resumed.log_likelihood == pytest.approx(whole.log_likelihood, abs=1e-4)
