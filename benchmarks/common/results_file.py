"""Finished results as lines of JSON in a file, so that a second run computes only what is missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Record = dict[str, Any]


def read_results(path: Path, *key: str) -> dict[tuple[Any, ...], Record]:
    """Records of the file by the values of these fields; none if the file does not exist."""
    if not path.exists():
        return {}
    lines = path.read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines if line]
    return {tuple(record[name] for name in key): record for record in records}


def append_result(path: Path, record: Record) -> None:
    """Append a record to the file."""
    with path.open("a", encoding="utf-8") as handle:
        handle.write(json.dumps(record) + "\n")
