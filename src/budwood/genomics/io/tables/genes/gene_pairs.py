"""Pairs of corresponding genes: a table of orthologs, or the collinear blocks of MCScanX."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from budwood.errors import BudwoodError
from budwood.genomics.io.tables.table import read_table
from budwood.genomics.io.text.delimited import text_lines


def read_gene_pairs(path: Path, genes: Collection[str] = ()) -> list[tuple[str, str]]:
    """Gene of one species and gene of the other, in file order.

    Parameters
    ----------
    path
        Table whose first two columns name the genes.
    genes
        Names of known genes: a first row with one of them is a pair, and no header.

    Returns
    -------
    list of tuple
        Two genes for each row.

    Raises
    ------
    BudwoodError
        If there is no pair.
    """
    table = read_table(Path(path))
    if len(table.header) < 2:
        raise BudwoodError(
            "a table of orthologs needs two columns",
            where=str(path),
            mend="write the source's gene and the target's gene in each row",
        )
    rows = list(table.rows)
    if table.header[0] in genes or table.header[1] in genes:
        rows.insert(0, table.header)
    pairs = [(cells[0], cells[1]) for cells in rows if cells[0] and cells[1]]
    if not pairs:
        raise BudwoodError("the table holds no pair", where=str(path), mend="write two genes in each row")
    return pairs


def read_collinear_pairs(path: Path) -> list[tuple[str, str]]:
    """Gene pairs of collinear blocks, as MCScanX writes them (``.collinearity``).

    Parameters
    ----------
    path
        The file, plain or packed.

    Returns
    -------
    list of tuple
        Two genes for each line of a block.

    Raises
    ------
    BudwoodError
        If a line of a block is no pair, or there is none.
    """
    found = []
    for number, line in enumerate(text_lines(Path(path)), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = line.split("\t")
        if len(cells) < 3 or not cells[0].rstrip().endswith(":"):
            raise BudwoodError(
                "the line is no pair of a collinear block",
                where=f"{path}, line {number}",
                mend="give the .collinearity file of MCScanX, or a table with --orthologs",
            )
        found.append((cells[1].strip(), cells[2].strip()))
    if not found:
        raise BudwoodError(
            "the file holds no collinear pair", where=str(path), mend="give the file of MCScanX"
        )
    return found


def oriented_pairs(pairs: list[tuple[str, str]], source: set[str], target: set[str]) -> list[tuple[str, str]]:
    """Pairs with the source's gene first, whichever way the file has them; pairs within a species go.

    A pair with a gene that neither species has stays, so that it can be counted.

    Parameters
    ----------
    pairs
        As read.
    source, target
        Genes of each species.

    Returns
    -------
    list of tuple
        The source's gene and the target's.

    Examples
    --------
    >>> oriented_pairs([("s1", "t1"), ("t2", "s2"), ("s1", "s2"), ("t1", "s9")], {"s1", "s2"}, {"t1", "t2"})
    [('s1', 't1'), ('s2', 't2'), ('s9', 't1')]
    """
    found = []
    for one, other in pairs:
        if one in source and other in target:
            found.append((one, other))
        elif other in source and one in target:
            found.append((other, one))
        elif not ({one, other} <= source or {one, other} <= target):
            found.append((other, one) if other in source or one in target else (one, other))
    return found
