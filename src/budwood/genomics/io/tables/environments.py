"""Tables of environments: a row for each, named in the first column or in column ``environment``."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Final

import numpy as np

from budwood.errors import BudwoodError
from budwood.genomics.environments import Environments, provenance_named
from budwood.genomics.io.text.delimited import MISSING_CELLS, delimiter_of, refuse_repeated, text_lines

_NAMES: Final = ("environment", "environ", "env", "trial", "experiment")
_TEXTS: Final = {
    "year": ("year", "season"),
    "location": ("location", "loc", "site"),
    "treatment": ("treatment", "management", "water", "regime"),
    "provenance": ("provenance", "facility"),
}


def read_environments(path: Path) -> Environments:
    """Read a table of environments separated by commas, tabs or semicolons (plain or packed).

    Columns ``year``, ``location``, ``treatment`` and ``provenance`` are text; provenance is field,
    controlled (or greenhouse, chamber) or mixed. Every other column is a covariate and must be numbers
    without gaps.

    Raises
    ------
    BudwoodError
        If the table cannot be read, an environment repeats or has no name, a covariate is missing or no
        number, or a provenance is another word.
    """
    path = Path(path)
    header, rows = _table(path)
    plain = [name.lower() for name in header]
    key = next((plain.index(name) for name in _NAMES if name in plain), 0)
    names = [cells[key] for cells in rows]
    refuse_repeated(names, "environment", path)
    roles = {role: next((plain.index(n) for n in words if n in plain), -1) for role, words in _TEXTS.items()}
    roles = {role: -1 if index == key else index for role, index in roles.items()}
    texts = {role: tuple(_text(cells, index) for cells in rows) for role, index in roles.items()}
    texts["provenance"] = tuple(
        provenance_named(word, f"{path}, environment {name!r}")
        for name, word in zip(names, texts["provenance"], strict=True)
    )
    covariates = {
        header[index]: np.array([_number(path, header[index], cells[key], cells[index]) for cells in rows])
        for index in range(len(header))
        if index != key and index not in roles.values()
    }
    return Environments(tuple(names), **texts, covariates=covariates)


def _table(path: Path) -> tuple[list[str], list[list[str]]]:
    lines = list(text_lines(path))
    try:
        cells = list(csv.reader(lines, delimiter=delimiter_of(lines[0]) if lines else ","))
    except csv.Error as error:
        raise BudwoodError(
            f"the table cannot be read: {error}", where=str(path), mend="check the quotes"
        ) from error
    rows = [[cell.strip() for cell in row] for row in cells if any(map(str.strip, row))]
    if len(rows) < 2:
        raise BudwoodError(
            "the table has no environment",
            where=str(path),
            mend="give a header (environment, year, location, treatment, provenance) and a row for each",
        )
    header, body = rows[0], rows[1:]
    for number, row in enumerate(body, start=2):
        if len(row) != len(header):
            raise BudwoodError(
                f"the row has {len(row)} cells, the header has {len(header)}",
                where=f"{path}, row {number}",
                mend="fill the row or name every column",
            )
    refuse_repeated(header, "column", path)
    return header, body


def _text(cells: list[str], index: int) -> str:
    return "" if index < 0 or cells[index].lower() in MISSING_CELLS else cells[index]


def _number(path: Path, column: str, environment: str, cell: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        what = "has no value" if cell.lower() in MISSING_CELLS else f"is {cell!r}, which is no number"
        raise BudwoodError(
            f"covariate {column!r} of environment {environment!r} {what}",
            where=str(path),
            mend="give a number for every environment, or leave the column out",
        )
    return value
