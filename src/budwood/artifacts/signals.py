"""Signals that end a process, handled so that nothing half-written stays."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stop_on_signals() -> Iterator[None]:
    """Raise ``KeyboardInterrupt`` on the signals that end a process, so that drafts are removed.

    Python does so for ``SIGINT``; ``SIGTERM`` and, where there is one, ``SIGHUP`` are handled alike while the
    body runs. Does nothing outside the main thread, which alone may handle signals. A signal that the parent
    process ignores, as ``nohup`` does, stays ignored.

    Yields
    ------
    None
        Nothing.

    Examples
    --------
    >>> import signal
    >>> with stop_on_signals():
    ...     try:
    ...         signal.raise_signal(signal.SIGTERM)
    ...     except KeyboardInterrupt as stop:
    ...         print(stop)
    SIGTERM
    """

    def stop(number: int, _: FrameType | None) -> None:
        raise KeyboardInterrupt(signal.Signals(number).name)

    names = ("SIGTERM", "SIGHUP") if threading.current_thread() is threading.main_thread() else ()
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    numbers = [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
