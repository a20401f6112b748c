"""Preconditioned conjugate gradients for many right-hand sides at once.

All columns search one space, so that every column gains from the directions of the others; a matrix whose
product costs a pass over all genotypes is multiplied far less often than for one column after another. A
block may lose rank when columns converge; the directions are then fewer (Ji and Li 2017, BIT 57:379).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]
T = TypeVar("T")

#: Share of a block's largest direction under which one is left out.
_NOTHING: Final = 1e-7
#: What products in single precision can reduce a residual to.
_SINGLE: Final = 1e-4


class SymmetricProduct(Protocol):
    """Product of a symmetric positive semidefinite (n, n) matrix with columns."""

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
class Equations:
    """``(scale A + shift I) X = B``.

    Attributes
    ----------
    scale, shift
        What makes the matrix of A; ``scale A + shift I`` is positive definite.
    right
        (n, k) right-hand sides B.
    precondition
        Product with an approximate inverse of the matrix, symmetric and positive definite.
    start
        (n, k) columns to begin with, 0 by default.
    """

    scale: float = 1.0
    shift: float = 0.0
    right: Matrix
    precondition: Callable[[Matrix], Matrix]
    start: Matrix | None = None


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
        Products that were made for all equations together, those in double precision counted twice.
    """

    values: Matrix
    residual: Vector
    passes: int


#: Columns whose product is wanted, and whether in double precision; the product; what comes out in the end.
_Asks: TypeAlias = Generator[tuple[Matrix, bool], Matrix, T]


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
    one = Equations(right=right, precondition=precondition, start=start)
    return solve_equations(multiply, [one], tolerance=tolerance, most_passes=most_passes)[0]


def solve_equations(
    multiply: SymmetricProduct, several: Sequence[Equations], *, tolerance: float, most_passes: int = 500
) -> tuple[Solution, ...]:
    """Solve equations of one matrix A with different scales and shifts, as :func:`solve_columns` does each.

    They go on side by side, and what A is multiplied by for all of them is multiplied at once.

    Parameters
    ----------
    multiply
        Product with A.
    several
        Equations.
    tolerance
        Largest relative residual.
    most_passes
        Products after which one of them counts as unsolvable.

    Returns
    -------
    tuple of Solution
        One for each.

    Raises
    ------
    BudwoodError
        If the tolerance is not reached.

    Examples
    --------
    >>> matrix = np.diag([1.0, 2.0, 4.0])
    >>> one, other = solve_equations(
    ...     lambda columns, exact=False: matrix @ columns,
    ...     [
    ...         Equations(right=np.ones((3, 1)), precondition=lambda columns: columns, shift=shift)
    ...         for shift in (0.0, 1.0)
    ...     ],
    ...     tolerance=1e-10,
    ... )
    >>> one.values[:, 0], other.values[:, 0].round(4)
    (array([1.  , 0.5 , 0.25]), array([0.5   , 0.3333, 0.2   ]))
    """
    solving = [_solved(each, tolerance, most_passes) for each in several]
    found: dict[int, Solution] = {}
    asked: dict[int, tuple[Matrix, bool]] = {}
    answers: dict[int, Matrix | None] = dict.fromkeys(range(len(solving)))
    passes = 0
    while True:
        for place, answer in answers.items():
            try:
                asked[place] = solving[place].send(answer)  # type: ignore[arg-type]
            except StopIteration as end:
                found[place] = end.value
        if not asked:
            return tuple(replace(found[place], passes=passes) for place in range(len(solving)))
        # Those that have come to a product in double precision wait for the others to come to theirs.
        exact = all(exact for _, exact in asked.values())
        wanted = {place: asked.pop(place)[0] for place in list(asked) if asked[place][1] == exact}
        passes += 1 + exact
        together = multiply(np.concatenate(list(wanted.values()), axis=1), exact=exact)
        ends = np.cumsum([columns.shape[1] for columns in wanted.values()])
        answers = dict(zip(wanted, np.split(together, ends[:-1], axis=1), strict=True))


def _solved(equations: Equations, tolerance: float, most_passes: int) -> _Asks[Solution]:
    """One set of equations, which asks for products with A."""
    right = equations.right
    length = np.linalg.norm(right, axis=0)
    length[length == 0.0] = 1.0
    values, rest, passes = np.zeros_like(right), right / length, 0
    if equations.start is not None:
        values = equations.start / length
        image = yield from _image(equations, values, True)
        rest, passes = rest - image, 2
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
        step, reached, count = yield from _steps(equations, rest[:, open_columns], aim, most_passes - passes)
        values[:, open_columns] += step
        passes += count
        if tolerance >= _SINGLE:
            # The residual that the steps kept is exact enough.
            rest[:, open_columns] = reached
        else:
            image = yield from _image(equations, values, True)
            rest = right / length - image
            passes += 2


def _image(equations: Equations, columns: Matrix, exact: bool) -> _Asks[Matrix]:
    """The equations' matrix times columns."""
    if equations.scale == 0.0:
        return equations.shift * columns
    product = yield columns, exact
    return equations.scale * product + equations.shift * columns


def _steps(equations: Equations, right: Matrix, aim: Vector, most: int) -> _Asks[tuple[Matrix, Matrix, int]]:
    """Solution and residual after enough steps in single precision, and the number of products."""
    values, rest, precondition = np.zeros_like(right), right.copy(), equations.precondition
    directions = _orthonormal(precondition(rest))
    for count in range(1, most + 1):
        image = yield from _image(equations, directions, False)
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
