"""Whether the same calls are missing in lines that are alike: missing at random, or by family.

A marker that does not differ between the parents of a family is often not called in it at all. Filled with
the mean, such calls make the lines of a family alike with everybody and hide what families differ in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

#: Share of missing calls that a marker has at least, and at most, to tell lines apart; fewest such markers.
_RATES: Final = (0.02, 0.98)
_FEWEST: Final = 40
#: How often lines are paired at random.
_PAIRINGS: Final = 99


@dataclass(frozen=True)
class MissingPattern:
    """How the missing calls of lines that are alike agree.

    Attributes
    ----------
    agreement
        Mean correlation of a line's missing calls with those of the line that misses the most similar calls
        in the other half of the markers; 0 expected where calls are missing at random, whatever the rates of
        markers and lines are.
    chance
        Largest such mean when lines are paired at random, 99 times.
    """

    agreement: float
    chance: float

    @property
    def grouped(self) -> bool:
        """Whether lines that are alike miss the same calls, more than any random pairing does."""
        return self.agreement > self.chance


def missing_pattern(missing: NDArray[np.bool_], seed: int = 0) -> MissingPattern | None:
    """Compare the missing calls of lines in two halves of the markers.

    The one half says which line is next to which, the other is judged, so that nothing is found twice.

    Parameters
    ----------
    missing
        (n, m) whether a call is missing.
    seed
        Of the halves and of the random pairs.

    Returns
    -------
    MissingPattern or None
        None where under 40 markers have calls and missing calls, or under 3 lines are given.

    Examples
    --------
    >>> generator = np.random.default_rng(0)
    >>> families = np.repeat(generator.random((5, 200)) < 0.3, 8, axis=0)
    >>> found = missing_pattern(families)
    >>> found.grouped, round(found.agreement, 2)
    (True, 1.0)
    >>> missing_pattern(generator.random((40, 200)) < 0.3).agreement < 0.1
    True
    """
    rate = missing.mean(axis=0)
    columns = np.flatnonzero((rate >= _RATES[0]) & (rate <= _RATES[1]))
    if len(columns) < _FEWEST or len(missing) < 3:
        return None
    generator, n = np.random.default_rng(seed), len(missing)
    drawn = generator.permutation(columns)
    halves = np.sort(drawn[: len(drawn) // 2]), np.sort(drawn[len(drawn) // 2 :])
    first, second = (_correlations(missing[:, half]) for half in halves)
    np.fill_diagonal(first, -np.inf)
    lines = np.arange(n)
    agreement = float(second[lines, first.argmax(axis=1)].mean())
    partners = ((lines + generator.integers(1, n, n)) % n for _ in range(_PAIRINGS))
    return MissingPattern(agreement, max(float(second[lines, each].mean()) for each in partners))


def _correlations(missing: NDArray[np.bool_]) -> Matrix:
    """(n, n) correlations of lines, each marker on the same scale and each line's own rate taken off."""
    pattern = missing - missing.mean(axis=0)
    pattern /= np.maximum(pattern.std(axis=0), np.finfo(float).tiny)
    pattern -= pattern.mean(axis=1, keepdims=True)
    length = np.linalg.norm(pattern, axis=1)
    pattern /= np.where(length > 0.0, length, 1.0)[:, None]
    return np.asarray(pattern @ pattern.T, dtype=np.float64)
