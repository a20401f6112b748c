"""A small space that a large symmetric matrix nearly maps onto itself: block Lanczos.

Golub and Underwood (1977): from k start columns, each pass over the matrix adds k directions. Between the
directions the matrix is small, and for any smooth function f

    v' f(A) v  ~  sum_j w_j f(theta_j)

with the eigenvalues theta of the small matrix and weights w from the start columns (block Gauss quadrature;
Golub and Meurant 2010, chapter 6). One space so serves every shift of A: all ratios of two variances.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]

#: Share of the largest direction of a block under which one adds nothing but rounding.
_NOTHING: Final = 1e-5


@dataclass(frozen=True, kw_only=True)
class KrylovSpace:
    """Directions, and the matrix between them.

    Attributes
    ----------
    basis
        (n, s) orthonormal directions, in single precision.
    values
        (s,) eigenvalues theta of the matrix between the directions, ascending.
    vectors
        (s, s) its eigenvectors.
    start
        (s, k) start columns in terms of the eigenvectors.
    """

    basis: NDArray[np.float32]
    values: Vector
    vectors: Matrix
    start: Matrix

    def ritz_vectors(self, count: int) -> NDArray[np.float32]:
        """Approximate eigenvectors of the largest eigenvalues.

        Parameters
        ----------
        count
            How many.

        Returns
        -------
        ndarray
            (n, count), the largest last.
        """
        return self.basis @ self.vectors[:, len(self.values) - count :].astype(np.float32)

    def coefficients(self, function: Callable[[Vector], Vector], columns: slice = slice(None)) -> Matrix:
        """What the directions are multiplied by to be a function of the matrix times start columns.

        Parameters
        ----------
        function
            Of the eigenvalues, smooth; negative ones, which are rounding, count as 0.
        columns
            Which start columns are meant, all by default.

        Returns
        -------
        ndarray
            (s, k); ``basis @ coefficients`` is ``f(A)`` times the columns.

        Examples
        --------
        >>> matrix = np.diag([1.0, 4.0, 9.0])
        >>> *_, space = krylov_spaces(lambda columns: matrix @ columns, np.ones((3, 1)), 3)
        >>> (space.basis @ space.coefficients(np.sqrt))[:, 0].round(3)
        array([1., 2., 3.])
        """
        factor = function(np.maximum(self.values, 0.0))
        return np.asarray(self.vectors @ (factor[:, None] * self.start[:, columns]), dtype=np.float64)

    def function_times(self, columns: Matrix, function: Callable[[Vector], Vector]) -> Matrix:
        """A function of the matrix times any columns, as far as they lie in the space.

        Parameters
        ----------
        columns
            (n, k).
        function
            Of the eigenvalues.

        Returns
        -------
        ndarray
            (n, k).
        """
        inside = self.vectors.T @ (self.basis.T @ columns.astype(np.float32)).astype(np.float64)
        factor = function(np.maximum(self.values, 0.0))[:, None]
        found = self.basis @ (self.vectors @ (factor * inside)).astype(np.float32)
        return found.astype(np.float64)


def krylov_spaces(multiply: Callable[[Matrix], Matrix], start: Matrix, passes: int) -> Iterator[KrylovSpace]:
    """Growing spaces, one after each pass over the matrix.

    Directions are kept orthogonal to all earlier ones, so that rounding makes no copies of eigenvalues.

    Parameters
    ----------
    multiply
        Product of the symmetric (n, n) matrix with (n, k) columns.
    start
        (n, k) start columns.
    passes
        Most passes.

    Yields
    ------
    KrylovSpace
        Of 1, 2, ... passes; it ends early where a pass finds nothing new.

    Examples
    --------
    >>> matrix = np.diag([1.0, 2.0, 5.0])
    >>> *_, space = krylov_spaces(lambda columns: matrix @ columns, np.ones((3, 1)), 3)
    >>> space.values.round(4)
    array([1., 2., 5.])
    """
    n = len(start)
    block, first = np.linalg.qr(start)
    basis = np.empty((n, 0), dtype=np.float32)
    between = np.empty((0, 0))
    for _ in range(passes):
        block = block.astype(np.float32)
        basis = np.concatenate([basis, block], axis=1)
        image = multiply(block.astype(np.float64))
        along = (basis.T @ image.astype(np.float32)).astype(np.float64)
        between = _bordered(between, along)
        values, vectors = eigh(between)
        yield KrylovSpace(basis=basis, values=values, vectors=vectors, start=vectors[: len(first)].T @ first)
        block = _new_directions(basis, image)
        if not block.shape[1]:
            return


def settled_space(
    multiply: Callable[[Matrix], Matrix],
    start: Matrix,
    functions: Sequence[Callable[[Vector], Vector]],
    *,
    columns: slice = slice(None),
    tolerance: float,
    passes: int,
) -> tuple[KrylovSpace, int]:
    """The first space that a further pass hardly changes functions of the matrix in.

    Parameters
    ----------
    multiply, start
        As for :func:`krylov_spaces`.
    functions
        Of the eigenvalues; all of them have to settle.
    columns
        Start columns that they are multiplied with.
    tolerance
        Change by the last pass, relative to the length of all columns.
    passes
        Most passes.

    Returns
    -------
    tuple of KrylovSpace and int
        The space, and the passes it took.

    Examples
    --------
    >>> matrix = np.diag(np.linspace(1.0, 2.0, 50))
    >>> space, passes = settled_space(
    ...     lambda columns: matrix @ columns, np.ones((50, 1)), [np.sqrt], tolerance=1e-3, passes=20
    ... )
    >>> passes
    4
    """
    before: list[Matrix] = []
    count = 0
    for space in krylov_spaces(multiply, start, passes):
        count += 1
        found = [space.coefficients(function, columns) for function in functions]
        if before and all(_change(*each) <= tolerance for each in zip(before, found, strict=True)):
            break
        before = found
    return space, count


def _change(before: Matrix, found: Matrix) -> float:
    """Length of the difference of coefficients, with those of new directions, relative to their length."""
    size = float(np.linalg.norm(found))
    moved = np.linalg.norm(found[: len(before)] - before) ** 2 + np.linalg.norm(found[len(before) :]) ** 2
    return float(moved**0.5) / (size or 1.0)


def _bordered(between: Matrix, along: Matrix) -> Matrix:
    """The matrix between the directions with those of another block, whose column it is given."""
    size, new = len(between), along.shape[1]
    found = np.zeros((size + new, size + new))
    found[:size, :size] = between
    found[:, size:] = along
    found[size:, :size] = along[:size].T
    found[size:, size:] = 0.5 * (along[size:] + along[size:].T)
    return found


def _new_directions(basis: NDArray[np.float32], image: Matrix) -> Matrix:
    """Orthonormal directions of what the basis leaves of an image, those of rounding left out."""
    size = float(np.linalg.norm(image, axis=0).max())
    rest = image
    for _ in range(2):
        rest = rest - (basis @ (basis.T @ rest.astype(np.float32))).astype(np.float64)
    left, strength, _ = np.linalg.svd(rest, full_matrices=False)
    found = left[:, strength > _NOTHING * size]
    # What is short was rounded against its own length: once more against the basis.
    found = found - (basis @ (basis.T @ found.astype(np.float32))).astype(np.float64)
    return np.linalg.qr(found)[0] if found.shape[1] else found
