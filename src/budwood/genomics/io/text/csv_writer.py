"""CSV files as Budwood writes them: safe in spreadsheets, in the dialect of the reader's office."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final

# Cells that spreadsheets take for formulas (OWASP, CSV injection).
_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_SIGNED_NUMBER: Final = re.compile(r"[-+](\d+\.?\d*|\.\d+)(e[-+]?\d+)?", re.I | re.A)


class CsvDialect(StrEnum):
    """How CSV files are written.

    ``csv`` has commas and decimal points, as scripts expect; ``excel`` is the same behind a byte order mark,
    so that Excel knows it for UTF-8; ``excel-de`` has semicolons, decimal commas and the mark, as Excel
    expects where the comma is the decimal point.
    """

    PLAIN = "csv"
    EXCEL = "excel"
    EXCEL_DE = "excel-de"


class Numeral(str):
    """A number that is formatted already, so that its decimal point follows the dialect.

    Examples
    --------
    >>> cell_text(Numeral("0.500"), CsvDialect.EXCEL_DE)
    '0,500'
    """

    __slots__ = ()


Cell = str | int | float | None


def write_csv(
    path: Path,
    header: Sequence[str],
    rows: Iterable[Iterable[Cell]],
    *,
    dialect: CsvDialect | str = CsvDialect.PLAIN,
) -> None:
    """Write a CSV file in UTF-8.

    Parameters
    ----------
    path
        The file.
    header
        Names of the columns.
    rows
        Cells of each row, as :func:`cell_text` writes them.
    dialect
        Separator, decimal point and byte order mark.
    """
    dialect = CsvDialect(dialect)
    encoding = "utf-8" if dialect is CsvDialect.PLAIN else "utf-8-sig"
    with path.open("w", encoding=encoding, newline="", errors="backslashreplace") as handle:
        mark = ";" if dialect is CsvDialect.EXCEL_DE else ","
        writer = csv.writer(handle, lineterminator="\n", delimiter=mark)
        writer.writerow([neutralised(name) for name in header])
        writer.writerows([cell_text(cell, dialect) for cell in row] for row in rows)


def cell_text(cell: Cell, dialect: CsvDialect = CsvDialect.PLAIN) -> str:
    """Write a cell: text neutralised, floats with eight digits, nothing for None and NaN.

    Parameters
    ----------
    cell
        Text, a number, or None.
    dialect
        Decides on the decimal point of numbers; text keeps its points.

    Returns
    -------
    str
        The cell without quotes for the separator.

    Examples
    --------
    >>> cell_text(0.25, CsvDialect.EXCEL_DE), cell_text("1.5", CsvDialect.EXCEL_DE), cell_text(True)
    ('0,25', '1.5', 'true')
    """
    if isinstance(cell, str) and not isinstance(cell, Numeral):
        return neutralised(cell)
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    text = f"{cell:.8g}" if isinstance(cell, float) else str(cell)
    return text.replace(".", ",") if dialect is CsvDialect.EXCEL_DE else text


def neutralised(text: str) -> str:
    """Put a quote before text that a spreadsheet would run as a formula; Budwood's readers take it off.

    Parameters
    ----------
    text
        What stands in the cell.

    Returns
    -------
    str
        The same, behind ``'`` where it begins with ``=``, ``@``, a tab or a line end, or with a sign and is
        no number. A single character, such as a strand, is left alone.

    Examples
    --------
    >>> neutralised("=1+1"), neutralised("-2.5"), neutralised("-line 7"), neutralised("B73")
    ("'=1+1", '-2.5', "'-line 7", 'B73')
    """
    if len(text) < 2 or not text.lstrip(" ").startswith(_STARTS) or _SIGNED_NUMBER.fullmatch(text):
        return text
    return "'" + text
