"""Small tables about accessions, markers or contigs: one column by id, or a plain list of ids."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final

from budwood.errors import BudwoodError
from budwood.genomics.io.text.delimited import delimiter_of, refuse_repeated, text_lines

#: First lines of a list of ids that name the column instead of an accession.
_HEADERS: Final = frozenset({"accession", "accessions", "id", "ids", "line", "lines", "genotype", "taxa"})


def read_accession_column(path: Path, column: str | None = None, *, row: str = "accession") -> dict[str, str]:
    """One column of a table by accession id, which stands in the first column; ids and cells to the letter.

    Parameters
    ----------
    path
        Table with a header, separated by commas, tabs or semicolons (plain or packed).
    column
        Which one; the second of a table of two by default.
    row
        What a row is about, for messages: an accession, a marker, a contig.

    Raises
    ------
    BudwoodError
        If the file is no such table, the column is not there, an id repeats or a cell is empty.
    """
    path = Path(path)
    lines = list(text_lines(path))
    delimiter = delimiter_of(lines[0]) if lines else ","
    try:
        rows = [cells for cells in csv.reader(lines, delimiter=delimiter) if any(map(str.strip, cells))]
    except csv.Error as error:
        raise BudwoodError(
            f"the table cannot be read: {error}", where=str(path), mend="check the quotes"
        ) from error
    header = [name.strip() for name in rows[0]] if rows else []
    if len(header) < 2 or len(rows) < 2:
        raise BudwoodError(
            "the table has no header, no second column or no row",
            where=str(path),
            mend=f"give {row} and value in each row, separated by commas, under a header",
        )
    index = _index(path, header, column)
    for number, cells in enumerate(rows[1:], start=2):
        if len(cells) <= index or not cells[index].strip():
            raise BudwoodError(
                f"{row} {cells[0]!r} has no value of {header[index]!r}",
                where=f"{path}, row {number}",
                mend="fill the cell or remove the row",
            )
    refuse_repeated([cells[0] for cells in rows[1:]], row, path)
    return {cells[0]: cells[index].strip() for cells in rows[1:]}


def read_accession_numbers(
    path: Path, column: str | None = None, *, row: str = "accession"
) -> dict[str, float]:
    """The same column as :func:`read_accession_column`, as numbers.

    Raises
    ------
    BudwoodError
        As there, and if a cell is no number.
    """
    numbers = {}
    for name, cell in read_accession_column(path, column, row=row).items():
        try:
            numbers[name] = float(cell)
        except ValueError as error:
            raise BudwoodError(
                f"{cell!r} is no number", where=f"{path}, {row} {name!r}", mend="write a number"
            ) from error
    return numbers


def read_accession_list(path: Path) -> list[str]:
    """Ids, one a line; a first line such as ``accession`` names the column.

    Raises
    ------
    BudwoodError
        If there is none or one repeats.
    """
    path = Path(path)
    names = [line.strip() for line in text_lines(path) if line.strip()]
    if names and names[0].lower() in _HEADERS:
        names = names[1:]
    if not names:
        raise BudwoodError("the list holds no accession", where=str(path), mend="write one id a line")
    refuse_repeated(names, "accession", path)
    return names


def _index(path: Path, header: list[str], column: str | None) -> int:
    if column is None and len(header) == 2:
        return 1
    if column is None or column not in header[1:]:
        what = "it is not clear which column is meant" if column is None else f"there is no column {column!r}"
        raise BudwoodError(what, where=str(path), mend=f"choose one of: {', '.join(header[1:13])}")
    return header.index(column, 1)
