"""Products with centred markers from ranges of markers, which other processes may hold.

A range is a :class:`~budwood.stats.matrix_free.centred_markers.CentredMarkers` of its own. Ranges do not
depend on who works on them, each is worked on by one thread, and sums run over them in their order: the
results have the same bytes on any number of processes, and differ from products without ranges by rounding.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from budwood.stats.matrix_free.centred_markers import CentredMarkers
from budwood.stats.relationship.relationship import MarkerSummary

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]

#: Most calls and most markers of a range: a pass over it is one for a single thread.
_CALLS: Final = 100_000_000
_MARKERS: Final = 2048
#: Fewest markers of a range.
_FEWEST: Final = 16


class RangeRunner(Protocol):
    """Holds ranges of markers, and multiplies with them."""

    def hold(self, each: CentredMarkers) -> Any:
        """What stands for a range in :meth:`run`.

        Parameters
        ----------
        each
            The range, with its calls.
        """

    def run(self, product: str, held: Sequence[Any], columns: Sequence[Matrix], exact: bool) -> Iterator[Any]:
        """:func:`range_product` of each range, in their order.

        Parameters
        ----------
        product
            Its name.
        held
            Ranges.
        columns
            For each range, or the same ones for all where there is one.
        exact
            Whether to multiply in double precision.
        """


class LocalRanges:
    """Ranges in this process.

    Examples
    --------
    >>> from budwood.stats.relationship.relationship import summarise_markers
    >>> dosage, two = np.array([[0, 2], [1, 1], [2, 0]], dtype=np.int8), np.full(3, 2, dtype=np.int8)
    >>> summary = summarise_markers(dosage, two)
    >>> z = RangedMarkers(dosage=dosage, ploidy=two, summary=summary, runner=LocalRanges())
    >>> z.times(np.array([[1.0], [0.0]])).ravel()
    array([-0.5,  0. ,  0.5])
    """

    def hold(self, each: CentredMarkers) -> CentredMarkers:
        """The range itself.

        Parameters
        ----------
        each
            The range, with its calls.

        Returns
        -------
        CentredMarkers
            The same.
        """
        return each

    def run(
        self, product: str, held: Sequence[CentredMarkers], columns: Sequence[Matrix], exact: bool
    ) -> Iterator[Any]:
        """:func:`range_product` of each range, in their order.

        Parameters
        ----------
        product
            Its name.
        held
            Ranges.
        columns
            For each range, or the same ones for all where there is one.
        exact
            Whether to multiply in double precision.

        Yields
        ------
        ndarray
            The product.
        """
        for place, each in enumerate(held):
            yield range_product(product, each, columns[place if len(columns) > 1 else 0], exact)


def range_product(product: str, markers: CentredMarkers, columns: Matrix, exact: bool) -> Any:
    """A product of a range with columns, by one thread.

    Parameters
    ----------
    product
        ``times``, ``transposed_times``, ``marker_gram_times`` or ``line_squares``, which takes no columns.
    markers
        The range.
    columns
        As the method of :class:`~budwood.stats.matrix_free.centred_markers.CentredMarkers` takes them.
    exact
        Whether to multiply in double precision.

    Returns
    -------
    ndarray
        What the method gives.

    Examples
    --------
    >>> from budwood.stats.relationship.relationship import summarise_markers
    >>> dosage, two = np.array([[0, 2], [1, 1], [2, 0]], dtype=np.int8), np.full(3, 2, dtype=np.int8)
    >>> z = CentredMarkers(dosage=dosage, ploidy=two, summary=summarise_markers(dosage, two))
    >>> range_product("line_squares", z, np.empty((0, 0)), False)
    array([[0.5, 0. , 0.5],
           [0. , 0. , 0. ]])
    """
    with threadpool_limits(limits=1, user_api="blas"):
        if product == "line_squares":
            return markers.line_squares()
        return getattr(markers, product)(columns, exact=exact)


@dataclass(frozen=True, kw_only=True)
class RangedMarkers(CentredMarkers):
    """Centred markers whose products are made range by range.

    Attributes
    ----------
    dosage, ploidy, summary, rows
        As for :class:`~budwood.stats.matrix_free.centred_markers.CentredMarkers`.
    runner
        Holds the ranges.
    """

    runner: RangeRunner

    @classmethod
    def of(cls, markers: CentredMarkers, runner: RangeRunner) -> RangedMarkers:
        """The same markers, held by a runner.

        Parameters
        ----------
        markers
            Centred markers.
        runner
            Holds the ranges.

        Returns
        -------
        RangedMarkers
            With the same products.
        """
        return cls(
            dosage=markers.dosage,
            ploidy=markers.ploidy,
            summary=markers.summary,
            rows=markers.rows,
            runner=runner,
        )

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
        places, held = self._ranges
        columns = [effects[place] for place in places]
        return _summed(self.runner.run("times", held, columns, exact))

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
        _, held = self._ranges
        return np.concatenate(list(self.runner.run("transposed_times", held, [lines], exact)))

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
        return _summed(self.runner.run("marker_gram_times", self._ranges[1], [lines], exact))

    def line_squares(self) -> Matrix:
        """Squares of each line's known and expected ones of its missing entries.

        Returns
        -------
        ndarray
            (2, n).
        """
        return _summed(self.runner.run("line_squares", self._ranges[1], [np.empty((0, 0))], False))

    @cached_property
    def _ranges(self) -> tuple[list[slice], list[Any]]:
        """Where the markers of each range lie among those that take part, and the ranges as they are held."""
        size = max(min(_CALLS // max(len(self), 1), _MARKERS), _FEWEST)
        places = list(self._places(size))
        return places, [self.runner.hold(self._part(*each)) for each in self._calls(places)]

    def _part(self, place: slice, calls: NDArray[Any]) -> CentredMarkers:
        """The lines at some of the markers, with calls of their own."""
        columns = np.flatnonzero(self.summary.kept)[place]
        summary = MarkerSummary(
            frequency=self.summary.frequency[columns],
            kept=np.ones(len(columns), dtype=np.bool_),
            variance=self.summary.variance[columns],
            ploidy=self.summary.ploidy,
        )
        own_calls = np.array(calls, order="F")
        return CentredMarkers(dosage=own_calls, ploidy=self._own_ploidy, summary=summary)


def _summed(parts: Iterable[Matrix]) -> Matrix:
    """The sum in the order of the parts."""
    each = iter(parts)
    # A part that another process made may not be written to.
    found = np.array(next(each))
    for part in each:
        found += part
    return found
