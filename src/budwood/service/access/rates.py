"""Limits of requests in a moving window, by key."""

from __future__ import annotations

import math
import time

from limits import parse_many
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter


class Rates:
    """Counts the requests of each key, in this process.

    Parameters
    ----------
    usual
        Limits of keys without their own, such as ``"600/minute; 50000/day"``.
    """

    def __init__(self, usual: str) -> None:
        self._usual = usual
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def wait(self, name: str, rate: str = "") -> int:
        """Count a request, unless a limit is reached.

        Parameters
        ----------
        name
            Of the key.
        rate
            Its own limits; the usual ones where empty.

        Returns
        -------
        int
            Seconds until the next request is allowed; 0 where this one is.
        """
        items = parse_many(rate or self._usual)
        full = [item for item in items if not self._limiter.test(item, name)]
        if full:
            waits = [self._limiter.get_window_stats(item, name).reset_time - time.time() for item in full]
            return max(1, math.ceil(max(waits)))
        for item in items:
            self._limiter.hit(item, name)
        return 0
