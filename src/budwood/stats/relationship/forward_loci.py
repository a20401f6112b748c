"""Markers of large effect, found one after another beside a polygenic background."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]

#: Share of a marker's variance that earlier loci must leave for it to be one of its own.
_OWN_VARIANCE: Final = 0.1


def forward_loci(markers: Matrix, y: Vector, covariance: Matrix, *, threshold: float, most: int) -> list[int]:
    """Columns of markers chosen forward by generalised least squares.

    Each step takes the marker with the largest chi-square of one degree of freedom given the background and
    the loci so far, as a multi-locus mixed model does (Segura et al. 2012, Nature Genetics 44:825), and stops
    when none passes the threshold. Variance components stay as given.

    Parameters
    ----------
    markers
        (n, m) allele frequencies or dosages of the lines.
    y
        (n,) records.
    covariance
        (n, n) of the records: background and residual.
    threshold
        Smallest chi-square of a locus.
    most
        Most loci.

    Returns
    -------
    list of int
        Columns in the order in which they were chosen.

    Examples
    --------
    >>> generator = np.random.default_rng(0)
    >>> markers = generator.choice([-1.0, 1.0], (100, 50))
    >>> y = 2.0 * markers[:, 7] + markers[:, 30] + generator.standard_normal(100)
    >>> forward_loci(markers, y, np.eye(100), threshold=15.0, most=8)
    [7, 30]
    """
    factor = np.linalg.cholesky(covariance)
    white = solve_triangular(factor, np.column_stack([np.ones(len(y)), y, markers]), lower=True)
    white = _without(white[:, 1:], white[:, 0])
    response, x = white[:, 0], white[:, 1:]
    squares = np.einsum("ij,ij->j", x, x)
    # A marker that does not vary among these records is rounding error.
    least = np.maximum(_OWN_VARIANCE * squares, 1e-8 * squares.max() + np.finfo(float).tiny)
    chosen: list[int] = []
    while len(chosen) < min(most, len(y) - 2):
        squares = np.einsum("ij,ij->j", x, x)
        score = np.where(squares > least, (response @ x) ** 2 / np.maximum(squares, least), 0.0)
        best = int(np.argmax(score))
        residual = float(response @ response) / (len(y) - 1 - len(chosen))
        if not score[best] > threshold * residual:
            break
        chosen.append(best)
        column = x[:, best].copy()
        x, response = _without(x, column), _without(response, column)
    return chosen


def _without(values: NDArray[np.float64], column: Vector) -> NDArray[np.float64]:
    """What is left of the columns after regression on one column."""
    unit = column / np.linalg.norm(column)
    return values - (np.outer(unit, unit @ values) if values.ndim == 2 else unit * (unit @ values))
