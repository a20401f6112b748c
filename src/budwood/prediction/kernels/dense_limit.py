"""The number of phenotyped lines up to which matrices of lines by lines are made."""

from __future__ import annotations

from typing import Final

#: Above it, one such matrix takes over 290 MB and its eigendecomposition over a minute.
DENSE_LINES: Final = 6_000


def is_large(lines: int) -> bool:
    """Whether so many lines are analysed without a matrix of lines by lines.

    Parameters
    ----------
    lines
        Number of training lines.

    Returns
    -------
    bool
        True above 6,000 lines.

    Examples
    --------
    >>> is_large(6_000), is_large(6_001)
    (False, True)
    """
    return lines > DENSE_LINES
