"""The candidates at either end of the ranking, with their intervals side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from budwood.prediction.contract import NORMAL_90
from budwood.prediction.evaluation.results import TraitPrediction
from budwood.report.numerals import between, decimals_for, fixed
from budwood.report.pictures.scale import Scale, Tick

#: Candidates shown at an end.
COUNT: Final = 10


@dataclass(frozen=True)
class Leader:
    """One candidate: texts, and places on the common axis in percent.

    Attributes
    ----------
    row
        Its row in the table of predictions.
    accession
        Its id.
    value, interval
        Texts.
    extrapolation
        Whether the training set does not cover it.
    at
        Place of the prediction on the axis, in percent.
    genetic_low, genetic_high
        Places of the 90 % interval of the genetic value.
    low, high
        Places of the 90 % interval of a new observation.
    """

    row: int
    accession: str
    value: str
    interval: str
    extrapolation: bool
    at: float
    genetic_low: float
    genetic_high: float
    low: float
    high: float


@dataclass(frozen=True)
class Leaders:
    """One end of the ranking, best first, on one axis.

    ``mean`` is the place of the phenotyped lines' mean observation in percent, None where there are none.

    Attributes
    ----------
    candidates
        Best first.
    ticks
        Of the axis.
    mean
        Place of the phenotyped lines' mean in percent.
    """

    candidates: tuple[Leader, ...]
    ticks: tuple[Tick, ...]
    mean: float | None


def leaders(prediction: TraitPrediction, *, lowest: bool = False) -> Leaders:
    """The candidates with the largest (or the smallest) predictions, at most ten.

    Parameters
    ----------
    prediction
        Of every line.
    lowest
        Whether the smallest predictions are shown instead of the largest.

    Returns
    -------
    Leaders
        Best first where that end is the better one; none where all predictions are equal.
    """
    labelled = np.isfinite(prediction.observed)
    candidates = np.flatnonzero(~labelled & (not prediction.ranks_nothing))
    ordered = candidates[np.argsort(prediction.rank[candidates], kind="stable")]
    shown = (ordered if lowest == prediction.lower_is_better else ordered[::-1])[:COUNT]
    mean = float(prediction.observed[labelled].mean()) if labelled.any() else np.nan
    scale = Scale.over(prediction.lower_90[shown], prediction.upper_90[shown], [mean])
    return Leaders(
        candidates=tuple(_leader(prediction, int(row), scale) for row in shown),
        ticks=scale.ticks(about=4),
        mean=scale.percent(mean) if np.isfinite(mean) else None,
    )


def _leader(prediction: TraitPrediction, row: int, scale: Scale) -> Leader:
    decimals = decimals_for(prediction.standard_error)
    value = float(prediction.prediction[row])
    reach = NORMAL_90 * float(prediction.standard_error[row])
    lower, upper = float(prediction.lower_90[row]), float(prediction.upper_90[row])
    return Leader(
        row=row,
        accession=prediction.accessions[row],
        value=fixed(value, decimals),
        interval=between(lower, upper, decimals),
        extrapolation=bool(prediction.extrapolation[row]),
        at=scale.percent(value),
        genetic_low=scale.percent(value - reach),
        genetic_high=scale.percent(value + reach),
        low=scale.percent(lower),
        high=scale.percent(upper),
    )
