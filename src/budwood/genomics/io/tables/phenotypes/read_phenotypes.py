"""Tables of trait values, wide or long."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from budwood.errors import BudwoodError
from budwood.genomics.environments import provenance_named
from budwood.genomics.io.kind import NO_TRAIT_TABLES, Format, file_format
from budwood.genomics.io.tables.columns import accession_column as find_accession_column
from budwood.genomics.io.tables.columns import column_roles, is_long, no_traits
from budwood.genomics.io.tables.missing_codes import find_missing_codes
from budwood.genomics.io.tables.number_column import NumberColumn, read_number_column, shown_cell
from budwood.genomics.io.tables.phenotypes.environment_columns import environment_columns
from budwood.genomics.io.tables.phenotypes.phenotype_summary import PhenotypeSummary
from budwood.genomics.io.tables.table import Table, naming_sheets, read_table
from budwood.genomics.io.text.given_path import given_path
from budwood.genomics.phenotypes import Phenotypes


@dataclass
class _Collected:
    """Values of traits as they are read, by trait."""

    accession: list[str] = field(default_factory=list)
    trait: list[str] = field(default_factory=list)
    environment: list[str] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    error: list[float] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    unusable: dict[str, BudwoodError] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    notes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    decimal_commas: bool = False

    def refuse(self, table: Table, trait: str, column: int, rows: Sequence[tuple[int, str]]) -> None:
        """Leave a trait out because cells of it cannot be read."""
        row, reason = rows[0]
        more = f", and {len(rows) - 1} more cells" if len(rows) > 1 else ""
        error = BudwoodError(
            reason + more,
            where=table.where(row, column),
            mend="write a number, or NA where the value is missing",
        )
        self.unusable[trait] = error
        self.unreadable[trait] = f"Trait {trait!r} was left out: {error}"

    def add(
        self,
        trait: str,
        rows: Iterable[tuple[str, str, float, float]],
        notes: Sequence[str] = (),
    ) -> None:
        """Add a trait's values with accession, environment and standard error, missing ones left out."""
        known = [row for row in rows if row[2] == row[2]]
        codes, found = find_missing_codes(np.array([row[2] for row in known], dtype=np.float64))
        kept = [row for row, code in zip(known, codes.tolist(), strict=True) if not code]
        self.counts[trait] = len(kept)
        if said := [*notes, *found]:
            self.notes[trait] = tuple(f"{trait}: {note}." for note in said)
        for name, environment, value, error in kept:
            self.accession.append(name)
            self.trait.append(trait)
            self.environment.append(environment)
            self.value.append(value)
            self.error.append(error)

    def phenotypes(self, provenance: str) -> Phenotypes:
        """The records as arrays."""
        accession, trait, environment = (
            np.array(words, dtype=object) for words in (self.accession, self.trait, self.environment)
        )
        value, error = (np.array(values, dtype=np.float64) for values in (self.value, self.error))
        return Phenotypes(accession, trait, environment, value, error, provenance, self.unusable)


def read_phenotypes(path: Path, *, accession_column: str | None = None) -> Phenotypes:
    """Read trait values; see :func:`read_phenotype_table`, which also says what was left out.

    Parameters
    ----------
    path
        The table.
    accession_column
        Name of the column of accessions; None finds it.

    Returns
    -------
    Phenotypes
        One record for each value.

    Raises
    ------
    BudwoodError
        As :func:`read_phenotype_table`, and if the file holds genotypes or sequence.
    """
    path = given_path(path, "phenotypes")
    _refuse_other_formats(path)
    return read_phenotype_table(path, accession_column=accession_column)[0]


def _refuse_other_formats(path: Path) -> None:
    """Refuse what is known for no table of trait values."""
    try:
        found = file_format(path)
    except BudwoodError:
        # The reader of tables says what is wrong.
        return
    if found in NO_TRAIT_TABLES:
        raise BudwoodError(
            f"the file is no table of trait values but {found.value}",
            where=str(path),
            mend="give a table of accessions and trait values, or read it by "
            + ("open_fasta" if found == Format.FASTA else "read_genotypes"),
        )


