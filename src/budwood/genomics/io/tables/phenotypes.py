"""Tables of trait values, wide or long."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from budwood.errors import BudwoodError
from budwood.genomics.environments import provenance_named
from budwood.genomics.io.text.delimited import MISSING_CELLS, delimiter_of, text_lines
from budwood.genomics.phenotypes import Phenotypes

_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)
_DECIMAL_COMMA: Final = re.compile(r"[+-]?\d*,\d+", re.ASCII)
_COMMON_NAMES: Final[Mapping[str, str]] = {
    "accession": "accession accessions accession_id id line lines line_id genotype genotype_id geno taxa "
    "taxon sample sample_id name entry germplasm cultivar variety strain individual iid",
    "trait": "trait traits trait_name phenotype character variable",
    "value": "value values trait_value phenotype_value measurement observation estimate",
    "environment": "environment environments env environ envir",
    "standard_error": "standard_error se std_error stderr std_err sem",
    "provenance": "provenance",
}
# Columns that name an environment together, where a table has no environment column of its own.
_SETTING: Final = ("location", "loc", "trial", "experiment", "year", "season")


@dataclass(frozen=True)
class PhenotypeSummary:
    """What was read from a table of trait values, and what was not.

    Attributes
    ----------
    layout
        ``"wide"`` (a column per trait) or ``"long"`` (a row per value).
    accession_column, environment_columns
        Which columns named the accession and the environment.
    accessions
        Ids of all rows in order of appearance, also those without any value.
    values
        Number of values per trait; 0 for a column whose every cell is missing.
    left_out
        Columns that hold text and were taken for identifiers.
    repeated
        How often an accession (with its trait, in long tables, and its environment, written with ``/``
        between) has a value, where that is more than once.
    decimal_commas
        Whether ``1,5`` was read as 1.5 (semicolon-separated tables only).
    """

    layout: str
    accession_column: str
    environment_columns: tuple[str, ...]
    accessions: tuple[str, ...]
    values: Mapping[str, int]
    left_out: tuple[str, ...] = ()
    repeated: Mapping[str, int] = field(default_factory=dict)
    decimal_commas: bool = False

    def sentences(self) -> list[str]:
        """The summary for people, one fact a sentence."""
        found = [
            f"{len(self.accessions)} accessions and {len(self.values)} traits were read from a {self.layout} "
            f"table; column {self.accession_column!r} names the accession."
        ]
        if self.environment_columns:
            found.append(f"The environment is column {' and '.join(map(repr, self.environment_columns))}.")
        if self.left_out:
            found.append(f"Columns left out because they hold text: {_some(self.left_out)}.")
        if self.repeated:
            found.append(f"Repeated in more than one row: {_some(self.repeated)}.")
        if empty := [trait for trait, count in self.values.items() if not count]:
            found.append(f"Traits without any value: {_some(empty)}.")
        if self.decimal_commas:
            found.append("Decimal commas were read as decimal points.")
        return found


@dataclass(frozen=True)
class _Table:
    """Cells as text, with what is needed to tell where one stands."""

    path: Path
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    delimiter: str

    def where(self, row: int, column: int) -> str:
        return f"{self.path}, line {self.lines[row]}, column {self.header[column]!r}"

    def column(self, index: int) -> list[str]:
        return [cells[index] for cells in self.rows]


def read_phenotypes(path: Path, *, accession_column: str | None = None) -> Phenotypes:
    """Read trait values; see :func:`read_phenotype_table`, which also tells what was left out."""
    return read_phenotype_table(path, accession_column=accession_column)[0]


def read_phenotype_table(
    path: Path, *, accession_column: str | None = None
) -> tuple[Phenotypes, PhenotypeSummary]:
    """Read a table of trait values separated by commas, tabs or semicolons (plain, gzip or xz).

    A table with columns for the trait and its value (``trait`` and ``value``, in any order, under their
    common names) is long; environment and standard error are read where present. Any other table is
    wide: every column of numbers is a trait, columns of text are left out. In a wide table whose
    accessions have several rows, a column ``environment`` (or, together, location, year, season, trial
    and experiment) names the environment.

    A column ``provenance`` says where values come from: field, controlled (greenhouse) or mixed.
    Missing is an empty cell, ``NA``, ``NaN``, ``.``, ``-``, ``?``, ``null`` or ``none``. Accession ids are
    kept to the letter.

    Parameters
    ----------
    accession_column
        Which column names the accession; by default the first one (in a long table the one with a
        common name for it, else the first that has no other meaning).

    Raises
    ------
    BudwoodError
        For a table that cannot be read, text among numbers (with its place), an accession or trait that
        is missing, and a table without any value.
    """
    table = _read_table(Path(path))
    roles = _roles(table)
    accession = _accession_index(table, roles, accession_column)
    phenotypes, summary = (_long if _is_long(roles) else _wide)(table, accession, roles)
    if not len(phenotypes.value):
        raise BudwoodError(
            "the table holds no trait value", where=str(path), mend="give at least one column of numbers"
        )
    return phenotypes, summary


def _read_table(path: Path) -> _Table:
    if path.suffix.lower() in (".xlsx", ".xls", ".ods"):
        raise BudwoodError("the file is a workbook", where=str(path), mend="save its sheet as CSV")
    text = list(text_lines(path))
    first = next((line for line in text if line.strip()), "")
    if not first:
        raise BudwoodError("the table is empty", where=str(path), mend="check the file")
    delimiter = delimiter_of(first)
    reader = csv.reader([line + "\n" for line in text], delimiter=delimiter)
    rows: list[tuple[str, ...]] = []
    lines: list[int] = []
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append(tuple(cells))
                lines.append(reader.line_num)
    except csv.Error as error:
        raise BudwoodError(
            f"the table cannot be read: {error}",
            where=f"{path}, line {reader.line_num}",
            mend="check the quotes",
        ) from error
    header = tuple(name.strip() for name in rows[0])
    _check_header(path, header, delimiter)
    return _Table(path, header, _rectangular(path, header, rows[1:], lines[1:]), tuple(lines[1:]), delimiter)


def _check_header(path: Path, header: tuple[str, ...], delimiter: str) -> None:
    twice = [name for name, count in Counter(header).items() if count > 1]
    if twice:
        raise BudwoodError(
            f"column {twice[0]!r} occurs twice" if twice[0] else "several columns have no name",
            where=str(path),
            mend="give every column a name of its own",
        )
    if len(header) < 2 or delimiter == " ":
        raise BudwoodError(
            "the table has a single column",
            where=str(path),
            mend="separate accession and traits with commas, tabs or semicolons",
        )


def _rectangular(
    path: Path, header: tuple[str, ...], rows: list[tuple[str, ...]], lines: list[int]
) -> tuple[tuple[str, ...], ...]:
    """Rows of the header's width; empty cells past it are dropped."""
    width = len(header)
    for cells, line in zip(rows, lines, strict=True):
        if len(cells) < width or any(cell.strip() for cell in cells[width:]):
            raise BudwoodError(
                f"the row has {len(cells)} cells, the header has {width}",
                where=f"{path}, line {line}",
                mend="fill the row or name every column",
            )
    return tuple(cells[:width] for cells in rows)


