"""Centring in inner products equals centring features."""

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.stats.relationship.kernel_scaling import kernel_spread, recentred


def test_equals_centring_the_features_whatever_the_origin() -> None:
    features = np.random.default_rng(0).standard_normal((15, 4)) + 7.0
    training = np.array([1, 4, 5, 9])
    moved = features - features[training].mean(axis=0)
    expected = moved @ moved.T
    expected /= np.diagonal(expected)[training].mean()
    np.testing.assert_allclose(recentred(features @ features.T, training), expected, atol=1e-10)
    elsewhere = features - features.mean(axis=0)
    np.testing.assert_allclose(recentred(3.0 * elsewhere @ elsewhere.T, training), expected, atol=1e-10)


def test_training_rows_all_alike_are_one_sentence() -> None:
    features = np.array([[0.1, 0.7], [0.1, 0.7], [0.3, 0.2]])
    with pytest.raises(BudwoodError, match="all alike"):
        recentred(features @ features.T, np.array([0, 1]))


def test_spread_is_the_expected_sample_variance() -> None:
    generator = np.random.default_rng(1)
    factor = generator.standard_normal((8, 3))
    effects = generator.standard_normal((100_000, 3)) @ factor.T
    assert kernel_spread(factor @ factor.T) == pytest.approx(effects.var(axis=1).mean(), rel=0.02)