def read_phenotype_table(
    path: Path, *, accession_column: str | None = None, genotyped: Collection[str] | None = None
) -> tuple[Phenotypes, PhenotypeSummary]:
    """Read a table of trait values: commas, tabs, semicolons or blanks (plain, gzip or xz), or .xlsx.

    A table with columns for the trait and its value (``trait`` and ``value``, in any order, under their
    common names) is long; environment and standard error are read where present. Any other table is
    wide: every column of numbers is a trait, unless its name says otherwise (``family``, ``year``,
    ``plot``); columns of text are left out. docs/files.md lists the names that are known, the missing
    codes and the ways to write a number.

    Parameters
    ----------
    path
        The file.
    accession_column
        Which column names the accession. By default the one with a common name for it whose cells are
        names of genotyped accessions, else one whose cells are, else the first without another meaning.
    genotyped
        Names of the genotyped accessions, where they are known.

    Returns
    -------
    phenotypes
        Records of values; a trait that cannot be read is in ``unusable``.
    summary
        What was read, assumed and left out.

    Raises
    ------
    BudwoodError
        For a table that cannot be read or has no header, an accession or trait that is missing, two
        columns that could name the accession, and a table without any value that can be read.
    """
    table = read_table(given_path(path, "phenotypes"))
    with naming_sheets(table.notes):
        return _read(table, accession_column, genotyped)


def _read(
    table: Table, accession_column: str | None, genotyped: Collection[str] | None
) -> tuple[Phenotypes, PhenotypeSummary]:
    roles = column_roles(table)
    chosen = find_accession_column(table, roles, accession_column, genotyped)
    accession = chosen.index
    roles = {role: index for role, index in roles.items() if index != accession}
    _refuse_no_header(table, accession, named=accession_column is not None)
    others = no_traits(table) - {accession, *roles.values()}
    settings, said = environment_columns(table, accession, roles, others)
    read = _long if is_long(roles) else _wide
    ids = _names(table, accession, "accession")
    environment = ["_".join(cells[i] for i in settings) for cells in table.rows]
    collected = read(table, accession, roles, ids, environment, others | set(settings))
    phenotypes = collected.phenotypes(_provenance(table, roles))
    if not len(phenotypes.value):
        _refuse_empty(table, collected)
    notes = (*table.notes, *chosen.notes, *said)
    return phenotypes, _summary(table, collected, phenotypes, ids, accession, settings, others, notes)


def _summary(
    table: Table,
    collected: _Collected,
    phenotypes: Phenotypes,
    ids: Sequence[str],
    accession: int,
    settings: Sequence[int],
    others: Collection[int],
    notes: tuple[str, ...],
) -> PhenotypeSummary:
    layout = "long" if is_long(column_roles(table)) else "wide"
    environment = ["_".join(cells[i] for i in settings) for cells in table.rows]
    repeated = _repeated(
        zip(phenotypes.accession, phenotypes.trait, phenotypes.environment, strict=True)
        if layout == "long"
        else zip(ids, environment, strict=True)
    )
    numeric = [i for i in sorted(others) if i not in settings and table.header[i] not in collected.left_out]
    return PhenotypeSummary(
        layout,
        table.header[accession],
        tuple(table.header[i] for i in settings),
        tuple(dict.fromkeys(ids)),
        collected.counts,
        tuple(collected.left_out),
        tuple(table.header[i] for i in numeric),
        collected.unreadable,
        repeated,
        len(table.rows) - len(set(table.rows)),
        collected.decimal_commas,
        notes,
        collected.notes,
        {trait: phenotypes.describe(trait) for trait, count in collected.counts.items() if count},
    )


def _names(table: Table, column: int, meaning: str) -> list[str]:
    """Cells that must not be empty."""
    cells = table.column(column)
    for row, cell in enumerate(cells):
        if not cell:
            raise BudwoodError(
                f"the {meaning} is missing",
                where=table.where(row, column),
                mend="fill the cell or remove the row",
            )
    return cells


def _wide(
    table: Table,
    accession: int,
    roles: Mapping[str, int],
    ids: Sequence[str],
    environment: Sequence[str],
    others: Collection[int],
) -> _Collected:
    found = _Collected()
    unknown = [float("nan")] * len(ids)
    for index in others:
        name = table.header[index]
        found.unusable[name] = BudwoodError(
            f"column {name!r} is there, but its name is not that of a trait",
            where=str(table.path),
            mend="rename the column if it is one",
        )
    for index, name in enumerate(table.header):
        if index in (accession, roles.get("provenance", -1), *others):
            continue
        column = _numbers(table, index)
        if column.is_text:
            _note_text(table, index, column, found)
        elif column.refused:
            found.refuse(table, name, index, column.refused)
        else:
            found.decimal_commas |= column.decimal_commas
            found.add(name, zip(ids, environment, column.values, unknown, strict=True), column.notes)
    return found


