"""A symmetric matrix brought to a narrow band by orthogonal reflections.

``A = Q B Q'`` with B a band matrix costs 4 n^3 / 3 operations, nearly all of them products of matrices
(Bischof, Lang and Sun 2000, ACM Transactions on Mathematical Software 26:602); an eigendecomposition costs
several times that, half of it at the speed of memory. Determinants and solutions of ``A + s I`` for any s
then cost n times the square of the width: enough for every likelihood of one kernel, with any ratio of two
variances.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import qr

Matrix = NDArray[np.float64]

#: Width of the band, which is the number of columns that are reflected at once.
_WIDTH: Final = 64
#: Rows and columns of a tile: products stay in the processor's cache.
_TILE: Final = 256


@dataclass(frozen=True)
class Reflections:
    """``I - Y T Y'`` on the rows from ``first`` on.

    Attributes
    ----------
    first
        First row that is reflected.
    y, t
        (rows, k) and (k, k).
    """

    first: int
    y: NDArray[Any]
    t: NDArray[Any]


@dataclass(frozen=True)
class BandMatrix:
    """A symmetric matrix as ``Q B Q'``.

    Attributes
    ----------
    band
        (1 + width, n) diagonals of B, the main one first, in LAPACK's lower storage.
    reflections
        Whose product is Q.
    """

    band: Matrix
    reflections: tuple[Reflections, ...]

    def rotated(self, columns: Matrix) -> Matrix:
        """``Q'`` times columns.

        Parameters
        ----------
        columns
            (n, k).

        Returns
        -------
        ndarray
            (n, k).
        """
        found = columns.astype(np.float64)
        for each in self.reflections:
            below = found[each.first :]
            below -= each.y @ (each.t.T @ (each.y.T @ below))
        return found


def band_reduction(matrix: NDArray[Any], width: int = _WIDTH) -> BandMatrix:
    """Reduce a symmetric matrix to a band.

    Parameters
    ----------
    matrix
        (n, n) symmetric; its precision, single or double, is that of the work. It is overwritten.
    width
        Of the band.

    Returns
    -------
    BandMatrix
        The band and the reflections.

    Examples
    --------
    >>> matrix = np.array([[2.0, 0.0, 1.0], [0.0, 3.0, 1.0], [1.0, 1.0, 4.0]])
    >>> float(band_reduction(matrix.copy(), 1).band[0].sum())
    9.0
    """
    n, kind = len(matrix), matrix.dtype
    product, reflections = np.empty((_TILE, _TILE), kind), []
    for start in range(0, n - width - 1, width):
        first = start + width
        panel = matrix[first:, start:first]
        (below, scale), triangle = qr(panel, mode="raw", check_finite=False)
        y = np.tril(below[:, : len(scale)], -1)
        y[np.diag_indices(len(scale))] = 1.0
        t = _triangle(y, scale)
        panel[:] = 0.0
        panel[: min(len(triangle), width)] = triangle[:width]
        _reflect_both_sides(matrix[first:, first:], y, t, first, product)
        reflections.append(Reflections(first, y, t))
    band = np.zeros((width + 1, n), order="F")
    for offset in range(min(width + 1, n)):
        band[offset, : n - offset] = np.diagonal(matrix, -offset)
    return BandMatrix(band, tuple(reflections))


def _triangle(y: NDArray[Any], scale: NDArray[Any]) -> NDArray[Any]:
    """T of the product of reflections ``I - scale_i y_i y_i'`` (Schreiber and Van Loan 1989)."""
    between, t = y.T @ y, np.zeros((len(scale), len(scale)), y.dtype)
    for column, factor in enumerate(scale):
        t[column, column] = factor
        t[:column, column] = -factor * (t[:column, :column] @ between[:column, column])
    return t


def _reflect_both_sides(
    rest: NDArray[Any], y: NDArray[Any], t: NDArray[Any], first: int, product: NDArray[Any]
) -> None:
    """``rest = (I - Y T Y')' rest (I - Y T Y')`` in place, in the tiles on and under the diagonal."""
    size = len(rest)
    # Tiles lie at the same places of the whole matrix every time: those on its diagonal stay complete.
    cuts = [0, *range(_TILE - first % _TILE, size, _TILE), size]
    tiles = list(pairwise(cuts))
    image = np.zeros_like(y)
    for top, bottom in tiles:
        image[top:bottom] += rest[top:bottom, top:bottom] @ y[top:bottom]
        below = rest[bottom:, top:bottom]
        image[bottom:] += below @ y[top:bottom]
        image[top:bottom] += below.T @ y[bottom:]
    image = image @ t
    image -= 0.5 * (y @ (t.T @ (y.T @ image)))
    left, right = np.concatenate([image, y], axis=1), np.concatenate([y, image], axis=1)
    across = np.ascontiguousarray(right.T)
    for place, (left_end, right_end) in enumerate(tiles):
        for top, bottom in tiles[place:]:
            change = product[: bottom - top, : right_end - left_end]
            np.matmul(left[top:bottom], across[:, left_end:right_end], out=change)
            rest[top:bottom, left_end:right_end] -= change
