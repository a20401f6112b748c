"""How well predictions match observations. No function here returns NaN."""

from __future__ import annotations

from math import floor

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError

Vector = NDArray[np.float64]

#: Fewest pairs for which a correlation says anything.
MINIMUM_PAIRS = 3


def pearson_r(predicted: Vector, observed: Vector) -> float:
    """Pearson correlation; 0 where the predictions do not differ, since they rank nothing.

    Parameters
    ----------
    predicted
        (n,) predicted values.
    observed
        (n,) observed values, in units of the trait.

    Returns
    -------
    float
        -1 to 1.

    Raises
    ------
    BudwoodError
        If there are under 3 pairs, a value is not finite, or the observations do not differ.

    Examples
    --------
    >>> round(pearson_r(np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 6.0])), 6)
    1.0
    >>> pearson_r(np.ones(3), np.array([2.0, 4.0, 6.0]))
    0.0
    """
    _check(predicted, observed)
    x, y = _centred(_of_unit_size(predicted)), _centred(_of_unit_size(observed))
    if not y.any():
        spread = float(np.ptp(observed))
        how = f"differ by rounding errors only ({spread:.2g})" if spread else "are all the same"
        raise BudwoodError(
            f"the {len(observed)} observed values {how}, so accuracy has no meaning",
            mend="use fewer folds or a trait that varies",
        )
    if not x.any():
        return 0.0
    return float(np.clip((x / np.linalg.norm(x)) @ (y / np.linalg.norm(y)), -1.0, 1.0))


def spearman_r(predicted: Vector, observed: Vector) -> float:
    """Pearson correlation of ranks, ties sharing their mean rank.

    Parameters
    ----------
    predicted
        (n,) predicted values.
    observed
        (n,) observed values, in units of the trait.

    Returns
    -------
    float
        -1 to 1; 0 where the predictions do not differ.

    Raises
    ------
    BudwoodError
        As :func:`pearson_r`.

    Examples
    --------
    >>> round(spearman_r(np.array([1.0, 2.0, 30.0]), np.array([2.0, 4.0, 5.0])), 6)
    1.0
    """
    _check(predicted, observed)
    return pearson_r(_ranks(predicted), _ranks(observed))


def rmse(predicted: Vector, observed: Vector) -> float:
    """Root mean squared difference, in units of the trait.

    Parameters
    ----------
    predicted
        (n,) predicted values.
    observed
        (n,) observed values, in units of the trait.

    Returns
    -------
    float
        In units of the trait.

    Raises
    ------
    BudwoodError
        If there are under 3 pairs or a value is not finite.

    Examples
    --------
    >>> rmse(np.array([1.0, 2.0, 3.0]), np.array([2.0, 3.0, 4.0]))
    1.0
    """
    _check(predicted, observed)
    size = float(max(np.abs(predicted).max(), np.abs(observed).max())) or 1.0
    return size * float(np.sqrt(np.mean((predicted / size - observed / size) ** 2)))


def slope(predicted: Vector, observed: Vector) -> float:
    """Slope of observed on predicted; 1 is right, 0 where the predictions do not differ.

    Parameters
    ----------
    predicted
        (n,) predicted values.
    observed
        (n,) observed values, in units of the trait.

    Returns
    -------
    float
        Units of the observations per unit of the predictions.

    Raises
    ------
    BudwoodError
        If there are under 3 pairs or a value is not finite.

    Examples
    --------
    >>> slope(np.array([0.0, 2.0, 4.0]), np.array([1.0, 2.0, 3.0]))
    0.5
    """
    _check(predicted, observed)
    x, y = _centred(_of_unit_size(predicted)), _centred(_of_unit_size(observed))
    if not x.any():
        return 0.0
    size_x, size_y = np.abs(predicted).max(), float(np.abs(observed).max())
    return float(x @ y / (x @ x) * size_y / size_x)


def intercept(predicted: Vector, observed: Vector) -> float:
    """Intercept of the regression of observed on predicted, in units of the trait; 0 is right.

    Parameters
    ----------
    predicted
        (n,) predicted values.
    observed
        (n,) observed values, in units of the trait.

    Returns
    -------
    float
        In units of the trait.

    Raises
    ------
    BudwoodError
        If there are under 3 pairs or a value is not finite.

    Examples
    --------
    >>> intercept(np.array([0.0, 2.0, 4.0]), np.array([1.0, 2.0, 3.0]))
    1.0
    """
    return float(observed.mean() - slope(predicted, observed) * predicted.mean())


def bias(predicted: Vector, observed: Vector) -> float:
    """Mean of predicted minus observed, in units of the trait.

    Parameters
    ----------
    predicted
        (n,) predicted values.
    observed
        (n,) observed values, in units of the trait.

    Returns
    -------
    float
        In units of the trait.

    Raises
    ------
    BudwoodError
        If there are under 3 pairs or a value is not finite.

    Examples
    --------
    >>> bias(np.array([1.0, 2.0, 3.0]), np.array([0.0, 1.0, 2.0]))
    1.0
    """
    _check(predicted, observed)
    return float(np.mean(predicted - observed))


def best_count(count: int, share: float = 0.25) -> int:
    """Number of lines that make up the best share, halves rounded up and at least one.

    Parameters
    ----------
    count
        Number of lines.
    share
        Share that counts as the best.

    Returns
    -------
    int
        ``floor(share * count + 1/2)``, or 1 where that is 0.

    Examples
    --------
    >>> best_count(75), best_count(10), best_count(6), best_count(1)
    (19, 3, 2, 1)
    """
    # Rounding first keeps 0.1 * 35 from counting as a little less than 3.5.
    return max(1, floor(round(share * count + 0.5, 9)))