def _roles(table: _Table) -> dict[str, int]:
    """Columns with a common name for something, the first of each."""
    plain = [re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") for name in table.header]
    roles = {}
    for role, names in _COMMON_NAMES.items():
        found = [i for i, name in enumerate(plain) if name in names.split()]
        if found:
            roles[role] = found[0]
    return roles


def _accession_index(table: _Table, roles: Mapping[str, int], named: str | None) -> int:
    if named is not None:
        if named not in table.header:
            raise BudwoodError(
                f"there is no column {named!r}",
                where=str(table.path),
                mend=f"choose the accession column among: {', '.join(table.header[:12])}",
            )
        return table.header.index(named)
    if _is_long(roles):
        free = [i for i in range(len(table.header)) if i not in roles.values()]
        return roles.get("accession", free[0] if free else 0)
    # A wide table begins with its accessions, unless that column is plainly where they stood.
    stands_first = table.header[0].lower() in _SETTING or roles.get("environment") == 0
    return roles.get("accession", 0) if stands_first else 0


def _is_long(roles: Mapping[str, int]) -> bool:
    return "trait" in roles and "value" in roles


def _names(table: _Table, column: int, meaning: str) -> list[str]:
    """Cells that must not be empty, to the letter."""
    cells = table.column(column)
    for row, cell in enumerate(cells):
        if not cell.strip():
            raise BudwoodError(
                f"the {meaning} is missing",
                where=table.where(row, column),
                mend="fill the cell or remove the row",
            )
    return cells


def _number(cell: str, decimal_comma: bool) -> float | None:
    """The number in a cell, NaN where it is missing, None where it is text."""
    text = cell.strip()
    if text.lower() in MISSING_CELLS:
        return float("nan")
    if decimal_comma and _DECIMAL_COMMA.fullmatch(text):
        text = text.replace(",", ".")
    value = float(text) if _NUMBER.fullmatch(text) else None
    return value if value is None or np.isfinite(value) else None


def _numbers(table: _Table, column: int) -> list[float]:
    """The numbers of a column; text among them is an error."""
    values = [_number(cell, table.delimiter == ";") for cell in table.column(column)]
    for row, value in enumerate(values):
        if value is None:
            raise BudwoodError(
                f"{table.rows[row][column]!r} is no number",
                where=table.where(row, column),
                mend="write a number, or NA where the value is missing",
            )
    return [value for value in values if value is not None]


def _is_text(table: _Table, column: int) -> bool:
    """Whether most of the cells that are not missing hold text."""
    values = [_number(cell, table.delimiter == ";") for cell in table.column(column)]
    text = sum(value is None for value in values)
    numbers = sum(value is not None and value == value for value in values)
    return text > numbers


def _has_decimal_commas(table: _Table, columns: Sequence[int]) -> bool:
    return table.delimiter == ";" and any(
        _DECIMAL_COMMA.fullmatch(cells[column].strip()) for cells in table.rows for column in columns
    )


def _wide(table: _Table, accession: int, roles: Mapping[str, int]) -> tuple[Phenotypes, PhenotypeSummary]:
    ids = _names(table, accession, "accession")
    settings = _setting_columns(table, accession, roles) if len(set(ids)) < len(ids) else []
    environment = ["_".join(cells[i].strip() for i in settings) for cells in table.rows]
    said = roles.get("provenance", -1)
    others = [i for i in range(len(table.header)) if i not in (accession, said, *settings)]
    left_out = [i for i in others if _is_text(table, i)]
    traits = [i for i in others if i not in left_out]
    records: list[tuple[str, str, str, float, float]] = []
    counts: dict[str, int] = {}
    for index in traits:
        name = table.header[index]
        found = [
            (ids[row], name, environment[row], value, float("nan"))
            for row, value in enumerate(_numbers(table, index))
            if value == value
        ]
        counts[name] = len(found)
        records += found
    summary = PhenotypeSummary(
        "wide",
        table.header[accession],
        tuple(table.header[i] for i in settings),
        tuple(dict.fromkeys(ids)),
        counts,
        tuple(table.header[i] for i in left_out),
        _repeated(zip(ids, environment, strict=True)),
        _has_decimal_commas(table, traits),
    )
    return _phenotypes(records, _provenance(table, roles)), summary


def _setting_columns(table: _Table, accession: int, roles: Mapping[str, int]) -> list[int]:
    if "environment" in roles:
        return [roles["environment"]]
    return [i for i, name in enumerate(table.header) if name.lower() in _SETTING and i != accession]


def _long(table: _Table, accession: int, roles: Mapping[str, int]) -> tuple[Phenotypes, PhenotypeSummary]:
    ids = _names(table, accession, "accession")
    traits = [name.strip() for name in _names(table, roles["trait"], "trait")]
    values = _numbers(table, roles["value"])
    settings = _setting_columns(table, accession, roles)
    environment = ["_".join(cells[i].strip() for i in settings) for cells in table.rows]
    errors = [float("nan")] * len(ids)
    if "standard_error" in roles:
        errors = _numbers(table, roles["standard_error"])
        for row, error in enumerate(errors):
            if error < 0:
                raise BudwoodError(
                    "a standard error is negative",
                    where=table.where(row, roles["standard_error"]),
                    mend="write a positive number, or NA",
                )
    every = zip(ids, traits, environment, values, errors, strict=True)
    records = [record for record in every if record[3] == record[3]]
    counts = dict.fromkeys(traits, 0) | Counter(record[1] for record in records)
    used = {accession, *roles.values(), *settings}
    summary = PhenotypeSummary(
        "long",
        table.header[accession],
        tuple(table.header[i] for i in settings),
        tuple(dict.fromkeys(ids)),
        counts,
        tuple(name for i, name in enumerate(table.header) if i not in used),
        _repeated(record[:3] for record in records),
        _has_decimal_commas(table, [roles["value"]]),
    )
    return _phenotypes(records, _provenance(table, roles)), summary


def _repeated(keys: Iterable[Sequence[str]]) -> dict[str, int]:
    counts = Counter("/".join(filter(None, key)) for key in keys)
    return {key: count for key, count in counts.items() if count > 1}


def _provenance(table: _Table, roles: Mapping[str, int]) -> str:
    """Provenance of the whole table: what its column says, mixed where it says several things."""
    column = roles.get("provenance", -1)
    if column < 0:
        return ""
    cells = enumerate(table.column(column))
    stated = {provenance_named(cell, table.where(row, column)) for row, cell in cells} - {""}
    return "mixed" if len(stated) > 1 else next(iter(stated), "")


def _phenotypes(records: list[tuple[str, str, str, float, float]], provenance: str) -> Phenotypes:
    accession, trait, environment = (np.array([r[i] for r in records], dtype=object) for i in range(3))
    value, error = (np.array([r[i] for r in records], dtype=np.float64) for i in (3, 4))
    return Phenotypes(accession, trait, environment, value, error, provenance)


def _some(names: Sequence[str] | Mapping[str, int]) -> str:
    listed = list(names)
    return ", ".join(listed[:8]) + (f" and {len(listed) - 8} more" if len(listed) > 8 else "")
