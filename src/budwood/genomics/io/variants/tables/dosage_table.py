"""Numeric genotype tables (CSV, TSV): counts of one allele, 0 to the ploidy, fractional or missing.

Also PLINK's ``.raw`` and ``.traw`` and TASSEL's numeric genotypes, which are such tables with columns of
their own. :mod:`budwood.genomics.io.variants.tables.dosage_layout` finds out what stands where.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.genomics.genotypes import Genotypes, Markers
from budwood.genomics.io.text.delimited import (
    MISSING_CELLS,
    MISSING_NUMBERS,
    refuse_repeated,
    split_cells,
)
from budwood.genomics.io.variants.dosage_calls import DosageCalls
from budwood.genomics.io.variants.dosage_rows import DosageRows
from budwood.genomics.io.variants.plink.ped import name_accessions
from budwood.genomics.io.variants.tables.dosage_codes import code_note, find_ploidy, refuse_odd_columns
from budwood.genomics.io.variants.tables.dosage_layout import DosageLayout, filled_lines, find_layout
from budwood.genomics.io.variants.tables.marker_map import MarkerMap, marker_map_of, read_marker_map

_CODES_OF_MISSING: Final = (-1.0, *sorted(MISSING_NUMBERS))
_COUNTED: Final = re.compile(r"(.+)_([ACGT]+)(?:\(/[ACGT]+\))?")
_RAW: Final = ("FID", "IID")


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

    Returns
    -------
    DosageCalls
        The dosages and what was assumed.

    Raises
    ------
    BudwoodError
        If it is open whether accessions or markers stand in the rows, a cell is no number, a dosage exceeds
        the ploidy, dosages are coded -1, 0, 1, columns hold something else than dosages, an accession occurs
        twice, or the map knows none of the markers.
    """
    placed = read_marker_map(marker_map) if marker_map else None
    layout = find_layout(path, placed)
    body = _read_body(path, layout)
    columns = layout.columns
    if ploidy is None:
        refuse_odd_columns(body.dosage, columns, path)
    matrix = body.dosage.T if layout.markers_in_rows else body.dosage
    accessions: Sequence[str] = columns if layout.markers_in_rows else body.names
    names = body.names if layout.markers_in_rows else columns
    notes = [*layout.notes, *body.notes()]
    if layout.names[:2] == _RAW:
        accessions, said = _raw_accessions(body, path)
        notes.append(said)
    elif layout.markers_in_rows:
        accessions, more = _traw_accessions(accessions, layout)
        notes += more
    refuse_repeated(list(accessions), "accession", path)
    copies, said = find_ploidy(matrix, ploidy, path, minus_one=body.minus_one)
    own = _own_map(body, layout, path) or placed
    markers, more = _locate(names, own, marker_map if own is placed else None)
    if layout.names[:2] == _RAW and own is None:
        markers = _with_counted(markers)
    genotypes = Genotypes(tuple(accessions), markers, matrix, np.full(len(accessions), copies, dtype=np.int8))
    return DosageCalls(genotypes, "dosage table", (*notes, said, *more))


def _raw_accessions(body: _Body, path: Path) -> tuple[tuple[str, ...], str]:
    """Accessions of PLINK's .raw: individual ids, family ids where those repeat."""
    families = [cells[0] for cells in body.leading]
    return name_accessions(families, body.names, path)


def _traw_accessions(names: Sequence[str], layout: DosageLayout) -> tuple[Sequence[str], tuple[str, ...]]:
    """Accessions of PLINK's .traw, whose names are FID_IID."""
    halves = [(name[: len(name) // 2], name[len(name) // 2 + 1 :]) for name in names]
    if "COUNTED" in layout.names and all(one == other and one for one, other in halves):
        return [one for one, _ in halves], ("accession names were cut from FID_IID to IID, both alike",)
    if "COUNTED" in layout.names and all(name.startswith("0_") for name in names):
        return [name[2:] for name in names], ("accession names were cut from 0_IID to IID",)
    return names, ()


def _with_counted(markers: Markers) -> Markers:
    """Markers of PLINK's .raw, whose names end with the counted allele."""
    found = [_COUNTED.fullmatch(name) for name in markers.identifier]
    if not all(found):
        return markers
    names, counted = zip(*(match.groups() for match in found if match), strict=True)
    return replace(markers, identifier=np.array(names, dtype=object), counted=np.array(counted, dtype=object))


@dataclass
class _Body:
    names: list[str] = field(default_factory=list)
    leading: list[list[str]] = field(default_factory=list)
    dosage: NDArray[np.int8] | NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 0), np.int8))
    codes: Counter[float] = field(default_factory=Counter)
    commas: bool = False
    stripped: int = 0
    repeated: int = 0

    @property
    def minus_one(self) -> bool:
        return bool(self.codes[-1.0])

    def notes(self) -> list[str]:
        """What reading the rows assumed."""
        found = [*code_note(self.codes)]
        if self.commas:
            found.append("decimal commas were read as decimal points")
        if self.stripped:
            found.append(f"blanks around {self.stripped:,} row names were removed")
        if self.repeated:
            found.append(f"{self.repeated:,} rows that repeat an earlier one exactly were left out")
        return found


