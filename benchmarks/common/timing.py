"""Processor time and peak memory."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


def cpu_seconds(work: Callable[[], Result], repeats: int = 1) -> tuple[float, Result]:
    """Processor seconds of the fastest of several runs, and the result of the last.

    Processor time does not count other programs on the machine.
    """
    seconds = []
    for _ in range(repeats):
        began = time.process_time()
        result = work()
        seconds.append(time.process_time() - began)
    return min(seconds), result


def peak_gigabytes() -> float:
    """Peak resident memory of this process; Linux reports it in KiB, macOS in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9
