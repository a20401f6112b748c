"""What phenotypes of some lines tell about others, kept up to date while lines come and go.

Records ``y = 1 mu + u + e`` with ``u ~ N(0, K)`` and ``e ~ N(0, ratio I)`` (all variances in units of the
genetic variance that multiplies K). With g = mu + u, mu unknown, and D the error covariance of g given the
records of the training lines, one more record of line j gives

    D  <-  D - D_j D_j' / (D_jj + ratio)

and taking it away again the same with -ratio for ratio: one formula for both directions. A contrast
``g_i - mean g`` of a line with the population mean does not depend on mu; its error variance is the i-th
diagonal element of D after double centring (Rincent et al. 2012, Genetics 192:715, whose
``c'(Z'MZ + ratio K^-1)^-1 c ratio`` it equals). With E the rows of D less their mean and W the weights of
the lines that are to be predicted, ``Q = E' W E`` says how much a record of j lowers the weighted sum of
their error variances: by ``Q_jj / (D_jj + ratio)``. Q follows the same exchange by rank-one terms, so an
exchange costs O(n^2) and the effect of all exchanges of one line O(n).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular

from budwood.stats.relationship.relationship import Rows

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]


def contrast_variance(kernel: Matrix) -> Vector:
    """Variance of each line's contrast with the population mean, without any record.

    Parameters
    ----------
    kernel
        (n, n) relationship of the population; adding a constant to it changes nothing.

    Returns
    -------
    ndarray
        (n,) per unit of genetic variance.

    Examples
    --------
    >>> contrast_variance(np.eye(4))
    array([0.75, 0.75, 0.75, 0.75])
    """
    return _double_centred_diagonal(np.diagonal(kernel), kernel.mean(axis=0))


def contrast_error_variance(kernel: Matrix, ratio: float, training: Rows) -> Vector:
    """Error variance of each line's contrast with the population mean, given the training records.

    Parameters
    ----------
    kernel
        (n, n) relationship of the population; adding a constant to it changes nothing.
    ratio
        Residual variance of a record over the genetic variance that multiplies the kernel.
    training
        Rows with a record, at least one.

    Returns
    -------
    ndarray
        (n,) per unit of genetic variance.

    Examples
    --------
    >>> contrast_error_variance(np.eye(4), 1.0, np.array([0, 1])).round(3)
    array([0.5 , 0.5 , 0.75, 0.75])
    """
    half, shift = _half_and_shift(kernel, ratio, training)
    own = np.diagonal(kernel) - np.einsum("ij,ij->j", half, half) + shift**2
    mean = kernel.mean(axis=0) - half.mean(axis=1) @ half + shift.mean() * shift
    return _double_centred_diagonal(own, mean)


def contrast_reliability(kernel: Matrix, ratio: float, training: Rows) -> Vector:
    """Coefficient of determination of each line's contrast with the population mean.

    The squared correlation of predicted and true contrast (Laloe 1993, Genetics Selection Evolution 25:557);
    0 for a line that cannot differ from the mean.

    Parameters
    ----------
    kernel
        (n, n) relationship of the population; adding a constant to it changes nothing.
    ratio
        Residual variance of a record over the genetic variance that multiplies the kernel.
    training
        Rows with a record, at least one.

    Returns
    -------
    ndarray
        (n,) 0 to 1.

    Examples
    --------
    >>> contrast_reliability(np.eye(4), 1.0, np.array([0, 1])).round(3)
    array([0.333, 0.333, 0.   , 0.   ])
    """
    return reliability_of(contrast_error_variance(kernel, ratio, training), contrast_variance(kernel))


def reliability_of(error: Vector, variance: Vector) -> Vector:
    """Reliabilities from error variances.

    Parameters
    ----------
    error
        (n,) error variances.
    variance
        (n,) variances without any record.

    Returns
    -------
    ndarray
        (n,) ``1 - error / variance``, 0 where a line cannot differ from the mean.

    Examples
    --------
    >>> reliability_of(np.array([0.5, 0.0]), np.array([1.0, 0.0]))
    array([0.5, 0. ])
    """
    unexplained = np.ones_like(variance)
    np.divide(error, variance, out=unexplained, where=differs_from_mean(variance))
    return np.clip(1.0 - unexplained, 0.0, 1.0)


def differs_from_mean(variance: Vector) -> NDArray[np.bool_]:
    """Whether contrast variances are more than rounding errors.

    Parameters
    ----------
    variance
        (n,) variances of contrasts.

    Returns
    -------
    ndarray
        (n,) of bool.

    Examples
    --------
    >>> differs_from_mean(np.array([1.0, 1e-14]))
    array([ True, False])
    """
    return variance > 1e-10 * variance.max(initial=0.0)


class TrainingInformation:
    """Weighted sum of error variances over the lines to predict, while training lines come and go.

    Parameters
    ----------
    kernel, ratio, training
        As in :func:`contrast_error_variance`.
    eligible
        Rows that may come and go; positions below count in this list.
    weights
        (n,) weight of each line's error variance in the sum, 0 where the line is not to be predicted. A line
        counts only while it is not in training.

    Attributes
    ----------
    total
        The weighted sum now.
    """

    def __init__(self, kernel: Matrix, ratio: float, training: Rows, eligible: Rows, weights: Vector) -> None:
        half, shift = _half_and_shift(kernel, ratio, training)
        error = kernel[:, eligible] - half.T @ half[:, eligible] + np.outer(shift, shift[eligible])
        self._mean = error.mean(axis=0)
        counted = weights.copy()
        counted[training] = 0.0
        targets = np.flatnonzero(counted)
        rows = (error[targets] - self._mean) * np.sqrt(counted[targets])[:, None]
        self._gain = rows.T @ rows
        self._error = error[eligible]
        self._ratio = ratio
        self._weights = weights[eligible]
        pev = contrast_error_variance(kernel, ratio, training)
        self._pev = pev[eligible]
        self.total = float(counted @ pev)

    def after_addition(self) -> Vector:
        """The sum after each eligible line outside training would have joined it.

        Returns
        -------
        ndarray
            (e,) sums.
        """
        own = np.diagonal(self._error)
        spread = own + self._ratio
        left = self._pev - (own - self._mean) ** 2 / spread
        return self.total - np.diagonal(self._gain) / spread - self._weights * left

    def after_exchange(self, leaving: int) -> Vector:
        """The sum after each eligible line outside training would have replaced a training line.

        Parameters
        ----------
        leaving
            Position of the training line.

        Returns
        -------
        ndarray
            (e,) sums.
        """
        d, mean, weight = self._error[:, leaving], self._mean[leaving], self._weights[leaving]
        scale = 1.0 / (d[leaving] - self._ratio)
        column = self._gain[:, leaving]
        pev = self._pev - scale * (d - mean) ** 2
        means = self._mean - scale * mean * d
        own = np.diagonal(self._error) - scale * d**2
        gain = np.diagonal(self._gain) - 2.0 * scale * d * column + (scale * d) ** 2 * column[leaving]
        gain = gain + weight * (d * (1.0 - scale * d[leaving]) - means) ** 2
        without = self.total - scale * column[leaving] + weight * pev[leaving]
        spread = own + self._ratio
        return without - gain / spread - self._weights * (pev - (own - means) ** 2 / spread)

    def add(self, position: int) -> None:
        """Add a line to training.

        Parameters
        ----------
        position
            Position of the line.
        """
        self._condition(position, self._ratio)
        self._count(position, -1.0)

    def remove(self, position: int) -> None:
        """Remove a line from training, where at least one other stays.

        Parameters
        ----------
        position
            Position of the line.
        """
        self._condition(position, -self._ratio)
        self._count(position, 1.0)

    def _condition(self, position: int, ratio: float) -> None:
        """One record more (ratio) or less (-ratio)."""
        d, column = self._error[:, position].copy(), self._gain[:, position].copy()
        mean, own = float(self._mean[position]), float(column[position])
        spread = float(d[position]) + ratio
        half = column / spread - 0.5 * own / spread**2 * d
        self.total -= own / spread
        self._pev -= (d - mean) ** 2 / spread
        self._gain -= np.column_stack([d, half]) @ np.vstack([half, d])
        self._mean -= mean / spread * d
        self._error -= np.outer(d, d / spread)

    def _count(self, position: int, sign: float) -> None:
        """The line joins (+1) or leaves (-1) those that are to be predicted."""
        weight = sign * float(self._weights[position])
        if weight:
            row = self._error[position] - self._mean
            self._gain += np.outer(weight * row, row)
            self.total += weight * float(self._pev[position])


def _half_and_shift(kernel: Matrix, ratio: float, training: Rows) -> tuple[Matrix, Vector]:
    """With ``V = K_TT + ratio I = L L'``: ``L^-1 K_T``, (T, n), and the mean's part of the error, (n,)."""
    covariance = kernel[np.ix_(training, training)] + ratio * np.eye(len(training))
    factor = cholesky(covariance, lower=True, check_finite=False)
    half = solve_triangular(factor, kernel[training], lower=True, check_finite=False)
    ones = solve_triangular(factor, np.ones(len(training)), lower=True, check_finite=False)
    return half, (1.0 - ones @ half) / np.linalg.norm(ones)


def _double_centred_diagonal(own: Vector, mean: Vector) -> Vector:
    return np.maximum(own - 2.0 * mean + mean.mean(), 0.0)
