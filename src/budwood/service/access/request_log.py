"""A line for each request, without what was sent: who, what, how long, how it ended."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, Final

_MOST_BYTES: Final = 20_000_000
_KEPT: Final = 5


class RequestLog:
    """Writes JSON lines; five earlier files of 20 MB are kept.

    Parameters
    ----------
    path
        The file.
    """

    def __init__(self, path: Path) -> None:
        self._handler = RotatingFileHandler(
            path, maxBytes=_MOST_BYTES, backupCount=_KEPT, encoding="utf-8", delay=True
        )
        self._handler.setFormatter(logging.Formatter("%(message)s"))

    def write(self, **entries: Any) -> None:
        """Add a line.

        Parameters
        ----------
        **entries
            What is known of the request; bodies and query strings are never among it.
        """
        line = json.dumps({"time": datetime.now(UTC).isoformat(timespec="milliseconds")} | entries)
        self._handler.handle(logging.LogRecord("requests", logging.INFO, "", 0, line, None, None))

    def close(self) -> None:
        """Close the file."""
        self._handler.close()
