"""Weights against linkage."""

import numpy as np
import pytest

from budwood.stats.relationship.linkage import linkage_weights


def test_weights_are_one_over_the_sum_of_squared_correlations() -> None:
    generator = np.random.default_rng(0)
    ancestors = generator.standard_normal((60, 700))
    features = ancestors + 2.0 * np.repeat(generator.standard_normal((60, 70)), 10, axis=1)
    features -= features.mean(axis=0)
    r2 = np.corrcoef(features.T) ** 2
    for j in (0, 3, 255, 256, 400, 699):
        near = r2[j, max(0, j - 50) : j + 51] - 2.0 / 60
        assert linkage_weights(features)[j] == pytest.approx(1.0 / max(1.0, near[near > 0].sum()))


def test_copies_share_the_weight_of_one_marker() -> None:
    generator = np.random.default_rng(1)
    single = generator.choice([-1.0, 1.0], (400, 12))
    weights = linkage_weights(np.repeat(single, 5, axis=1), reach=4)
    assert weights.reshape(12, 5).sum(axis=1)[1:-1] == pytest.approx(1.0, abs=0.12)
    assert linkage_weights(single).min() > 0.9


def test_markers_without_variation_have_a_weight_too() -> None:
    features = np.zeros((10, 5))
    features[:, 0] = np.tile([-1.0, 1.0], 5)
    assert np.isfinite(linkage_weights(features)).all()
