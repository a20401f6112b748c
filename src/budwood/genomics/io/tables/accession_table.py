"""Small tables about accessions, markers or contigs: one column by id, or a plain list of ids."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from budwood.errors import BudwoodError, suggestion
from budwood.genomics.io.tables.columns import accession_column
from budwood.genomics.io.tables.number_column import read_number_column
from budwood.genomics.io.tables.table import Table, read_table
from budwood.genomics.io.text.delimited import MISSING_CELLS, refuse_repeated, text_lines

#: First lines of a list of ids that name the column instead of an accession.
_HEADERS: Final = frozenset({"accession", "accessions", "id", "ids", "line", "lines", "genotype", "taxa"})


def read_accession_column(path: Path, column: str | None = None, *, row: str = "accession") -> dict[str, str]:
    """One column of a table by accession id; the column with a known name for it, else the first, names it.

    Parameters
    ----------
    path
        Table with a header (commas, tabs, semicolons or blanks; plain or packed; or .xlsx).
    column
        Which one; the second of a table of two by default.
    row
        What a row is about, for messages: an accession, a marker, a contig.

    Returns
    -------
    dict
        Cell by id, in file order.

    Raises
    ------
    BudwoodError
        If the file is no such table, the column is not there, an id repeats or every cell is missing.

    Notes
    -----
    A row whose cell is missing counts as absent, as a line without a value does in a table of phenotypes.
    """
    names, cells, where = _cells(path, column, row)
    found = {name: cell for name, cell in zip(names, cells, strict=True) if not _missing(cell)}
    if not found:
        raise BudwoodError(
            f"no {row} has a value", where=where(0), mend="choose another column, or fill its cells"
        )
    return found


def read_accession_numbers(
    path: Path,
    column: str | None = None,
    *,
    row: str = "accession",
    only: tuple[str, str] | None = None,
) -> dict[str, float]:
    """The same column as :func:`read_accession_column`, as numbers.

    Parameters
    ----------
    path
        As :func:`read_accession_column`.
    column
        Name of the column; the second of a table of two by default.
    row
        What a row is about, for messages.
    only
        Another column and its value: the rows that count, where an id may stand once for each of its values.

    Returns
    -------
    dict
        Number by id, in file order.

    Raises
    ------
    BudwoodError
        As there, and if a cell is missing or no number: nothing can be assumed for it.
    """
    names, cells, where = _cells(path, column, row, only)
    for index, cell in enumerate(cells):
        if _missing(cell):
            raise BudwoodError(
                f"{row} {names[index]!r} has no number",
                where=where(index),
                mend="fill the cell or remove the row",
            )
    numbers = read_number_column(cells)
    if numbers.refused:
        index, reason = numbers.refused[0]
        raise BudwoodError(reason, where=f"{path}, {row} {names[index]!r}", mend="write a number")
    return dict(zip(names, numbers.values, strict=True))


def _missing(cell: str) -> bool:
    return cell.lower() in MISSING_CELLS


def _cells(
    path: Path, column: str | None, row: str, only: tuple[str, str] | None = None
) -> tuple[list[str], list[str], Callable[[int], str]]:
    """Ids and cells of a column, each id once, and where the cell of a row stands."""
    table = read_table(Path(path))
    if not table.rows:
        raise BudwoodError(
            "the table has no row",
            where=str(table.path),
            mend=f"give {row} and value in each row, separated by commas, under a header",
        )
    key = accession_column(table, {}).index if row == "accession" else 0
    if table.header[key] == column:
        key = 0
    index = _index(table, key, column)
    kept: Sequence[int] = range(len(table.rows))
    if only is not None:
        of = table.column(_index(table, key, only[0]))
        kept = [number for number, cell in enumerate(of) if cell == only[1]]
    every, cells = table.column(key), table.column(index)
    names = [every[number] for number in kept]
    refuse_repeated(names, row, table.path)
    return names, [cells[number] for number in kept], lambda number: table.where(kept[number], index)


def read_accession_list(path: Path) -> list[str]:
    """Ids, one a line; a first line such as ``accession`` names the column.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    list of str
        Ids in file order.

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


def _index(table: Table, key: int, column: str | None) -> int:
    others = [name for i, name in enumerate(table.header) if i != key]
    if column is None and len(others) == 1:
        return table.header.index(others[0])
    if column is None or column not in others:
        what = "it is not clear which column is meant" if column is None else f"there is no column {column!r}"
        raise BudwoodError(what, where=str(table.path), mend=suggestion(column or "", others))
    return table.header.index(column)
