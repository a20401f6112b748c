"""Where genes lie: from an annotation, or a table of gene, contig, start and end."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final

from budwood.errors import BudwoodError
from budwood.genomics.interval import Interval
from budwood.genomics.io.annotation.bed import read_bed
from budwood.genomics.io.annotation.open_annotation import read_annotation
from budwood.genomics.io.tables.table import Table, read_table
from budwood.genomics.io.text.delimited import text_lines
from budwood.genomics.io.text.whole_number import whole_number
from budwood.genomics.io.variants.position import LARGEST_POSITION

_MOST_DIGITS: Final = 40
#: Names of columns, in lower case.
_GENE: Final = ("gene", "gene_id", "name", "id", "locus", "rap", "msu7", "sobic_id")
_CONTIG: Final = ("contig", "chrom", "chr", "chromosome", "seqid")
_START: Final = ("start", "fmin", "pos", "position", "pos_v5_approx", "begin")
_END: Final = ("end", "fmax", "stop")
_ANNOTATION: Final = (".gff3", ".gff", ".gtf")


def read_gene_places(path: Path) -> dict[str, Interval]:
    """Place of each gene.

    Parameters
    ----------
    path
        GFF3, GTF or BED; a table with columns for gene, contig, start and, where there is one, end (places
        count from 1, ``fmin`` and ``fmax`` from 0); or the four columns of MCScanX (contig, gene, start,
        end) without a header. A repeated gene keeps its first place; several names of one gene
        (columns ``rap`` and ``msu7``) all lead to it.

    Returns
    -------
    dict
        Interval by name of the gene.

    Raises
    ------
    BudwoodError
        If the file holds no gene or a place is no number.
    """
    path = Path(path)
    first = next((line for line in text_lines(path) if line.strip()), "")
    cells = first.split("\t")
    if len(cells) == 4 and all(whole_number(cell) is not None for cell in cells[2:]):
        return _of_mcscanx(path)
    names = {suffix.lower() for suffix in path.suffixes}
    if ".bed" in names:
        return {each.name: each.interval for each in reversed(read_bed(path)) if each.name}
    if first.startswith("##gff") or len(cells) == 9 or names & set(_ANNOTATION):
        genes = read_annotation(path).genes
        if not genes:
            raise BudwoodError("the annotation holds no gene", where=str(path), mend="give one with genes")
        return {gene.name: Interval(gene.contig, gene.start, gene.end) for gene in genes}
    return _of_table(read_table(path))


def _of_mcscanx(path: Path) -> dict[str, Interval]:
    found: dict[str, Interval] = {}
    for number, line in enumerate(text_lines(path), start=1):
        cells = line.split("\t")
        places = [place for cell in cells[2:4] if (place := whole_number(cell)) is not None]
        if len(places) < 2:
            raise BudwoodError(
                "a gene needs contig, name, start and end",
                where=f"{path}, line {number}",
                mend="write four columns separated by tabs",
            )
        start, end = sorted(places)
        found.setdefault(cells[1].strip(), Interval(cells[0].strip(), max(start - 1, 0), max(end, 1)))
    return found


def _of_table(table: Table) -> dict[str, Interval]:
    plain = table.plain
    columns = [plain.index(name) for name in _GENE if name in plain]
    contig, start = _column(table, _CONTIG), _column(table, _START)
    ends = [plain.index(name) for name in _END if name in plain]
    if not columns:
        columns = [0]
    from_zero = plain[start] == "fmin"
    found: dict[str, Interval] = {}
    for row, cells in enumerate(table.rows):
        low = _place(table, row, start) - (0 if from_zero else 1)
        high = _place(table, row, ends[0]) if ends else low + 1
        for column in columns:
            if cells[column] and cells[column].lower() not in ("none", "na"):
                place = Interval(cells[contig], max(min(low, high - 1), 0), max(high, low + 1))
                found.setdefault(cells[column], place)
    if not found:
        raise BudwoodError("the table names no gene", where=str(table.path), mend="fill its column of genes")
    return found


def _column(table: Table, names: tuple[str, ...]) -> int:
    for name in names:
        if name in table.plain:
            return table.plain.index(name)
    raise BudwoodError(
        f"a gene table needs a column {names[0]!r}",
        where=str(table.path),
        mend="write columns gene, contig, start, end",
    )


def _place(table: Table, row: int, column: int) -> int:
    text = table.rows[row][column]
    try:
        number = float(text) if len(text) <= _MOST_DIGITS else math.inf
    except ValueError:
        number = math.nan
    if not abs(number) <= LARGEST_POSITION or number != int(number):
        raise BudwoodError(
            f"{text[:_MOST_DIGITS]!r} is no place in a genome",
            where=table.where(row, column),
            mend="write a whole number",
        )
    return int(number)
