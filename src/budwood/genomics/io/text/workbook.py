"""Sheets of Excel workbooks (.xlsx) as rows of text."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Final

from budwood.errors import BudwoodError

#: What the names of workbooks that openpyxl reads end with.
WORKBOOKS: Final = (".xlsx", ".xlsm")
_OTHERS: Final = (".xls", ".ods", ".numbers", ".xlsb")
# A sheet that claims a million empty rows, or a packed bomb, is not a table of a trial.
_MOST_CELLS: Final = 20_000_000
_MOST_BYTES: Final = 1 << 30


def is_workbook(path: Path) -> bool:
    """Whether a file is a workbook by its name, also of a kind that cannot be read.

    Parameters
    ----------
    path
        The file; it is not opened.

    Returns
    -------
    bool
        True for ``.xlsx``, ``.xls``, ``.ods`` and the like.
    """
    return path.suffix.lower() in (*WORKBOOKS, *_OTHERS)


def workbook_rows(path: Path) -> tuple[list[list[str]], list[str]]:
    """Rows of the first sheet that holds anything, and what was assumed.

    Whole numbers come without a decimal point, dates as ``2024-05-01``, empty cells as ``""``.

    Parameters
    ----------
    path
        The workbook.

    Returns
    -------
    tuple of list of list of str, list of str
        Rows of cells, and notes.

    Raises
    ------
    BudwoodError
        If openpyxl is not installed, the file is no workbook of a kind that can be read, is damaged or
        empty, or holds a formula whose value was never computed.
    """
    if path.suffix.lower() not in WORKBOOKS:
        raise BudwoodError(
            "the file is a workbook of a kind that cannot be read",
            where=str(path),
            mend="save its sheet as .xlsx or CSV",
        )
    if not path.is_file():
        raise BudwoodError("the file does not exist", where=str(path), mend="check its name")
    values, formulas = _opened(path, data_only=True), _opened(path, data_only=False)
    found: list[tuple[str, list[list[str]]]] = []
    try:
        for sheet in values.worksheets:
            rows = list(_rows(sheet, formulas[sheet.title], path))
            if any(any(row) for row in rows):
                found.append((sheet.title, rows))
    except BudwoodError:
        raise
    except Exception as error:  # openpyxl raises whatever a damaged sheet leads to
        raise _damaged(path) from error
    finally:
        values.close()
        formulas.close()
    if not found:
        raise BudwoodError("the workbook is empty", where=str(path), mend="check the file")
    title, rows = found[0]
    notes = []
    if len(found) > 1:
        others = ", ".join(repr(name) for name, _ in found[1:])
        notes.append(f"Sheet {title!r} of the workbook was read, and not {others}.")
    return rows, notes


def _opened(path: Path, *, data_only: bool) -> Any:
    try:
        from openpyxl import load_workbook
    except ImportError as error:
        raise BudwoodError(
            "Excel workbooks need the package openpyxl",
            where=str(path),
            mend="install it with pip install 'budwood[excel]', or save the sheet as CSV",
        ) from error
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
    except (OSError, NotImplementedError, zipfile.BadZipFile) as error:  # a version of zip that is none
        raise _damaged(path) from error
    if size > _MOST_BYTES:
        raise BudwoodError(
            f"the workbook unpacks to {size:,} bytes", where=str(path), mend="save the sheet as CSV"
        )
    try:
        return load_workbook(path, read_only=True, data_only=data_only)
    except Exception as error:  # openpyxl raises whatever a damaged workbook leads to
        raise _damaged(path) from error


def _rows(values: Any, formulas: Any, path: Path) -> Iterator[list[str]]:
    cells = 0
    for number, (known, written) in enumerate(
        zip(values.iter_rows(values_only=True), formulas.iter_rows(values_only=True), strict=False), start=1
    ):
        cells += len(known)
        if cells > _MOST_CELLS:
            raise BudwoodError("the sheet is too large", where=str(path), mend="save the sheet as CSV")
        for column, (value, formula) in enumerate(zip(known, written, strict=False), start=1):
            if value is None and isinstance(formula, str) and formula.startswith("="):
                raise BudwoodError(
                    f"the formula {formula!r} has no computed value",
                    where=f"{path}, sheet {values.title!r}, row {number}, column {column}",
                    mend="open and save the workbook in a spreadsheet, or save the sheet as CSV",
                )
        yield [_text(value) for value in known]


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)


def _damaged(path: Path) -> BudwoodError:
    return BudwoodError(
        "the workbook cannot be read", where=str(path), mend="save it again as .xlsx, or its sheet as CSV"
    )
