"""Tables of covariates: what accessions differ in beside their genotypes."""

from __future__ import annotations

from pathlib import Path

from budwood.errors import BudwoodError
from budwood.genomics.io.tables.columns import accession_column
from budwood.genomics.io.tables.number_column import read_number_column
from budwood.genomics.io.tables.table import plain_name, read_table
from budwood.genomics.io.text.delimited import MISSING_CELLS, refuse_repeated

#: Names of columns that hold levels, also where they are written as numbers.
_LEVELS = frozenset(
    {
        "batch",
        "block",
        "family",
        "group",
        "location",
        "population",
        "rep",
        "replicate",
        "set",
        "site",
        "trial",
    }
    | {"subpopulation", "year", "plate", "tray", "bench"}
)


def read_covariates(path: Path) -> dict[str, dict[str, float | str]]:
    r"""Values by column and accession; cells without a value are left out.

    A column of numbers is a number, any other column holds levels, and so do columns that are named block,
    replicate, batch, family, year and the like, whatever they hold.

    Parameters
    ----------
    path
        Table with a header, a row for each accession.

    Returns
    -------
    dict
        For each column, its value (a number or a level) by accession.

    Raises
    ------
    BudwoodError
        If the file is no such table, an accession repeats, or it has no further column.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = Path(folder) / "covariates.csv"
    ...     _ = table.write_text("accession,block,age\na,1,2.5\nb,2,\n")
    ...     read_covariates(table)
    {'block': {'a': '1', 'b': '2'}, 'age': {'a': 2.5}}
    """
    table = read_table(Path(path))
    key = accession_column(table, {}).index
    names = table.column(key)
    refuse_repeated(names, "accession", table.path)
    found: dict[str, dict[str, float | str]] = {}
    for index, name in enumerate(table.header):
        if index == key:
            continue
        cells = {
            a: c for a, c in zip(names, table.column(index), strict=True) if c.lower() not in MISSING_CELLS
        }
        numbers = read_number_column(list(cells.values()))
        if cells and not numbers.refused and plain_name(name) not in _LEVELS:
            found[name] = dict(zip(cells, map(float, numbers.values), strict=True))
        else:
            found[name] = dict(cells)
    if not found:
        raise BudwoodError(
            "the table of covariates has no column beside the accessions",
            where=str(table.path),
            mend="give a column for each covariate",
        )
    return found
