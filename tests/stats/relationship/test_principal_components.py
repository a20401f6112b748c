"""Principal components of a kernel are those of its features."""

import numpy as np

from budwood.stats.relationship.principal_components import principal_components


def test_equals_the_singular_value_decomposition_of_centred_features() -> None:
    features = np.random.default_rng(0).standard_normal((20, 6)) + 3.0
    found = principal_components(features @ features.T, 3)
    u, s, _ = np.linalg.svd(features - features.mean(axis=0), full_matrices=False)
    np.testing.assert_allclose(np.abs(found.scores), np.abs(u[:, :3] * s[:3]), atol=1e-10)
    np.testing.assert_allclose(found.explained, s[:3] ** 2 / np.sum(s**2))
    assert (found.scores[np.abs(found.scores).argmax(axis=0), range(3)] > 0).all()


def test_identical_lines_have_no_structure() -> None:
    found = principal_components(np.ones((4, 4)), 2)
    np.testing.assert_allclose(found.scores, 0.0, atol=1e-7)
    assert np.isfinite(found.explained).all()


def test_two_lines_have_one_component() -> None:
    found = principal_components(np.eye(2), 3)
    assert found.scores.shape == (2, 3)
    assert found.scores[:, 1:].max() < 1e-7
