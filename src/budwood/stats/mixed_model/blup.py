"""Best linear unbiased prediction, with every prediction-error variance under its own name.

Henderson (1975), Biometrics 31:423. With V = sum_k V_k K_k + Ve W^-1, C the covariance of the records with
the effects of the lines to predict, and P = V^-1 - V^-1 X (X' V^-1 X)^-1 X' V^-1:

    u_hat   = C' P y                                                  (C' V^-1 (y - X b_hat))
    PEV(u)  = Var(u_hat - u)            = Var(u) - diag(C' P C)
    PEV(g)  = Var(x b_hat + u_hat - g)  = Var(u) - diag(C' V^-1 C) + diag(D (X' V^-1 X)^-1 D'),  g = x b + u
    PEV(y*) = PEV(g) + Ve / w                                         y* a new record of the line

with D = x - C' V^-1 X. PEV(u) judges the genetic effect (its reliability), PEV(g) the genetic value that is
reported, PEV(y*) an observation still to be made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.linalg.lapack import dpotrf, dpotri

from budwood.stats.mixed_model.fixed_effects import Matrix, Vector, check_kernels
from budwood.stats.mixed_model.variance_components import VarianceComponents

#: Share of the largest eigenvalue under which one counts as 0.
_SINGULAR: Final = 1e-9
#: Rows of a matrix that are added at once, and stay in the processor's cache.
_ROWS: Final = 32


@dataclass(frozen=True)
class LinePrediction:
    """Predictions of c lines.

    Attributes
    ----------
    effect
        (c,) u_hat, the genetic effect as deviation from the fixed part.
    value
        (c,) fixed part + effect: the genetic value.
    effect_variance
        (c,) Var(u) = sum_k V_k K_k[i, i].
    pev_effect, pev_value, pev_record
        (c,) variances of effect_hat - effect, value_hat - value and value_hat - a new record of weight 1.
    """

    effect: Vector
    value: Vector
    effect_variance: Vector
    pev_effect: Vector
    pev_value: Vector
    pev_record: Vector

    @property
    def reliability(self) -> Vector:
        """(c,) 1 - PEV(u) / Var(u), in 0..1; 0 where the kernels explain nothing."""
        unexplained = np.ones_like(self.effect)
        np.divide(self.pev_effect, self.effect_variance, out=unexplained, where=self.effect_variance > 0.0)
        return np.clip(1.0 - unexplained, 0.0, 1.0)


@dataclass(frozen=True)
class Blup:
    """The mixed-model equations solved for given variance components.

    Attributes
    ----------
    components
        Variance components.
    fixed_effects, fixed_covariance
        (q,) generalised least squares estimates and their (q, q) covariance.
    projected
        (n,) P y; the marker effects of a kernel Z Z' c are V c Z' P y.
    """

    components: VarianceComponents
    fixed_effects: Vector
    fixed_covariance: Matrix
    projected: Vector
    _factor: Matrix
    _solved_fixed: Matrix
    _records: Vector

    def predict(
        self, cross: Sequence[Matrix], own: Sequence[Vector], *, fixed: Matrix | None = None
    ) -> LinePrediction:
        """Predict lines from their kernels with the records.

        Parameters
        ----------
        cross
            For each kernel, (c, n) between the lines and the records.
        own
            For each kernel, (c,) diagonal of the lines.
        fixed
            (c, q) fixed effects of the lines, an intercept by default.

        Returns
        -------
        LinePrediction
            Effects, values and their error variances.
        """
        count = len(own[0])
        x = np.ones((count, 1)) if fixed is None else fixed
        covariance = np.zeros((count, len(self._records)))
        variance = np.zeros(count)
        for weight, between, diagonal in zip(self.components.kernels, cross, own, strict=True):
            covariance += weight * between
            variance += weight * diagonal
        effect = covariance @ self.projected
        half = solve_triangular(self._factor, covariance.T, lower=True, check_finite=False)
        explained = np.einsum("ij,ij->j", half, half)
        shift = covariance @ self._solved_fixed
        pev_effect = variance - explained + _quadratic(shift, self.fixed_covariance)
        pev_value = variance - explained + _quadratic(x - shift, self.fixed_covariance)
        pev_effect, pev_value = np.maximum(pev_effect, 0.0), np.maximum(pev_value, 0.0)
        value = x @ self.fixed_effects + effect
        return LinePrediction(
            effect, value, variance, pev_effect, pev_value, pev_value + self.components.residual
        )

    def leave_one_out(self) -> Vector:
        """Prediction of each record from the others, with the variance components kept.

        ``y_i - (P y)_i / P_ii``: no refitting (Christensen, Pearson and Johnson 1992, Technometrics 34:38).

        Returns
        -------
        ndarray
            (n,) in units of the records.
        """
        inverse, _ = dpotri(self._factor, lower=1)
        diagonal = np.diagonal(inverse) - _quadratic(self._solved_fixed, self.fixed_covariance)
        # A record that alone determines a fixed effect has a diagonal of 0: nothing predicts it.
        alone = diagonal <= _SINGULAR * np.diagonal(inverse)
        return self._records - np.where(alone, 0.0, self.projected / np.where(alone, 1.0, diagonal))

    def leave_groups_out(self, groups: NDArray[np.int64]) -> tuple[Vector, Vector]:
        """Prediction of each record from the records of other groups, variance components kept.

        For the records F of a group, ``y_F - (P_FF)^-1 (P y)_F``, an error with covariance ``(P_FF)^-1``: no
        refitting, and nothing but the components has seen the group.

        Parameters
        ----------
        groups
            (n,) group of each record; at least two groups.

        Returns
        -------
        value, pev_record
            (n,) each: the prediction, and its error variance as one of that very record, of its own weight.
        """
        return self.leave_divisions_out([groups])[0]

    def leave_divisions_out(self, divisions: Sequence[NDArray[np.int64]]) -> list[tuple[Vector, Vector]]:
        """:meth:`leave_groups_out` for several divisions into groups, with one inverse.

        Parameters
        ----------
        divisions
            (n,) group of each record, at least two groups in each.

        Returns
        -------
        list of tuple
            What :meth:`leave_groups_out` gives for each.
        """
        if any(np.ptp(groups) == 0 for groups in divisions):
            raise ValueError("no group can be predicted from others: there is one only")
        inverse, _ = dpotri(self._factor, lower=1)
        found = []
        for groups in divisions:
            value, variance = np.empty_like(self._records), np.empty_like(self._records)
            for name in np.unique(groups):
                held = np.flatnonzero(groups == name)
                covariance = self._covariance_of_errors(inverse, held)
                value[held] = self._records[held] - covariance @ self.projected[held]
                variance[held] = np.maximum(np.diagonal(covariance), 0.0)
            found.append((value, variance))
        return found

    def _covariance_of_errors(self, inverse: Matrix, held: NDArray[np.intp]) -> Matrix:
        """``(P_FF)^-1`` from the lower triangle of the inverse of V."""
        below = np.tril(inverse[np.ix_(held, held)])
        square = below + np.tril(below, -1).T
        square -= self._solved_fixed[held] @ self.fixed_covariance @ self._solved_fixed[held].T
        # A group can hold all that a fixed effect is known from; that part of it is not predicted.
        if self._solved_fixed.shape[1] > 1 and not _is_regular(square):
            return np.asarray(np.linalg.pinv(square, _SINGULAR, hermitian=True), dtype=np.float64)
        factor, failed = dpotrf(square, lower=1)
        if failed:
            return np.asarray(np.linalg.inv(square), dtype=np.float64)
        covariance, _ = dpotri(factor, lower=1)
        return np.asarray(np.tril(covariance) + np.tril(covariance, -1).T, dtype=np.float64)


def blup(
    y: Vector,
    kernels: Sequence[Matrix],
    components: VarianceComponents,
    *,
    fixed: Matrix | None = None,
    weights: Vector | None = None,
) -> Blup:
    """Solve the mixed model of :func:`budwood.stats.mixed_model.reml.reml` at its variance components.

    Parameters
    ----------
    y
        (n,) records.
    kernels
        (n, n) covariance structure of each effect between the records.
    components
        Variances, one for each kernel and the residual.
    fixed
        (n, q) fixed effects, an intercept by default.
    weights
        (n,) record weights, 1 by default.

    Returns
    -------
    Blup
        The solved equations.

    Raises
    ------
    BudwoodError
        If a kernel, a weight or the fixed effects cannot be used.

    Examples
    --------
    >>> y = np.array([1.0, 2.0, 6.0])
    >>> half = VarianceComponents((1.0,), 1.0, 0.0)
    >>> solved = blup(y, [np.eye(3)], half)
    >>> solved.predict([np.eye(3)], [np.ones(3)]).value
    array([2. , 2.5, 4.5])
    """
    n = len(y)
    check_kernels(kernels, n)
    x = np.ones((n, 1)) if fixed is None else np.asarray(fixed, dtype=np.float64)
    factor, _ = cho_factor(
        _covariance(n, kernels, components, weights), lower=True, overwrite_a=True, check_finite=False
    )
    solved_fixed = cho_solve((factor, True), x, check_finite=False)
    fixed_covariance = np.asarray(np.linalg.inv(x.T @ solved_fixed), dtype=np.float64)
    fixed_effects = fixed_covariance @ (solved_fixed.T @ y)
    projected = cho_solve((factor, True), y - x @ fixed_effects, check_finite=False)
    return Blup(components, fixed_effects, fixed_covariance, projected, factor, solved_fixed, y)


def _covariance(
    n: int, kernels: Sequence[Matrix], components: VarianceComponents, weights: Vector | None
) -> Matrix:
    """(n, n) covariance of the records."""
    # Row by row as the kernels are; the transpose of a symmetric matrix is what LAPACK reads in place.
    covariance = np.zeros((n, n))
    for weight, kernel in zip(components.kernels, kernels, strict=True):
        for start in range(0, n, _ROWS):
            rows = slice(start, start + _ROWS)
            covariance[rows] += weight * kernel[rows]
    covariance[np.diag_indices(n)] += (
        components.residual if weights is None else components.residual / weights
    )
    return covariance.T


def _is_regular(square: Matrix) -> bool:
    """Whether a block of P can be inverted: no fixed effect is known from its records alone."""
    values = np.linalg.eigvalsh(square)
    return bool(values[0] > _SINGULAR * values[-1])


def _quadratic(rows: Matrix, middle: Matrix) -> Vector:
    """Diagonal of rows middle rows'."""
    return np.einsum("ij,jk,ik->i", rows, middle, rows)
