"""Finlay-Wilkinson regression."""

import numpy as np
import pytest

from budwood.errors import BudwoodError
from budwood.stats.evaluation.finlay_wilkinson import finlay_wilkinson


def test_slopes_average_one_and_deviations_are_those_of_a_regression() -> None:
    values = np.random.default_rng(0).normal(size=(7, 6)) + np.arange(6)
    found = finlay_wilkinson(values)
    assert found.slope.mean() == pytest.approx(1.0)
    index = values.mean(axis=0)
    for row, slope, deviation in zip(values, found.slope, found.deviation, strict=True):
        expected, offset = np.polyfit(index, row, 1)
        rest = row - offset - expected * index
        assert slope == pytest.approx(expected)
        assert deviation == pytest.approx(np.sqrt((rest**2).sum() / 4))


def test_a_scale_changes_deviations_only() -> None:
    values = np.random.default_rng(1).normal(size=(5, 4)) + np.arange(4)
    assert finlay_wilkinson(3.0 * values).slope == pytest.approx(finlay_wilkinson(values).slope)


@pytest.mark.parametrize("values", [np.ones((4, 2)), np.array([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])])
def test_too_few_or_equal_environments_are_refused(values: np.ndarray) -> None:
    with pytest.raises(BudwoodError):
        finlay_wilkinson(values)
