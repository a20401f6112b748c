"""Intervals from the errors of held-out records, without a distribution.

Normalised conformal prediction (Lei et al. 2018, Journal of the American Statistical Association 113:1094):
an error divided by the difficulty that was foreseen for its record is a score. If records and candidates are
exchangeable, the ``ceil((n + 1) level)``-th smallest of n scores times a candidate's own difficulty covers it
with probability ``level``. Candidates further from the training records than these are from one another break
exchangeability; localised conformal (Guan 2023, Biometrika 110:33) then uses the scores of records that were
held out at a similar distance.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Final

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

#: Fewest scores near a candidate, and the share of all scores that counts as near.
_FEWEST_NEAR: Final = 60
_SHARE_NEAR: Final = 0.25


def conformal_quantile(scores: Vector, level: float = 0.9) -> float:
    """The ``ceil((n + 1) level)``-th smallest score.

    Where n is too small to promise the level (under 9 for 0.9), the largest score: it promises n / (n + 1).

    Examples
    --------
    >>> conformal_quantile(np.arange(1.0, 11.0))
    10.0
    >>> conformal_quantile(np.arange(1.0, 20.0))
    18.0
    """
    if not len(scores):
        raise ValueError("a quantile needs at least one score")
    # Rounding first keeps 0.9 * 10 from counting as a little more than 9.
    rank = min(ceil(round((len(scores) + 1) * level, 9)), len(scores))
    return float(np.partition(scores, rank - 1)[rank - 1])


@dataclass(frozen=True)
class LocalConformal:
    """Scores of held-out records and how related each record was to what predicted it.

    Attributes
    ----------
    scores
        (s,) absolute error divided by foreseen difficulty.
    relatedness
        (s,) of each record with its nearest training record, on any scale.
    level
        Probability that an interval is to have.
    """

    scores: Vector
    relatedness: Vector
    level: float = 0.9

    def factors(self, relatedness: Vector) -> Vector:
        """For each candidate, what its difficulty is multiplied by to give half its interval.

        A quarter of the scores (at least 60), those of records most similar in relatedness, weigh 1 and the
        others 0; a candidate beyond all records gets the quantile of the least related.

        Parameters
        ----------
        relatedness
            (c,).

        Examples
        --------
        >>> near, far = np.full(100, 1.0), np.full(100, 3.0)
        >>> kept = LocalConformal(np.concatenate([near, far]), np.repeat([0.9, 0.1], 100))
        >>> kept.factors(np.array([0.95, 0.05]))
        array([1., 3.])
        """
        count = min(len(self.scores), max(_FEWEST_NEAR, ceil(_SHARE_NEAR * len(self.scores))))
        order = np.argsort(self.relatedness, kind="stable")
        scores, at = self.scores[order], self.relatedness[order]
        found = np.empty(len(relatedness))
        for row, value in enumerate(relatedness):
            first = _nearest_run(at, float(value), count)
            found[row] = conformal_quantile(scores[first : first + count], self.level)
        return found


def _nearest_run(values: Vector, value: float, count: int) -> int:
    """Start of the ``count`` neighbours in sorted values that lie nearest to a value."""
    low = max(int(np.searchsorted(values, value)) - count, 0)
    high = min(low + count, len(values) - count)
    starts = np.arange(low, high + 1)
    reach = np.maximum(value - values[starts], values[starts + count - 1] - value)
    return int(starts[np.argmin(reach)])
