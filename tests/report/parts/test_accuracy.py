"""Intervals, the control and the share of pairs put in order."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from budwood.prediction.evaluation.results import Evaluation, TraitPrediction
from budwood.report.parts.accuracy import accuracy, concordance, interval_of_mean, pooled_r
from report.plausible import DNA, make_evaluation

numbers = st.lists(st.integers(-5, 5), min_size=3, max_size=12)


def test_interval_follows_nadeau_and_bengio_over_the_folds_that_were_measured() -> None:
    r = np.array([0.3, 0.5, 0.45, 0.6])
    reach = stats.t.ppf(0.975, 3) * math.sqrt((1 / 4 + 1 / 4) * r.var(ddof=1))
    assert interval_of_mean([*r, math.nan], folds=5) == pytest.approx((r.mean() - reach, r.mean() + reach))


def test_interval_stays_within_what_r_can_be() -> None:
    assert interval_of_mean([0.99, -0.99], folds=2) == (-1.0, 1.0)


@pytest.mark.parametrize("fold_r", [(), (0.5,), (0.5, math.nan)])
def test_one_fold_has_no_interval(fold_r: tuple[float, ...]) -> None:
    assert all(math.isnan(end) for end in interval_of_mean(fold_r, folds=5))


@given(numbers)
def test_concordance_is_that_of_all_pairs(observed: list[int]) -> None:
    predicted = [(7 * value + k) % 5 for k, value in enumerate(observed)]
    pairs = [(i, j) for i in range(len(observed)) for j in range(i) if observed[i] != observed[j]]
    right = sum(
        0.5 if predicted[i] == predicted[j] else (predicted[i] > predicted[j]) == (observed[i] > observed[j])
        for i, j in pairs
    )
    found = concordance(np.array(predicted, float), np.array(observed, float))
    if pairs:
        assert found == pytest.approx(right / len(pairs))
    else:
        assert math.isnan(found)


def test_the_baseline_comes_first_and_the_control_last(evaluation: Evaluation) -> None:
    drawn = accuracy(evaluation, DNA)
    assert drawn.baseline == "GBLUP"
    assert [row.reported for row in drawn.rows] == [False, True, False, False]
    assert [row.control for row in drawn.rows] == [False, False, False, True]
    for row in drawn.rows:
        assert row.low is not None
        assert row.at is not None
        assert row.high is not None
        assert 0 <= row.low <= row.at <= row.high <= 100


def test_r_has_no_meaning_where_observations_are_equal(prediction: TraitPrediction) -> None:
    evaluation = make_evaluation(prediction)
    same = make_evaluation(prediction, held_out_observed=np.full_like(evaluation.held_out_observed, 3.0))
    assert math.isnan(pooled_r(same))
    assert pooled_r(evaluation) == pytest.approx(
        np.corrcoef(evaluation.held_out_prediction, evaluation.held_out_observed)[0, 1]
    )
