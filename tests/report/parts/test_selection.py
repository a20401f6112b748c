"""The table of what selection brings shows what was measured and nothing else."""

from __future__ import annotations

import math
from dataclasses import replace

from budwood.prediction.evaluation.results import TraitPrediction
from budwood.report.parts.selection import selection
from report.plausible import DNA, make_evaluation


def test_columns_nobody_was_measured_on_are_left_out(prediction: TraitPrediction) -> None:
    found = selection(make_evaluation(prediction), DNA)
    assert found.columns == (
        *("Best quarter found", "Gain", "Gain in SD", "r / h", "Bias", "Width of 90 % interval"),
    )
    assert [row.reported for row in found.rows] == [False, True, False]
    assert found.rows[0].cells[:3] == ("52 %", "+6.3", "+0.61")
    assert found.rows[0].cells[4:] == ("+0.21", "29.4")


def test_auroc_and_families_have_columns_where_they_were_measured(prediction: TraitPrediction) -> None:
    evaluation = make_evaluation(prediction)
    scores = tuple(replace(score, auroc=0.812, family_r=(0.25, math.nan)) for score in evaluation.scores)
    found = selection(replace(evaluation, scores=scores), DNA)
    cells = dict(zip(found.columns, found.rows[0].cells, strict=True))
    assert (cells["AUROC"], cells["r within families"]) == ("0.81", "0.25")


def test_an_evaluation_of_old_has_no_such_table(prediction: TraitPrediction) -> None:
    evaluation = make_evaluation(prediction)
    nan = math.nan
    scores = tuple(
        replace(score, accuracy=nan, bias=nan, interval_width=nan, top_quarter=nan, gain=nan, gain_sd=nan)
        for score in evaluation.scores
    )
    assert selection(replace(evaluation, scores=scores), DNA).columns == ()
