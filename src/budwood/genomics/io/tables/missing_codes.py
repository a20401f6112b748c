"""Numbers that stand for a missing value, found by how far they lie from all others."""

from __future__ import annotations

from collections import Counter
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.genomics.io.text.delimited import MISSING_NUMBERS

# A negative code lies further from the other values than half of what they span, any other number than all.
_NEGATIVE_GAP: Final = 0.5
_GAP: Final = 1.0
_FEWEST: Final = 4
# A code that a trait may well reach once.
_SMALL: Final = 99.0
#: Numbers that are missing codes in many programs and real values in others.
_NEGATIVE: Final = frozenset(code for code in MISSING_NUMBERS if code < 0)


def find_missing_codes(values: NDArray[np.float64]) -> tuple[NDArray[np.bool_], list[str]]:
    """Which values are missing codes, and what to say about them and about others that may be some.

    -9, -99, -999 and the like are codes where they lie further from every other value than half of what
    those span, or where they repeat and are the only negative values; 99 (where it repeats), 999 and the
    like where they lie further away than all others span. Any other value that repeats at the edge, as
    far away, is mentioned and kept.

    Parameters
    ----------
    values
        (n,) values of a trait, finite.

    Returns
    -------
    codes
        (n,) whether each is a missing code.
    notes
        A sentence without its subject for each code found or suspected.

    Examples
    --------
    >>> codes, notes = find_missing_codes(np.array([9.8, 10.4, -999.0, 8.6, 7.7, -999.0]))
    >>> codes.tolist(), notes
    ([False, False, True, False, False, True], ['-999 (2 times) was read as missing'])
    """
    codes = np.zeros(len(values), dtype=np.bool_)
    counts = Counter(values.tolist())
    real = values[~np.isin(values, list(MISSING_NUMBERS))]
    if len(set(real.tolist())) < 2 or len(real) < _FEWEST:
        return codes, []
    low, high = float(real.min()), float(real.max())
    notes = []
    for code in sorted(MISSING_NUMBERS & counts.keys()):
        alone = code in _NEGATIVE and low >= 0
        far = _gap(code, low, high) > (_NEGATIVE_GAP if code < 0 else _GAP) * (high - low)
        if (far and (code != _SMALL or counts[code] > 1)) or (alone and counts[code] > 1):
            codes |= values == code
            notes.append(f"{_shown(code, counts[code])} was read as missing")
        elif alone:
            notes.append(f"{_shown(code, 1)} is the only negative value; write NA if it means missing")
    kept = values[~codes]
    for edge in (float(kept.min()), float(kept.max())):
        rest = kept[kept != edge]
        if counts[edge] > 1 and len(set(rest.tolist())) > _FEWEST:
            gap = _gap(edge, float(rest.min()), float(rest.max()))
            if gap > _GAP * float(np.ptp(rest)) > 0:
                notes.append(
                    f"{_shown(edge, counts[edge])} lies far from all other values; write NA if it means "
                    "missing"
                )
    return codes, notes


def _gap(value: float, low: float, high: float) -> float:
    return max(low - value, value - high)


def _shown(value: float, count: int) -> str:
    return f"{value:g}" + (f" ({count} times)" if count > 1 else "")
