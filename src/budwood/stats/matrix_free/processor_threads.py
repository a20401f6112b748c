"""How many threads products of long passes are divided among."""

from __future__ import annotations

import os
from typing import Final

#: Environment variables by which users set the number of threads.
_SET_BY_USER: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
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
    for name in _SET_BY_USER:
        chosen = os.environ.get(name, "")
        if chosen.isdecimal() and int(chosen) > 0:
            return min(int(chosen), _MOST)
    return max(1, min(os.cpu_count() or 1, _MOST))
