"""Random numbers that Python and the browser draw alike."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

_STEP: Final = np.uint64(0x6D2B79F5)
_MASK: Final = np.uint64(0xFFFFFFFF)
_SPREAD: Final = np.uint64(0x9E3779B1)


class RandomNumbers:
    """A stream of random numbers that depends on its seed alone.

    Number i is a hash of seed + i (mulberry32 by T. Ettinger), so a block is made at once here and one by one
    in the browser.

    Parameters
    ----------
    seed
        From 0; streams of different seeds begin at different places.

    Examples
    --------
    >>> RandomNumbers(1).uniform(3).round(6).tolist() == RandomNumbers(1).uniform(3).round(6).tolist()
    True
    """

    def __init__(self, seed: int) -> None:
        self._seed = (np.uint64(seed + 1) * _SPREAD) & _MASK
        self._drawn = 0

    def uniform(self, count: int) -> NDArray[np.float64]:
        """Numbers from 0 up to but not including 1.

        Parameters
        ----------
        count
            How many.

        Returns
        -------
        ndarray
            (count,).
        """
        places = np.arange(self._drawn + 1, self._drawn + count + 1, dtype=np.uint64)
        self._drawn += count
        a = (self._seed + places * _STEP) & _MASK
        t = _product(a ^ (a >> np.uint64(15)), a | np.uint64(1))
        t = ((t + _product(t ^ (t >> np.uint64(7)), t | np.uint64(61))) & _MASK) ^ t
        return np.asarray(((t ^ (t >> np.uint64(14))) & _MASK) / 4294967296.0, dtype=np.float64)

    def normal(self, count: int) -> NDArray[np.float64]:
        """Standard normal numbers (Box and Muller 1958, Ann. Math. Stat. 29:610, the cosine alone).

        Parameters
        ----------
        count
            How many.

        Returns
        -------
        ndarray
            (count,).
        """
        pairs = self.uniform(2 * count).reshape(count, 2)
        return np.asarray(np.sqrt(-2.0 * np.log(1.0 - pairs[:, 0])) * np.cos(2.0 * np.pi * pairs[:, 1]))

    def permutation(self, count: int) -> NDArray[np.intp]:
        """Numbers below ``count`` in random order.

        Parameters
        ----------
        count
            How many.

        Returns
        -------
        ndarray
            (count,), each once.
        """
        return np.argsort(self.uniform(count), kind="stable")


def _product(a: NDArray[np.uint64], b: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Low 32 bits of a product."""
    return (a * b) & _MASK
