"""Places of a genome by a BED file, under the names that the genome has for its contigs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from budwood.genomics.io.annotation.bed import BedRecord

#: Contigs that a note names.
_NAMED: Final = 8


def read_places(path: Path, contigs: Mapping[str, int]) -> tuple[list[BedRecord], tuple[str, ...]]:
    """Records with the FASTA file's contig names where theirs differ in case, chr or zeros; and a note.

    Parameters
    ----------
    path
        The BED file.
    contigs
        Contigs of the FASTA file.

    Returns
    -------
    tuple
        The records, and a sentence that names contigs that were read under other names, if any.

    Raises
    ------
    BudwoodError
        If the file cannot be read.
    """
    from budwood.genomics.checks.marker_match import contig_aliases
    from budwood.genomics.io.annotation.bed import read_bed

    records = read_bed(path)
    aliases = contig_aliases(set(contigs), {record.interval.contig for record in records})
    found = []
    for record in records:
        contig = aliases.get(record.interval.contig, record.interval.contig)
        found.append(replace(record, interval=replace(record.interval, contig=contig)))
    changed = [f"{name!r} as {other!r}" for name, other in aliases.items() if name != other]
    if not changed:
        return found, ()
    more = f" and {len(changed) - _NAMED} more" if len(changed) > _NAMED else ""
    return found, (
        f"Contigs of the BED file were read under other names: {', '.join(changed[:_NAMED])}{more}.",
    )
