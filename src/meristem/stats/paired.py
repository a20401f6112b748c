"""Intervals for differences of accuracy between two models on the same folds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """Mean difference and its two-sided interval."""

    mean: float
    lower: float
    upper: float


def corrected_interval(differences: Vector, test_to_train: float, level: float = 0.95) -> Interval:
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
    return Interval(mean, mean - half, mean + half)


def bootstrap_interval(
    differences: Vector, *, seed: int, level: float = 0.95, draws: int = 10_000
) -> Interval:
    """Percentile interval for the mean of independent differences, for example one for each panel and trait.

    Examples
    --------
    >>> bootstrap_interval(np.array([0.25, 0.25]), seed=1)
    Interval(mean=0.25, lower=0.25, upper=0.25)
    """
    generator = np.random.default_rng(seed)
    picks = generator.integers(0, len(differences), size=(draws, len(differences)))
    lower, upper = np.quantile(differences[picks].mean(axis=1), [0.5 - level / 2.0, 0.5 + level / 2.0])
    return Interval(float(np.mean(differences)), float(lower), float(upper))
