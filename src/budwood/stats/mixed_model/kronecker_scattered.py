"""Separable records in any pattern and of any weight, solved densely.

The covariance of the N records is built, factored and inverted in place: 8 N^2 bytes and O(N^3) time for each
evaluation of the likelihood.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.linalg.lapack import dpotri

from budwood.stats.mixed_model.fixed_effects import Matrix, Vector
from budwood.stats.mixed_model.kronecker_model import CellPrediction, Likelihood, Targets
from budwood.stats.relationship.relationship import Rows


@dataclass(frozen=True)
class KroneckerScattered:
    """Records sorted by column.

    Attributes
    ----------
    kernel
        (n, n) K.
    rows
        For each column, the rows of its records.
    records, weights
        (N,) column after column.
    """

    kernel: Matrix
    rows: tuple[Rows, ...]
    records: Vector
    weights: Vector

    @property
    def count(self) -> int:
        """Number of records."""
        return len(self.records)

    @property
    def places(self) -> list[slice]:
        """Where the records of each column stand."""
        ends = np.cumsum([0, *(len(rows) for rows in self.rows)]).tolist()
        return [slice(a, b) for a, b in pairwise(ends)]

    def likelihood(self, covariance: Matrix, residual: Vector) -> Likelihood:
        """Restricted log-likelihood and its derivatives.

        Parameters
        ----------
        covariance
            (m, m) covariance G of the columns.
        residual
            (m,) residual variances r.

        Returns
        -------
        Likelihood
            At G and r.
        """
        solved = self.solve(covariance, residual)
        spent = solved.solved_means @ np.linalg.cholesky(solved.mean_covariance)
        log_determinant = 2.0 * float(np.log(np.diagonal(solved.factor)).sum())
        fixed = -float(np.linalg.slogdet(solved.mean_covariance)[1])
        fixed -= sum(np.log(len(rows)) for rows in self.rows)
        # The factor's memory is no longer needed: the inverse may take its place.
        inverse, _ = dpotri(solved.factor, lower=1, overwrite_c=1)
        by_covariance = self._traces(solved.projected[:, None]) - self._blocks(inverse)
        by_covariance += self._traces(spent)
        left = np.diagonal(inverse) - (spent**2).sum(axis=1) - solved.projected**2
        by_residual = -np.array([(left[p] / self.weights[p]).sum() for p in self.places])
        degrees = self.count - len(residual)
        quadratic = float(self.records @ solved.projected)
        value = -0.5 * (degrees * np.log(2.0 * np.pi) + log_determinant + fixed + quadratic)
        return Likelihood(value, 0.5 * by_covariance, 0.5 * by_residual)

    def solve(self, covariance: Matrix, residual: Vector) -> SolvedCells:
        """Solve the mixed-model equations.

        Parameters
        ----------
        covariance
            (m, m) covariance G of the columns.
        residual
            (m,) residual variances r.

        Returns
        -------
        SolvedCells
            The solved equations.
        """
        factor, _ = cho_factor(
            self._covariance(covariance, residual), lower=True, overwrite_a=True, check_finite=False
        )
        indicator = np.zeros((self.count, len(self.rows)))
        for j, place in enumerate(self.places):
            indicator[place, j] = 1.0
        solved_means = cho_solve((factor, True), indicator, check_finite=False)
        mean_covariance = np.linalg.inv(indicator.T @ solved_means)
        mean_covariance = 0.5 * (mean_covariance + mean_covariance.T)
        means = mean_covariance @ (solved_means.T @ self.records)
        projected = cho_solve((factor, True), self.records - indicator @ means, check_finite=False)
        return SolvedCells(self, factor, means, mean_covariance, solved_means, projected)

    def _covariance(self, covariance: Matrix, residual: Vector) -> Matrix:
        """V, lower triangle."""
        places = self.places
        built = np.zeros((self.count, self.count), order="F")
        for i, left in enumerate(self.rows):
            for j in range(i + 1):
                built[places[i], places[j]] = covariance[i, j] * self.kernel[np.ix_(left, self.rows[j])]
        each = np.concatenate([np.full(len(rows), r) for rows, r in zip(self.rows, residual, strict=True)])
        built[np.diag_indices(self.count)] += each / self.weights
        return built

    def _blocks(self, inverse: Matrix) -> Matrix:
        """Sum of K * V^-1 over each block of columns, from the lower triangle of V^-1."""
        places, m = self.places, len(self.rows)
        sums = np.empty((m, m))
        for i, left in enumerate(self.rows):
            for j in range(i + 1):
                block = inverse[places[i], places[j]]
                kernel = self.kernel[np.ix_(left, self.rows[j])]
                if i == j:
                    low = np.tril(block, -1)
                    sums[i, i] = 2.0 * np.vdot(low, kernel) + np.diagonal(block) @ np.diagonal(kernel)
                else:
                    sums[i, j] = sums[j, i] = float(np.vdot(block, kernel))
        return sums

    def _traces(self, vectors: Matrix) -> Matrix:
        """Sum over vectors of a_i' K a_j for each pair of columns."""
        n, m = len(self.kernel), len(self.rows)
        spread = np.zeros((n, m, vectors.shape[1]))
        for j, (rows, place) in enumerate(zip(self.rows, self.places, strict=True)):
            spread[rows, j] = vectors[place]
        flat = spread.reshape(n, -1)
        return np.einsum("nic,njc->ij", spread, (self.kernel @ flat).reshape(spread.shape), optimize=True)


