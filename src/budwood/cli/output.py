"""What a verb prints: text for people, one JSON object for machines."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from typing import TYPE_CHECKING, Any, TextIO

from budwood.errors import BudwoodError

if TYPE_CHECKING:
    from budwood.workflows.setup.cost import Announce


def print_summary(summary: Mapping[str, Any], lines: Iterable[str], *, as_json: bool) -> None:
    """Print the summary as JSON, or the lines, on standard output."""
    if as_json:
        print(json.dumps(summary, indent=2, ensure_ascii=False, allow_nan=False))
        return
    for line in lines:
        print(line)


def noted(sentences: Iterable[str]) -> list[str]:
    """Lines for people: what was read and assumed; none where there is nothing to say.

    Examples
    --------
    >>> noted(["Decimal commas were read as decimal points."])
    ['read and assumed:', '  Decimal commas were read as decimal points.']
    >>> noted([])
    []
    """
    lines = [f"  {sentence}" for sentence in sentences]
    return ["read and assumed:", *lines] if lines else []


def print_error(error: BudwoodError, *, as_json: bool) -> None:
    """Print an error: one sentence on standard error, or the one JSON shape on standard output.

    The shape is ``{"error": {"what": ..., "where": ..., "mend": ...}}``.
    """
    if as_json:
        shape = {"error": {"what": error.what, "where": error.where, "mend": error.mend}}
        print(json.dumps(shape, indent=2, ensure_ascii=False))
        return
    print(f"error: {error.sentence}", file=sys.stderr)


def announce(quiet: bool) -> Announce:
    """What workflows call with their estimates: prints on standard error, or does nothing when quiet."""
    from budwood.progress import estimate
    from budwood.workflows.setup.cost import silent

    return silent if quiet else estimate


@contextmanager
def hushed(quiet: bool) -> Iterator[None]:
    """Keep progress bars away: standard error looks like a file while the body runs."""
    if not quiet:
        yield
        return
    with redirect_stderr(_NoTerminal(sys.stderr)):
        yield


class _NoTerminal(io.TextIOBase):
    """Writes through to a stream and says that it is no terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(text)

    def flush(self) -> None:
        self._stream.flush()

    def isatty(self) -> bool:
        return False
