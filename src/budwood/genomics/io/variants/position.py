"""Positions of markers as tables write them."""

from __future__ import annotations

from typing import Final

from budwood.errors import BudwoodError
from budwood.genomics.io.text.delimited import MISSING_CELLS

#: No contig is longer, so a larger number is no position.
LARGEST_POSITION: Final = 1 << 40
_MOST_DIGITS: Final = 40


def parse_position(text: str, where: str) -> float:
    """Number in a cell of positions, 0 where it is missing.

    Parameters
    ----------
    text
        The cell.
    where
        File and line, for the message.

    Returns
    -------
    float
        The position, 1-based, as it is written; not whole where the cell is not.

    Raises
    ------
    BudwoodError
        If the cell holds no number, or one that no contig reaches.

    Examples
    --------
    >>> parse_position("1200", "map.csv"), parse_position("NA", "map.csv")
    (1200.0, 0.0)
    """
    if text.strip().lower() in MISSING_CELLS:
        return 0.0
    try:
        number = float(text) if len(text) <= _MOST_DIGITS else float("inf")
    except ValueError:
        number = float("nan")
    if not abs(number) <= LARGEST_POSITION:
        raise BudwoodError(
            f"the position {text[:_MOST_DIGITS]!r} is no number of base pairs",
            where=where,
            mend="give base pairs, or NA where unknown",
        )
    return number
