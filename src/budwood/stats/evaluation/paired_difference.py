"""Intervals for differences of accuracy between two models on the same folds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

Vector = NDArray[np.float64]

#: Decimals that correlations are printed with; a bound that prints as 0 is taken as 0.
_DECIMALS: Final = 3


@dataclass(frozen=True)
class ConfidenceInterval:
    """Mean difference and its two-sided interval.

    Attributes
    ----------
    mean
        Mean difference.
    lower, upper
        Ends of the interval.
    """

    mean: float
    lower: float
    upper: float


def side_of_zero(lower: float, upper: float) -> int:
    """Side of 0 on which an interval of correlations or their differences lies.

    Bounds are rounded to three decimals, as they are printed, so that no conclusion contradicts its figures
    and models that differ by rounding errors only are called equal.

    Parameters
    ----------
    lower, upper
        Ends of the interval.

    Returns
    -------
    int
        1 above 0, -1 below, 0 where the interval contains 0 or an end is NaN.

    Examples
    --------
    >>> side_of_zero(0.01, 0.05), side_of_zero(-0.05, -0.01), side_of_zero(0.0004, 0.05)
    (1, -1, 0)
    """
    return int(round(lower, _DECIMALS) > 0.0) - int(round(upper, _DECIMALS) < 0.0)


def corrected_interval(differences: Vector, test_to_train: float, level: float = 0.95) -> ConfidenceInterval:
    """Interval for the mean difference over folds that share training lines.

    Folds overlap in their training lines, so their differences are correlated and the plain t interval is too
    narrow. Nadeau and Bengio (2003), Machine Learning 52:239, replace the variance s^2 / J of the mean by
    (1 / J + n_test / n_train) s^2.

    Parameters
    ----------
    differences
        (J,) of one fold each.
    test_to_train
        n_test / n_train of a fold, 1 / (k - 1) in k-fold cross-validation; 0 gives the plain t interval.
    level
        Probability that the interval covers the true mean.

    Returns
    -------
    ConfidenceInterval
        Around the mean difference.

    Raises
    ------
    ValueError
        If there are fewer than two differences.

    Examples
    --------
    >>> corrected_interval(np.array([0.25, 0.5, 0.75]), test_to_train=0.5).mean
    0.5
    """
    count = len(differences)
    mean = float(np.mean(differences))
    if count < 2:
        raise ValueError("an interval needs at least two differences")
    variance = float(np.var(differences, ddof=1)) * (1.0 / count + test_to_train)
    half = float(stdtrit(count - 1, 0.5 + level / 2.0)) * variance**0.5
    return ConfidenceInterval(mean, mean - half, mean + half)


def bootstrap_mean_r(
    predicted: NDArray[np.float64],
    observed: Vector,
    folds: NDArray[np.int64],
    *,
    seed: int,
    draws: int = 2000,
) -> Vector:
    """Mean within-fold correlation under redrawn weights of the lines.

    The Bayesian bootstrap (Rubin 1981, Annals of Statistics 9:130): each draw gives every line an exponential
    weight, one for all of its repeats and, with the same seed, for all models, so that differences of two
    models' results are paired line by line. Lines are redrawn and never single predictions; the models are
    not fitted again. Unlike counts of the ordinary bootstrap, weights are never 0, so that no fold runs out
    of lines.

    Parameters
    ----------
    predicted
        (repeats, n) held-out predictions.
    observed
        (n,).
    folds
        (repeats, n) fold of each line.
    seed
        Seed of the weights.
    draws
        Number of draws.

    Returns
    -------
    ndarray
        (draws,); 0 counts as the correlation of predictions that do not differ within a fold.

    Examples
    --------
    >>> y = np.array([1.0, 2.0, 3.0, 4.0])
    >>> bootstrap_mean_r(2.0 * y[None], y, np.zeros((1, 4), dtype=np.int64), seed=1, draws=2).round(6)
    array([1., 1.])
    """
    weights = np.random.default_rng(seed).standard_exponential((draws, len(observed)))
    total, parts = np.zeros(draws), 0
    for values, labels in zip(predicted, folds, strict=True):
        for fold in np.unique(labels):
            rows = np.flatnonzero(labels == fold)
            total += _weighted_r(values[rows], observed[rows], weights[:, rows])
            parts += 1
    return total / parts


def bootstrap_difference(
    first: Vector, second: Vector, mean: float, folds: int, level: float = 0.95
) -> ConfidenceInterval:
    """Interval for a mean difference over k folds, from the draws of both models.

    Redrawn lines do not include the variance between training sets, and every line is in most of them. As in
    :func:`corrected_interval` the variance counts 1 + k / (k - 1) times: the distances of the draws'
    quantiles from their mean are stretched by the root of that. Their own mean is not the centre, since r of
    weighted lines is a little off in small folds.

    Parameters
    ----------
    first, second
        (draws,) mean r of each model under the same weights of the lines.
    mean
        Mean difference found.
    folds
        Folds that hold every line out once.
    level
        Probability that the interval covers the true mean.

    Returns
    -------
    ConfidenceInterval
        Around ``mean``.

    Examples
    --------
    >>> bootstrap_difference(np.array([0.25, 0.5]), np.array([0.5, 0.75]), mean=0.25, folds=5)
    ConfidenceInterval(mean=0.25, lower=0.25, upper=0.25)
    """
    stretch = (1.0 + folds / (folds - 1)) ** 0.5
    draws = second - first
    ends = np.quantile(draws, [0.5 - level / 2.0, 0.5 + level / 2.0])
    lower, upper = mean + stretch * (ends - draws.mean())
    return ConfidenceInterval(mean, float(lower), float(upper))


def _weighted_r(x: Vector, y: Vector, weights: NDArray[np.float64]) -> Vector:
    """Correlation under each row of weights, 0 where x or y does not vary."""
    unit = []
    for values in (x, y):
        deviations = values - values.mean()
        size = float(np.linalg.norm(deviations))
        # Rounding errors are no variation; the bound is that of metrics.pearson_r.
        if size <= 1e-12 * float(np.linalg.norm(values)):
            return np.zeros(len(weights))
        unit.append(deviations / size)
    x, y = unit
    share = weights / weights.sum(axis=1, keepdims=True)
    mean_x, mean_y = share @ x, share @ y
    between = share @ (x * y) - mean_x * mean_y
    spread = (share @ x**2 - mean_x**2) * (share @ y**2 - mean_y**2)
    return np.clip(between / np.sqrt(np.maximum(spread, 1e-300)), -1.0, 1.0)


def clustered_interval(
    differences: Vector, clusters: NDArray[np.int64], level: float = 0.95
) -> ConfidenceInterval:
    """Interval for the mean of differences that come in independent clusters.

    Student's t with one degree of freedom fewer than clusters, on the variance between clusters (Liang and
    Zeger 1986, Biometrika 73:13, with the factor S / (S - 1) for S clusters). Where every cluster holds one
    difference it is the plain t interval. A percentile bootstrap of four clusters, for comparison, covers
    80 % where it says 95 %.

    Parameters
    ----------
    differences
        (n,) differences.
    clusters
        (n,) cluster of each, for example the place and year of an environment; at least two clusters.
    level
        Probability that the interval covers the true mean.

    Returns
    -------
    ConfidenceInterval
        Around the mean of all differences.

    Raises
    ------
    ValueError
        If there are fewer than two clusters.

    Examples
    --------
    >>> found = clustered_interval(np.array([0.25, 0.5, 0.75]), np.array([0, 1, 2]))
    >>> round(found.lower, 3), found.mean, round(found.upper, 3)
    (-0.121, 0.5, 1.121)
    """
    names, group = np.unique(clusters, return_inverse=True)
    count = len(names)
    if count < 2:
        raise ValueError("an interval needs at least two clusters")
    mean = float(np.mean(differences))
    sums = np.bincount(group, differences - mean)
    variance = count / (count - 1) * float(sums @ sums) / len(differences) ** 2
    half = float(stdtrit(count - 1, 0.5 + level / 2.0)) * variance**0.5
    return ConfidenceInterval(mean, mean - half, mean + half)
