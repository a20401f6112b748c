"""How well predictions match observations. No function here returns NaN."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from meristem.errors import MeristemError

Vector = NDArray[np.float64]

#: Fewest pairs for which a correlation says anything.
MINIMUM_PAIRS = 3


def pearson_r(predicted: Vector, observed: Vector) -> float:
    """Pearson correlation; 0 where the predictions do not differ, since they rank nothing.

    Raises
    ------
    MeristemError
        If there are under 3 pairs, a value is not finite, or the observations do not differ.

    Examples
    --------
    >>> round(pearson_r(np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 6.0])), 6)
    1.0
    >>> pearson_r(np.ones(3), np.array([2.0, 4.0, 6.0]))
    0.0
    """
    _check(predicted, observed)
    x, y = _centred(predicted), _centred(observed)
    if not y.any():
        raise MeristemError(
            f"the {len(observed)} observed values are all the same, so accuracy has no meaning",
            mend="use fewer folds or a trait that varies",
        )
    if not x.any():
        return 0.0
    return float(np.clip((x / np.linalg.norm(x)) @ (y / np.linalg.norm(y)), -1.0, 1.0))


def spearman_r(predicted: Vector, observed: Vector) -> float:
    """Pearson correlation of ranks, ties sharing their mean rank.

    Examples
    --------
    >>> round(spearman_r(np.array([1.0, 2.0, 30.0]), np.array([2.0, 4.0, 5.0])), 6)
    1.0
    """
    _check(predicted, observed)
    return pearson_r(_ranks(predicted), _ranks(observed))


def rmse(predicted: Vector, observed: Vector) -> float:
    """Root mean squared difference, in units of the trait.

    Examples
    --------
    >>> rmse(np.array([1.0, 2.0, 3.0]), np.array([2.0, 3.0, 4.0]))
    1.0
    """
    _check(predicted, observed)
    return float(np.sqrt(np.mean((predicted - observed) ** 2)))


def slope(predicted: Vector, observed: Vector) -> float:
    """Slope of observed on predicted; 1 is right, 0 where the predictions do not differ.

    Examples
    --------
    >>> slope(np.array([0.0, 2.0, 4.0]), np.array([1.0, 2.0, 3.0]))
    0.5
    """
    _check(predicted, observed)
    x = _centred(predicted)
    if not x.any():
        return 0.0
    return float(x @ _centred(observed) / (x @ x))


def bias(predicted: Vector, observed: Vector) -> float:
    """Mean of predicted minus observed, in units of the trait.

    Examples
    --------
    >>> bias(np.array([1.0, 2.0, 3.0]), np.array([0.0, 1.0, 2.0]))
    1.0
    """
    _check(predicted, observed)
    return float(np.mean(predicted - observed))


def top_overlap(predicted: Vector, observed: Vector, share: float = 0.25) -> float:
    """Share of the truly best lines found among the predicted best; ``share`` by chance.

    Examples
    --------
    >>> top_overlap(np.array([4.0, 3.0, 2.0, 1.0]), np.array([1.0, 2.0, 3.0, 4.0]))
    0.0
    """
    _check(predicted, observed)
    count = max(1, round(share * len(observed)))
    best = np.argsort(-observed, kind="stable")[:count]
    chosen = np.argsort(-predicted, kind="stable")[:count]
    return len(np.intersect1d(best, chosen)) / count


def coverage(lower: Vector, upper: Vector, observed: Vector) -> float:
    """Share of observations inside their interval.

    Examples
    --------
    >>> coverage(np.zeros(4), np.ones(4), np.array([0.5, 0.2, 2.0, 1.0]))
    0.75
    """
    if not (np.isfinite(lower).all() and np.isfinite(upper).all()):
        raise MeristemError("an interval is not finite")
    return float(np.mean((lower <= observed) & (observed <= upper)))


def _ranks(values: Vector) -> Vector:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - 0.5 * (counts - 1))[inverse]


def _centred(values: Vector) -> Vector:
    """Deviations from the mean; exactly 0 where they are rounding errors only."""
    deviations = values - values.mean()
    if np.linalg.norm(deviations) <= 1e-12 * np.linalg.norm(values):
        return np.zeros_like(deviations)
    return deviations


def _check(predicted: Vector, observed: Vector) -> None:
    if len(predicted) != len(observed):
        raise ValueError(f"{len(predicted)} predictions for {len(observed)} observations")
    if len(observed) < MINIMUM_PAIRS:
        raise MeristemError(
            f"{len(observed)} held-out accessions are too few to judge predictions",
            mend=f"use fewer folds, so that each holds at least {MINIMUM_PAIRS}",
        )
    if not (np.isfinite(predicted).all() and np.isfinite(observed).all()):
        raise MeristemError("a predicted or observed value is not a number")
