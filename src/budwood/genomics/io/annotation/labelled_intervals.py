"""Intervals with labels from BED, GFF or a table with a header."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, NamedTuple

from budwood.errors import BudwoodError, counted, suggestion
from budwood.genomics.io.annotation.bed import BedRecord, read_bed
from budwood.genomics.io.annotation.feature import read_feature
from budwood.genomics.io.tables.table import Table, read_table
from budwood.genomics.io.text.delimited import text_lines
from budwood.genomics.io.text.whole_number import whole_number

_CONTIG: Final = ("contig", "chr", "chrom", "chromosome", "seqid", "seqname", "genoname", "scaffold")
_START: Final = ("start", "chromstart", "chrom_start", "begin", "genostart")
_END: Final = ("end", "chromend", "chrom_end", "stop", "genoend")
_LABELS: Final = ("label", "class", "state", "name", "type")
_ATTRIBUTES: Final = ("label", "class", "classification", "superfamily", "note", "state")
_GFF: Final = re.compile(r"\.(gff3?|gtf)$", re.IGNORECASE)


class LabelledInterval(NamedTuple):
    """An interval with what a file calls it.

    ``start`` and ``end`` are 0-based and half-open; ``label`` is ``""`` where the file names nothing.
    """

    contig: str
    start: int
    end: int
    label: str


def read_labelled_intervals(path: Path, *, label: str | None = None) -> list[LabelledInterval]:
    """Read intervals from BED (labels in column 4), GFF3 or GTF, or a table with a header.

    Parameters
    ----------
    path
        The file, plain or packed; GFF and BED are known by their names (``.gff3``, ``.bed.gz``, ...).
    label
        Attribute of GFF, or column of a table, that holds the labels. By default the first of ``label``,
        ``class``, ``classification``, ``superfamily``, ``Note`` and ``state`` in GFF and its type otherwise;
        in a table ``label``, ``class``, ``state``, ``name`` or ``type``.

    Returns
    -------
    list of LabelledInterval
        In file order. A table's starts are 1-based and its ends inclusive, unless its columns are those of
        UCSC tables (``chromStart``, ``genoStart``), which are 0-based and half-open.

    Raises
    ------
    BudwoodError
        If the file cannot be read, holds no interval, or has no such label.
    """
    path = Path(path)
    suffixes = "".join(path.suffixes[-2:]).lower()
    if ".bed" in suffixes:
        return [LabelledInterval(*_place(record), record.name) for record in read_bed(path)]
    if any(_GFF.fullmatch(suffix) for suffix in path.suffixes[-2:]):
        return _of_gff(path, label)
    return _of_table(read_table(path), label)


def _place(record: BedRecord) -> tuple[str, int, int]:
    return record.interval.contig, record.interval.start, record.interval.end


def _of_gff(path: Path, label: str | None) -> list[LabelledInterval]:
    found = []
    for number, line in enumerate(text_lines(path), start=1):
        if line.startswith(("##FASTA", ">")):
            break
        if not line.strip() or line.startswith("#"):
            continue
        where = f"{path}, line {number}"
        columns = line.split("\t")
        if len(columns) < 8:
            raise BudwoodError(
                f"the line has {counted(len(columns), 'column')}, an annotation has 9",
                where=where,
                mend="use tabs",
            )
        feature = read_feature([*columns, ""][:9], number, where)
        lowered = {name.lower(): value for name, value in feature.attributes.items()}
        if label is None:
            named = next((lowered[key] for key in _ATTRIBUTES if lowered.get(key)), feature.kind)
        elif label.lower() in lowered:
            named = lowered[label.lower()]
        else:
            raise BudwoodError(
                f"the feature has no attribute {label!r}", where=where, mend=suggestion(label, list(lowered))
            )
        found.append(LabelledInterval(feature.contig, feature.start, feature.end, named.strip('"')))
    if not found:
        raise BudwoodError("the file holds no interval", where=str(path), mend="check the file")
    return found


def _of_table(table: Table, label: str | None) -> list[LabelledInterval]:
    contig, start, end = (_column(table, names) for names in (_CONTIG, _START, _END))
    if label is not None:
        if label not in table.header:
            raise BudwoodError(
                f"the table has no column {label!r}",
                where=str(table.path),
                mend=suggestion(label, list(table.header)),
            )
        named = table.header.index(label)
    else:
        named = next((table.plain.index(name) for name in _LABELS if name in table.plain), -1)
    first = 0 if table.plain[start] in ("chromstart", "chrom_start", "genostart") else 1
    found = []
    for row, cells in enumerate(table.rows):
        numbers = []
        for column in (start, end):
            text = cells[column].strip()
            number = whole_number(text)
            if number is None:
                raise BudwoodError(
                    f"{text[:40]!r} is no position", where=table.where(row, column), mend="give whole numbers"
                )
            numbers.append(number)
        begin = numbers[0] - first
        if not 0 <= begin < numbers[1]:
            raise BudwoodError(
                f"the interval from {numbers[0]} to {numbers[1]} holds no base",
                where=table.where(row, start),
                mend="give a start before the end",
            )
        found.append(
            LabelledInterval(cells[contig], begin, numbers[1], cells[named].strip() if named >= 0 else "")
        )
    return found


def _column(table: Table, names: tuple[str, ...]) -> int:
    for name in names:
        if name in table.plain:
            return table.plain.index(name)
    raise BudwoodError(
        f"the table has no column {names[0]!r}",
        where=str(table.path),
        mend="name the columns contig, start, end and label, or give a BED or GFF file",
    )
