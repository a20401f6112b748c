"""Preconditioned conjugate gradients for many right-hand sides at once.

All columns search one space, so that every column gains from the directions of the others; a matrix whose
product costs a pass over all genotypes is multiplied far less often than for one column after another. A
block may lose rank when columns converge; the directions are then fewer (Ji and Li 2017, BIT 57:379).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]

#: Share of a block's largest direction under which one is left out.
_NOTHING: Final = 1e-7
#: What products in single precision can reduce a residual to.
_SINGLE: Final = 1e-4


class SymmetricProduct(Protocol):
    """Product of a symmetric positive definite (n, n) matrix with columns."""

    def __call__(self, columns: Matrix, *, exact: bool = False) -> Matrix:
        """(n, k) product with (n, k) columns, in double precision where ``exact``.

        Parameters
        ----------
        columns
            (n, k).
        exact
            Whether single precision is not enough.
        """


@dataclass(frozen=True, kw_only=True)
class Solution:
    """Solved columns.

    Attributes
    ----------
    values
        (n, k).
    residual
        (k,) length of what is left of each right-hand side, relative to it.
    passes
        Products that were made, those in double precision counted twice.
    """

    values: Matrix
    residual: Vector
    passes: int


def solve_columns(
    multiply: SymmetricProduct,
    right: Matrix,
    *,
    precondition: Callable[[Matrix], Matrix],
    tolerance: float,
    start: Matrix | None = None,
    most_passes: int = 500,
) -> Solution:
    """Solve ``A X = B`` to a relative residual in every column.

    Products are in single precision. Where the tolerance is finer than that, what is left is made in double
    precision and solved again (iterative refinement), until it is reached.

    Parameters
    ----------
    multiply
        Product with A.
    right
        (n, k) right-hand sides B.
    precondition
        Product with an approximate inverse of A, symmetric and positive definite.
    tolerance
        Largest relative residual.
    start
        (n, k) columns to begin with, 0 by default.
    most_passes
        Products after which the system counts as unsolvable.

    Returns
    -------
    Solution
        The columns.

    Raises
    ------
    BudwoodError
        If the tolerance is not reached.

    Examples
    --------
    >>> matrix = np.diag([1.0, 2.0, 4.0])
    >>> found = solve_columns(
    ...     lambda columns, exact=False: matrix @ columns, np.ones((3, 2)),
    ...     precondition=lambda columns: columns, tolerance=1e-10,
    ... )
    >>> found.values[:, 0]
    array([1.  , 0.5 , 0.25])
    """
    length = np.linalg.norm(right, axis=0)
    length[length == 0.0] = 1.0
    values, rest, passes = np.zeros_like(right), right / length, 0
    if start is not None:
        values = start / length
        rest, passes = rest - multiply(values, exact=True), 2
    while True:
        left = np.linalg.norm(rest, axis=0)
        open_columns = left > tolerance
        if not open_columns.any():
            return Solution(values=values * length, residual=left, passes=passes)
        if passes >= most_passes:
            raise BudwoodError(
                f"the mixed-model equations are not solved after {passes} passes over the markers: a "
                f"relative residual of {left.max():.1e} is left, and {tolerance:.0e} was to be reached",
                mend="give less unequal record weights, or use fewer lines",
            )
        aim = np.maximum(0.5 * tolerance, _SINGLE * left)[open_columns]
        step, reached, count = _steps(
            multiply, rest[:, open_columns], precondition, aim, most_passes - passes
        )
        values[:, open_columns] += step
        passes += count
        if tolerance >= _SINGLE:
            # The residual that the steps kept is exact enough.
            rest[:, open_columns] = reached
        else:
            rest = right / length - multiply(values, exact=True)
            passes += 2


def _steps(
    multiply: SymmetricProduct,
    right: Matrix,
    precondition: Callable[[Matrix], Matrix],
    aim: Vector,
    most: int,
) -> tuple[Matrix, Matrix, int]:
    """Solution and residual after enough steps in single precision, and the number of products."""
    values, rest = np.zeros_like(right), right.copy()
    directions = _orthonormal(precondition(rest))
    for count in range(1, most + 1):
        image = multiply(directions)
        between = directions.T @ image
        between = 0.5 * (between + between.T)
        along = np.linalg.solve(between, directions.T @ rest)
        values += directions @ along
        rest -= image @ along
        if np.all(np.linalg.norm(rest, axis=0) <= aim):
            return values, rest, count
        new = precondition(rest)
        back = np.linalg.solve(between, image.T @ new)
        directions = _orthonormal(new - directions @ back)
    return values, rest, most


def _orthonormal(columns: Matrix) -> Matrix:
    """Orthonormal basis of columns of any length, of those alone that others do not determine."""
    size = np.linalg.norm(columns, axis=0)
    scaled = columns[:, size > 0.0] / size[size > 0.0]
    basis, triangle = np.linalg.qr(scaled)
    left, strength, _ = np.linalg.svd(triangle)
    return basis @ left[:, : int((strength > _NOTHING * strength[0]).sum())]
