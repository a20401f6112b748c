"""Quadratures of a Krylov space against the eigendecomposition."""

from __future__ import annotations

import numpy as np

from budwood.stats.matrix_free.krylov_space import krylov_spaces


def _matrix(n: int = 120) -> np.ndarray:
    rng = np.random.default_rng(3)
    basis, _ = np.linalg.qr(rng.normal(size=(n, n)))
    return (basis * np.linspace(0.0, 5.0, n) ** 2) @ basis.T


def test_quadrature_of_any_shift_is_that_of_the_eigenvalues() -> None:
    matrix = _matrix()
    values, vectors = np.linalg.eigh(matrix)
    start = np.random.default_rng(0).normal(size=(120, 4))
    *_, space = krylov_spaces(lambda columns: matrix @ columns, start, 20)
    for shift in (0.5, 2.0, 20.0):
        for function in (lambda x, s=shift: np.log(x + s), lambda x, s=shift: 1.0 / (x + s)):
            exact = (vectors.T @ start).T ** 2 @ function(values)
            found = (space.start**2).T @ function(space.values)
            np.testing.assert_allclose(found, exact, rtol=1e-3)


def test_a_space_that_fills_everything_ends_and_is_exact() -> None:
    matrix = _matrix(30)
    start = np.random.default_rng(0).normal(size=(30, 8))
    spaces = list(krylov_spaces(lambda columns: matrix @ columns, start, 20))
    assert len(spaces) == 4
    np.testing.assert_allclose(spaces[-1].values, np.linalg.eigvalsh(matrix), atol=1e-4)


def test_ritz_vectors_are_the_largest_eigenvectors() -> None:
    matrix = _matrix()
    start = np.random.default_rng(0).normal(size=(120, 6))
    *_, space = krylov_spaces(lambda columns: matrix @ columns, start, 18)
    top = space.ritz_vectors(2).astype(np.float64)
    np.testing.assert_allclose(matrix @ top, top * space.values[-2:], atol=1e-3)
