"""Marker maps: tables of marker, chromosome, position and, where known, the two alleles."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from sys import intern
from typing import Final

import numpy as np

from budwood.errors import BudwoodError, counted
from budwood.genomics.genotypes import Markers
from budwood.genomics.io.text.delimited import MISSING_CELLS, delimiter_of, split_cells, text_lines
from budwood.genomics.io.variants.position import parse_position

#: Column names understood, in lower case and without ``#``, ``_`` and blanks.
COLUMN_NAMES: Final = {
    "marker": (
        "marker",
        "markername",
        "markerid",
        "snp",
        "snpid",
        "snpname",
        "rs",
        "rsid",
        "locus",
        "variant",
    ),
    "contig": ("chrom", "chr", "chromosome", "contig", "scaffold", "lg", "linkagegroup"),
    "position": ("pos", "position", "bp", "ps", "physicalposition"),
    "other": ("allele0", "ref", "reference"),
    "counted": ("allele1", "alt", "alternative"),
}
_ROLE: Final = {name: role for role, names in COLUMN_NAMES.items() for name in names}


@dataclass(frozen=True)
class MarkerMap:
    """Where markers are.

    Attributes
    ----------
    markers
        Their names, contigs, 0-based positions and alleles; ``allele1`` (ALT) is the counted one.
    assumptions
        What reading the map took for granted.
    """

    markers: Markers
    assumptions: tuple[str, ...] = ()

    @cached_property
    def row(self) -> dict[str, int]:
        """Row of each marker."""
        return {name: j for j, name in enumerate(self.markers.identifier)}

    def place(self, names: Sequence[str]) -> Markers:
        """The markers of these names; those that the map lacks have no contig, position and alleles.

        Parameters
        ----------
        names
            Names of m markers.

        Returns
        -------
        Markers
            m markers in the order of the names.
        """
        index = np.array([self.row.get(name, -1) for name in names], dtype=np.intp)
        known = index >= 0
        contig, counted, other = (np.full(len(names), "", dtype=object) for _ in range(3))
        position = np.full(len(names), -1, dtype=np.int64)
        found = self.markers.take(index[known])
        contig[known], position[known] = found.contig, found.position
        counted[known], other[known] = found.counted, found.other
        return Markers(np.array(names, dtype=object), contig, position, counted, other)


def marker_column_roles(header: Sequence[str]) -> dict[str, int]:
    """Which column holds what: the first column of each role in :data:`COLUMN_NAMES`.

    Parameters
    ----------
    header
        Cells of the header.

    Returns
    -------
    dict
        Column number, from 0, by role.

    Examples
    --------
    >>> marker_column_roles(["SNP", "Chromosome", "Position", "IR64"])
    {'marker': 0, 'contig': 1, 'position': 2}
    """
    roles: dict[str, int] = {}
    for number, name in enumerate(header):
        role = _ROLE.get(re.sub(r"[#_. ]", "", name.lower()))
        if role:
            roles.setdefault(role, number)
    return roles


def read_marker_map(path: Path) -> MarkerMap:
    """Read a map with a header line; columns are found by name, their order is free.

    Positions are 1-based base pairs. Where the column holds a number that is not whole (centimorgans), all
    positions of the map count as unknown.

    Parameters
    ----------
    path
        The map, plain or packed.

    Returns
    -------
    MarkerMap
        Markers in file order, and what was assumed.

    Raises
    ------
    BudwoodError
        If the header lacks marker, chromosome or position, a position is no number, or a marker occurs twice.
    """
    lines = text_lines(path)
    header = next(lines, "")
    delimiter = delimiter_of(header)
    names = split_cells(header, delimiter)
    roles = marker_column_roles(names)
    lacking = [role for role in ("marker", "contig", "position") if role not in roles]
    if lacking:
        raise BudwoodError(
            f"the marker map has no column for {' and '.join(lacking)}",
            where=str(path),
            mend="give the columns marker, chrom and pos (and allele0, allele1 where known)",
        )
    columns: dict[str, list[str]] = {role: [] for role in COLUMN_NAMES}
    for number, line in enumerate(lines, start=2):
        cells = split_cells(line, delimiter)
        if len(cells) != len(names):
            raise BudwoodError(
                f"line {number} has {counted(len(cells), 'cell')}, the header {len(names)}",
                where=str(path),
                mend="correct that line",
            )
        for role, values in columns.items():
            values.append(cells[roles[role]] if role in roles else "")
    return marker_map_of(columns, path)


def marker_map_of(columns: dict[str, list[str]], path: Path) -> MarkerMap:
    """Check and convert the columns of a map, given by role.

    Parameters
    ----------
    columns
        Cells by role (``marker``, ``contig``, ``position``, ``counted``, ``other``).
    path
        File, for messages.

    Returns
    -------
    MarkerMap
        Markers in the order of the cells.

    Raises
    ------
    BudwoodError
        If a position is no number or a marker occurs twice.
    """
    numbers = [parse_position(text, str(path)) for text in columns["position"]]
    assumptions: tuple[str, ...] = ()
    if not all(number.is_integer() for number in numbers):
        numbers = [0.0] * len(numbers)
        assumptions = ("positions are not whole numbers (centimorgans?): they count as unknown",)
    letters = {role: [_allele(text) for text in columns[role]] for role in ("counted", "other")}
    markers = Markers(
        np.array(columns["marker"], dtype=object),
        np.array([_blank(text) for text in columns["contig"]], dtype=object),
        np.maximum(np.array(numbers, dtype=np.int64), 0) - 1,
        np.array(letters["counted"], dtype=object),
        np.array(letters["other"], dtype=object),
    )
    placed = MarkerMap(markers, assumptions)
    if len(placed.row) < len(markers):
        name = next(name for j, name in enumerate(markers.identifier) if placed.row[name] != j)
        raise BudwoodError(
            f"marker {name!r} occurs twice in the map", where=str(path), mend="keep one line per marker"
        )
    return placed


def _blank(text: str) -> str:
    return "" if text.lower() in MISSING_CELLS else intern(text)


def _allele(text: str) -> str:
    """An allele's letters, upper case; empty where the map gives none or something else than bases."""
    upper = text.upper()
    return intern(upper) if upper and not set(upper) - set("ACGTN") and upper != "NA" else ""
