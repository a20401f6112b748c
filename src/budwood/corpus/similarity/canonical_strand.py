"""Windows on their canonical strand: of the two strands, the one that comes first in the order of codes."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.genomics.sequence import N, T, reverse_complement

_ENDS: Final = 16
_ROWS: Final = 1 << 12


class CanonicalWindows:
    """Windows on their canonical strand, numbered by their place in an order.

    Parameters
    ----------
    windows
        (n, window) codes A C G T N; read a few rows at a time, so a memory map stays on disk.
    order
        (n,) indices of the windows.
    """

    def __init__(self, windows: NDArray[np.uint8], order: NDArray[np.int64]) -> None:
        self._windows, self._order = windows, order
        self.count, self.width = windows.shape
        starts = range(0, self.count, _ROWS)
        parts = [is_noncanonical(windows[start : start + _ROWS]) for start in starts]
        self._turned = np.concatenate([np.empty(0, np.bool_), *parts])[order]

    def codes(self, places: NDArray[np.int64], reverse: NDArray[np.bool_] | None = None) -> NDArray[np.uint8]:
        """Read whole windows.

        Parameters
        ----------
        places
            (k,) places in the order.
        reverse
            (k,) whether to read the strand opposite to the canonical one; none by default.

        Returns
        -------
        numpy.ndarray
            (k, window) base codes.
        """
        windows = self._windows[self._order[places]]
        turned = self._turned[places] if reverse is None else self._turned[places] ^ reverse
        windows[turned] = reverse_complement(windows[turned])
        return windows

    def bases(
        self, places: NDArray[np.int64], at: NDArray[np.int64], reverse: NDArray[np.bool_] | None = None
    ) -> NDArray[np.uint8]:
        """Read single bases of windows.

        Parameters
        ----------
        places
            (k,) places in the order.
        at
            (k, m) positions in each window; may lie outside it.
        reverse
            (k,) whether to read the strand opposite to the canonical one; none by default.

        Returns
        -------
        numpy.ndarray
            (k, m) base codes, N outside the window.
        """
        turned = (self._turned[places] if reverse is None else self._turned[places] ^ reverse)[:, None]
        inside = (at >= 0) & (at < self.width)
        column = np.where(inside, np.where(turned, self.width - 1 - at, at), 0)
        codes = self._windows[self._order[places][:, None], column]
        codes = np.where(turned & (codes != N), T - codes, codes)
        return np.where(inside, codes, np.uint8(N))


def canonical_windows(windows: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Replace each window by its reverse complement where that comes first in the order of codes.

    Parameters
    ----------
    windows
        (n, window) base codes.

    Returns
    -------
    numpy.ndarray
        (n, window) base codes on the canonical strand.

    Examples
    --------
    >>> from budwood.genomics.sequence import encode
    >>> canonical_windows(encode("TTGACAAA").reshape(2, 4))
    array([[3, 1, 0, 0],
           [1, 0, 0, 0]], dtype=uint8)
    """
    return np.where(is_noncanonical(windows)[:, None], reverse_complement(windows), windows)


def is_noncanonical(windows: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Test whether a window comes after its reverse complement in the order of codes.

    Parameters
    ----------
    windows
        (n, window) base codes.

    Returns
    -------
    numpy.ndarray
        (n,) ``bool``.

    Examples
    --------
    >>> from budwood.genomics.sequence import encode
    >>> is_noncanonical(encode("TTGACAAA").reshape(2, 4))
    array([ True, False])
    """
    ends = min(_ENDS, windows.shape[1])
    if not ends:
        return np.zeros(len(windows), np.bool_)
    here, there = windows[:, :ends], reverse_complement(windows[:, -ends:])
    second, open_rows = _compare(here, there)
    if len(open_rows):
        rest = windows[open_rows]
        second[open_rows] = _compare(rest, reverse_complement(rest))[0]
    return second


def _compare(
    here: NDArray[np.uint8], there: NDArray[np.uint8]
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Whether ``there`` comes before ``here``, and the rows where the two are equal."""
    rows, first = np.arange(len(here)), (here != there).argmax(axis=1)
    own, other = here[rows, first], there[rows, first]
    return other < own, np.flatnonzero(own == other)
