"""Tables that say which species every sequence of a collection comes from."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from budwood.errors import BudwoodError
from budwood.genomics.io.text.delimited import delimiter_of, split_cells, text_lines


class SpeciesRow(NamedTuple):
    """Species of one sequence, with its ranks from the widest to the narrowest."""

    species: str
    lineage: tuple[str, ...]


def read_species_table(path: Path, ranks: tuple[str, ...] = ("order", "family")) -> dict[str, SpeciesRow]:
    """Species by sequence name, from a table with a header.

    The first column names the sequences; a column ``species`` is required. Of ``ranks`` those that are
    columns make the lineage, followed by the genus, the first word of the species. Of several rows of one
    sequence the last counts.

    Parameters
    ----------
    path
        The table.
    ranks
        Columns of the lineage, widest rank first.

    Returns
    -------
    dict
        Species and lineage by sequence name.

    Raises
    ------
    BudwoodError
        If the file has no column ``species``, no row, a row that is short, or a sequence of two species.
    """
    path = Path(path)
    lines = [line for line in text_lines(path) if line.strip() and not line.startswith("#")]
    header = lines[0] if lines else ""
    delimiter = delimiter_of(header)
    columns = [cell.lower() for cell in split_cells(header, delimiter)]
    if "species" not in columns or len(lines) < 2:
        raise BudwoodError(
            "the table has no column 'species' or no row",
            where=str(path),
            mend="give a table whose first column names the sequences and that has a column 'species'",
        )
    wanted = [columns.index(rank) for rank in ranks if rank in columns]
    at = columns.index("species")
    rows: dict[str, SpeciesRow] = {}
    for number, line in enumerate(lines[1:], start=2):
        cells = [cell.strip() for cell in split_cells(line, delimiter)]
        known = rows.get(cells[0])
        if len(cells) < len(columns) or not cells[at] or (known and known.species != cells[at]):
            raise BudwoodError(
                "the row is short, names no species, or gives a sequence a second species",
                where=f"{path}, row {number}",
                mend="correct that row",
            )
        rows[cells[0]] = SpeciesRow(cells[at], (*(cells[column] for column in wanted), cells[at].split()[0]))
    return rows
