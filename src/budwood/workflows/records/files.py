"""Tables and JSON files as every verb writes them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any

from budwood.genomics.io.text.csv_writer import Cell, CsvDialect, Numeral, write_csv


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
    # A file name that is no text holds lone surrogates; JSON has \\udc80 for them.
    path.write_text(text + "\n", encoding="utf-8", errors="backslashreplace")


def write_table(
    path: Path,
    header: Sequence[str],
    rows: Iterable[Iterable[Cell]],
    *,
    dialect: CsvDialect = CsvDialect.PLAIN,
) -> None:
    """Write a table with line feeds between rows; text that a spreadsheet would run stands behind a quote.

    Parameters
    ----------
    path
        The file to write.
    header
        Names of the columns.
    rows
        Cells of each row: text, numbers, and numbers that :func:`cell` has formatted.
    dialect
        Separator, decimal point and byte order mark.
    """
    write_csv(path, header, rows, dialect=dialect)


def cell(value: float, digits: int = 8) -> Numeral:
    """A number with so many significant digits, an empty cell where there is none.

    Parameters
    ----------
    value
        The number.
    digits
        Significant digits; :func:`budwood.report.numerals.digits_that_tell_apart` finds how many are needed.

    Returns
    -------
    Numeral
        The text of the cell.

    Examples
    --------
    >>> cell(0.5), cell(float("nan"))
    ('0.5', '')
    """
    return Numeral("" if value != value else f"{value:.{digits}g}")


def finite(value: float) -> float | None:
    """A number for a JSON file, None for what was not measured.

    Parameters
    ----------
    value
        Any number.

    Returns
    -------
    float | None
        The number, or None where it is not finite.

    Examples
    --------
    >>> finite(0.5), finite(float("nan"))
    (0.5, None)
    """
    return float(value) if isfinite(value) else None
