"""Scores of predictions on examples that were not fitted on, with block-bootstrap intervals.

Every measure takes (draws, k) weights of examples and gives one value for each draw: weights of one give the
measure itself, numbers of times that each block is drawn give the bootstrap. Blocks, not examples, are drawn,
because neighbours and relatives are alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

#: Draws of blocks, and the ends of the interval in percent.
DRAWS: Final = 500
_ENDS: Final = (2.5, 97.5)


@dataclass(frozen=True)
class Estimate:
    """A measure with a 95 % block-bootstrap interval.

    Attributes
    ----------
    value, lower, upper
        The measure and the ends of its interval.
    """

    value: float
    lower: float
    upper: float

    @classmethod
    def of(cls, value: float, drawn: Vector) -> Estimate:
        """The estimate from the values of bootstrap draws, those that are no number left out.

        Parameters
        ----------
        value
            The measure.
        drawn
            (draws,) its values.

        Returns
        -------
        Estimate
            Measure and interval; NaN ends where no draw has a value.
        """
        known = drawn[np.isfinite(drawn)]
        if not len(known):
            return cls(float(value), float("nan"), float("nan"))
        lower, upper = np.percentile(known, _ENDS)
        return cls(float(value), float(lower), float(upper))


@dataclass(frozen=True, kw_only=True, eq=False)
class ProbePredictions:
    """Predictions of k examples.

    Attributes
    ----------
    decision
        (k, classes) scores, higher where a class is likelier; (k, 1) predicted values.
    chosen
        (k,) number of the predicted class; empty for values.
    """

    decision: Matrix
    chosen: NDArray[np.intp]


def draw_blocks(blocks: NDArray[np.int64], *, draws: int = DRAWS, seed: int = 0) -> Matrix:
    """Draw blocks with replacement.

    Parameters
    ----------
    blocks
        (k,) block of each example.
    draws
        Number of draws.
    seed
        Seed of the draws.

    Returns
    -------
    numpy.ndarray
        (draws, k) how often each example is drawn.
    """
    kinds, own = np.unique(blocks, return_inverse=True)
    random = np.random.default_rng(seed)
    times = random.multinomial(len(kinds), np.full(len(kinds), 1.0 / len(kinds)), size=draws)
    return times[:, own].astype(np.float64)


def measure_classes(
    truth: NDArray[np.intp], found: ProbePredictions, weights: Matrix, classes: tuple[str, ...]
) -> dict[str, Vector]:
    """Measures of predicted classes.

    Parameters
    ----------
    truth
        (k,) number of the class of each example.
    found
        ProbePredictions.
    weights
        (draws, k) weights.
    classes
        Names of the classes.

    Returns
    -------
    dict
        (draws,) accuracy, balanced accuracy, AUROC and AUPRC (means over classes against the rest; of the
        last class where there are two), and recall by class.
    """
    right = weights @ (found.chosen == truth)
    measures = {"accuracy": right / weights.sum(axis=1)}
    recalls = []
    with np.errstate(invalid="ignore", divide="ignore"):
        for number in range(len(classes)):
            own = truth == number
            recalls.append((weights @ (own & (found.chosen == number))) / (weights @ own))
    measures["balanced_accuracy"] = np.mean(recalls, axis=0)
    scored = [len(classes) - 1] if len(classes) == 2 else range(len(classes))
    ranked = [ranking_measures(found.decision[:, number], truth == number, weights) for number in scored]
    measures["auroc"] = np.mean([area for area, _ in ranked], axis=0)
    measures["auprc"] = np.mean([precision for _, precision in ranked], axis=0)
    for name, recall in zip(classes, recalls, strict=True):
        measures[f"recall {name}"] = recall
    return measures


def ranking_measures(score: Vector, positive: NDArray[np.bool_], weights: Matrix) -> tuple[Vector, Vector]:
    """Weighted areas under the ROC and the precision-recall curve, equal scores taken together.

    Parameters
    ----------
    score
        (k,) scores.
    positive
        (k,) whether each example is positive.
    weights
        (draws, k) weights.

    Returns
    -------
    tuple
        (draws,) AUROC and average precision; NaN where a draw lacks one of the two kinds.

    Examples
    --------
    >>> truth = np.array([False, False, True, True])
    >>> roc, precision = ranking_measures(np.array([0.1, 0.4, 0.35, 0.8]), truth, np.ones((1, 4)))
    >>> roc.round(2), precision.round(2)
    (array([0.75]), array([0.83]))
    """
    order = np.argsort(-score, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(score[order]) != 0])
    hits = np.add.reduceat(weights[:, order] * positive[order], starts, axis=1)
    misses = np.add.reduceat(weights[:, order] * ~positive[order], starts, axis=1)
    true, false = np.cumsum(hits, axis=1), np.cumsum(misses, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        # A hit counts the misses that are ranked below it, and half of those ranked alike.
        below = false[:, -1:] - false + misses / 2
        area = (hits * below).sum(axis=1) / (true[:, -1] * false[:, -1])
        shares = np.where(hits > 0, true / np.maximum(true + false, 1e-300), 0.0)
        precision = (hits * shares).sum(axis=1) / true[:, -1]
    lacking = (true[:, -1] == 0) | (false[:, -1] == 0)
    return np.where(lacking, np.nan, area), np.where(true[:, -1] == 0, np.nan, precision)


def measure_values(truth: Vector, found: ProbePredictions, weights: Matrix) -> dict[str, Vector]:
    """Measures of predicted values.

    Parameters
    ----------
    truth
        (k,) measured values.
    found
        ProbePredictions.
    weights
        (draws, k) weights.

    Returns
    -------
    dict
        (draws,) Pearson's r, Spearman's r, R2 and root mean squared error.
    """
    predicted = found.decision[:, 0]
    total = weights.sum(axis=1)
    squared = weights @ (truth - predicted) ** 2 / total
    mean = weights @ truth / total
    spread = weights @ truth**2 / total - mean**2
    with np.errstate(invalid="ignore", divide="ignore"):
        explained = np.where(spread > 0, 1.0 - squared / spread, np.nan)
    return {
        "pearson_r": _correlation(truth, predicted, weights),
        "spearman_r": _correlation(rankdata(truth), rankdata(predicted), weights),
        "r2": explained,
        "rmse": np.sqrt(squared),
    }


def _correlation(x: Vector, y: Vector, weights: Matrix) -> Vector:
    """(draws,) weighted Pearson correlations, 0 where the predictions do not differ."""
    x, y = x - x.mean(), y - y.mean()
    total = weights.sum(axis=1)
    mean_x, mean_y = weights @ x / total, weights @ y / total
    covariance = weights @ (x * y) / total - mean_x * mean_y
    variance = (weights @ x**2 / total - mean_x**2) * (weights @ y**2 / total - mean_y**2)
    return np.where(variance > 0, covariance / np.sqrt(np.maximum(variance, 1e-300)), 0.0)


def estimates(point: Mapping[str, Vector], drawn: Mapping[str, Vector]) -> dict[str, Estimate]:
    """Estimates from the measures with weights of one and those of the bootstrap draws.

    Parameters
    ----------
    point
        (1,) measures by name.
    drawn
        (draws,) the same of the draws.

    Returns
    -------
    dict
        Estimate by name.
    """
    return {name: Estimate.of(float(value[0]), drawn[name]) for name, value in point.items()}
