"""Predictions and their error variances against Henderson's equations, ridge regression and refitting."""

import numpy as np
import pytest

from budwood.stats.mixed_model.blup import blup
from budwood.stats.mixed_model.reml import reml
from budwood.stats.mixed_model.variance_components import VarianceComponents
from budwood.stats.relationship.relationship import centre, relationship, summarise_markers


def _panel(seed: int = 0, n: int = 45, m: int = 300) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Kernel, records, fixed effects and weights of a small panel."""
    generator = np.random.default_rng(seed)
    dosage = generator.binomial(2, generator.uniform(0.1, 0.9, m), (n, m)).astype(np.int8)
    kernel = relationship(dosage, np.full(n, 2, dtype=np.int8))
    y = 10.0 + dosage @ generator.standard_normal(m) * 0.1 + generator.standard_normal(n)
    x = np.column_stack([np.ones(n), generator.standard_normal(n)])
    return kernel, y, x, generator.uniform(0.5, 2.0, n)


def test_equals_hendersons_mixed_model_equations() -> None:
    kernel, y, x, weights = _panel()
    kernel = kernel + 0.01 * np.eye(45)
    trained, every = np.arange(30), np.arange(45)
    components = VarianceComponents((0.7,), 1.3, 0.0)
    solved = blup(
        y[trained], [kernel[:30, :30]], components, fixed=x[trained], weights=weights[trained]
    ).predict([kernel[:, :30]], [np.diagonal(kernel)], fixed=x)
    # Henderson: all 45 lines in u, 30 of them with a record.
    z = np.eye(45)[trained]
    r = np.diag(weights[trained] / 1.3)
    w = np.hstack([x[trained], z])
    equations = w.T @ r @ w
    equations[2:, 2:] += np.linalg.inv(kernel * 0.7)
    inverse = np.linalg.inv(equations)
    solution = inverse @ (w.T @ r @ y[trained])
    rows = np.hstack([x, np.eye(45)])[every]
    np.testing.assert_allclose(solved.effect, solution[2:], atol=1e-9)
    np.testing.assert_allclose(solved.value, rows @ solution, atol=1e-9)
    np.testing.assert_allclose(solved.pev_effect, np.diagonal(inverse)[2:], atol=1e-9)
    np.testing.assert_allclose(solved.pev_value, np.diagonal(rows @ inverse @ rows.T), atol=1e-9)
    np.testing.assert_allclose(solved.pev_record, solved.pev_value + 1.3)
    np.testing.assert_allclose(solved.reliability, 1 - solved.pev_effect / (0.7 * np.diagonal(kernel)))


@pytest.mark.parametrize("order", ["C", "F"])
def test_kernels_in_any_order_of_memory_solve_the_same_equations(order) -> None:
    kernel, y, x, weights = _panel(n=75)
    other = np.exp(-np.abs(np.subtract.outer(y, y)))
    components = VarianceComponents((0.7, 0.4), 1.3, 0.0)
    kernels = [np.asarray(each, order=order) for each in (kernel, other)]
    solved = blup(y, kernels, components, fixed=x, weights=weights)
    inverse = np.linalg.inv(0.7 * kernel + 0.4 * other + np.diag(1.3 / weights))
    effects = np.linalg.solve(x.T @ inverse @ x, x.T @ inverse @ y)
    np.testing.assert_allclose(solved.fixed_effects, effects, rtol=1e-9)
    np.testing.assert_allclose(solved.projected, inverse @ (y - x @ effects), rtol=1e-8, atol=1e-10)


def test_two_kernels_predict_as_their_weighted_sum() -> None:
    kernel, y, _, _ = _panel()
    other = np.exp(-((np.arange(45)[:, None] - np.arange(45)) ** 2) / 20.0)
    both = blup(y, [kernel, other], VarianceComponents((0.5, 2.0), 1.0, 0.0))
    one = blup(y, [0.5 * kernel + 2.0 * other], VarianceComponents((1.0,), 1.0, 0.0))
    found = both.predict([kernel, other], [np.diagonal(kernel), np.diagonal(other)])
    total = 0.5 * kernel + 2.0 * other
    expected = one.predict([total], [np.diagonal(total)])
    np.testing.assert_allclose(found.value, expected.value, atol=1e-10)
    np.testing.assert_allclose(found.pev_value, expected.pev_value, atol=1e-10)


@pytest.mark.parametrize("with_covariate", [False, True])
def test_leave_one_out_equals_brute_force(with_covariate: bool) -> None:
    kernel, y, x, weights = _panel()
    x = x if with_covariate else x[:, :1]
    components = reml(y, [kernel], fixed=x, weights=weights)
    shortcut = blup(y, [kernel], components, fixed=x, weights=weights).leave_one_out()
    for i in range(45):
        rest = np.delete(np.arange(45), i)
        solved = blup(y[rest], [kernel[np.ix_(rest, rest)]], components, fixed=x[rest], weights=weights[rest])
        alone = solved.predict([kernel[[i]][:, rest]], [kernel[[i], [i]]], fixed=x[[i]])
        assert shortcut[i] == pytest.approx(alone.value[0], abs=1e-9)


def test_gblup_is_ridge_regression_on_markers() -> None:
    generator = np.random.default_rng(3)
    dosage = generator.binomial(4, 0.4, (50, 30)).astype(np.int8)
    ploidy = np.full(50, 4, dtype=np.int8)
    trained = np.arange(40)
    y = dosage @ generator.standard_normal(30) + generator.standard_normal(50)
    summary = summarise_markers(dosage, ploidy, trained)
    z, kernel = centre(dosage, ploidy, summary), relationship(dosage, ploidy, trained)
    components = reml(y[trained], [kernel[:40, :40]])
    solved = blup(y[trained], [kernel[:40, :40]], components)
    penalty = components.residual / (components.kernels[0] * summary.ploidy / summary.scale)
    design = np.hstack([np.ones((40, 1)), z[trained]])
    ridge = np.linalg.solve(
        design.T @ design + penalty * np.diag([0.0] + [1.0] * z.shape[1]), design.T @ y[trained]
    )
    found = solved.predict([kernel[:, :40]], [np.diagonal(kernel)])
    np.testing.assert_allclose(found.value, ridge[0] + z @ ridge[1:], atol=1e-9)
    effects = components.kernels[0] * summary.ploidy / summary.scale * z[trained].T @ solved.projected
    np.testing.assert_allclose(effects, ridge[1:], atol=1e-9)


def test_prediction_error_variances_are_what_happens() -> None:
    """Simulated effects and records scatter around the predictions as each variance promises."""
    kernel, _, _, _ = _panel(n=30, m=500)
    generator = np.random.default_rng(8)
    components = VarianceComponents((1.0,), 0.5, 0.0)
    root = np.linalg.cholesky(kernel + 1e-10 * np.eye(30))
    effects = generator.standard_normal((20_000, 30)) @ root.T
    records = 5.0 + effects + np.sqrt(0.5) * generator.standard_normal(effects.shape)
    predicted, values = [], []
    for y in records[:, :20]:
        found = blup(y, [kernel[:20, :20]], components).predict([kernel[:, :20]], [np.diagonal(kernel)])
        predicted.append(found.effect)
        values.append(found.value)
        if len(values) == 2000:
            break
    errors = np.array(predicted) - effects[:2000]
    np.testing.assert_allclose(errors.var(axis=0) / found.pev_effect, 1.0, atol=0.15)
    errors = np.array(values) - effects[:2000] - 5.0
    np.testing.assert_allclose(errors.var(axis=0) / found.pev_value, 1.0, atol=0.15)
    errors = np.array(values)[:, 20:] - records[:2000, 20:]
    np.testing.assert_allclose(errors.var(axis=0) / found.pev_record[20:], 1.0, atol=0.15)


def test_no_genetic_variance_predicts_the_mean_with_reliability_zero() -> None:
    kernel, y, _, _ = _panel()
    found = blup(y, [kernel], VarianceComponents((0.0,), 2.0, 0.0)).predict([kernel], [np.diagonal(kernel)])
    np.testing.assert_allclose(found.value, y.mean())
    assert found.reliability.tolist() == [0.0] * 45
    np.testing.assert_allclose(found.pev_record, 2.0 + 2.0 / 45)


def test_groups_left_out_are_predicted_as_by_solving_without_them() -> None:
    kernel, y, x, weights = _panel()
    components = VarianceComponents((0.7,), 1.3, 0.0)
    groups = np.arange(45) % 4
    value, variance = blup(y, [kernel], components, fixed=x, weights=weights).leave_groups_out(groups)
    for group in range(4):
        kept, held = groups != group, groups == group
        square = kernel[np.ix_(kept, kept)]
        rest = blup(y[kept], [square], components, fixed=x[kept], weights=weights[kept])
        cross, own = kernel[np.ix_(held, kept)], np.diagonal(kernel)[held]
        expected = rest.predict([cross], [own], fixed=x[held])
        np.testing.assert_allclose(value[held], expected.value, atol=1e-9)
        np.testing.assert_allclose(variance[held], expected.pev_value + 1.3 / weights[held], atol=1e-9)


def test_a_group_of_one_record_is_left_out_as_a_single_record() -> None:
    kernel, y, _, _ = _panel()
    solved = blup(y, [kernel], VarianceComponents((0.7,), 1.3, 0.0))
    np.testing.assert_allclose(solved.leave_groups_out(np.arange(45))[0], solved.leave_one_out(), atol=1e-9)
    with pytest.raises(ValueError, match="one only"):
        solved.leave_groups_out(np.zeros(45, dtype=np.int64))
