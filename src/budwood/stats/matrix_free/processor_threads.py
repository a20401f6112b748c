"""How many threads products of long passes are divided among."""

from __future__ import annotations

import os
from typing import Final

from budwood.config import THREAD_VARIABLES

#: Threads beyond which memory is the limit.
_MOST: Final = 8


def processor_threads() -> int:
    """Number of threads: what the user has set for linear algebra, or the processors, up to 8.

    Returns
    -------
    int
        At least 1.

    Examples
    --------
    >>> processor_threads() >= 1
    True
    """
    for name in THREAD_VARIABLES:
        chosen = os.environ.get(name, "")
        if chosen.isdecimal() and int(chosen) > 0:
            return min(int(chosen), _MOST)
    return max(1, min(os.cpu_count() or 1, _MOST))
