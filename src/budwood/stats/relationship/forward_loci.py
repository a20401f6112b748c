"""Markers of large effect, found one after another beside a polygenic background."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]

#: Share of a marker's variance that earlier loci must leave for it to be one of its own.
_OWN_VARIANCE: Final = 0.1
#: Records from which on markers are screened, and markers that are whitened at once.
_SCREENED: Final = 1_000
_BATCH: Final = 128
#: Share of the smallest ratio of variances seen that any marker has at least.
_MARGIN: Final = 0.7


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
    candidates = _Candidates.of(markers, y, covariance)
    chosen: list[int] = []
    while len(chosen) < min(most, len(y) - 2):
        best, score = candidates.best()
        residual = float(candidates.response @ candidates.response) / (len(y) - 1 - len(chosen))
        if not score > threshold * residual:
            break
        chosen.append(best)
        candidates.remove(best)
    return chosen


class _Candidates:
    """Whitened records and markers, those that matter: of many records, not every marker is whitened.

    The numerator of a marker's chi-square costs one product with the records for all markers together. Its
    denominator is about the same multiple of the marker's own variance for all of them, and made exactly for
    every marker that could be the best one at .7 of the smallest multiple seen.
    """

    def __init__(self, markers: Matrix, factor: Matrix, response: Vector, fixed: Vector) -> None:
        self.response = response
        self._markers, self._factor, self._taken = markers, factor, [fixed]
        self._plain = np.maximum(np.einsum("ij,ij->j", markers, markers), np.finfo(float).tiny)
        self._columns = np.zeros(0, dtype=np.intp)
        self._x, self._least = np.zeros((len(response), 0)), np.zeros(0)
        self._ratios = np.zeros(0)

    @classmethod
    def of(cls, markers: Matrix, y: Vector, covariance: Matrix) -> _Candidates:
        # The transpose of a symmetric matrix is what LAPACK reads without a copy in another order.
        factor = cholesky(covariance.T, lower=True, check_finite=False)
        white = _solved(factor, np.column_stack([np.ones(len(y)), y]))
        spread = markers - markers.mean(axis=0)
        made = cls(spread, factor, _without(white[:, 1], white[:, 0]), white[:, 0])
        every = len(y) < _SCREENED or spread.shape[1] <= _BATCH
        made._add(np.arange(spread.shape[1]) if every else made._promising(_BATCH))
        return made

    def best(self) -> tuple[int, float]:
        """The marker with the largest score, and its score."""
        while True:
            squares = np.einsum("ij,ij->j", self._x, self._x)
            safe = np.maximum(squares, self._least)
            score = np.where(squares > self._least, (self.response @ self._x) ** 2 / safe, 0.0)
            place = int(np.argmax(score))
            open_columns = self._possibly_better(float(score[place]))
            if not len(open_columns):
                return int(self._columns[place]), float(score[place])
            self._add(open_columns)

    def remove(self, column: int) -> None:
        """Take a marker out of the records and of all other markers."""
        place = int(np.flatnonzero(self._columns == column)[0])
        taken = self._x[:, place].copy()
        self._x, self.response = _without(self._x, taken), _without(self.response, taken)
        self._taken.append(taken)

    def _add(self, columns: NDArray[np.intp]) -> None:
        white = _solved(self._factor, self._markers[:, columns])
        white = _without(white, self._taken[0])
        squares = np.einsum("ij,ij->j", white, white)
        # A marker that does not vary among these records is rounding error.
        largest = max(float(squares.max()), float(self._least.max(initial=0.0)) / _OWN_VARIANCE)
        least = np.maximum(_OWN_VARIANCE * squares, 1e-8 * largest + np.finfo(float).tiny)
        self._ratios = np.concatenate([self._ratios, (squares / self._plain[columns])[squares > least]])
        for taken in self._taken[1:]:
            white = _without(white, taken)
        self._columns = np.concatenate([self._columns, columns])
        self._x = np.concatenate([self._x, white], axis=1)
        self._least = np.concatenate([self._least, least])

    def _numerators(self) -> Vector:
        back = _solved(self._factor, self.response, transposed=True)
        found = (back @ self._markers) ** 2
        found[self._columns] = 0.0
        return np.asarray(found, dtype=np.float64)

    def _promising(self, count: int) -> NDArray[np.intp]:
        return np.sort(np.argpartition(-self._numerators() / self._plain, count)[:count])

    def _possibly_better(self, score: float) -> NDArray[np.intp]:
        """Markers not whitened yet whose score is larger at the smallest ratio seen, a batch at most."""
        if len(self._columns) == self._markers.shape[1] or not len(self._ratios):
            return np.zeros(0, dtype=np.intp)
        ratio = self._numerators() / self._plain
        better = np.flatnonzero(ratio > score * _MARGIN * float(self._ratios.min()))
        return np.sort(better[np.argsort(-ratio[better], kind="stable")[:_BATCH]])


def _solved(factor: Matrix, columns: NDArray[np.float64], *, transposed: bool = False) -> NDArray[np.float64]:
    """The inverse of a lower triangle, or of its transpose, times columns."""
    trans: Literal["T", "N"] = "T" if transposed else "N"
    found = solve_triangular(factor, columns, lower=True, trans=trans, check_finite=False)
    return np.asarray(found, dtype=np.float64)


def _without(values: NDArray[np.float64], column: Vector) -> NDArray[np.float64]:
    """What is left of the columns after regression on one column."""
    unit = column / np.linalg.norm(column)
    return values - (np.outer(unit, unit @ values) if values.ndim == 2 else unit * (unit @ values))
