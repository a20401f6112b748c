"""A band with the same eigenvalues, in both precisions and for every size of the last block."""

import numpy as np
import pytest
from scipy.linalg import eigvals_banded

from budwood.stats.mixed_model import band_reduction as module
from budwood.stats.mixed_model.band_reduction import band_reduction


@pytest.mark.parametrize(
    ("n", "width", "tile"), [(1, 4, 512), (3, 2, 512), (5, 1, 2), (97, 8, 16), (131, 30, 40)]
)
@pytest.mark.parametrize(("kind", "tolerance"), [(np.float64, 1e-13), (np.float32, 1e-6)])
def test_the_band_is_the_matrix_in_another_basis(n, width, tile, kind, tolerance, monkeypatch) -> None:
    monkeypatch.setattr(module, "_TILE", tile)
    drawn = np.random.default_rng(n).standard_normal((n, n))
    matrix = drawn @ drawn.T
    reduced = band_reduction(matrix.astype(kind), width)
    size = np.linalg.eigvalsh(matrix)
    found = eigvals_banded(reduced.band[:n], lower=True)
    np.testing.assert_allclose(found, size, rtol=0.0, atol=tolerance * size[-1])
    dense = np.zeros((n, n))
    for offset in range(min(width + 1, n)):
        dense += np.diag(reduced.band[offset, : n - offset], -offset)
        dense += np.diag(reduced.band[offset, : n - offset], offset) if offset else 0.0
    rotated = reduced.rotated(drawn)
    np.testing.assert_allclose(
        rotated.T @ dense @ rotated,
        drawn.T @ matrix @ drawn,
        rtol=0.0,
        atol=10 * n * tolerance * size[-1] ** 2,
    )
