"""Progress and estimates on standard error: bars on terminals, lines for programs that ask for them."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

_SECONDS_BETWEEN_LINES: Final = 0.5


class Advance(Protocol):
    """A function that moves a progress bar on."""

    def __call__(self, units: int = 1) -> None:
        """Move the bar by the number of units just done."""


@contextmanager
def progress(description: str, total: int | None, *, show: bool | None = None) -> Iterator[Advance]:
    """Show a progress bar with the time left while the body runs.

    Where the environment variable ``BUDWOOD_PROGRESS`` is ``lines``, a line such as
    ``progress: embedding 16/300`` is written instead, at most two a second, for programs that run the
    command.

    Parameters
    ----------
    description
        What is being done, in a few words.
    total
        Units in all, None when unknown.
    show
        Whether to show the bar; by default where standard error is a terminal.

    Yields
    ------
    Advance
        The function that moves the bar.

    Examples
    --------
    >>> with progress("embedding", total=3, show=False) as advance:
    ...     advance(3)
    """
    if os.environ.get("BUDWOOD_PROGRESS") == "lines" and total is not None:
        yield _line_writer(description, total)
        return
    visible = sys.stderr.isatty() if show is None else show
    if not visible:
        yield lambda units=1: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(description, total=total)
        yield lambda units=1: bars.advance(task, units)


def _line_writer(description: str, total: int) -> Advance:
    """Write lines on standard error; the last unit is always written."""
    done, written = 0, -1.0

    def advance(units: int = 1) -> None:
        nonlocal done, written
        done += units
        now = time.monotonic()
        if done >= total or now - written >= _SECONDS_BETWEEN_LINES:
            written = now
            print(f"progress: {description} {done}/{total}", file=sys.stderr, flush=True)

    return advance


def estimate(message: str, *, show: bool = True) -> None:
    """Print on standard error what long work will cost, before it begins.

    Parameters
    ----------
    message
        The estimate, as a sentence.
    show
        Whether to print it.

    Examples
    --------
    >>> estimate("about 2 minutes", show=False)
    """
    if show:
        print(f"estimate: {message}", file=sys.stderr)
