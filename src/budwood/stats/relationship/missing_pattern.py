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
#: Rounds in which the log odds of lines and markers are fitted in turn, and the largest of either sign.
_ROUNDS: Final = 12
_MOST_ODDS: Final = 10.0
#: Least variance of a call by which its surprise is scaled, so that no single call outweighs a line.
_LEAST: Final = 0.01


@dataclass(frozen=True)
class MissingPattern:
    """How the missing calls of lines that are alike agree.

    Attributes
    ----------
    agreement
        Mean correlation of a line's missing calls with those of the line that misses the most similar calls
        in the other half of the markers; 0 expected where calls are missing at random, whatever the rates of
        markers and lines are; a line without or with only missing calls counts 0.
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
    chance = _chances(missing[:, columns])
    surprise = np.zeros(missing.shape)
    surprise[:, columns] = (missing[:, columns] - chance) / np.sqrt(
        np.maximum(chance * (1.0 - chance), _LEAST)
    )
    first, second = (_correlations(surprise[:, half]) for half in halves)
    np.fill_diagonal(first, -np.inf)
    lines = np.arange(n)
    agreement = float(second[lines, first.argmax(axis=1)].mean())
    partners = ((lines + generator.integers(1, n, n)) % n for _ in range(_PAIRINGS))
    return MissingPattern(agreement, max(float(second[lines, each].mean()) for each in partners))


def _chances(missing: NDArray[np.bool_]) -> Matrix:
    """(n, m) chance of a missing call where only lines and markers differ: log odds add up (Rasch 1960).

    A line that misses no call, or every call, has the chance 0 or 1, so that nothing in it surprises.
    """
    rates = missing.mean(axis=1)
    partly = np.flatnonzero((rates > 0.0) & (rates < 1.0))
    chance = np.repeat(rates[:, None], missing.shape[1], axis=1)
    seen = missing[partly].astype(np.float64)
    line, marker = np.zeros((len(partly), 1)), np.zeros((1, missing.shape[1]))
    for _ in range(_ROUNDS):
        for odds, axis in ((line, 1), (marker, 0)):
            now = 1.0 / (1.0 + np.exp(-(line + marker)))
            slope = (now * (1.0 - now)).sum(axis=axis, keepdims=True)
            step = (seen - now).sum(axis=axis, keepdims=True) / np.maximum(slope, 1e-6)
            odds += np.clip(step, -2.0, 2.0)
            np.clip(odds, -_MOST_ODDS, _MOST_ODDS, out=odds)
    chance[partly] = 1.0 / (1.0 + np.exp(-(line + marker)))
    return chance


def _correlations(surprise: Matrix) -> Matrix:
    """(n, n) correlations of lines; 0 with a line that is as expected everywhere."""
    pattern = surprise - surprise.mean(axis=1, keepdims=True)
    length = np.linalg.norm(pattern, axis=1)
    pattern /= np.where(length > 0.0, length, 1.0)[:, None]
    return np.asarray(pattern @ pattern.T, dtype=np.float64)
