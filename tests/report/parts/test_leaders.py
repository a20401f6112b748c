"""The candidates at either end of the ranking."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from budwood.report.pages.prediction import render_report
from budwood.report.parts.leaders import COUNT, leaders
from budwood.report.wording import headline
from report.plausible import make_context, make_evaluation, make_prediction


@pytest.mark.parametrize("lowest", [False, True])
def test_only_candidates_in_the_order_of_the_ranking(lowest: bool) -> None:
    prediction = make_prediction(60, 25)
    shown = leaders(prediction, lowest=lowest)
    candidates = np.flatnonzero(np.isnan(prediction.observed))
    ordered = sorted(candidates, key=lambda row: prediction.prediction[row], reverse=not lowest)
    assert [leader.row for leader in shown.candidates] == ordered[:COUNT]
    for leader in shown.candidates:
        assert 0 <= leader.low <= leader.genetic_low <= leader.at <= leader.genetic_high <= leader.high <= 100


def test_the_mean_of_the_labelled_lines_lies_on_the_axis() -> None:
    assert 0 <= (leaders(make_prediction(60, 25)).mean or -1) <= 100
    assert leaders(make_prediction(6, 0)).mean is None


def test_no_candidate() -> None:
    assert leaders(make_prediction(6, 6)).candidates == ()


def test_equal_predictions_lead_nowhere_and_the_headline_says_so() -> None:
    some = make_prediction()
    flat = replace(some, prediction=np.full(60, 118.0), rank=np.ones(60, dtype=np.int64))
    assert leaders(flat).candidates == leaders(flat, lowest=True).candidates == ()
    assert headline(flat, make_evaluation(flat), make_context()).startswith("Nothing can be ranked")
    page = render_report(flat, make_evaluation(flat), context=make_context())
    assert "No candidate leads" in page
    assert leaders(some).candidates
    assert "No candidate leads" not in render_report(some, make_evaluation(some), context=make_context())


def test_where_less_is_better_the_smallest_prediction_leads() -> None:
    largest = make_prediction(60, 25)
    smallest = largest.with_lowest_best()
    assert smallest.rank[np.argmin(smallest.prediction)] == 1
    for prediction in (largest, smallest):
        best = leaders(prediction, lowest=prediction.lower_is_better).candidates[0]
        assert prediction.candidate_rank[best.row] == 1
        candidates = np.isnan(prediction.observed)
        assert sorted(prediction.candidate_rank[candidates]) == list(range(1, 36))
        assert np.isnan(prediction.candidate_rank[~candidates]).all()
    page = render_report(smallest, None, context=make_context())
    assert 'value="lowest" checked' in page
    assert "Rank 1 is the smallest prediction" in page
