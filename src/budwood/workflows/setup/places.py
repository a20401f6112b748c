"""Places of a genome by a BED file, under the names that the genome has for its contigs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from budwood.errors import BudwoodError

if TYPE_CHECKING:
    from budwood.genomics.interval import Interval
    from budwood.genomics.io.annotation.bed import BedRecord
    from budwood.genomics.io.sequence.fasta import FastaAssembly

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


def check_no_gap(assembly: FastaAssembly, fasta: Path, place: Interval) -> None:
    """Refuse a gap of an alignment, which would count as an unknown base and move what follows it.

    Parameters
    ----------
    assembly
        The genome.
    fasta
        Its file, for the message.
    place
        What is read at once.

    Raises
    ------
    BudwoodError
        If a letter of the place is a gap.
    """
    gap = assembly.gap_letter(place)
    if gap is not None:
        raise BudwoodError(
            f"{gap!r} is no nucleotide letter",
            where=f"{fasta}, {place}",
            mend="remove the gaps of the alignment",
        )
