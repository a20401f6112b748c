"""Whole numbers in text: of a size that Python reads and that a place or a size in a genome can have."""

from __future__ import annotations

import re
from typing import Final

# ``str.isdigit`` is also true of other scripts' and raised digits, and ``int`` refuses over 4,300 digits.
_WHOLE: Final = re.compile(r"[0-9]{1,15}")


def whole_number(text: str | bytes) -> int | None:
    """The whole number that a cell holds; None where it holds anything else.

    Parameters
    ----------
    text
        The cell; blanks around the number do not matter.

    Returns
    -------
    int or None
        From 0 to 10**15 - 1.

    Examples
    --------
    >>> whole_number(" 42 "), whole_number(b"7"), whole_number("-1"), whole_number("9" * 5000)
    (42, 7, None, None)
    """
    plain = text.decode("ascii", "replace") if isinstance(text, bytes) else text
    found = _WHOLE.fullmatch(plain.strip())
    return int(found.group()) if found else None
