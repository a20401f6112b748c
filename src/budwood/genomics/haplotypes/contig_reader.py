"""Sequence of one contig, read in passing from its start to its end."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from budwood.genomics.assembly import Assembly
from budwood.genomics.interval import Interval

#: Bases fetched at a time: one request for many neighbouring sites, and little memory.
_STRETCH = 1 << 18


class ContigReader:
    """Codes of stretches of one contig for a caller whose requests move mostly forward.

    Keeps the last stretch fetched, so that thousands of neighbouring requests cost one access to the file.

    Parameters
    ----------
    assembly
        Where the contig is.
    contig
        Its name.
    """

    def __init__(self, assembly: Assembly, contig: str) -> None:
        self.contig = contig
        self.length = assembly.contigs[contig]
        self._assembly = assembly
        self._start = 0
        self._codes = np.empty(0, dtype=np.uint8)

    def codes(self, start: int, end: int) -> NDArray[np.uint8]:
        """Codes of ``start`` to ``end`` (0-based, half-open), cut at the contig's end.

        Parameters
        ----------
        start, end
            0-based half-open interval.

        Returns
        -------
        ndarray
            (length,) ``uint8`` codes.
        """
        end = min(end, self.length)
        if start >= end:
            return np.empty(0, dtype=np.uint8)
        if start < self._start or end > self._start + len(self._codes):
            stop = min(self.length, max(end, start + _STRETCH))
            self._codes = self._assembly.sequence(Interval(self.contig, start, stop))
            self._start = start
        return self._codes[start - self._start : end - self._start]
