"""Relationship matrices: square tables with ids, and GCTA's binary files."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError, counted
from budwood.genomics.io.tables.number_column import read_number_column
from budwood.genomics.io.tables.table import Table, read_table
from budwood.genomics.io.text.delimited import text_lines
from budwood.genomics.kinship import Kinship

#: Endings of the files that GCTA writes; .grm.N.bin has the numbers of markers and is not needed.
_BINARY: Final = (".grm.bin", ".grm.id")


def read_kinship(path: Path) -> Kinship:
    """Read a relationship matrix and check it.

    Parameters
    ----------
    path
        A square table (commas, tabs, semicolons or blanks; plain or packed; or .xlsx) with the ids in its
        first column and in its header, or one of GCTA's files ``NAME.grm.bin`` and ``NAME.grm.id``.

    Returns
    -------
    Kinship
        In the order of the rows.

    Raises
    ------
    BudwoodError
        If the file cannot be read, rows and columns have other ids, or as
        :meth:`~budwood.genomics.kinship.Kinship.checked`.
    """
    path = Path(path)
    binary = path.name.endswith(_BINARY)
    found = _read_binary(path) if binary else _read_square(read_table(path))
    return found.checked(str(path))


def kinship_files(path: Path) -> list[Path]:
    """The files that a path of a relationship matrix stands for.

    Parameters
    ----------
    path
        As for :func:`read_kinship`.

    Returns
    -------
    list of Path
        One table, or GCTA's two files.
    """
    for ending in _BINARY:
        if path.name.endswith(ending):
            stem = path.name.removesuffix(ending)
            return [path.with_name(stem + other) for other in _BINARY]
    return [path]


def _read_square(table: Table) -> Kinship:
    """The first column has the ids of the rows, the header those of the columns."""
    names, columns = tuple(table.column(0)), table.header[1:]
    if set(names) != set(columns):
        apart = sorted(set(names) ^ set(columns))
        raise BudwoodError(
            f"rows and columns of the kinship matrix have other ids: {apart[0]!r} is in one of them only",
            where=str(table.path),
            mend="give a square table, with the ids in the first column and in the header",
        )
    values = np.empty((len(names), len(columns)))
    for place, _ in enumerate(columns):
        numbers = read_number_column(table.column(place + 1))
        if numbers.refused:
            row, reason = numbers.refused[0]
            raise BudwoodError(reason, where=table.where(row, place + 1), mend="write a number")
        values[:, place] = numbers.values
    place_of = {name: place for place, name in enumerate(columns)}
    order = np.array([place_of[name] for name in names], dtype=np.intp)
    return Kinship(accessions=names, values=values[:, order], notes=table.notes)


def _read_binary(path: Path) -> Kinship:
    matrix, ids = kinship_files(path)
    rows = [line.split() for line in text_lines(ids) if line.strip()]
    if any(len(row) != 2 for row in rows):
        raise BudwoodError(
            "a line does not hold a family and an id", where=str(ids), mend="give the .grm.id that GCTA wrote"
        )
    n = len(rows)
    try:
        lower = np.fromfile(matrix, dtype="<f4")
    except OSError as error:
        raise BudwoodError(
            f"the file cannot be read: {error.strerror}", where=str(matrix), mend="give both files of GCTA"
        ) from error
    if len(lower) != n * (n + 1) // 2:
        raise BudwoodError(
            f"the file holds {counted(len(lower), 'number')}, which is no lower triangle of "
            f"{counted(n, 'accession')}",
            where=str(matrix),
            mend="give the .grm.bin and .grm.id of one run of GCTA",
        )
    return Kinship(accessions=tuple(row[1] for row in rows), values=_symmetric(lower, n))


def _symmetric(lower: NDArray[np.float32], n: int) -> NDArray[np.float64]:
    values = np.zeros((n, n))
    values[np.tril_indices(n)] = lower
    return values + np.tril(values, -1).T
