"""Numbers as people read them: as many decimals as the uncertainty allows, a true minus sign, no NaN."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

#: Shown where there is no number.
NONE: Final = "–"

_MOST_DECIMALS: Final = 8
#: Size from which numbers are written with a power of 10, and significant digits of those.
_LARGE: Final = 1e15
_DIGITS: Final = 3
#: Significant digits of a number in a table, at least and at most: 17 give back any float64.
_FEWEST, _MOST = 8, 17


def decimals_for(standard_errors: ArrayLike) -> int:
    """Decimals that show two significant digits of the median standard error, 0 to 8.

    Parameters
    ----------
    standard_errors
        Those that are not finite are left out.

    Returns
    -------
    int
        Number of decimals.

    Examples
    --------
    >>> decimals_for([4.2, 3.9]), decimals_for([0.012]), decimals_for([350.0]), decimals_for([])
    (1, 3, 0, 2)
    """
    errors = np.asarray(standard_errors, dtype=float)
    errors = errors[np.isfinite(errors) & (errors > 0)]
    if errors.size == 0:
        return 2
    magnitude = math.floor(math.log10(float(np.median(errors))))
    return min(max(1 - magnitude, 0), _MOST_DECIMALS)


def fixed(value: float, decimals: int) -> str:
    """A number with a fixed count of decimals.

    Parameters
    ----------
    value
        The number.
    decimals
        Decimals, as :func:`decimals_for` finds them.

    Returns
    -------
    str
        The number with a true minus sign; with a power of 10 where it is 1e15 or larger, or where even the
        most decimals would show fewer than two digits of it; a dash where there is none.

    Examples
    --------
    >>> fixed(-1234.56, 1), fixed(-0.001, 2), fixed(float("nan"), 2)
    ('−1,234.6', '0.00', '–')
    >>> fixed(1e200, 0), fixed(-2.5e-12, 8)
    ('1.00e+200', '−2.50e-12')
    """
    if not math.isfinite(value):
        return NONE
    lost = decimals >= _MOST_DECIMALS and 0.0 < abs(value) < 10.0 ** (1 - decimals)
    if lost or abs(value) >= _LARGE:
        return f"{value:.{_DIGITS - 1}e}".replace("-", "−", 1) if value < 0 else f"{value:.{_DIGITS - 1}e}"
    text = f"{value:,.{decimals}f}"
    is_zero = not any(digit in text for digit in "123456789")
    return text.lstrip("-") if is_zero else text.replace("-", "−")


def digits_that_tell_apart(values: ArrayLike) -> int:
    """Significant digits that show the differences between values, 8 to 17.

    Parameters
    ----------
    values
        Values on one scale, NaN where there is none.

    Returns
    -------
    int
        So many that differences of the size of the values' range show six digits.

    Examples
    --------
    >>> digits_that_tell_apart([1.0, 2.5]), digits_that_tell_apart([1e9 + 1.0, 1e9 + 2.5])
    (8, 15)
    """
    given = np.asarray(values, dtype=float)
    given = given[np.isfinite(given)]
    if given.size < 2:
        return _FEWEST
    largest = float(np.abs(given).max())
    spread = float(np.ptp(given / largest)) if largest > 0.0 else 0.0
    if spread == 0.0:
        return _FEWEST
    return min(max(6 + math.ceil(-math.log10(spread)), _FEWEST), _MOST)


def between(lower: float, upper: float, decimals: int) -> str:
    """An interval in words.

    Parameters
    ----------
    lower, upper
        Limits.
    decimals
        Of both limits.

    Returns
    -------
    str
        For example ``1.2 to 3.4``.

    Examples
    --------
    >>> between(0.5, 0.75, 2)
    '0.50 to 0.75'
    """
    return f"{fixed(lower, decimals)} to {fixed(upper, decimals)}"


def percent(share: float) -> str:
    """A share as a percentage; small ones keep a decimal.

    Parameters
    ----------
    share
        Between 0 and 1.

    Returns
    -------
    str
        For example ``12 %``.

    Examples
    --------
    >>> percent(0.476), percent(0.034), percent(float("nan"))
    ('48 %', '3.4 %', '–')
    """
    if not math.isfinite(share):
        return NONE
    return f"{100 * share:.{1 if 0 < abs(share) < 0.0995 else 0}f} %"
