"""How a numeric genotype table is laid out: what stands in its rows, and which columns hold dosages.

Whether accessions or markers stand in the rows shows, in this order, in columns named chrom and pos (markers
in rows), in the names that a marker map knows, in the name of the first column (``marker``, ``taxa``, ...),
in names that only markers have (``S1_1200``, ``rs12``), and last in the shape, where one side is at least
five times as long as the other: that side is taken for the markers. Where none of these tells, the table is
refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from budwood.errors import BudwoodError, counted
from budwood.genomics.io.text.delimited import MISSING_CELLS, delimiter_of, split_cells, text_lines
from budwood.genomics.io.variants.tables.marker_map import MarkerMap, marker_column_roles
from budwood.genomics.io.variants.tables.table_columns import (
    is_descriptive,
    letters_and_digits,
    names_accessions,
)

#: Columns that may describe a marker before its dosages.
LEADING_AT_MOST: Final = 6
_TRAW: Final = ("chr", "snp", "cm", "pos", "counted", "alt")
_RAW: Final = ("fid", "iid", "pat", "mat", "sex", "phenotype")
_MARKER_NAME: Final = re.compile(
    r"(rs\d+|[a-z]*\d*[A-Z]?_\d{3,}|(chr|chrom|scaffold|contig|s)\w*[_:.]\d+\w*|(snp|marker|mk|mrk|locus|m)[_-]?\d+)(_[ACGT])?",
    re.IGNORECASE,
)
_SHARE_NAMED: Final = 0.9
# A table so much longer on one side has its markers there.
_CLEAR_SHAPE: Final = 5
_HIGHEST_DOSAGE: Final = 12.0
_SAMPLE: Final = 200


@dataclass(frozen=True)
class DosageLayout:
    """Where a table has its names and dosages.

    Attributes
    ----------
    delimiter
        What separates cells.
    header_lines
        Lines before the first row.
    names
        Names of all columns.
    name_column
        Column with the names of the rows.
    first
        First column that may hold dosages.
    dropped
        Columns from ``first`` on that hold none.
    markers_in_rows
        Whether markers stand in the rows; else accessions do.
    roles
        Columns that place markers, by role.
    doubled
        Whether cells are shares of an allele (TASSEL) instead of counts.
    notes
        What was assumed.
    """

    delimiter: str
    header_lines: int
    names: tuple[str, ...]
    name_column: int
    first: int
    dropped: frozenset[int]
    markers_in_rows: bool
    roles: dict[str, int]
    doubled: bool
    notes: tuple[str, ...]

    @property
    def columns(self) -> list[str]:
        """Names of the columns that hold dosages."""
        return [name for i, name in enumerate(self.names) if i >= self.first and i not in self.dropped]


def filled_lines(path: Path) -> Iterator[str]:
    """Lines of a table without the blank ones.

    Parameters
    ----------
    path
        The table.

    Returns
    -------
    iterator of str
        Lines that hold something.

    Yields
    ------
    str
        A line that holds something.
    """
    return (line for line in text_lines(path) if line.strip())


def is_numeric_title(line: str) -> bool:
    """Whether a line is the title of TASSEL's numeric genotypes.

    Parameters
    ----------
    line
        First line of a file.

    Returns
    -------
    bool
        True for ``<Numeric>``.

    Examples
    --------
    >>> is_numeric_title("<Numeric>"), is_numeric_title("marker,a")
    (True, False)
    """
    return line.strip().lower() == "<numeric>"


def find_layout(path: Path, placed: MarkerMap | None) -> DosageLayout:
    """Layout of a table, from its first lines.

    Parameters
    ----------
    path
        The table.
    placed
        A map that knows its markers, where one was given.

    Returns
    -------
    DosageLayout
        The layout.

    Raises
    ------
    BudwoodError
        If there is no row, no header, or both orientations fit.
    """
    preview = list(islice(filled_lines(path), 5))
    doubled = bool(preview) and is_numeric_title(preview[0])
    header_lines = 2 if doubled else 1
    preview = preview[header_lines - 1 :]
    if len(preview) < 2:
        raise BudwoodError(
            "the table holds no row of dosages",
            where=str(path),
            mend="give a header and one row per accession",
        )
    delimiter = delimiter_of(preview[0])
    written = preview[0].split() if delimiter == " " else preview[0].split(delimiter)
    names = split_cells(preview[0], delimiter)
    row = split_cells(preview[1], delimiter)
    if len(row) == len(names) + 1:  # R's write.table leaves the corner out
        names = ["", *names]
    _refuse_no_header(names, path)
    blanks = (
        sum(cell.strip('"') != cell.strip('"').strip() for cell in written[1:]) if delimiter != " " else 0
    )
    notes = [f"blanks around {blanks:,} column names were removed"] if blanks else []
    found = _Found(names, *_orientation(path, names, row, placed, doubled))
    dropped = found.described()
    if dropped:
        listed = ", ".join(names[i] for i in sorted(dropped))
        what = "accessions" if found.markers_in_rows else "markers"
        notes.append(f"columns taken to describe the rows and left out as {what}: {listed}")
    first = found.first
    while first in dropped:
        first += 1
    return DosageLayout(
        delimiter,
        header_lines,
        tuple(names),
        found.name_column,
        first,
        frozenset(i for i in dropped if i >= first),
        found.markers_in_rows,
        found.roles,
        doubled,
        (found.reason, *notes),
    )


@dataclass(frozen=True)
class _Found:
    names: Sequence[str]
    markers_in_rows: bool
    roles: dict[str, int]
    reason: str

    @property
    def name_column(self) -> int:
        if self.markers_in_rows:
            return self.roles.get("marker", 0)
        if tuple(map(letters_and_digits, self.names[: len(_RAW)])) == _RAW:
            return _RAW.index("iid")
        early = [i for i, name in enumerate(self.names[:8]) if names_accessions(name)]
        return early[0] if early else 0

    @property
    def first(self) -> int:
        """First column after those that place or name a row."""
        return max([self.name_column, *self.roles.values()]) + 1

    def described(self) -> set[int]:
        """Columns that describe the rows, the one with their names apart."""
        taken = {self.name_column, *self.roles.values()}
        return {
            i
            for i, name in enumerate(self.names)
            if i not in taken and (i < self.first or is_descriptive(name, of_markers=self.markers_in_rows))
        }


def _refuse_no_header(names: Sequence[str], path: Path) -> None:
    """Refuse a first line that holds dosages where names are due."""
    cells = names[1:]
    numbers = [_number(cell) for cell in cells]
    dosages = all(value is not None and value <= _HIGHEST_DOSAGE for value in numbers)
    if cells and dosages and (len(set(cells)) < len(cells) or 0.0 in numbers):
        raise BudwoodError(
            "the first line holds dosages where the names of the columns are due",
            where=str(path),
            mend="put a header above it: 'accession' and markers, or 'marker' and accessions",
        )


def _number(cell: str) -> float | None:
    if cell.lower() in MISSING_CELLS and cell:
        return -1.0
    try:
        return float(cell)
    except ValueError:
        return None


def _orientation(
    path: Path, names: Sequence[str], row: Sequence[str], placed: MarkerMap | None, doubled: bool
) -> tuple[bool, dict[str, int], str]:
    """Whether markers stand in the rows, the columns that place them, and in words how it shows."""
    plain = tuple(map(letters_and_digits, names[:LEADING_AT_MOST]))
    if plain == _TRAW:
        roles = {"contig": 0, "marker": 1, "position": 3, "counted": 4, "other": 5}
        return True, roles, "markers stand in the rows: the columns are those of PLINK's .traw"
    roles = marker_column_roles(names[:LEADING_AT_MOST])
    if "contig" in roles and "position" in roles:
        roles.setdefault("marker", 0)
        return True, roles, "markers stand in the rows: chrom and pos are columns"
    if doubled:
        return False, {}, "accessions stand in the rows: the format is TASSEL's numeric genotypes"
    if placed is not None and any(name in placed.row for name in names[1:]):
        return False, {}, "accessions stand in the rows: the map knows the columns as markers"
    if placed is not None and row[0] in placed.row:
        return True, {"marker": 0}, "markers stand in the rows: the map knows them"
    if "marker" in marker_column_roles(names[:1]):
        return True, {"marker": 0}, f"markers stand in the rows: the first column is named {names[0]!r}"
    if names_accessions(names[0]) or plain == _RAW or any(map(names_accessions, names[1:8])):
        at = next((i for i, name in enumerate(names[:8]) if names_accessions(name)), 0)
        which = "the first column" if at == 0 else "a column"
        return False, {}, f"accessions stand in the rows: {which} is named {names[at]!r}"
    return _by_names_or_shape(path, names, ask=placed is None)


def _by_names_or_shape(path: Path, names: Sequence[str], *, ask: bool) -> tuple[bool, dict[str, int], str]:
    rows = 0
    starts: list[str] = []
    delimiter = None
    for line in islice(filled_lines(path), 1, None):
        rows += 1
        if len(starts) < _SAMPLE:
            delimiter = delimiter or delimiter_of(line)
            starts.append(split_cells(line[:_SAMPLE], delimiter)[0])
    columns_named, rows_named = (_are_markers(part) for part in (names[1 : 1 + _SAMPLE], starts))
    if columns_named != rows_named:
        what = "markers" if rows_named else "accessions"
        return rows_named, _roles(rows_named), f"{what} stand in the rows: the names of the others say so"
    columns = len(names) - 1
    if not ask or max(rows, columns) >= _CLEAR_SHAPE * min(rows, columns):
        in_rows = rows > columns
        what = "markers" if in_rows else "accessions"
        return in_rows, _roles(in_rows), f"{what} are taken to stand in the rows, by the table's shape"
    raise BudwoodError(
        f"it is not clear whether the {counted(rows, 'row')} or the "
        f"{counted(columns, 'column')} are the markers",
        where=str(path),
        mend="name the first column 'accession' or 'marker', or give a table of the markers with --map",
    )


def _roles(in_rows: bool) -> dict[str, int]:
    return {"marker": 0} if in_rows else {}


def _are_markers(names: Sequence[str]) -> bool:
    found = sum(bool(_MARKER_NAME.fullmatch(name)) for name in names)
    return bool(names) and found >= _SHARE_NAMED * len(names)
