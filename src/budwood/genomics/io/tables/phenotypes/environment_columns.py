"""Which columns of a table of trait values name the environment."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from budwood.genomics.io.tables.number_column import read_number_column
from budwood.genomics.io.tables.table import Table

# Columns that name an environment together, where a table has no environment column of its own.
_SETTING: Final = frozenset(
    [
        "location",
        "locations",
        "loc",
        "site",
        "trial",
        "trials",
        "experiment",
        "year",
        "season",
        "studyname",
        "study",
        "locationname",
    ]
)
_ROWS_PER_ENVIRONMENT: Final = 3


def environment_columns(
    table: Table, accession: int, roles: Mapping[str, int], others: Collection[int]
) -> tuple[list[int], list[str]]:
    """Columns that name the environment, and what to say about them.

    A column ``environment`` counts always; location, trial, experiment, season, year and site count
    together where they group the rows, in threes at least on average where no accession has several
    rows. Where accessions have several rows and no name tells why, the one column of text in which
    their rows differ counts.

    Parameters
    ----------
    table
        The table.
    accession
        Number of the column that names the accession.
    roles
        Columns with another known role.
    others
        Columns that are no environment, such as plots and blocks.

    Returns
    -------
    tuple of list of int, list of str
        Column numbers, from 0, and notes.
    """
    if "environment" in roles:
        return [roles["environment"]], []
    ids = table.column(accession)
    named = [i for i, name in enumerate(table.plain) if name in _SETTING and i != accession]
    named = [i for i in named if i not in roles.values()]
    repeats = len(set(ids)) < len(ids)
    if named:
        joint = {tuple(cells[i] for i in named) for cells in table.rows}
        if repeats or _ROWS_PER_ENVIRONMENT * len(joint) <= len(ids):
            return named, []
        return [], []
    if not repeats:
        return [], []
    free = set(range(len(table.header))) - {accession, *roles.values(), *others}
    found = [i for i in sorted(free) if _varies(ids, table.column(i))]
    if not found:
        return [], []
    names = ", ".join(repr(table.header[i]) for i in found)
    if len(found) > 1:
        return [], [
            f"Accessions have several rows that differ in {names}; none of them is called environment."
        ]
    return found, [f"Column {names} was taken for the environment: accessions have rows that differ in it."]


def _varies(ids: Sequence[str], cells: Sequence[str]) -> bool:
    """Whether a column is text, groups the rows, and differs between the rows of most repeated accessions."""
    levels = set(cells)
    if not 2 <= len(levels) <= len(ids) / _ROWS_PER_ENVIRONMENT or "" in levels:
        return False
    if not read_number_column(list(levels)).is_text:
        return False
    seen: dict[str, set[str]] = {}
    rows: dict[str, int] = {}
    for name, cell in zip(ids, cells, strict=True):
        seen.setdefault(name, set()).add(cell)
        rows[name] = rows.get(name, 0) + 1
    repeated = [name for name, count in rows.items() if count > 1]
    return 2 * sum(len(seen[name]) > 1 for name in repeated) > len(repeated)
