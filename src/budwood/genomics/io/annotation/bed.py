"""BED files: intervals with names, and genes where there are blocks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from budwood.errors import BudwoodError
from budwood.genomics.annotation.genes import Annotation, CodingPart, Gene, Repeat, Span, Transcript, joined
from budwood.genomics.interval import Interval
from budwood.genomics.io.text.delimited import text_lines
from budwood.genomics.io.text.whole_number import whole_number

_HEADERS: Final = ("#", "track ", "browser ")


@dataclass(frozen=True)
class BedRecord:
    """One line of a BED file.

    Attributes
    ----------
    interval
        Where it lies; a strand that is missing or ``.`` is read as ``+``.
    name
        Column 4, or ``contig:start-end`` (1-based) where the file names nothing.
    thick
        The coding stretch of BED12 (columns 7 and 8), None where it is empty or absent.
    blocks
        The exons of BED12, on the contig; empty in files of fewer columns.
    """

    interval: Interval
    name: str
    thick: Span | None = None
    blocks: tuple[Span, ...] = ()


def read_bed(path: Path) -> list[BedRecord]:
    """Read a BED file of 3 to 12 columns (plain, gzip or xz).

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    list of BedRecord
        Records in file order.

    Raises
    ------
    BudwoodError
        For a line that cannot be read, with its number, and for a file without intervals.
    """
    path = Path(path)
    records = []
    for number, line in enumerate(text_lines(path), start=1):
        if line.strip() and not line.startswith(_HEADERS):
            columns = line.split("\t") if "\t" in line else line.split()
            records.append(_record(columns, f"{path}, line {number}"))
    if not records:
        raise BudwoodError("the BED file holds no interval", where=str(path), mend="check the file")
    return records


def annotation_of_bed(path: Path) -> Annotation:
    """Genes of a BED12 file; the intervals of one with fewer columns as repeats, their name as the class.

    Phases are counted from the first base of the thick stretch.

    Parameters
    ----------
    path
        The file, plain or packed.

    Returns
    -------
    Annotation
        Genes (12 columns) and repeats (fewer).
    """
    genes, repeats = [], []
    for record in read_bed(path):
        place = record.interval
        if record.blocks:
            exons, cds = joined(record.blocks), _coding(record)
            transcript = Transcript(record.name, exons, cds, "protein_coding" if cds else "")
            genes.append(Gene(record.name, place.contig, place.start, place.end, place.strand, (transcript,)))
        else:
            repeats.append(
                Repeat(place.contig, place.start, place.end, place.strand, record.name, record.name)
            )
    return Annotation(tuple(genes), tuple(repeats))


def _record(columns: list[str], where: str) -> BedRecord:
    start, end = _whole(columns[1:3], 2, "start and end", where)
    if end < start:
        raise BudwoodError(f"the end {end} lies before the start {start}", where=where, mend="swap them")
    strand = columns[5] if len(columns) > 5 else "."
    if strand not in ("+", "-", "."):
        raise BudwoodError(
            f"strand {strand!r} is not valid", where=where, mend="write + or - or . in column 6"
        )
    interval = Interval(columns[0], start, end, "-" if strand == "-" else "+")
    name = columns[3] if len(columns) > 3 and columns[3] not in ("", ".") else ""
    name = name or str(Interval(columns[0], start, end))
    if len(columns) < 12:
        return BedRecord(interval, name)
    left, right = _whole(columns[6:8], 2, "thickStart and thickEnd", where)
    (count,) = _whole(columns[9:10], 1, "blockCount", where)
    sizes = _whole(columns[10].strip(",").split(","), count, "blockSizes", where)
    starts = _whole(columns[11].strip(",").split(","), count, "blockStarts", where)
    blocks = tuple(sorted(Span(start + s, start + s + size) for s, size in zip(starts, sizes, strict=True)))
    if not blocks or blocks[-1].end > end:
        raise BudwoodError(
            "the blocks do not lie within the interval", where=where, mend="check columns 10-12"
        )
    return BedRecord(interval, name, Span(left, right) if left < right else None, blocks)


def _whole(texts: list[str], count: int, meaning: str, where: str) -> list[int]:
    """``count`` whole numbers, none negative."""
    numbers = [whole_number(text) for text in texts]
    whole = [number for number in numbers if number is not None]
    if len(whole) != len(texts) or len(texts) != count:
        found = ", ".join(texts)[:60] or "nothing"
        raise BudwoodError(
            f"{meaning} should be whole numbers, found {found}",
            where=where,
            mend="check the columns: contig, start (from 0), end, name, ...",
        )
    return whole


def _coding(record: BedRecord) -> tuple[CodingPart, ...]:
    if record.thick is None:
        return ()
    spans = [
        Span(max(exon.start, record.thick.start), min(exon.end, record.thick.end))
        for exon in joined(record.blocks)
    ]
    backwards = record.interval.strand == "-"
    phase, parts = 0, []
    for start, end in sorted((s for s in spans if s.start < s.end), reverse=backwards):
        parts.append(CodingPart(start, end, phase))
        phase = (phase - (end - start)) % 3
    return tuple(sorted(parts))
