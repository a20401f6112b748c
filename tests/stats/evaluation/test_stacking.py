"""Stacking weights: not negative, steady, and right where there is something to learn."""

import numpy as np
import pytest

from budwood.stats.evaluation.stacking import stacking_weights


def _case(n: int = 200) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    y = generator.standard_normal(n)
    good = 0.8 * y + 0.4 * generator.standard_normal(n)
    return np.column_stack([good, generator.standard_normal(n), -y]), y


def test_useless_and_contrary_predictors_get_little() -> None:
    held_out, y = _case()
    weights = stacking_weights(held_out, y).weights
    assert weights[0] > 0.7
    assert weights[1] < 0.15
    assert weights[2] == 0.0


def test_alike_predictors_share_equally() -> None:
    held_out, y = _case()
    weights = stacking_weights(np.repeat(held_out[:, :1], 4, axis=1), y).weights
    np.testing.assert_allclose(weights, weights.mean())


def test_scale_and_origin_do_not_matter() -> None:
    held_out, y = _case()
    once = stacking_weights(held_out, y)
    moved = stacking_weights(1e-6 * held_out + 5.0, 1e-6 * y + 5.0)
    np.testing.assert_allclose(moved.weights, once.weights, rtol=1e-6)
    expected = 1e-6 * once.combine(held_out) + 5.0
    np.testing.assert_allclose(moved.combine(1e-6 * held_out + 5.0), expected, rtol=1e-9)


def test_a_record_without_weight_has_no_say() -> None:
    held_out, y = _case()
    record_weights = np.ones(200)
    record_weights[100:] = 1e-9
    spoilt = y.copy()
    spoilt[100:] += 50.0
    found = stacking_weights(held_out, spoilt, record_weights)
    assert found.combine(held_out)[:100].mean() == pytest.approx(y[:100].mean(), abs=0.02)
