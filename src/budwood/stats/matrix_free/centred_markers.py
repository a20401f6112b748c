"""Products with centred markers, read block by block: no matrix of lines by lines, no copy of the calls.

With ``Z`` the centred relative allele frequencies of n lines (see
:mod:`budwood.stats.relationship.relationship`), every method of large mixed models needs ``Z B``, ``Z' V``
and ``(Z Z' + D) V`` only, ``D`` the expected squares of missing entries. A pass decodes each block of markers
once, multiplies it with all columns at once in single precision and sums up blocks in double precision.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from budwood.stats.matrix_free.processor_threads import processor_threads
from budwood.stats.relationship.relationship import Dosage, MarkerSummary, Rows

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]
Block: TypeAlias = tuple[slice, NDArray[Any]]
T = TypeVar("T")

#: Calls of a pass above which it is divided among threads.
_LONG_PASS: Final = 200_000_000
#: Decoded entries held at once; in single precision 32 MB.
_ENTRIES: Final = 8_000_000
#: Most markers of a block.
_MOST_MARKERS: Final = 2048


@dataclass(frozen=True, kw_only=True)
class CentredMarkers:
    """Centred markers of n lines, which may lie in a file.

    Attributes
    ----------
    dosage
        (N, markers) copies of the counted allele; missing is negative or NaN. A memory map is read block by
        block; one whose markers lie one after another (order ``F``) is read fastest.
    ploidy
        (N,) copies per line.
    summary
        Training means of the markers and which of them, m, take part.
    rows
        (n,) rows of ``dosage`` that are meant; all when None.

    Examples
    --------
    >>> from budwood.stats.relationship.relationship import summarise_markers
    >>> dosage, two = np.array([[0, 2], [1, 1], [2, 0]], dtype=np.int8), np.full(3, 2, dtype=np.int8)
    >>> z = CentredMarkers(dosage=dosage, ploidy=two, summary=summarise_markers(dosage, two))
    >>> z.times(np.array([[1.0], [0.0]])).ravel()
    array([-0.5,  0. ,  0.5])
    >>> z.gram_times(np.eye(3)) * z.unit
    array([[ 2.,  0., -2.],
           [ 0.,  0.,  0.],
           [-2.,  0.,  2.]])
    """

    dosage: Dosage
    ploidy: NDArray[np.int8]
    summary: MarkerSummary
    rows: Rows | None = None

    def __len__(self) -> int:
        return len(self.dosage) if self.rows is None else len(self.rows)

    @property
    def markers(self) -> int:
        """Number of markers that take part."""
        return int(self.summary.kept.sum())

    @property
    def unit(self) -> float:
        """What products are multiplied by to be relationships."""
        return self.summary.ploidy / self.summary.scale

    def times(self, effects: Matrix, *, exact: bool = False) -> Matrix:
        """``Z B``.

        Parameters
        ----------
        effects
            (m, k) a number for each marker.
        exact
            Whether to multiply in double precision.

        Returns
        -------
        ndarray
            (n, k).
        """

        def part(blocks: Iterable[Block]) -> Matrix:
            found = np.zeros((len(self), effects.shape[1]))
            for place, z in blocks:
                found += z @ effects[place].astype(z.dtype)
            return found

        return self._sum_over_blocks(part, exact) * self._scale

    def transposed_times(self, lines: Matrix, *, exact: bool = False) -> Matrix:
        """``Z' V``.

        Parameters
        ----------
        lines
            (n, k) a number for each line.
        exact
            Whether to multiply in double precision.

        Returns
        -------
        ndarray
            (m, k).
        """
        found = np.empty((self.markers, lines.shape[1]))
        rounded = lines.astype(np.float64 if exact else np.float32)

        def part(blocks: Iterable[Block]) -> float:
            for place, z in blocks:
                found[place] = z.T @ rounded
            return 0.0

        self._sum_over_blocks(part, exact)
        return found * self._scale

    def gram_times(self, lines: Matrix, *, exact: bool = False) -> Matrix:
        """``(Z Z' + D) V`` in one pass over the markers.

        Parameters
        ----------
        lines
            (n, k) a number for each line.
        exact
            Whether to multiply in double precision.

        Returns
        -------
        ndarray
            (n, k).
        """
        found = self.marker_gram_times(lines, exact=exact)
        found += self.missing_squares[:, None] * lines
        return found

    def marker_gram_times(self, lines: Matrix, *, exact: bool = False) -> Matrix:
        """``Z Z' V`` in one pass over the markers.

        Parameters
        ----------
        lines
            (n, k) a number for each line.
        exact
            Whether to multiply in double precision.

        Returns
        -------
        ndarray
            (n, k).
        """
        rounded = lines.astype(np.float64 if exact else np.float32)

        def part(blocks: Iterable[Block]) -> Matrix:
            found = np.zeros(lines.shape)
            for _, z in blocks:
                found += z @ (z.T @ rounded)
            return found

        found = self._sum_over_blocks(part, exact)
        found *= self._scale**2
        return found

    def relationship_with(self, others: CentredMarkers) -> Matrix:
        """Relationship of other lines with these, of markers alone.

        Parameters
        ----------
        others
            c lines of the same summary.

        Returns
        -------
        ndarray
            (c, n).
        """
        found, size = np.zeros((len(others), len(self))), self._block_size
        for (_, own), (_, other) in zip(self._blocks(False, size), others._blocks(False, size), strict=True):
            found += other @ own.T
        return found * (self.unit * self._scale * others._scale)

    def squared_distances(self, others: CentredMarkers) -> Matrix:
        """Squared distances of other lines from these, per unit of sum p (1 - p).

        Parameters
        ----------
        others
            c lines of the same summary.

        Returns
        -------
        ndarray
            (c, n); not exactly 0 for a line from itself.
        """
        found = self.relationship_with(others)
        found *= -2.0 / self.unit
        found += others.squares[:, None]
        found += self.squares
        found /= self.summary.scale
        return np.maximum(found, 0.0, out=found)

    @cached_property
    def missing_squares(self) -> Vector:
        """(n,) diagonal of D: expected squares of each line's missing entries."""
        return self._squares[1]

    @cached_property
    def squares(self) -> Vector:
        """(n,) diagonal of ``Z Z' + D``."""
        known, unknown = self._squares
        return known + unknown

    @cached_property
    def _squares(self) -> tuple[Vector, Vector]:
        known, unknown = self.line_squares()
        return known, unknown

    def line_squares(self) -> Matrix:
        """Squares of each line's known and expected ones of its missing entries.

        Returns
        -------
        ndarray
            (2, n).
        """
        known, unknown = np.zeros(len(self)), np.zeros(len(self))
        variance = self.summary.variance[self.summary.kept]
        for place, calls in self._calls(self._places(self._block_size)):
            missing = ~(calls >= 0)
            z = self._centred(calls, place, False)
            known += np.einsum("ij,ij->i", z, z, dtype=np.float64)
            if missing.any():
                unknown += missing @ variance[place]
        return np.array([known * self._scale**2, unknown])

    @cached_property
    def spread(self) -> float:
        """Expected sample variance of an effect of unit variance (see ``kernel_spread``)."""
        n = len(self)
        total = self.gram_times(np.ones((n, 1)))
        return self.unit * float(self.squares.mean() - total.mean() / n)

    def mean_distance(self) -> float:
        """Mean squared distance of two different lines per unit of sum p (1 - p).

        Returns
        -------
        float
            That of :func:`budwood.stats.relationship.gaussian.mean_distance`; 0 for a single line.

        Examples
        --------
        >>> from budwood.stats.relationship.relationship import summarise_markers
        >>> dosage, two = np.array([[0, 2], [1, 1], [2, 0]], dtype=np.int8), np.full(3, 2, dtype=np.int8)
        >>> z = CentredMarkers(dosage=dosage, ploidy=two, summary=summarise_markers(dosage, two))
        >>> z.mean_distance()
        2.0
        """
        n = len(self)
        if n < 2:
            return 0.0
        total = self.transposed_times(np.ones((n, 1)), exact=True)
        products = float((total**2).sum()) - float(self._squares[0].sum())
        return 2.0 * (float(self.squares.sum()) - products / (n - 1)) / n / self.summary.scale

    def _sum_over_blocks(self, part: Callable[[Iterable[Block]], T], exact: bool) -> T:
        """The sum of what ``part`` makes of the blocks, divided among threads where a pass is long."""
        threads = processor_threads() if len(self) * self.markers > _LONG_PASS else 1
        if threads == 1:
            return part(self._blocks(exact))
        places = list(self._places(self._block_size))
        blocks = [self._decoded(places[first::threads], exact) for first in range(threads)]
        with threadpool_limits(limits=1, user_api="blas"), ThreadPoolExecutor(threads) as pool:
            parts = list(pool.map(part, blocks))
        found = parts[0]
        for each in parts[1:]:
            found += each  # type: ignore[operator]
        return found

    def _blocks(self, exact: bool, size: int = 0) -> Iterator[Block]:
        """Places among the markers that take part, and the (n, block) centred entries over the scale."""
        return self._decoded(self._places(size or self._block_size), exact)

    def _decoded(self, places: Iterable[slice], exact: bool) -> Iterator[Block]:
        for place, calls in self._calls(places):
            yield place, self._centred(calls, place, exact)

    def _centred(self, calls: NDArray[Any], place: slice, exact: bool) -> NDArray[Any]:
        kind = np.float64 if exact else np.float32
        z: NDArray[Any] = np.empty(calls.shape, kind, order="F" if calls.flags.f_contiguous else "C")
        mean = (self._frequency[place] / self._scale).astype(kind)
        if self._scale == 1.0:
            np.divide(calls, self._own_ploidy[:, None].astype(kind), out=z)
            np.subtract(z, mean, out=z)
        else:
            # One pass: calls are converted in the processor's cache.
            np.subtract(calls, mean, out=z, dtype=kind, casting="unsafe")
        if calls.dtype.kind == "f" or calls.min(initial=0) < 0:
            np.copyto(z, kind(0.0), where=~(calls >= 0))
        return z

    @property
    def _block_size(self) -> int:
        """Markers decoded at once."""
        return max(min(_ENTRIES // max(len(self), 1), _MOST_MARKERS), 16)

    def _places(self, size: int) -> Iterator[slice]:
        """Blocks of the markers that take part."""
        for start in range(0, self.markers, size):
            yield slice(start, min(start + size, self.markers))

    def _calls(self, places: Iterable[slice]) -> Iterator[tuple[slice, NDArray[Any]]]:
        columns = np.flatnonzero(self.summary.kept)
        for place in places:
            chosen = columns[place]
            first, last = int(chosen[0]), int(chosen[-1]) + 1
            block = self.dosage[:, first:last]
            if last - first > len(chosen):
                block = block[:, chosen - first]
            yield place, block if self.rows is None else block[self.rows]
            self._give_back()

    def _give_back(self) -> None:
        """Let go of pages of a memory map that have been read; the system keeps them as long as it likes."""
        mapped, advice = getattr(self.dosage, "_mmap", None), getattr(mmap, "MADV_DONTNEED", None)
        if advice is not None and mapped is not None and getattr(self.dosage, "mode", "") == "r":
            mapped.madvise(advice)

    @cached_property
    def _frequency(self) -> Vector:
        return self.summary.frequency[self.summary.kept]

    @cached_property
    def _own_ploidy(self) -> NDArray[np.int8]:
        return self.ploidy if self.rows is None else self.ploidy[self.rows]

    @cached_property
    def _scale(self) -> float:
        """What blocks are divided by: where all lines have one ploidy, dosages need no division."""
        own = self._own_ploidy
        return 1.0 / float(own[0]) if np.all(own == own[0]) else 1.0
