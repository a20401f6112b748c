"""Metrics say a number or a sentence, never NaN."""

from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import pearsonr, spearmanr

from budwood.errors import BudwoodError
from budwood.stats.evaluation.metrics import (
    auroc,
    best_count,
    bias,
    coverage,
    intercept,
    pearson_r,
    rmse,
    selection_gain,
    slope,
    spearman_r,
    top_overlap,
)

VALUES = arrays(np.float64, 12, elements=st.floats(-1e6, 1e6))


@given(x=VALUES, y=VALUES)
def test_never_nan(x: np.ndarray, y: np.ndarray) -> None:
    for metric in (rmse, slope, intercept, bias, top_overlap, selection_gain):
        assert np.isfinite(metric(x, y))
    assert -1e-12 <= top_overlap(x, y) <= 1.0 + 1e-12
    assert selection_gain(x, y) <= selection_gain(y, y) + 1e-9 * np.abs(y).max()
    for correlation in (pearson_r, spearman_r):
        if np.ptp(y) > 1e-9 * np.abs(y).max():
            assert -1.0 <= correlation(x, y) <= 1.0
        elif np.ptp(y) == 0.0:
            with pytest.raises(BudwoodError, match="all the same"):
                correlation(x, y)


def test_values_whose_squares_vanish_still_correlate() -> None:
    y = np.array([0.0, 4e-168, 4e-168, 0.0])
    assert pearson_r(np.array([1.0, 2.0, 2.0, 1.0]), y) == pytest.approx(1.0)


def test_equal_to_scipy() -> None:
    generator = np.random.default_rng(0)
    x, y = generator.standard_normal((2, 40)) + 1e4
    x[3] = x[7]
    assert pearson_r(x, y) == pytest.approx(pearsonr(x, y).statistic)
    assert spearman_r(x, y) == pytest.approx(spearmanr(x, y).statistic)
    found, at_1e4 = np.polyfit(x - 1e4, y, 1)
    assert slope(x, y) == pytest.approx(found)
    assert intercept(x, y) == pytest.approx(at_1e4 - found * 1e4)


def test_predictions_all_the_same_rank_nothing() -> None:
    assert pearson_r(np.full(5, 0.1) * 3, np.arange(5.0)) == 0.0
    assert slope(np.full(5, 0.3), np.arange(5.0)) == 0.0


def test_top_overlap_counts_the_best_quarter() -> None:
    observed = np.arange(8.0)
    assert top_overlap(observed, observed) == 1.0
    assert top_overlap(np.array([0, 0, 0, 0, 0, 9, 0, 8.0]), observed) == 0.5


def test_ties_share_the_last_places_whatever_their_order() -> None:
    generator = np.random.default_rng(3)
    predicted = np.array([5.0, 3.0, 3.0, 3.0, 2.0, 1.0, 1.0, 0.0])
    observed = np.array([4.0, 9.0, 1.0, 2.0, 9.0, 9.0, 0.0, 3.0])
    overlaps, gains = [], []
    for _ in range(4000):
        jitter = 1e-3 * generator.random((2, 8))
        overlaps.append(top_overlap(predicted + jitter[0], observed + jitter[1]))
        gains.append(selection_gain(predicted + jitter[0], observed))
    assert top_overlap(predicted, observed) == pytest.approx(np.mean(overlaps), abs=0.02)
    assert selection_gain(predicted, observed) == pytest.approx(np.mean(gains), abs=0.1)
    order = generator.permutation(8)
    assert top_overlap(predicted[order], observed[order]) == pytest.approx(top_overlap(predicted, observed))


def test_predictions_that_say_nothing_find_the_best_by_chance_and_gain_nothing() -> None:
    observed = np.arange(10.0)
    assert top_overlap(np.full(10, 0.1) * 3, observed) == pytest.approx(best_count(10) / 10)
    assert selection_gain(np.full(10, 0.1) * 3, observed) == pytest.approx(0.0)


@pytest.mark.parametrize("share", [0.25, 0.1, 0.5])
def test_halves_of_the_best_share_are_rounded_up(share: float) -> None:
    for count in range(1, 400):
        exact = Fraction(str(share)) * count
        assert best_count(count, share) == max(1, floor(exact + Fraction(1, 2)))


def test_gain_is_the_mean_of_the_chosen_minus_the_mean_of_all() -> None:
    observed = np.array([10.0, 4.0, 6.0, 8.0, 2.0, 0.0, 1.0, 1.0])
    predicted = np.array([0.0, 9.0, 1.0, 8.0, 1.0, 2.0, 3.0, 4.0])
    assert selection_gain(predicted, observed) == pytest.approx((4.0 + 8.0) / 2 - observed.mean())


@given(x=VALUES, positive=arrays(np.bool_, 12))
def test_auroc_is_that_of_all_pairs(x: np.ndarray, positive: np.ndarray) -> None:
    if positive.all() or not positive.any():
        with pytest.raises(BudwoodError, match="one class"):
            auroc(x, positive)
        return
    apart = np.sign(x[positive][:, None] - x[~positive][None, :])
    assert auroc(x, positive) == pytest.approx(0.5 + apart.mean() / 2)
    assert auroc(-x, positive) == pytest.approx(1.0 - auroc(x, positive))


def test_coverage_includes_the_ends() -> None:
    assert coverage(np.array([0.0, 0.0]), np.array([1.0, 1.0]), np.array([0.0, 1.5])) == 0.5


def test_too_few_or_broken_values_are_one_sentence() -> None:
    with pytest.raises(BudwoodError, match="2 held-out accessions are too few"):
        pearson_r(np.zeros(2), np.ones(2))
    with pytest.raises(BudwoodError, match="not a number"):
        rmse(np.array([1.0, np.nan, 2.0]), np.ones(3))
    with pytest.raises(BudwoodError, match="all the same"):
        pearson_r(np.arange(3.0), np.ones(3))
