"""Tables and JSON files as every verb writes them."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any


def write_json(path: Path, record: Mapping[str, Any]) -> None:
    """Write a record as JSON: UTF-8, two spaces of indent, no NaN.

    Parameters
    ----------
    path
        The file to write.
    record
        Plain values only; None for what was not measured.
    """
    text = json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def write_table(path: Path, header: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    """Write a table with commas between cells and line feeds between rows.

    Parameters
    ----------
    path
        The file to write.
    header
        Names of the columns.
    rows
        Cells of each row; numbers are written as :class:`str` writes them.
    """
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def cell(value: float) -> str:
    """A number with eight significant digits, an empty cell where there is none.

    Examples
    --------
    >>> cell(0.5), cell(float("nan"))
    ('0.5', '')
    """
    return "" if value != value else f"{value:.8g}"


def finite(value: float) -> float | None:
    """A number for a JSON file, None for what was not measured.

    Examples
    --------
    >>> finite(0.5), finite(float("nan"))
    (0.5, None)
    """
    return float(value) if isfinite(value) else None
