"""Axes: a stretch of numbers, places on it, and round ticks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from budwood.report.numerals import fixed


@dataclass(frozen=True)
class Tick:
    """A labelled place on an axis: its share of the axis (0 to 1) and its text.

    Attributes
    ----------
    share
        Place on the axis, 0 to 1.
    label
        Its text.
    """

    share: float
    label: str


@dataclass(frozen=True)
class Scale:
    """A stretch of numbers that an axis shows.

    Attributes
    ----------
    low, high
        Ends of the axis.

    Examples
    --------
    >>> scale = Scale(0.0, 10.0)
    >>> scale.share(2.5)
    0.25
    >>> [tick.label for tick in scale.ticks()]
    ['0', '2', '4', '6', '8', '10']
    """

    low: float
    high: float

    @classmethod
    def over(cls, *values: ArrayLike, margin: float = 0.04) -> Scale:
        """The scale that holds every finite number given, with a margin on both sides.

        Parameters
        ----------
        *values
            Numbers to show.
        margin
            Share of the range added at either end.
        """
        numbers = np.concatenate([np.ravel(np.asarray(v, dtype=float)) for v in values])
        numbers = numbers[np.isfinite(numbers)]
        if numbers.size == 0:
            return cls(0.0, 1.0)
        low, high = float(numbers.min()), float(numbers.max())
        if low == high:
            room = abs(low) * 0.1 or 1.0
            return cls(low - room, high + room)
        room = (high - low) * margin
        return cls(low - room, high + room)

    def share(self, value: float) -> float:
        """Place of a number on the axis: 0 at its low end, 1 at its high end.

        Parameters
        ----------
        value
            A number, in the units of the axis.

        Returns
        -------
        float
            Outside 0 to 1 where the number is off the axis.
        """
        return (float(value) - self.low) / (self.high - self.low)

    def percent(self, value: float) -> float:
        """Place of a number on the axis in percent, rounded for markup.

        Parameters
        ----------
        value
            A number, in the units of the axis.

        Returns
        -------
        float
            In percent.
        """
        return round(100 * self.share(value), 2)

    def ticks(self, about: int = 5) -> tuple[Tick, ...]:
        """Round numbers on the axis, ``about`` as many as asked.

        Parameters
        ----------
        about
            How many.

        Returns
        -------
        tuple[Tick, ...]
            In ascending order.
        """
        step = _round_step((self.high - self.low) / about)
        decimals = max(0, -math.floor(math.log10(step) + 1e-9))
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return tuple(Tick(self.share(k * step), fixed(k * step, decimals)) for k in range(first, last + 1))


def _round_step(rough: float) -> float:
    """The step of 1, 2 or 5 times a power of ten that is nearest above ``rough``."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(float(m * power) for m in (1, 2, 5, 10) if m * power >= rough * (1 - 1e-9))
