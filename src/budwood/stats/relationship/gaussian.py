"""Gaussian kernel of scaled Euclidean distances (reproducing kernel Hilbert space regression)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from budwood.stats.relationship.relationship import Rows


def gaussian_kernel(
    squared_distances: NDArray[np.float64], bandwidth: float, training: Rows | None = None
) -> NDArray[np.float64]:
    """``exp(-d^2 / (bandwidth * mean d^2))`` with the mean over pairs of different training rows.

    Scaling by the mean makes one bandwidth mean the same for any number of markers (Gianola and van Kaam
    2008, Genetics 178:2289): at 1 an average pair of training rows has similarity exp(-1).

    Parameters
    ----------
    squared_distances
        (n, n) squared distances between rows.
    bandwidth
        Positive; small values make relatives unlike each other quickly.
    training
        Rows whose mean distance is the unit; all by default.

    Returns
    -------
    ndarray
        (n, n) similarities, 0 to 1.

    Examples
    --------
    >>> gaussian_kernel(np.array([[0.0, 2.0], [2.0, 0.0]]), bandwidth=1.0).round(3)
    array([[1.   , 0.368],
           [0.368, 1.   ]])
    """
    block = squared_distances if training is None else squared_distances[np.ix_(training, training)]
    return gaussian_of(squared_distances, bandwidth, mean_distance(block))


def mean_distance(squared_distances: NDArray[np.float64]) -> float:
    """Mean squared distance of two different rows of an (n, n) matrix; 0 for a single row.

    Parameters
    ----------
    squared_distances
        (n, n) squared distances between rows.

    Returns
    -------
    float
        In units of the distances.

    Examples
    --------
    >>> mean_distance(np.array([[0.0, 2.0], [2.0, 0.0]]))
    2.0
    """
    pairs = len(squared_distances) * (len(squared_distances) - 1)
    return float(squared_distances.sum()) / pairs if pairs else 0.0


def gaussian_of(squared_distances: NDArray[np.float64], bandwidth: float, mean: float) -> NDArray[np.float64]:
    """``exp(-d^2 / (bandwidth * mean))``; where ``mean`` is 0, 1 for rows that are alike and 0 for others.

    Parameters
    ----------
    squared_distances
        (c, n) between any rows.
    bandwidth
        Positive.
    mean
        Mean squared distance of two training rows.

    Returns
    -------
    ndarray
        (c, n) similarities, 0 to 1.

    Raises
    ------
    ValueError
        If the bandwidth is not positive.

    Examples
    --------
    >>> gaussian_of(np.array([[0.0, 2.0]]), 1.0, 2.0).round(3)
    array([[1.   , 0.368]])
    """
    if bandwidth <= 0.0:
        raise ValueError("the bandwidth must be positive")
    if mean <= 0.0:
        return np.where(squared_distances > 0.0, 0.0, 1.0)
    return np.exp(squared_distances / (-bandwidth * mean))
