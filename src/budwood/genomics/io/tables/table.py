"""A table of text cells with a header, from delimited text or a workbook."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from budwood.errors import BudwoodError, counted
from budwood.genomics.io.text.delimited import delimiter_of, text_lines
from budwood.genomics.io.text.encoding import WINDOWS, text_encoding
from budwood.genomics.io.text.workbook import is_workbook, workbook_rows

_MARKS: Final = "\t;,"
_SAMPLE: Final = 50
#: The note of :func:`~budwood.genomics.io.text.workbook.workbook_rows` on several sheets.
_SHEETS: Final = re.compile(r"Sheet .+ of the workbook was read, and not .+\.")
#: What :mod:`budwood.genomics.io.text.csv_writer` puts a quote before, so that no spreadsheet runs it.
_NEUTRALISED: Final = ("'=", "'+", "'-", "'@", "'\t", "'\r")


@dataclass(frozen=True)
class Table:
    """Cells as text without blanks around them, and where each stands.

    Attributes
    ----------
    path
        The file.
    header
        Distinct names of the columns; ``""`` for a first column without one (row names).
    rows
        As many cells in each as the header has.
    lines
        Line of the file that each row ends on.
    delimiter
        What separates the cells; ``" "`` for blanks, ``"xlsx"`` for a workbook.
    notes
        What was assumed in reading, a sentence each.
    """

    path: Path
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    delimiter: str
    notes: tuple[str, ...] = ()

    def where(self, row: int, column: int) -> str:
        """Place of a cell, for messages.

        Parameters
        ----------
        row, column
            Numbers of the row and the column, from 0.

        Returns
        -------
        str
            File, line and name of the column.
        """
        return f"{self.path}, line {self.lines[row]}, column {self.header[column]!r}"

    def column(self, index: int) -> list[str]:
        """Cells of a column.

        Parameters
        ----------
        index
            Number of the column, from 0.

        Returns
        -------
        list of str
            One cell for each row.
        """
        return [cells[index] for cells in self.rows]

    @property
    def plain(self) -> tuple[str, ...]:
        """Names of the columns in lower case with ``_`` for all that is neither letter nor digit."""
        return tuple(plain_name(name) for name in self.header)


def plain_name(name: str) -> str:
    """A column's name in lower case, words joined by ``_``.

    Parameters
    ----------
    name
        The name as written.

    Returns
    -------
    str
        Letters and digits joined by ``_``.

    Examples
    --------
    >>> plain_name("Std. Error"), plain_name("<Trait>"), plain_name("germplasmName")
    ('std_error', 'trait', 'germplasmname')
    """
    words = "".join(letter if letter.isalnum() else " " for letter in name.lower())
    return "_".join(words.split())


def read_table(path: Path) -> Table:
    """Read a table (commas, tabs, semicolons or blanks; plain, gzip or xz; or .xlsx).

    Title lines above the header (a single cell over rows of several) and columns without any content are
    left out, and the notes say so. Blanks around cells are dropped.

    Parameters
    ----------
    path
        The table.

    Returns
    -------
    Table
        Header, rows, their line numbers, and notes.

    Raises
    ------
    BudwoodError
        If the file cannot be read, holds no row, has a single column, two columns of one name, a column
        with content but without a name (other than the first), or a row of another width.
    """
    path = Path(path)
    if not is_workbook(path):
        return _table(path, *_from_text(path))
    rows, lines, delimiter, notes = _from_workbook(path)
    with naming_sheets(notes):
        return _table(path, rows, lines, delimiter, notes)


@contextmanager
def naming_sheets(notes: Sequence[str]) -> Iterator[None]:
    """Add to a refusal which sheet of a workbook was read, where the workbook has others.

    Parameters
    ----------
    notes
        Those of the table.

    Yields
    ------
    None
        Nothing.

    Raises
    ------
    BudwoodError
        As the body does, with the sheet.
    """
    try:
        yield
    except BudwoodError as error:
        said = next((note for note in notes if _SHEETS.fullmatch(note)), None)
        if said is None or "of the workbook was read" in error.mend:
            raise
        mend = f"{error.mend}; {said[0].lower()}{said[1:].rstrip('.')}, so put the table into the first sheet"
        raise BudwoodError(error.what, where=error.where, mend=mend) from error


def _table(path: Path, rows: list[list[str]], lines: list[int], delimiter: str, notes: list[str]) -> Table:
    rows, lines, titles = _without_titles(rows, lines)
    notes += titles
    if not rows:
        raise BudwoodError("the table is empty", where=str(path), mend="give a header and rows below it")
    header = [name.strip() for name in rows[0]]
    body = _rectangular(path, len(header), rows[1:], lines[1:])
    kept = [i for i, name in enumerate(header) if name or any(cells[i] for cells in body)]
    if len(kept) < len(header):
        notes.append(f"{len(header) - len(kept)} empty columns without a name were left out.")
        header = [header[i] for i in kept]
        body = [tuple(cells[i] for i in kept) for cells in body]
    _check_header(path, header)
    trailing = sum(cell != cell.rstrip() and bool(cell.strip()) for cells in rows[1:] for cell in cells)
    if trailing:
        notes.append(f"Blanks at the end of {counted(trailing, 'cell')} were dropped.")
    return Table(path, tuple(header), tuple(body), tuple(lines[1:]), delimiter, tuple(notes))


def _from_workbook(path: Path) -> tuple[list[list[str]], list[int], str, list[str]]:
    rows, notes = workbook_rows(path)
    numbered = [(number, cells) for number, cells in enumerate(rows, start=1) if any(map(str.strip, cells))]
    return [cells for _, cells in numbered], [number for number, _ in numbered], "xlsx", notes


def _from_text(path: Path) -> tuple[list[list[str]], list[int], str, list[str]]:
    text = list(text_lines(path))
    notes = []
    if any(not line.isascii() for line in text) and text_encoding(path) == WINDOWS:
        notes.append(f"The file is not UTF-8 and was read as {WINDOWS} text.")
    filled = [line for line in text if line.strip()]
    delimiter = _delimiter(filled[:_SAMPLE])
    rows: list[list[str]] = []
    lines: list[int] = []
    if delimiter == " ":
        numbered = [(number, line.split()) for number, line in enumerate(text, start=1) if line.strip()]
        return [cells for _, cells in numbered], [number for number, _ in numbered], delimiter, notes
    reader = csv.reader([line + "\n" for line in text], delimiter=delimiter)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append(cells)
                lines.append(reader.line_num)
    except csv.Error as error:
        raise BudwoodError(
            f"the table cannot be read: {error}",
            where=f"{path}, line {reader.line_num}",
            mend="check the quotes",
        ) from error
    return rows, lines, delimiter, notes


def _delimiter(lines: Sequence[str]) -> str:
    """The delimiter of the first line, or, where most lines have none of it, one they all have."""
    if not lines:
        return ","
    first = delimiter_of(lines[0])
    if first != " " and 2 * sum(first in line for line in lines) > len(lines):
        return first
    for mark in _MARKS:
        (count, often), *_ = Counter(line.count(mark) for line in lines[1:] or lines).most_common(1)
        if count and 2 * often > len(lines[1:]):
            return mark
    return first


def _without_titles(rows: list[list[str]], lines: list[int]) -> tuple[list[list[str]], list[int], list[str]]:
    """Rows from the header on: lines of one cell above rows of several are a title."""
    filled = [sum(1 for cell in cells if cell.strip()) for cells in rows]
    first = next((i for i, count in enumerate(filled) if count > 1), 0)
    notes = []
    if first and all(count == 1 for count in filled[:first]) and first <= 5:
        titles = " / ".join(next(cell.strip() for cell in cells if cell.strip()) for cells in rows[:first])
        which = f"Line {lines[0]} is" if first == 1 else f"Lines {lines[0]} to {lines[first - 1]} are"
        notes.append(f"{which} taken for a title and left out: {titles[:200]!r}.")
        return rows[first:], lines[first:], notes
    return rows, lines, notes


def _check_header(path: Path, header: Sequence[str]) -> None:
    twice = [name for name, count in Counter(header).items() if count > 1]
    unnamed = [i for i, name in enumerate(header) if not name and i > 0]
    if unnamed:
        raise BudwoodError(
            f"column {unnamed[0] + 1} has no name", where=str(path), mend="give every column a name"
        )
    if twice:
        raise BudwoodError(
            f"column {twice[0]!r} occurs twice", where=str(path), mend="give every column a name of its own"
        )
    if len(header) < 2:
        raise BudwoodError(
            "the table has a single column",
            where=str(path),
            mend="separate its columns with commas, tabs or semicolons",
        )


def _rectangular(
    path: Path, width: int, rows: Sequence[Sequence[str]], lines: Sequence[int]
) -> list[tuple[str, ...]]:
    """Rows of the header's width; empty cells past it are dropped."""
    found = []
    for cells, line in zip(rows, lines, strict=True):
        if len(cells) < width or any(cell.strip() for cell in cells[width:]):
            raise BudwoodError(
                f"the row has {counted(len(cells), 'cell')}, the header has {width}",
                where=f"{path}, line {line}",
                mend="fill the row or name every column",
            )
        found.append(tuple(map(_cell, cells[:width])))
    return found


def _cell(text: str) -> str:
    text = text.strip(" \t\r\n\u00a0")
    return text[1:] if text.startswith(_NEUTRALISED) else text
