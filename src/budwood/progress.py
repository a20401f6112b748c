"""Progress bars and estimates on standard error, silent when nobody is watching."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Advance(Protocol):
    """Call with the number of units just done."""

    def __call__(self, units: int = 1) -> None:
        """Move the bar."""


@contextmanager
def progress(description: str, total: int | None, *, show: bool | None = None) -> Iterator[Advance]:
    """A progress bar with time left; yields a function that advances it.

    Parameters
    ----------
    description
        What is being done, in a few words.
    total
        Units in all, None when unknown.
    show
        Force the bar on or off; by default it shows when standard error is a terminal.

    Examples
    --------
    >>> with progress("embedding", total=3, show=False) as advance:
    ...     advance(3)
    """
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


def estimate(message: str, *, show: bool = True) -> None:
    """Tell on standard error what long work will cost before it begins."""
    if show:
        print(f"estimate: {message}", file=sys.stderr)
