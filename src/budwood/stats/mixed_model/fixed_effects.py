"""Fixed effects and record weights of a mixed model, brought to independent errors of equal variance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError, counted

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]

#: Part of a column's length that others must leave for it to count as one of its own.
_OWN: Final = 1e-6


@dataclass(frozen=True)
class WhitenedDesign:
    """Everything that does not depend on variance components, multiplied by the roots of the weights.

    Attributes
    ----------
    root
        (n,) square roots of the record weights; a record of weight w has residual variance Ve / w.
    fixed
        (n, q) whitened fixed effects.
    basis
        (n, q) orthonormal basis of ``fixed``.
    """

    root: Vector
    fixed: Matrix
    basis: Matrix

    def varying_response(self, y: Vector) -> Vector:
        """Whitened records less their fixed part.

        Parameters
        ----------
        y
            (n,) records.

        Returns
        -------
        ndarray
            (n,).

        Raises
        ------
        BudwoodError
            If nothing is left, or a record is not a finite number.
        """
        if not np.isfinite(y).all():
            raise BudwoodError("a record is not a number", mend="leave records without a value out")
        whitened = self.root * y
        rest = self.residual(whitened[:, None])[:, 0]
        if np.linalg.norm(rest) <= 1e-12 * np.linalg.norm(whitened):
            if self.fixed.shape[1] > 1:
                raise BudwoodError(
                    "the covariates explain the trait entirely, so nothing of it is left to predict",
                    mend="leave out a covariate that is the trait itself, or that has a level for each line",
                )
            raise BudwoodError("the trait does not vary among the records", mend="choose a trait that varies")
        return rest

    def kernel(self, kernel: Matrix) -> Matrix:
        """Whiten a kernel of the records.

        Parameters
        ----------
        kernel
            (n, n) covariance structure between the records.

        Returns
        -------
        ndarray
            (n, n).
        """
        return kernel * self.root[:, None] * self.root[None, :]

    def residual(self, whitened: Matrix) -> Matrix:
        """What the fixed effects leave of the columns: S a with S = I - basis basis'.

        Parameters
        ----------
        whitened
            (n, k) whitened columns a.

        Returns
        -------
        ndarray
            (n, k).
        """
        return whitened - self.basis @ (self.basis.T @ whitened)

    def contrast_kernel(self, kernel: Matrix) -> Matrix:
        """S K S of the whitened kernel, symmetric to the last bit.

        Exactly 0 for a kernel that the fixed effects absorb (a constant one beside an intercept).

        Parameters
        ----------
        kernel
            (n, n) covariance structure between the records.

        Returns
        -------
        ndarray
            (n, n).
        """
        whitened = self.kernel(kernel)
        both = self.residual(self.residual(whitened).T)
        if np.trace(both) <= 1e-12 * np.trace(whitened):
            return np.zeros_like(both)
        return 0.5 * (both + both.T)


def whitened_design(n: int, fixed: Matrix | None = None, weights: Vector | None = None) -> WhitenedDesign:
    """Design of the fixed effects and weights of n records.

    Parameters
    ----------
    n
        Number of records.
    fixed
        (n, q) fixed effects, an intercept by default.
    weights
        (n,) record weights, 1 by default.

    Returns
    -------
    WhitenedDesign
        The design.

    Raises
    ------
    BudwoodError
        If fixed effects are linearly dependent, or weights are not positive and finite.

    Examples
    --------
    >>> whitened_design(4, weights=np.array([1.0, 1.0, 4.0, 4.0])).fixed[:, 0]
    array([1., 1., 2., 2.])
    """
    x = np.ones((n, 1)) if fixed is None else np.asarray(fixed, dtype=np.float64)
    w = np.ones(n) if weights is None else np.asarray(weights, dtype=np.float64)
    if not (np.isfinite(w).all() and (w > 0.0).all()):
        raise BudwoodError("record weights must be positive numbers", mend="leave records without one out")
    root = np.sqrt(w)
    x = root[:, None] * x
    basis, triangle = np.linalg.qr(x)
    size = np.abs(np.diagonal(triangle))
    if n <= x.shape[1] or (size <= 1e-10 * np.linalg.norm(x, axis=0)).any():
        raise BudwoodError(
            f"the {x.shape[1]} fixed effects cannot be separated with {counted(n, 'record')}",
            mend="leave out fixed effects that others determine",
        )
    return WhitenedDesign(root, x, basis)


def independent_columns(columns: Matrix) -> list[int]:
    """Columns that the ones before them do not determine.

    Parameters
    ----------
    columns
        (n, q).

    Returns
    -------
    list of int
        Numbers of the columns, from 0.

    Examples
    --------
    >>> independent_columns(np.array([[1.0, 2.0, 1.0], [1.0, 2.0, 0.0]]))
    [0, 2]
    """
    basis = np.empty((len(columns), 0))
    kept = []
    for index, column in enumerate(columns.T):
        rest = column - basis @ (basis.T @ column)
        rest -= basis @ (basis.T @ rest)
        size = float(np.linalg.norm(rest))
        if size > _OWN * max(float(np.linalg.norm(column)), _OWN):
            kept.append(index)
            basis = np.column_stack([basis, rest / size])
    return kept


def check_kernels(kernels: Sequence[Matrix], n: int) -> None:
    """Refuse kernels that do not fit the records or are not finite.

    Parameters
    ----------
    kernels
        Covariance structures between the records.
    n
        Number of records.

    Raises
    ------
    ValueError
        If a kernel is of another shape.
    BudwoodError
        If a value is not finite.

    Examples
    --------
    >>> check_kernels([np.eye(3)], 3)
    """
    for kernel in kernels:
        if kernel.shape != (n, n):
            raise ValueError(f"kernel {kernel.shape} does not fit {n} records")
        if not np.isfinite(kernel).all():
            raise BudwoodError(
                "a kernel holds values that are not numbers", mend="check the genotypes it came from"
            )
