"""Block conjugate gradients against a direct solution."""

from __future__ import annotations

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.stats.matrix_free.conjugate_gradients import Equations, solve_columns, solve_equations


def _system(n: int = 150) -> np.ndarray:
    rng = np.random.default_rng(1)
    root = rng.normal(size=(n, n))
    return root @ root.T / n + 0.05 * np.eye(n)


def _multiply(matrix):
    """Products in single precision unless exact ones are asked for, as with markers."""

    def multiply(columns, *, exact=False):
        if exact:
            return matrix @ columns
        return (matrix.astype(np.float32) @ columns.astype(np.float32)).astype(np.float64)

    return multiply


@pytest.mark.parametrize("tolerance", [1e-2, 1e-6, 1e-11])
@pytest.mark.parametrize("columns", [1, 3, 40])
def test_every_column_is_solved_to_the_tolerance(tolerance, columns) -> None:
    matrix, right = _system(), np.random.default_rng(0).normal(size=(150, columns)) * 7.0
    diagonal = np.diagonal(matrix)[:, None]
    found = solve_columns(
        _multiply(matrix), right, precondition=lambda each: each / diagonal, tolerance=tolerance
    )
    left = np.linalg.norm(matrix @ found.values - right, axis=0) / np.linalg.norm(right, axis=0)
    assert left.max() <= 1.05 * tolerance
    np.testing.assert_allclose(left, found.residual, atol=1e-5)


def test_dependent_and_empty_columns_are_solved() -> None:
    matrix, one = _system(), np.random.default_rng(0).normal(size=(150, 1))
    right = np.column_stack([one, 2.0 * one, np.zeros((150, 1))])
    found = solve_columns(_multiply(matrix), right, precondition=lambda each: each, tolerance=1e-9)
    np.testing.assert_allclose(found.values, np.linalg.solve(matrix, right), atol=1e-6)


def test_a_good_start_saves_passes() -> None:
    matrix, right = _system(), np.random.default_rng(0).normal(size=(150, 2))
    solve = {"precondition": lambda each: each, "tolerance": 1e-8}
    cold = solve_columns(_multiply(matrix), right, **solve)
    warm = solve_columns(_multiply(matrix), right, start=np.linalg.solve(matrix, right), **solve)
    assert warm.passes < cold.passes


def test_equations_side_by_side_are_solved_as_each_alone() -> None:
    matrix, rng, products = _system(), np.random.default_rng(2), []
    several = [
        Equations(scale=scale, shift=shift, right=rng.normal(size=(150, k)), precondition=lambda each: each)
        for scale, shift, k in ((1.0, 0.0, 2), (3.0, 0.5, 1), (0.0, 2.0, 3), (0.1, 4.0, 1))
    ]

    def multiply(columns, *, exact=False):
        products.append(1 + exact)
        return _multiply(matrix)(columns, exact=exact)

    found = solve_equations(multiply, several, tolerance=1e-9)
    assert {each.passes for each in found} == {sum(products)}
    for each, solved in zip(several, found, strict=True):
        whole = each.scale * matrix + each.shift * np.eye(150)
        np.testing.assert_allclose(whole @ solved.values, each.right, atol=1e-7)


def test_a_system_that_is_not_solved_is_refused() -> None:
    matrix, right = np.diag(np.geomspace(1e-9, 1e9, 150)), np.ones((150, 1))
    with pytest.raises(BudwoodError, match="not solved after"):
        solve_columns(
            _multiply(matrix), right, precondition=lambda each: each, tolerance=1e-10, most_passes=20
        )
