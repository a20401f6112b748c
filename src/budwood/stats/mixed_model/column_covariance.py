"""Structures of the covariance between columns: sums of kernels, and factor-analytic.

A structure turns a parameter vector into the (m, m) covariance G of the columns that have records and their
residual variances r, and derivatives with respect to those into derivatives with respect to the
parameters. It also says how columns without records covary with the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from budwood.stats.mixed_model.fixed_effects import Matrix, Vector
from budwood.stats.relationship.relationship import Rows

#: Smallest residual variance, for records of variance around 1: keeps equations solvable.
_FLOOR: Final = 1e-4


class ColumnCovariance(Protocol):
    """A structure with parameters to be estimated."""

    @property
    def start(self) -> Vector:
        """Where the search begins."""

    @property
    def lower(self) -> Vector:
        """Lower bound of each parameter, minus infinity where it has none."""

    def covariance(self, parameters: Vector) -> tuple[Matrix, Vector]:
        """Covariance and residual variances of the columns with records.

        Parameters
        ----------
        parameters
            (p,) parameters of the structure.

        Returns
        -------
        covariance : ndarray
            (m, m) G.
        residual : ndarray
            (m,) r.
        """

    def gradient(self, parameters: Vector, by_covariance: Matrix, by_residual: Vector) -> Vector:
        """Derivatives with respect to the parameters, by the chain rule.

        Parameters
        ----------
        parameters
            (p,) parameters of the structure.
        by_covariance
            (m, m) derivatives with respect to the entries of G.
        by_residual
            (m,) derivatives with respect to r.

        Returns
        -------
        ndarray
            (p,) derivatives.
        """

    def everywhere(self, parameters: Vector) -> Matrix:
        """Covariance of all columns.

        Parameters
        ----------
        parameters
            (p,) parameters of the structure.

        Returns
        -------
        ndarray
            (a, a).
        """

    def parts(self, parameters: Vector) -> Mapping[str, float]:
        """Mean variance over the columns with records by source.

        Parameters
        ----------
        parameters
            (p,) parameters of the structure.

        Returns
        -------
        dict
            Variance by the name of its source, ``"residual"`` last.
        """


@dataclass(frozen=True)
class SumOfKernels:
    """``G = sum_k V_k B_k`` with one residual variance for all columns.

    Attributes
    ----------
    kernels
        (a, a) between all columns by name.
    seen
        (m,) the columns that have records.

    Examples
    --------
    >>> both = SumOfKernels({"main": np.ones((2, 2)), "own": np.eye(2)}, np.arange(2))
    >>> both.covariance(np.array([2.0, 1.0, 0.5]))[0]
    array([[3., 2.],
           [2., 3.]])
    """

    kernels: Mapping[str, Matrix]
    seen: Rows

    @property
    def start(self) -> Vector:
        """Equal shares of a variance of 1."""
        count = len(self.kernels)
        return np.array([0.5 / count] * count + [0.5])

    @property
    def lower(self) -> Vector:
        """No variance under 0."""
        return np.array([0.0] * len(self.kernels) + [_FLOOR])

    def covariance(self, parameters: Vector) -> tuple[Matrix, Vector]:
        """Covariance and residual variances of the columns with records.

        Parameters
        ----------
        parameters
            (p,) parameters of the structure.

        Returns
        -------
        covariance : ndarray
            (m, m) G.
        residual : ndarray
            (m,) r.
        """
        among = self.everywhere(parameters)[np.ix_(self.seen, self.seen)]
        return among, np.full(len(self.seen), parameters[-1])

    def gradient(self, parameters: Vector, by_covariance: Matrix, by_residual: Vector) -> Vector:
        """Derivatives with respect to the parameters, by the chain rule.

        Parameters
        ----------
        parameters
            (p,) parameters of the structure.
        by_covariance
            (m, m) derivatives with respect to the entries of G.
        by_residual
            (m,) derivatives with respect to r.

        Returns
        -------
        ndarray
            (p,) derivatives.
        """
        square = np.ix_(self.seen, self.seen)
        slopes = [float(np.vdot(kernel[square], by_covariance)) for kernel in self.kernels.values()]
        return np.array([*slopes, float(by_residual.sum())])

    def everywhere(self, parameters: Vector) -> Matrix:
        """Covariance of all columns.

        Parameters
        ----------
        parameters
            (p,) parameters of the structure.

        Returns
        -------
        ndarray
            (a, a).
        """
        pairs = zip(parameters, self.kernels.values(), strict=False)
        return np.sum([variance * kernel for variance, kernel in pairs], axis=0)

    def parts(self, parameters: Vector) -> dict[str, float]:
        """Mean variance over the columns with records by source.

        Parameters
        ----------
        parameters
            (p,) parameters of the structure.

        Returns
        -------
        dict
            Variance by the name of its source, ``"residual"`` last.
        """
        sizes = [float(np.diagonal(kernel)[self.seen].mean()) for kernel in self.kernels.values()]
        found = {
            name: float(v) * size for name, v, size in zip(self.kernels, parameters, sizes, strict=False)
        }
        return {**found, "residual": float(parameters[-1])}


@dataclass(frozen=True)
class FactorAnalytic:
    """``G = L L' + diag(psi)`` with a residual variance for each column.

    L has ``order`` columns of loadings (Smith, Cullis and Thompson 2001, Biometrics 57:1138); order 0 leaves
    independent columns. A column without records gets the mean loadings of the others and their mean specific
    variance, which is its own.

    Attributes
    ----------
    order
        Number of factors.
    seen
        (m,) the columns that have records.
    columns
        Number of all columns, a.
    """

    order: int
    seen: Rows
    columns: int

    @property
    def start(self) -> Vector:
        """Every column alike in the first factor, waves in the others."""
        m = len(self.seen)
        loadings = np.zeros((m, self.order))
        if self.order:
            loadings[:, 0] = 0.5
        # Further factors start from waves: loadings of 0 would have derivatives of 0.
        for factor in range(1, self.order):
            loadings[:, factor] = 0.2 * np.cos(np.pi * factor * (np.arange(m) + 0.5) / m)
        return np.concatenate([loadings.ravel(), np.full(m, 0.2), np.full(m, 0.5)])

    @property
    def lower(self) -> Vector:
        """No variance under 0."""
        m = len(self.seen)
        return np.array([-np.inf] * (m * self.order) + [0.0] * m + [_FLOOR] * m)

    def covariance(self, parameters: Vector) -> tuple[Matrix, Vector]:
        """Covariance and residual variances of the columns with records.

        Parameters
        ----------
        parameters
            (p,) parameters of the structure.

        Returns
        -------
        covariance : ndarray
            (m, m) G.
        residual : ndarray
            (m,) r.
        """
        loadings, specific, residual = self._split(parameters)
        return loadings @ loadings.T + np.diag(specific), residual

    def gradient(self, parameters: Vector, by_covariance: Matrix, by_residual: Vector) -> Vector:
        """Derivatives with respect to the parameters, by the chain rule.

        Parameters
        ----------
        parameters
            (p,) parameters of the structure.
        by_covariance
            (m, m) derivatives with respect to the entries of G.
        by_residual
            (m,) derivatives with respect to r.

        Returns
        -------
        ndarray
            (p,) derivatives.
        """
        loadings, _, _ = self._split(parameters)
        by_loadings = (by_covariance + by_covariance.T) @ loadings
        return np.concatenate([by_loadings.ravel(), np.diagonal(by_covariance), by_residual])

    def everywhere(self, parameters: Vector) -> Matrix:
        """Covariance of all columns.

        Parameters
        ----------
        parameters
            (p,) parameters of the structure.

        Returns
        -------
        ndarray
            (a, a).
        """
        loadings, specific, _ = self._split(parameters)
        every = np.tile(loadings.mean(axis=0), (self.columns, 1))
        own = np.full(self.columns, specific.mean())
        every[self.seen], own[self.seen] = loadings, specific
        return every @ every.T + np.diag(own)

    def parts(self, parameters: Vector) -> dict[str, float]:
        """Mean variance over the columns with records by source.

        Parameters
        ----------
        parameters
            (p,) parameters of the structure.

        Returns
        -------
        dict
            Variance by the name of its source, ``"residual"`` last.
        """
        loadings, specific, residual = self._split(parameters)
        common = float((loadings**2).sum(axis=1).mean())
        return {"factors": common, "specific": float(specific.mean()), "residual": float(residual.mean())}

    def _split(self, parameters: Vector) -> tuple[Matrix, Vector, Vector]:
        m = len(self.seen)
        loadings, rest = parameters[: m * self.order], parameters[m * self.order :]
        return loadings.reshape(m, self.order), rest[:m], rest[m:]
