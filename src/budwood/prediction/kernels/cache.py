"""What was made for a training set, kept until the next one, with the time it took."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from budwood.stats.relationship.relationship import Rows

T = TypeVar("T")

Vector = NDArray[Any]


class KernelCache:
    """Results that several models ask for with the same training rows.

    Examples
    --------
    >>> memo = KernelCache()
    >>> memo.recall("sum", np.arange(3), lambda: 3)
    3
    >>> memo.recall("sum", np.arange(3), lambda: 4)
    3
    >>> memo.recall("sum", np.arange(2), lambda: 1)
    1
    """

    def __init__(self) -> None:
        self._training = b""
        self._made: dict[str, tuple[Any, float]] = {}
        self._before: set[str] = set()
        self._asked: set[str] = set()
        self._began = perf_counter()

    def recall(self, name: str, training: Rows, make: Callable[[], T]) -> T:
        """The result of that name for the training rows; it is made on the first call.

        Parameters
        ----------
        name
            Its name.
        training
            (n,) rows of the training lines in the panel.
        make
            Makes it, where it is not kept.

        Returns
        -------
        T
            What was made.
        """
        rows = np.asarray(training, dtype=np.intp).tobytes()
        if rows != self._training:
            self._training, self._made, self._before, self._asked = rows, {}, set(), set()
        if name not in self._made:
            began = perf_counter()
            made = make()
            self._made[name] = (made, perf_counter() - began)
        self._asked.add(name)
        return self._made[name][0]

    def recall_for(
        self, name: str, training: Rows, given: tuple[Vector | None, ...], make: Callable[[], T]
    ) -> T:
        """As :meth:`recall`, for what also rests on vectors: the result for the last ones given is kept.

        Parameters
        ----------
        name
            Its name.
        training
            (n,) rows of the training lines in the panel.
        given
            Trait values, weights, folds: whatever the result is made from besides.
        make
            Makes it, where it is not kept.

        Returns
        -------
        T
            What was made.

        Examples
        --------
        >>> memo, rows = KernelCache(), np.arange(3)
        >>> memo.recall_for("sum", rows, (np.ones(3), None), lambda: 3)
        3
        >>> memo.recall_for("sum", rows, (np.ones(3), None), lambda: 4)
        3
        >>> memo.recall_for("sum", rows, (np.zeros(3), None), lambda: 5)
        5
        """
        key = tuple(None if each is None else each.tobytes() for each in given)
        found, own = self.recall(name, training, lambda: (key, make()))
        if found != key:
            # Made in this lap: the time of the one before it counts no more.
            del self._made[name]
            self._before.discard(name)
            _, own = self.recall(name, training, lambda: (key, make()))
        return own

    def lap(self) -> float:
        """Seconds that a model alone would have needed since the last lap.

        What had been made before the lap counts with the time that it took then.

        Returns
        -------
        float
            Seconds.
        """
        now = perf_counter()
        recalled = sum(self._made[name][1] for name in self._asked & self._before)
        seconds = now - self._began + recalled
        self._began, self._before, self._asked = now, set(self._made), set()
        return seconds
