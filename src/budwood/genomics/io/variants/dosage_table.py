"""Numeric genotype tables (CSV, TSV): counts of one allele, 0 to the ploidy, fractional or missing.

Either accessions or markers stand in the rows. Which it is shows, in this order, in columns named chrom and
pos (markers in rows), in the names that a marker map knows, in the first header cell (``marker``, ``taxa``,
...), and last in the shape: the longer side is taken for the markers; the choice is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.genomics.genotypes import Genotypes, Markers
from budwood.genomics.io.text.delimited import (
    MISSING_CELLS,
    delimiter_of,
    refuse_repeated,
    split_cells,
    text_lines,
)
from budwood.genomics.io.variants.dosage_calls import DosageCalls
from budwood.genomics.io.variants.dosage_rows import DosageRows
from budwood.genomics.io.variants.marker_map import MarkerMap, column_roles, marker_map_of, read_marker_map

#: Columns that may describe a marker before its dosages.
LEADING_AT_MOST: Final = 6
_ACCESSION_NAMES: Final = frozenset(
    {"accession", "accessions", "taxa", "taxon", "line", "lines", "sample", "samples", "genotype", "iid"}
    | {"individual", "individuals", "entry", "gid", "germplasm", "germplasmname"}
)
_PLOIDIES: Final = (1, 2, 4, 6, 8, 10, 12)
_CODES_OF_MISSING: Final = (-1.0, -9.0)


@dataclass(frozen=True)
class _Layout:
    """How the table is written: ``leading`` columns before the dosages, and whose they are."""

    delimiter: str
    names: list[str]
    leading: int
    markers_in_rows: bool
    roles: dict[str, int]
    reason: str


def read_dosage_table(
    path: Path, *, ploidy: int | None = None, marker_map: Path | None = None
) -> DosageCalls:
    """Read a table of dosages into memory, one byte each (four where any is fractional).

    Parameters
    ----------
    path
        The table, plain or packed, with a header line.
    ploidy
        Copies per accession; None takes the smallest of 1, 2, 4, 6, 8, 10, 12 that the largest dosage allows.
    marker_map
        Table of marker, chrom, pos and optionally allele0, allele1 (the counted one).

    Raises
    ------
    BudwoodError
        If a cell is no number, a dosage exceeds the ploidy, dosages are coded -1, 0, 1, an accession stands
        twice, or the map knows none of the markers.
    """
    placed = read_marker_map(marker_map) if marker_map else None
    layout = _layout(path, placed)
    body = _read_body(path, layout)
    matrix = body.dosage.T if layout.markers_in_rows else body.dosage
    column_names = layout.names[layout.leading :]
    accessions, markers = (column_names, body.names) if layout.markers_in_rows else (body.names, column_names)
    refuse_repeated(accessions, "accession", path)
    copies, said = find_ploidy(matrix, ploidy, path, minus_one=body.minus_one)
    own = _own_map(body, layout, path) or placed
    located, more = _locate(markers, own, marker_map if own is placed else None)
    genotypes = Genotypes(tuple(accessions), located, matrix, np.full(len(accessions), copies, dtype=np.int8))
    return DosageCalls(genotypes, "dosage table", (layout.reason, said, *more))


def _layout(path: Path, placed: MarkerMap | None) -> _Layout:
    preview = list(islice(text_lines(path), 3))
    if len(preview) < 2:
        raise BudwoodError(
            "the table holds no row of dosages",
            where=str(path),
            mend="give a header and one row per accession",
        )
    delimiter = delimiter_of(preview[0])
    names = split_cells(preview[0], delimiter)
    row = split_cells(preview[1], delimiter)
    if len(row) == len(names) + 1:  # R's write.table leaves the corner out
        names = ["", *names]
    roles = column_roles(names[:LEADING_AT_MOST])
    if "contig" in roles and "position" in roles:
        roles.setdefault("marker", 0)
        leading = max(roles.values()) + 1
        return _Layout(
            delimiter, names, leading, True, roles, "markers stand in the rows: chrom and pos are columns"
        )
    corner = names[0].lower().strip("#")
    if placed is not None and any(name in placed.row for name in names[1:]):
        in_rows, reason = False, "accessions stand in the rows: the map knows the columns as markers"
    elif placed is not None and row[0] in placed.row:
        in_rows, reason = True, "markers stand in the rows: the map knows them"
    elif "marker" in column_roles(names[:1]):
        in_rows, reason = True, f"markers stand in the rows: the first column is named {names[0]!r}"
    elif corner in _ACCESSION_NAMES:
        in_rows, reason = False, f"accessions stand in the rows: the first column is named {names[0]!r}"
    else:
        rows = sum(1 for _ in text_lines(path)) - 1
        in_rows = rows > len(names) - 1
        reason = (
            f"{'markers' if in_rows else 'accessions'} are taken to stand in the rows, by the table's shape"
        )
    return _Layout(delimiter, names, 1, in_rows, {"marker": 0}, reason)


@dataclass(frozen=True)
class _Body:
    names: list[str]
    leading: list[list[str]]
    dosage: NDArray[np.int8] | NDArray[np.float32]
    minus_one: bool


def _read_body(path: Path, layout: _Layout) -> _Body:
    count = len(layout.names) - layout.leading
    rows = DosageRows(count)
    names: list[str] = []
    leading: list[list[str]] = []
    minus_one = False
    for number, (cells, text) in enumerate(_rows(path, layout), start=2):
        digits = _one_digit_cells(text, count, layout.delimiter)
        if digits is not None:
            rows.append(digits[None])
        else:
            values, negative = _parse_cells(text, count, layout, f"{path}, line {number}")
            minus_one = minus_one or negative
            rows.append(values[None])
        names.append(cells[layout.roles["marker"]])
        if layout.leading > 1:
            leading.append(cells)
    return _Body(names, leading, rows.finish(), minus_one)


def _rows(path: Path, layout: _Layout) -> Iterator[tuple[list[str], str]]:
    """Leading cells of every row, and the text of its dosages."""
    mark = None if layout.delimiter == " " else layout.delimiter
    for line in islice(text_lines(path), 1, None):
        *cells, text = line.split(mark, layout.leading)
        yield [cell.strip().strip('"') for cell in cells] + [""] * (layout.leading - len(cells)), text


def _one_digit_cells(text: str, count: int, delimiter: str) -> NDArray[np.int8] | None:
    """Dosages of a row whose cells are single digits or NA, by far the most common; None for any other."""
    raw = np.frombuffer(
        text.encode("ascii", "replace").replace(b"NA", b"/") + delimiter.encode(), dtype=np.uint8
    )
    if len(raw) != 2 * count or (raw[1::2] != ord(delimiter)).any():
        return None
    # "/" is the character before "0", so NA becomes -1.
    values = raw[::2].astype(np.int16) - ord("0")
    return values.astype(np.int8) if values.min() >= -1 and values.max() <= 9 else None


def _parse_cells(
    text: str, count: int, layout: _Layout, where: str
) -> tuple[NDArray[np.int8] | NDArray[np.float32], bool]:
    """Dosages of any row, and whether -1 stands for one of the missing ones."""
    cells = split_cells(text, layout.delimiter)
    if len(cells) != count:
        raise BudwoodError(
            f"the row has {len(cells)} dosages, the header {count}",
            where=where,
            mend="the file may be cut short; copy it again or correct the row",
        )
    columns = layout.names[-count:]
    try:
        numbers = np.array(cells, dtype=np.float64)
    except ValueError:
        numbers = np.array([_number(*pair, where) for pair in zip(cells, columns, strict=True)])
    coded = np.isin(numbers, _CODES_OF_MISSING)
    negative = bool((numbers == -1).any())
    numbers[coded] = np.nan
    odd = np.flatnonzero((numbers < 0) | (numbers > 127))
    if len(odd):
        raise BudwoodError(
            f"{cells[odd[0]]} in column {columns[odd[0]]!r} is no dosage",
            where=where,
            mend="give counts from 0 to the ploidy, NA where missing",
        )
    missing = np.isnan(numbers)
    if np.array_equal(np.round(numbers[~missing]), numbers[~missing]):
        return np.where(missing, -1, numbers).astype(np.int8), negative
    return numbers.astype(np.float32), negative


def _number(cell: str, column: str, where: str) -> float:
    if cell.lower() in MISSING_CELLS:
        return np.nan
    try:
        return float(cell)
    except ValueError as error:
        raise BudwoodError(
            f"{cell!r} in column {column!r} is no number",
            where=where,
            mend="give allele dosages as numbers, NA where missing",
        ) from error


def find_ploidy(
    dosage: NDArray[np.int8] | NDArray[np.float32], given: int | None, path: Path, *, minus_one: bool = False
) -> tuple[int, str]:
    """Copies per accession, and in words where the number comes from.

    Parameters
    ----------
    minus_one
        Whether the file writes -1, which is a homozygote in some tables and a missing call in others.

    Raises
    ------
    BudwoodError
        If a dosage exceeds the ploidy given, or it is open what -1 means.
    """
    largest = float(np.fmax.reduce(dosage, axis=None, initial=0.0))
    if minus_one and largest <= 1 and given != 1:
        raise BudwoodError(
            "dosages run from -1 to 1, so -1 may be a homozygote or a missing call",
            where=str(path),
            mend="add 1 to -1, 0, 1 coding, or write NA for missing calls",
        )
    if given is not None:
        if largest > given:
            raise BudwoodError(
                f"a dosage is {largest:g} where ploidy {given} was given",
                where=str(path),
                mend="give the right ploidy or leave it out",
            )
        return given, f"ploidy {given} as given"
    fitting = [ploidy for ploidy in _PLOIDIES if ploidy >= largest]
    if not fitting:
        raise BudwoodError(
            f"a dosage is {largest:g}, more than any ploidy tried", where=str(path), mend="give the ploidy"
        )
    return fitting[0], f"ploidy {fitting[0]} is inferred from the largest dosage, {largest:g}"


def _own_map(body: _Body, layout: _Layout, path: Path) -> MarkerMap | None:
    """Map from the table's own columns of positions, None where it has none."""
    if not body.leading:
        return None
    columns = {role: [""] * len(body.names) for role in ("contig", "position", "counted", "other")}
    for role, number in layout.roles.items():
        columns[role] = [cells[number] for cells in body.leading]
    return marker_map_of(columns, path)


def _locate(
    names: list[str], placed: MarkerMap | None, map_path: Path | None
) -> tuple[Markers, tuple[str, ...]]:
    if placed is None:
        empty = np.full(len(names), "", dtype=object)
        unknown = np.full(len(names), -1, dtype=np.int64)
        markers = Markers(np.array(names, dtype=object), empty, unknown, empty, empty)
        return markers, ("the counted allele and the positions are unknown: no marker map was given",)
    known = sum(name in placed.row for name in names)
    if not known:
        raise BudwoodError(
            "the marker map knows none of the table's markers",
            where=str(map_path),
            mend="check that marker names are spelled alike in both",
        )
    said = list(placed.assumptions)
    if known < len(names):
        said.append(
            f"{len(names) - known:,} of {len(names):,} markers are not in the map: their place is unknown"
        )
    if not (placed.markers.counted != "").any():
        said.append("the counted allele is unknown: the map gives no letters")
    return placed.place(names), tuple(said)
