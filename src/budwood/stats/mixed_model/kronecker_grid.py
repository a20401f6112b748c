"""Separable records on a grid of rows and columns that is full, or has some holes.

In the eigenbasis of K = U D U' a full grid falls into n independent vectors of m numbers with covariances
``d_k G + diag(r)``, so that nothing larger than m x m is ever inverted. A hole is a fixed effect of its own
(Bartlett 1937, J. R. Stat. Soc. Suppl. 4:137): with one dummy for each of the h holes, the full grid has
exactly the likelihood and the predictions of the records that are there. Cost O(n m^3 + n h^2 + h^3).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, eigh, solve_triangular
from scipy.linalg.lapack import dpotri

from budwood.stats.mixed_model.fixed_effects import Matrix, Vector
from budwood.stats.mixed_model.kronecker_model import CellPrediction, Likelihood, Targets


@dataclass(frozen=True)
class KroneckerGrid:
    """A grid of records, each of weight 1.

    Attributes
    ----------
    values, vectors
        Eigenvalues, (n,), and eigenvectors, (n, n), of K.
    records
        (n, m) records in the eigenbasis, holes filled with 0.
    dummies
        For each column its fixed effects in the eigenbasis, (1 + holes, n): the mean first, then its holes.
    count
        Number of records.
    """

    values: Vector
    vectors: Matrix
    records: Matrix
    dummies: tuple[Matrix, ...]
    count: int

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
        projected, inverses = solved.projected, solved.inverses
        lower, _ = dpotri(solved.factor, lower=1)
        inverse = np.tril(lower) + np.tril(lower, -1).T
        absorbed = self._absorbed(inverse)
        shrunk = inverses - inverses @ absorbed @ inverses
        by_covariance = projected.T @ (self.values[:, None] * projected)
        by_covariance -= np.einsum("k,kij->ij", self.values, shrunk)
        by_residual = (projected**2).sum(axis=0) - np.einsum("kjj->j", shrunk)
        degrees = self.count - len(residual)
        fixed = 2.0 * float(np.log(np.diagonal(solved.factor)).sum())
        fixed -= sum(np.log(len(self.values) + 1 - len(rows)) for rows in self.dummies)
        value = -0.5 * (degrees * np.log(2.0 * np.pi) + solved.log_determinant + fixed + solved.quadratic)
        return Likelihood(float(value), 0.5 * by_covariance, 0.5 * by_residual)

    def solve(self, covariance: Matrix, residual: Vector) -> SolvedGrid:
        """Solve the mixed-model equations.

        Parameters
        ----------
        covariance
            (m, m) covariance G of the columns.
        residual
            (m,) residual variances r.

        Returns
        -------
        SolvedGrid
            The solved equations.
        """
        root = 1.0 / np.sqrt(residual)
        shares, turned = eigh(covariance * np.outer(root, root), check_finite=False)
        turned = root[:, None] * turned
        spread = 1.0 + self.values[:, None] * np.maximum(shares, 0.0)[None, :]
        inverses = (turned[None, :, :] / spread[:, None, :]) @ turned.T
        log_determinant = float(np.log(spread).sum() + len(self.values) * np.log(residual).sum())
        factor, _ = cho_factor(self._normal(inverses), lower=True, check_finite=False)
        scored = np.einsum("kij,kj->ki", inverses, self.records)
        right = np.concatenate([rows @ scored[:, j] for j, rows in enumerate(self.dummies)])
        effects = cho_solve((factor, True), right, check_finite=False)
        rest = self.records.copy()
        for j, (rows, place) in enumerate(zip(self.dummies, self.places, strict=True)):
            rest[:, j] -= rows.T @ effects[place]
        projected = np.einsum("kij,kj->ki", inverses, rest)
        quadratic = float(np.vdot(rest, projected))
        return SolvedGrid(self, inverses, factor, effects, projected, log_determinant, quadratic)

    @property
    def places(self) -> list[slice]:
        """Where the fixed effects of each column stand among all."""
        ends = np.cumsum([0, *(len(rows) for rows in self.dummies)]).tolist()
        return [slice(a, b) for a, b in pairwise(ends)]

    def _normal(self, inverses: NDArray[np.float64]) -> Matrix:
        """X' V^-1 X over the fixed effects, lower triangle."""
        places = self.places
        normal = np.zeros((places[-1].stop, places[-1].stop))
        for i, left in enumerate(self.dummies):
            for j in range(i + 1):
                normal[places[i], places[j]] = (left * inverses[:, i, j]) @ self.dummies[j].T
        return normal

    def _absorbed(self, inverse: Matrix) -> NDArray[np.float64]:
        """(n, m, m) diagonal blocks, by eigenvector, of X (X' V^-1 X)^-1 X'."""
        places, m = self.places, len(self.dummies)
        absorbed = np.empty((len(self.values), m, m))
        for i, left in enumerate(self.dummies):
            for j in range(i + 1):
                block = inverse[places[i], places[j]] @ self.dummies[j]
                absorbed[:, i, j] = absorbed[:, j, i] = np.einsum("ak,ak->k", left, block)
        return absorbed