def _note_text(table: Table, index: int, column: NumberColumn, found: _Collected) -> None:
    name = table.header[index]
    row, _ = column.refused[0]
    found.left_out.append(name)
    found.unusable[name] = BudwoodError(
        f"column {name!r} is there and holds text such as {shown_cell(table.rows[row][index])}",
        where=table.where(row, index),
        mend="write numbers, or choose another trait",
    )


def _long(
    table: Table,
    accession: int,
    roles: Mapping[str, int],
    ids: Sequence[str],
    environment: Sequence[str],
    others: Collection[int],
) -> _Collected:
    found = _Collected()
    traits = _names(table, roles["trait"], "trait")
    rows_of: dict[str, list[int]] = {}
    for row, trait in enumerate(traits):
        rows_of.setdefault(trait, []).append(row)
    errors = _standard_errors(table, roles)
    for trait, rows in rows_of.items():
        cells = [table.rows[row][roles["value"]] for row in rows]
        column = read_number_column(cells, semicolons=table.delimiter == ";")
        if column.refused:
            placed = [(rows[row], reason) for row, reason in column.refused]
            found.refuse(table, trait, roles["value"], placed)
            continue
        found.decimal_commas |= column.decimal_commas
        values = ((ids[r], environment[r], v, errors[r]) for r, v in zip(rows, column.values, strict=True))
        found.add(trait, values, column.notes)
    used = {accession, *roles.values(), *others}
    found.left_out = [name for i, name in enumerate(table.header) if i not in used]
    return found


def _numbers(table: Table, index: int) -> NumberColumn:
    return read_number_column(table.column(index), semicolons=table.delimiter == ";")


def _standard_errors(table: Table, roles: Mapping[str, int]) -> list[float]:
    index = roles.get("standard_error")
    if index is None:
        return [float("nan")] * len(table.rows)
    column = _numbers(table, index)
    bad = list(column.refused)
    bad += [(row, "a standard error is negative") for row, error in enumerate(column.values) if error < 0]
    if bad:
        raise BudwoodError(
            bad[0][1], where=table.where(bad[0][0], index), mend="write a positive number, or NA"
        )
    return column.values


def _refuse_no_header(table: Table, accession: int, *, named: bool) -> None:
    """Refuse a table whose first line holds values: the names of its columns are numbers like those below."""
    if named or table.header[accession] == "" or table.plain[accession] in ("id", "accession", "line"):
        return
    others = [i for i in range(len(table.header)) if i != accession]
    heads = read_number_column([table.header[i] for i in others])
    if heads.refused or not all(value == value for value in heads.values):
        return
    for index, value in zip(others, heads.values, strict=True):
        below = [v for v in _numbers(table, index).values if v == v]
        if not value.is_integer() or (below and min(below) <= value <= max(below)):
            raise BudwoodError(
                f"the table has no header: its first line holds the value {table.header[index]}",
                where=f"{table.path}, line 1",
                mend="write a first line that names the columns, such as accession,yield",
            )


def _refuse_empty(table: Table, collected: _Collected) -> None:
    refused = [collected.unusable[name] for name in collected.unreadable]
    if refused:
        raise refused[0]
    texts = [collected.unusable[name] for name in collected.left_out if name in collected.unusable]
    held = f"; {texts[0].what}" if texts else ""
    raise BudwoodError(
        f"the table holds no trait value{held}",
        where=str(table.path),
        mend="give at least one column of numbers",
    )


def _repeated(keys: Iterable[Sequence[str]]) -> dict[str, int]:
    counts = Counter(keys)
    return {"/".join(filter(None, key)): count for key, count in counts.items() if count > 1}


def _provenance(table: Table, roles: Mapping[str, int]) -> str:
    """Provenance of the whole table: what its column says, mixed where it says several things."""
    column = roles.get("provenance", -1)
    if column < 0:
        return ""
    cells = enumerate(table.column(column))
    stated = {provenance_named(cell, table.where(row, column)) for row, cell in cells} - {""}
    return "mixed" if len(stated) > 1 else next(iter(stated), "")
