"""Tables of environments: a row for each, named in the first column or in column ``environment``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.genomics.environments import Environments, provenance_named
from budwood.genomics.io.tables.number_column import read_number_column
from budwood.genomics.io.tables.table import Table, read_table
from budwood.genomics.io.text.delimited import MISSING_CELLS, refuse_repeated

_NAMES: Final = (
    *("environment", "environments", "environ", "env", "envir", "environment_name", "environment_id"),
    *("trial", "experiment", "studyname"),
)
_TEXTS: Final = {
    "year": ("year", "season"),
    "location": ("location", "loc", "site"),
    "treatment": ("treatment", "management", "water", "regime"),
    "provenance": ("provenance", "facility"),
}


def read_environments(path: Path) -> Environments:
    """Read a table of environments (commas, tabs, semicolons or blanks; plain or packed; or .xlsx).

    Columns ``year``, ``location``, ``treatment`` and ``provenance`` are text; provenance is field,
    controlled (or greenhouse, chamber) or mixed. Every other column is a covariate and must be numbers
    without gaps.

    Parameters
    ----------
    path
        The table.

    Returns
    -------
    Environments
        Environments in file order.

    Raises
    ------
    BudwoodError
        If the table cannot be read, an environment repeats or has no name, a covariate is missing or no
        number, or a provenance is another word.
    """
    table = read_table(Path(path))
    path, header, rows, plain = table.path, table.header, table.rows, table.plain
    if not rows:
        raise BudwoodError(
            "the table has no environment",
            where=str(path),
            mend="give a header (environment, year, location, treatment, provenance) and a row for each",
        )
    key = next((plain.index(name) for name in _NAMES if name in plain), 0)
    names = list(table.column(key))
    refuse_repeated(names, "environment", path)
    roles = {role: next((plain.index(n) for n in words if n in plain), -1) for role, words in _TEXTS.items()}
    roles = {role: -1 if index == key else index for role, index in roles.items()}
    texts = {role: tuple(_text(cells, index) for cells in rows) for role, index in roles.items()}
    texts["provenance"] = tuple(
        provenance_named(word, f"{path}, environment {name!r}")
        for name, word in zip(names, texts["provenance"], strict=True)
    )
    covariates = {
        header[index]: _covariate(table, index, names)
        for index in range(len(header))
        if index != key and index not in roles.values()
    }
    return Environments(tuple(names), **texts, covariates=covariates)


def _text(cells: Sequence[str], index: int) -> str:
    return "" if index < 0 or cells[index].lower() in MISSING_CELLS else cells[index]


def _covariate(table: Table, index: int, names: Sequence[str]) -> NDArray[np.float64]:
    column = read_number_column(table.column(index), semicolons=table.delimiter == ";")
    reasons = dict(column.refused)
    for row, value in enumerate(column.values):
        if not math.isfinite(value):
            what = f": {reasons[row]}" if row in reasons else " has no value"
            raise BudwoodError(
                f"covariate {table.header[index]!r} of environment {names[row]!r}{what}",
                where=table.where(row, index),
                mend="give a number for every environment, or leave the column out",
            )
    return np.array(column.values, dtype=np.float64)
