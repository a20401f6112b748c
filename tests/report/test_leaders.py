"""The candidates at either end of the ranking."""

from __future__ import annotations

import numpy as np
import pytest

from budwood.report.leaders import COUNT, leaders
from report.plausible import make_prediction


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