def _read_body(path: Path, layout: DosageLayout) -> _Body:
    count = len(layout.columns)
    rows = DosageRows(count)
    body = _Body()
    seen: dict[str, int] = {}
    for number, (cells, text) in enumerate(_rows(path, layout, body), start=layout.header_lines + 1):
        name = cells[layout.name_column]
        if seen.get(name) == hash(text):
            body.repeated += 1
            continue
        seen[name] = hash(text)
        digits = None if layout.doubled else _one_digit_cells(text, count, layout.delimiter)
        where = f"{path}, line {number}"
        rows.append((_parse_cells(text, layout, body, where) if digits is None else digits)[None])
        body.names.append(name)
        if layout.first > 1:
            body.leading.append(cells)
    body.dosage = rows.finish()
    return body


def _rows(path: Path, layout: DosageLayout, body: _Body) -> Iterator[tuple[list[str], str]]:
    """Leading cells of every row, and the text of its dosages."""
    mark = None if layout.delimiter == " " else layout.delimiter
    for line in islice(filled_lines(path), layout.header_lines, None):
        *written, text = line.split(mark, layout.first)
        cells = [cell.strip().strip('"').strip() for cell in written]
        body.stripped += len(written) > layout.name_column and (
            written[layout.name_column].strip('"') != cells[layout.name_column]
        )
        if layout.dropped:
            parts = text.split(mark)
            kept = (i for i in range(len(parts)) if i + layout.first not in layout.dropped)
            text = layout.delimiter.join(parts[i] for i in kept)
        yield cells + [""] * (layout.first - len(cells)), text


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
    text: str, layout: DosageLayout, body: _Body, where: str
) -> NDArray[np.int8] | NDArray[np.float32]:
    """Dosages of any row; codes of missing calls and decimal commas are noted in ``body``."""
    cells, columns = split_cells(text, layout.delimiter), layout.columns
    if len(cells) != len(columns):
        raise BudwoodError(
            f"the row has {len(cells)} dosages, the header {len(columns)}",
            where=where,
            mend="the file may be cut short; copy it again or correct the row",
        )
    try:
        numbers = np.array(cells, dtype=np.float64)
    except ValueError:
        pairs = zip(cells, columns, strict=True)
        numbers = np.array([_number(*pair, layout.delimiter != ",", body, where) for pair in pairs])
    coded = np.isin(numbers, _CODES_OF_MISSING)
    body.codes.update(numbers[coded].tolist())
    numbers[coded] = np.nan
    highest = 1 if layout.doubled else 127
    odd = np.flatnonzero((numbers < 0) | (numbers > highest))
    if len(odd):
        raise BudwoodError(
            f"{cells[odd[0]]} in column {columns[odd[0]]!r} is no dosage",
            where=where,
            mend="give shares of the allele from 0 to 1, NA where missing"
            if layout.doubled
            else "give counts from 0 to the ploidy, NA where missing",
        )
    if layout.doubled:
        numbers *= 2
    missing = np.isnan(numbers)
    if np.array_equal(np.round(numbers[~missing]), numbers[~missing]):
        return np.where(missing, -1, numbers).astype(np.int8)
    return numbers.astype(np.float32)


def _number(cell: str, column: str, comma: bool, body: _Body, where: str) -> float:
    if cell.lower() in MISSING_CELLS:
        return np.nan
    text = cell
    if comma and cell.count(",") == 1:
        text = cell.replace(",", ".")
        body.commas = True
    try:
        return float(text)
    except ValueError as error:
        raise BudwoodError(
            f"{cell[:40]!r} in column {column!r} is no number",
            where=where,
            mend="give allele dosages as numbers, NA where missing",
        ) from error


def _own_map(body: _Body, layout: DosageLayout, path: Path) -> MarkerMap | None:
    """Map from the table's own columns of positions, None where it has none."""
    if "position" not in layout.roles:
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
