"""The Gaussian kernel's scale comes from training rows."""

import numpy as np
import pytest

from budwood.stats.relationship.gaussian import gaussian_kernel


def _squared(points: np.ndarray) -> np.ndarray:
    return ((points[:, None, :] - points[None, :, :]) ** 2).sum(axis=2)


def test_bandwidth_is_in_units_of_the_mean_training_distance() -> None:
    squared = _squared(np.random.default_rng(0).standard_normal((12, 5)))
    training = np.arange(7)
    mean = squared[:7, :7][~np.eye(7, dtype=bool)].mean()
    found = gaussian_kernel(squared, 0.5, training)
    np.testing.assert_allclose(found, np.exp(-squared / (0.5 * mean)))
    np.testing.assert_allclose(found, gaussian_kernel(squared * 9.0, 0.5, training))
    assert np.linalg.eigvalsh(found).min() > 0.0


def test_identical_training_lines_give_a_kernel_all_the_same() -> None:
    squared = _squared(np.array([[0.0], [0.0], [1.0]]))
    found = gaussian_kernel(squared, 1.0, np.array([0, 1]))
    assert found.tolist() == [[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]


def test_a_bandwidth_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="positive"):
        gaussian_kernel(np.zeros((2, 2)), 0.0)
