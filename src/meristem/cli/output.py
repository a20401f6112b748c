"""What a verb prints: text for people, one JSON object for machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from meristem.errors import MeristemError


def print_summary(summary: Mapping[str, Any], lines: Iterable[str], *, as_json: bool) -> None:
    """Print the summary as JSON, or the lines, on standard output."""
    if as_json:
        print(json.dumps(summary, indent=2, ensure_ascii=False, allow_nan=False))
        return
    for line in lines:
        print(line)


def print_error(error: MeristemError, *, as_json: bool) -> None:
    """Print an error: one sentence on standard error, or the one JSON shape on standard output.

    The shape is ``{"error": {"what": ..., "where": ..., "mend": ...}}``.
    """
    if as_json:
        shape = {"error": {"what": error.what, "where": error.where, "mend": error.mend}}
        print(json.dumps(shape, indent=2, ensure_ascii=False))
        return
    print(f"error: {error.sentence}", file=sys.stderr)
