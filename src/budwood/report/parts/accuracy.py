"""Accuracy of every model on the same folds, with intervals, beside the control on shuffled values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from budwood.prediction.evaluation.results import Evaluation, ModelScore, PairedDifference, PermutationTest
from budwood.report.numerals import NONE, between, decimals_for, fixed, percent
from budwood.report.pictures.scale import Scale, Tick
from budwood.stats.evaluation.metrics import MINIMUM_PAIRS, pearson_r
from budwood.stats.evaluation.paired_difference import corrected_interval


class AnyScore(Protocol):
    """What the table shows of a model, of lines or of lines in environments."""

    @property
    def name(self) -> str:
        """Of the model."""

    @property
    def mean_r(self) -> float:
        """Mean correlation on held-out lines."""

    @property
    def coverage_90(self) -> float:
        """Share of held-out values in their 90 % interval."""

    @property
    def rmse(self) -> float:
        """Root mean squared error."""

    @property
    def slope(self) -> float:
        """Of observed on predicted values."""

    @property
    def seconds(self) -> float:
        """Time of fits and predictions."""


@dataclass(frozen=True)
class AccuracyRow:
    """One model, or the control: texts, and places on the axis of r in percent (None: not measured).

    Attributes
    ----------
    name
        Of the model.
    r, difference, coverage, rmse, slope, seconds
        Texts of the table; empty where not measured.
    at, low, high
        Places of r and its interval on the axis, in percent; None where not measured.
    reported
        Whether the predictions come from this model.
    control
        Whether this is the permutation test.
    """

    name: str
    r: str
    difference: str
    coverage: str
    rmse: str
    slope: str
    seconds: str
    at: float | None
    low: float | None
    high: float | None
    reported: bool = False
    control: bool = False


@dataclass(frozen=True)
class AccuracyPart:
    """All models of an evaluation on one axis; ``zero`` is the place of r = 0 in percent.

    Attributes
    ----------
    rows
        Models, then the control.
    ticks
        Of the axis of r.
    zero
        Place of r = 0 in percent.
    baseline
        Name of the model that differences are taken from.
    """

    rows: tuple[AccuracyRow, ...]
    ticks: tuple[Tick, ...]
    zero: float
    baseline: str


def interval_of_mean(fold_r: ArrayLike, folds: int) -> tuple[float, float]:
    """95 % interval of a mean of cross-validated r, corrected for training sets that overlap.

    The interval of :func:`budwood.stats.evaluation.paired_difference.corrected_interval` (Nadeau and Bengio
    2003), kept within -1 and 1; NaN, NaN where fewer than two folds were measured.

    Parameters
    ----------
    fold_r
        r within each fold, NaN where it could not be measured.
    folds
        Folds in each repeat.

    Returns
    -------
    tuple[float, float]
        Lower and upper limit.

    Examples
    --------
    >>> lower, upper = interval_of_mean([0.5, 0.6, 0.7, 0.6, 0.6], folds=5)
    >>> round(lower, 3), round(upper, 3)
    (0.468, 0.732)
    """
    r = np.asarray(fold_r, dtype=float)
    r = r[np.isfinite(r)]
    if r.size < 2 or folds < 2:
        return math.nan, math.nan
    interval = corrected_interval(r, test_to_train=1 / (folds - 1))
    return float(max(interval.lower, -1.0)), float(min(interval.upper, 1.0))


def reported_score(evaluation: Evaluation, model: str) -> ModelScore | None:
    """The score of the model that the predictions come from, None where it was not measured.

    Parameters
    ----------
    evaluation
        Results of the cross-validation.
    model
        Its name.

    Returns
    -------
    ModelScore | None
        Its score.
    """
    named = [s for s in evaluation.scores if s.name == model and math.isfinite(s.mean_r)]
    return named[0] if named else None


def measured_control(evaluation: Evaluation) -> PermutationTest | None:
    """The control on shuffled values, None where it was not run.

    Parameters
    ----------
    evaluation
        Results of the cross-validation.

    Returns
    -------
    PermutationTest | None
        The permutation test.
    """
    control = evaluation.permutation
    return control if control is not None and math.isfinite(control.mean_r) else None


def concordance(predicted: NDArray[np.float64], observed: NDArray[np.float64]) -> float:
    """Share of pairs of accessions, unequal in observation, that predictions put in the right order.

    Equal predictions count half; 0.5 is chance. NaN where no pair differs.

    Parameters
    ----------
    predicted, observed
        (n,) values of the same accessions.

    Returns
    -------
    float
        Between 0 and 1.

    Examples
    --------
    >>> concordance(np.array([1.0, 2.0, 3.0]), np.array([10.0, 30.0, 20.0]))
    0.6666666666666666
    """
    known = np.isfinite(predicted) & np.isfinite(observed)
    p, o = predicted[known], observed[known]
    agreeing, pairs = 0.0, 0
    for i in range(len(p) - 1):
        apart = np.sign(o[i + 1 :] - o[i])
        agreeing += float((apart * np.sign(p[i + 1 :] - p[i])).sum())
        pairs += int(np.count_nonzero(apart))
    return 0.5 + agreeing / (2 * pairs) if pairs else math.nan


def pooled_r(evaluation: Evaluation) -> float:
    """Pearson r of all held-out predictions and observations together, NaN where it has no meaning.

    Parameters
    ----------
    evaluation
        Results of the cross-validation.

    Returns
    -------
    float
        Between -1 and 1.
    """
    predicted, observed = evaluation.held_out_prediction, evaluation.held_out_observed
    known = np.isfinite(predicted) & np.isfinite(observed)
    p, o = predicted[known], observed[known]
    if len(o) < MINIMUM_PAIRS or np.ptp(o) == 0:
        return math.nan
    return pearson_r(p, o)


def accuracy(evaluation: Evaluation, model: str) -> AccuracyPart:
    """Every model's accuracy and the control, ready to be drawn on one axis of r from below 0 to 1.

    Parameters
    ----------
    evaluation
        Results of the cross-validation.
    model
        Name of the model that the predictions come from.

    Returns
    -------
    AccuracyPart
        Rows and the axis.
    """
    spans = [interval_of_mean(score.fold_r, evaluation.folds) for score in evaluation.scores]
    paired = {each.model: each for each in evaluation.paired}
    entries = [
        (score, span, paired.get(score.name)) for score, span in zip(evaluation.scores, spans, strict=True)
    ]
    baseline = evaluation.scores[0].name if evaluation.scores else ""
    return accuracy_of_rows(entries, measured_control(evaluation), baseline, model=model)


def accuracy_of_rows(
    entries: Sequence[tuple[AnyScore, tuple[float, float], PairedDifference | None]],
    control: PermutationTest | None,
    baseline: str,
    *,
    model: str = "",
) -> AccuracyPart:
    """Scores with their intervals on one axis.

    Parameters
    ----------
    entries
        For each model its score, the interval of its mean r, and its difference from the baseline.
    control
        The permutation test, where it was run.
    baseline
        Name of the model that differences are taken from.
    model
        Name of the model that predictions come from.

    Returns
    -------
    AccuracyPart
        Rows and the axis.
    """
    ends = [end for _, span, _ in entries for end in span] + [s.mean_r for s, _, _ in entries] + [0.0, 1.0]
    if control is not None:
        ends += [control.lower, control.upper]
    scale = Scale.over(ends, margin=0.03)
    rows = [
        _model_row(score, span, paired, scale, reported=score.name == model)
        for score, span, paired in entries
    ]
    if control is not None:
        rows.append(_control_row(control, scale))
    return AccuracyPart(tuple(rows), scale.ticks(), scale.percent(0.0), baseline)


def _model_row(
    score: AnyScore,
    span: tuple[float, float],
    paired: PairedDifference | None,
    scale: Scale,
    *,
    reported: bool,
) -> AccuracyRow:
    return AccuracyRow(
        name=score.name,
        r=_with_interval(score.mean_r, *span),
        difference=_difference(paired) if paired else NONE,
        coverage=percent(score.coverage_90),
        rmse=fixed(score.rmse, decimals_for([score.rmse]) + 1),
        slope=fixed(score.slope, 2),
        seconds=f"{fixed(score.seconds, 1 if score.seconds < 100 else 0)} s",
        at=_place(scale, score.mean_r),
        low=_place(scale, span[0]),
        high=_place(scale, span[1]),
        reported=reported,
    )


def _control_row(control: PermutationTest, scale: Scale) -> AccuracyRow:
    return AccuracyRow(
        name=f"{control.model}, trait values shuffled",
        r=_with_interval(control.mean_r, control.lower, control.upper),
        difference=NONE,
        coverage=NONE,
        rmse=NONE,
        slope=NONE,
        seconds=NONE,
        at=_place(scale, control.mean_r),
        low=_place(scale, control.lower),
        high=_place(scale, control.upper),
        control=True,
    )


def _with_interval(r: float, lower: float, upper: float) -> str:
    return f"{fixed(r, 2)} ({between(lower, upper, 2)})" if math.isfinite(lower) else fixed(r, 2)


def _difference(paired: PairedDifference) -> str:
    sign = "+" if paired.mean > 0.0005 else ""
    return f"{sign}{fixed(paired.mean, 3)} ({between(paired.lower, paired.upper, 3)})"


def _place(scale: Scale, value: float) -> float | None:
    return scale.percent(value) if math.isfinite(value) else None