@dataclass(frozen=True)
class SolvedGrid:
    """The equations of a grid, solved.

    Attributes
    ----------
    grid
        The records.
    inverses
        (n, m, m) inverse covariance of each eigenvector's m numbers.
    factor
        Cholesky factor of X' V^-1 X.
    effects
        Fixed effects: for each column its mean, then its holes.
    projected
        (n, m) V^-1 (y - X b) in the eigenbasis.
    log_determinant, quadratic
        Of V, and (y - X b)' V^-1 (y - X b).
    """

    grid: KroneckerGrid
    inverses: NDArray[np.float64]
    factor: Matrix
    effects: Vector
    projected: Matrix
    log_determinant: float
    quadratic: float

    @property
    def means(self) -> Vector:
        """(m,) estimated mean of each column."""
        return self.effects[[place.start for place in self.grid.places]]

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
        turned = cross @ self.grid.vectors
        effect = turned @ (self.projected @ targets.covariance.T)
        weighed = np.einsum("kij,bj->bki", self.inverses, targets.covariance)
        explained = (turned**2) @ np.einsum("bki,bi->kb", weighed, targets.covariance)
        variance = own[:, None] * targets.variance[None, :]
        with_mean, without = np.empty_like(effect), np.empty_like(effect)
        for b, mean in enumerate(targets.mean):
            with_mean[:, b], without[:, b] = self._fixed_part(turned, weighed[b], mean)
        pev_effect = np.maximum(variance - explained + without, 0.0)
        pev_value = np.maximum(variance - explained + with_mean, 0.0)
        value = effect + (targets.mean @ self.means)[None, :]
        return CellPrediction(effect, value, variance, pev_effect, pev_value)

    def _fixed_part(self, turned: Matrix, weighed: Matrix, mean: Vector) -> tuple[Vector, Vector]:
        """Variance that the estimated fixed effects add, with the target's mean and without it."""
        shift = np.concatenate(
            [rows @ (weighed[:, j, None] * turned.T) for j, rows in enumerate(self.grid.dummies)]
        )
        own = np.zeros((len(shift), 1))
        own[[place.start for place in self.grid.places], 0] = mean
        half = solve_triangular(self.factor, np.hstack([shift, own]), lower=True, check_finite=False)
        without, total = half[:, :-1], half[:, -1:] - half[:, :-1]
        return np.einsum("ac,ac->c", total, total), np.einsum("ac,ac->c", without, without)


def kronecker_grid_of(kernel: Matrix, records: Matrix) -> KroneckerGrid:
    """A grid of records of n rows in m columns.

    Parameters
    ----------
    kernel
        (n, n) positive semidefinite.
    records
        (n, m), NaN where there is none; every column has at least one.

    Returns
    -------
    KroneckerGrid
        The grid in the eigenbasis of the kernel.

    Examples
    --------
    >>> y = np.array([[1.0, 2.0], [1.5, np.nan], [3.0, 4.0]])
    >>> kronecker_grid_of(np.eye(3), y).count
    5
    """
    values, vectors = eigh(kernel, check_finite=False)
    holes = np.isnan(records)
    filled = np.where(holes, 0.0, records)
    mean = vectors.sum(axis=0)
    dummies = tuple(np.vstack([mean, vectors[holes[:, j]]]) for j in range(records.shape[1]))
    return KroneckerGrid(
        np.maximum(values, 0.0), vectors, vectors.T @ filled, dummies, int(records.size - holes.sum())
    )
