"""Metrics say a number or a sentence, never NaN."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import pearsonr, spearmanr

from meristem.errors import MeristemError
from meristem.stats.metrics import bias, coverage, pearson_r, rmse, slope, spearman_r, top_overlap

VALUES = arrays(np.float64, 12, elements=st.floats(-1e6, 1e6))


@given(x=VALUES, y=VALUES)
def test_never_nan(x: np.ndarray, y: np.ndarray) -> None:
    for metric in (rmse, slope, bias, top_overlap):
        assert np.isfinite(metric(x, y))
    for correlation in (pearson_r, spearman_r):
        if np.ptp(y) > 1e-9 * np.abs(y).max():
            assert -1.0 <= correlation(x, y) <= 1.0
        elif np.ptp(y) == 0.0:
            with pytest.raises(MeristemError, match="all the same"):
                correlation(x, y)


def test_equal_to_scipy() -> None:
    generator = np.random.default_rng(0)
    x, y = generator.standard_normal((2, 40)) + 1e4
    x[3] = x[7]
    assert pearson_r(x, y) == pytest.approx(pearsonr(x, y).statistic)
    assert spearman_r(x, y) == pytest.approx(spearmanr(x, y).statistic)
    assert slope(x, y) == pytest.approx(np.polyfit(x - 1e4, y, 1)[0])


def test_predictions_all_the_same_rank_nothing() -> None:
    assert pearson_r(np.full(5, 0.1) * 3, np.arange(5.0)) == 0.0
    assert slope(np.full(5, 0.3), np.arange(5.0)) == 0.0


def test_top_overlap_counts_the_best_quarter() -> None:
    observed = np.arange(8.0)
    assert top_overlap(observed, observed) == 1.0
    assert top_overlap(np.array([0, 0, 0, 0, 0, 9, 0, 8.0]), observed) == 0.5


def test_coverage_includes_the_ends() -> None:
    assert coverage(np.array([0.0, 0.0]), np.array([1.0, 1.0]), np.array([0.0, 1.5])) == 0.5


def test_too_few_or_broken_values_are_one_sentence() -> None:
    with pytest.raises(MeristemError, match="2 held-out accessions are too few"):
        pearson_r(np.zeros(2), np.ones(2))
    with pytest.raises(MeristemError, match="not a number"):
        rmse(np.array([1.0, np.nan, 2.0]), np.ones(3))
    with pytest.raises(MeristemError, match="all the same"):
        pearson_r(np.arange(3.0), np.ones(3))