@dataclass(frozen=True)
class SolvedCells:
    """The equations of scattered records, solved.

    Attributes
    ----------
    cells
        The records.
    factor
        Cholesky factor of V.
    means, mean_covariance
        Mean of each column, (m,), and their covariance, (m, m).
    solved_means, projected
        V^-1 X, (N, m), and V^-1 (y - X b), (N,).
    """

    cells: KroneckerScattered
    factor: Matrix
    means: Vector
    mean_covariance: Matrix
    solved_means: Matrix
    projected: Vector

    def predict(self, cross: Matrix, own: Vector, targets: Targets) -> CellPrediction:
        """Predict rows.

        Parameters
        ----------
        cross
            (c, n) kernel of the rows to predict with the n rows of the records.
        own
            (c,) their own kernel.
        targets
            Combinations of columns to predict.

        Returns
        -------
        CellPrediction
            Predictions of c rows for the b targets.
        """
        columns = [self._one(cross, c, x) for c, x in zip(targets.covariance, targets.mean, strict=True)]
        effect, explained, with_mean, without = (np.column_stack(part) for part in zip(*columns, strict=True))
        variance = own[:, None] * targets.variance[None, :]
        pev_effect = np.maximum(variance - explained + without, 0.0)
        pev_value = np.maximum(variance - explained + with_mean, 0.0)
        value = effect + (targets.mean @ self.means)[None, :]
        return CellPrediction(effect, value, variance, pev_effect, pev_value)

    def _one(self, cross: Matrix, covariance: Vector, mean: Vector) -> tuple[Vector, Vector, Vector, Vector]:
        """Of one target: effect, variance explained, what the means add with its own mean and without."""
        between = np.empty((len(cross), self.cells.count))
        for share, rows, place in zip(covariance, self.cells.rows, self.cells.places, strict=True):
            between[:, place] = share * cross[:, rows]
        half = solve_triangular(self.factor, between.T, lower=True, check_finite=False)
        shift = between @ self.solved_means
        total = mean[None, :] - shift
        return (
            between @ self.projected,
            np.einsum("nc,nc->c", half, half),
            np.einsum("ci,ij,cj->c", total, self.mean_covariance, total),
            np.einsum("ci,ij,cj->c", shift, self.mean_covariance, shift),
        )


def kronecker_scattered_of(
    kernel: Matrix, row: Rows, column: Rows, y: Vector, weights: Vector
) -> KroneckerScattered:
    """Records of rows in columns 0 to m - 1, each column with at least one record.

    Parameters
    ----------
    kernel
        (n, n) positive semidefinite.
    row
        (N,) row of each record, in any order.
    column
        (N,) its column.
    y
        (N,) its value.
    weights
        (N,) its weight.

    Returns
    -------
    KroneckerScattered
        The records, column after column.

    Examples
    --------
    >>> row, column = np.array([0, 1, 1]), np.array([1, 0, 1])
    >>> kronecker_scattered_of(np.eye(2), row, column, np.array([3.0, 1.0, 2.0]), np.ones(3)).records
    array([1., 3., 2.])
    """
    order = np.argsort(column, kind="stable")
    row, column = row[order], column[order]
    rows = tuple(row[column == j] for j in range(int(column.max()) + 1))
    return KroneckerScattered(kernel, rows, y[order], weights[order])