def top_overlap(predicted: Vector, observed: Vector, share: float = 0.25) -> float:
    """Share of the truly best lines found among the predicted best.

    Lines that tie for the last places share them, which is the mean over all ways to break the ties. Chance
    finds ``best_count(n, share) / n``; predictions that are all the same find exactly that.

    Parameters
    ----------
    predicted
        (n,) predicted values.
    observed
        (n,) observed values, in units of the trait.
    share
        Share of the lines that counts as the best.

    Returns
    -------
    float
        0 to 1.

    Raises
    ------
    BudwoodError
        If there are under 3 pairs or a value is not finite.

    Examples
    --------
    >>> top_overlap(np.array([4.0, 3.0, 2.0, 1.0]), np.array([1.0, 2.0, 3.0, 4.0]))
    0.0
    >>> top_overlap(np.ones(4), np.array([1.0, 2.0, 3.0, 4.0]))
    0.25
    """
    _check(predicted, observed)
    count = best_count(len(observed), share)
    return float(_places(observed, count) @ _places(predicted, count)) / count


def selection_gain(predicted: Vector, observed: Vector, share: float = 0.25) -> float:
    """Mean observation of the predicted best lines minus that of all lines, in units of the trait.

    Lines that tie for the last places share them.

    Parameters
    ----------
    predicted
        (n,) predicted values.
    observed
        (n,) observed values, in units of the trait.
    share
        Share of the lines that counts as the best.

    Returns
    -------
    float
        In units of the trait.

    Raises
    ------
    BudwoodError
        If there are under 3 pairs or a value is not finite.

    Examples
    --------
    >>> selection_gain(np.array([4.0, 3.0, 2.0, 1.0]), np.array([9.0, 2.0, 3.0, 2.0]))
    5.0
    """
    _check(predicted, observed)
    count = best_count(len(observed), share)
    return float(_places(predicted, count) @ (observed - observed.mean())) / count


def auroc(predicted: Vector, positive: NDArray[np.bool_], weights: NDArray[np.number] | None = None) -> float:
    """Share of pairs of a positive and another line in which the positive is predicted higher.

    Equal predictions count half; 0.5 is chance (the statistic of Mann and Whitney 1947 over its largest
    value).

    Parameters
    ----------
    predicted
        (n,) scores.
    positive
        (n,) whether a line is positive.
    weights
        (n,) weight of each line; all count the same by default.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    BudwoodError
        If all lines are positive or none is.

    Examples
    --------
    >>> auroc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True]))
    0.75
    """
    _check(predicted, positive.astype(np.float64))
    count = int(positive.sum())
    if not 0 < count < len(positive):
        raise BudwoodError("all lines are of one class", mend="use fewer folds or a trait that varies")
    if weights is not None:
        return auroc_of_ranks(np.unique(predicted, return_inverse=True)[1], positive, weights)
    above = float(_ranks(predicted)[positive].sum()) - 0.5 * count * (count + 1)
    return above / (count * (len(positive) - count))


def auroc_of_ranks(
    rank: NDArray[np.integer], positive: NDArray[np.bool_], weights: NDArray[np.number]
) -> float:
    """Weighted area under the ROC curve from dense ranks, for bootstraps that rank the scores once.

    Parameters
    ----------
    rank
        (n,) dense rank of each score from 0, equal scores sharing one.
    positive
        (n,) whether an example is positive.
    weights
        (n,) weight of each example; the positive and the others must each have some weight.

    Returns
    -------
    float
        Between 0 and 1.

    Examples
    --------
    >>> auroc_of_ranks(np.array([0, 2, 1, 3]), np.array([False, False, True, True]), np.ones(4))
    0.75
    """
    true = np.bincount(rank, weights * positive)
    false = np.bincount(rank, weights * ~positive)
    return float(true @ (np.cumsum(false) - false / 2) / (true.sum() * false.sum()))


def coverage(lower: Vector, upper: Vector, observed: Vector) -> float:
    """Share of observations inside their interval.

    Parameters
    ----------
    lower
        (n,) lower ends of the intervals.
    upper
        (n,) upper ends.
    observed
        (n,) observed values.

    Returns
    -------
    float
        0 to 1.

    Raises
    ------
    BudwoodError
        If an end is not finite.

    Examples
    --------
    >>> coverage(np.zeros(4), np.ones(4), np.array([0.5, 0.2, 2.0, 1.0]))
    0.75
    """
    if not (np.isfinite(lower).all() and np.isfinite(upper).all()):
        raise BudwoodError("an interval is not finite")
    return float(np.mean((lower <= observed) & (observed <= upper)))


def _places(values: Vector, count: int) -> Vector:
    """How far each line is among the ``count`` largest: 1, 0, or a share of the places that are tied for."""
    deviations = _centred(_of_unit_size(values))
    last = np.partition(deviations, len(values) - count)[len(values) - count]
    above, tied = deviations > last, deviations == last
    return above + tied * ((count - above.sum()) / tied.sum())


def _ranks(values: Vector) -> Vector:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - 0.5 * (counts - 1))[inverse]


def _of_unit_size(values: Vector) -> Vector:
    """Divided by the largest, so that squares of tiny values do not vanish."""
    largest = np.abs(values).max()
    return values / largest if largest > 0.0 else values


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
        raise BudwoodError(
            f"{len(observed)} held-out accessions are too few to judge predictions",
            mend=f"use fewer folds, so that each holds at least {MINIMUM_PAIRS}",
        )
    if not (np.isfinite(predicted).all() and np.isfinite(observed).all()):
        raise BudwoodError("a predicted or observed value is not a number")
