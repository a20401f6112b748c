"""Sequences with values or classes: a table with a column of letters, or a FASTA file and a table."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from budwood.errors import BudwoodError, counted, suggestion
from budwood.genomics.interval import Interval
from budwood.genomics.io.kind import Format, file_format
from budwood.genomics.io.sequence.fasta import open_fasta
from budwood.genomics.io.tables.number_column import read_number_column
from budwood.genomics.io.tables.table import Table, read_table
from budwood.genomics.io.text.compressed import open_bytes
from budwood.genomics.io.text.delimited import MISSING_CELLS
from budwood.genomics.sequence import N, encode, reverse_complement

_LETTERS: Final = re.compile(r"[ACGTURYSWKMBDHVNacgturyswkmbdhvn]{8,}")
_NAMES: Final = ("name", "id", "seq_id", "sequence_id", "sequence_name", "gene", "accession")


@dataclass(frozen=True, kw_only=True, eq=False)
class SequenceTable:
    """Sequences, their names and what else a table has on them.

    Attributes
    ----------
    path
        The file of the sequences.
    names
        Name of each sequence; its number from 1 where the file has none.
    sequences
        Codes of each.
    columns
        Cells by name of the column; empty for a FASTA file without a table.
    files
        What was read.
    notes
        What was assumed in reading, a sentence each.
    """

    path: Path
    names: tuple[str, ...]
    sequences: tuple[NDArray[np.uint8], ...]
    columns: Mapping[str, tuple[str, ...]]
    files: tuple[Path, ...]
    notes: tuple[str, ...] = ()

    def cells(self, column: str) -> tuple[str, ...]:
        """Cells of a column.

        Parameters
        ----------
        column
            Its name.

        Returns
        -------
        tuple of str
            One for each sequence.

        Raises
        ------
        BudwoodError
            If there is no such column.
        """
        if column not in self.columns:
            mend = suggestion(column, self.columns) if self.columns else "give --values with a table of them"
            raise BudwoodError(f"there is no column {column!r}", where=str(self.files[-1]), mend=mend)
        return self.columns[column]

    def numbers(self, column: str) -> NDArray[np.float64] | None:
        """A column as numbers.

        Parameters
        ----------
        column
            Its name.

        Returns
        -------
        ndarray or None
            (sequences,) NaN where a cell is missing; None where the cells are text.

        Raises
        ------
        BudwoodError
            If there is no such column, or it mixes numbers and text.
        """
        cells = self.cells(column)
        found = read_number_column(cells)
        if found.is_text:
            return None
        if found.refused:
            row, reason = found.refused[0]
            raise BudwoodError(
                reason,
                where=f"{self.files[-1]}, column {column!r}, sequence {self.names[row]!r}",
                mend="write numbers, or classes in all cells",
            )
        return np.array(found.values)


def read_sequence_table(
    path: Path,
    values: Path | None = None,
    *,
    sequence_column: str | None = None,
    name_column: str | None = None,
) -> SequenceTable:
    """Read sequences with what is known of them.

    Parameters
    ----------
    path
        A FASTA file, or a table with a column of sequences.
    values
        Table about the sequences of a FASTA file, with their names in one column; sequences that it does not
        have are left out.
    sequence_column
        Column of the sequences; the one that holds nothing but letters of DNA if None.
    name_column
        Column of the names; known by its name, or by its cells, if None.

    Returns
    -------
    SequenceTable
        In the order of ``path``.

    Raises
    ------
    BudwoodError
        If a file cannot be read, no column has sequences, a sequence is empty, or names repeat.
    """
    path = Path(path)
    if _is_fasta(path):
        return _of_fasta(path, values, name_column)
    if values is not None:
        raise BudwoodError(
            "the sequences are a table already, which needs no second one",
            where=str(values),
            mend="give --values with a FASTA file only",
        )
    table = read_table(path)
    place = _sequence_place(table, sequence_column)
    for row, cell in enumerate(table.column(place)):
        if _LETTERS.fullmatch(cell) is None:
            raise BudwoodError(
                f"the cell {cell[:20]!r} is no sequence of 8 or more letters",
                where=table.where(row, place),
                mend="write A, C, G, T and N, or leave the row out",
            )
    others = {name: tuple(table.column(k)) for k, name in enumerate(table.header) if k != place}
    named = _name_place(table, name_column, {place})
    names = tuple(table.column(named)) if named is not None else _numbered(len(table.rows))
    sequences = tuple(encode(cell) for cell in table.column(place))
    return SequenceTable(
        path=path,
        names=names,
        sequences=sequences,
        columns=others,
        files=(path,),
        notes=(*table.notes, *_unknown_bases(sequences)),
    )


def _of_fasta(path: Path, values: Path | None, name_column: str | None) -> SequenceTable:
    assembly = open_fasta(path)
    names = tuple(assembly.contigs)
    if assembly.empty_contigs:
        raise BudwoodError(
            f"the record {assembly.empty_contigs[0]!r} has no base", where=str(path), mend="leave it out"
        )
    if values is None:
        sequences = tuple(assembly.sequence(Interval(n, 0, size)) for n, size in assembly.contigs.items())
        return SequenceTable(
            path=path,
            names=names,
            sequences=sequences,
            columns={},
            files=(path,),
            notes=_unknown_bases(sequences),
        )
    table = read_table(values)
    place = _name_place(table, name_column, set(), known=set(names))
    if place is None:
        raise BudwoodError(
            "no column has the names of the sequences",
            where=str(values),
            mend="name it with --name-column",
        )
    row_of: dict[str, int] = {}
    for row, name in enumerate(table.column(place)):
        if row_of.setdefault(name, row) != row:
            raise BudwoodError(
                f"the sequence {name!r} occurs twice", where=table.where(row, place), mend="leave one row out"
            )
    kept = tuple(name for name in names if name in row_of)
    if not kept:
        raise BudwoodError(
            f"none of the {len(names):,} sequences has a row",
            where=str(values),
            mend=f"use the names of the FASTA file, such as {names[0]!r}",
        )
    notes = list(table.notes)
    if len(kept) < len(names):
        notes.append(f"{len(names) - len(kept):,} of {len(names):,} sequences have no row and were left out.")
    if len(kept) < len(row_of):
        notes.append(
            f"{len(row_of) - len(kept):,} of {len(row_of):,} rows have no sequence and were left out."
        )
    columns = {
        header: tuple(table.rows[row_of[name]][k] for name in kept)
        for k, header in enumerate(table.header)
        if k != place
    }
    sequences = tuple(assembly.sequence(Interval(name, 0, assembly.contigs[name])) for name in kept)
    return SequenceTable(
        path=path,
        names=kept,
        sequences=sequences,
        columns=columns,
        files=(path, Path(values)),
        notes=(*notes, *_unknown_bases(sequences)),
    )


def _unknown_bases(sequences: Sequence[NDArray[np.uint8]]) -> tuple[str, ...]:
    counts = [int(np.count_nonzero(codes == N)) for codes in sequences]
    held = sum(count > 0 for count in counts)
    if not held:
        return ()
    return (
        f"Read as unknown bases: {counted(sum(counts), 'letter')} of {counted(held, 'sequence')} other than "
        "A, C, G, T and U (N, letters for several bases, gaps).",
    )


def is_missing(cell: str) -> bool:
    """Whether a cell stands for no value.

    Parameters
    ----------
    cell
        Its text.

    Returns
    -------
    bool
        True for an empty cell, NA and the like.

    Examples
    --------
    >>> is_missing("NA"), is_missing("leaf")
    (True, False)
    """
    return cell.strip().lower() in MISSING_CELLS


def _is_fasta(path: Path) -> bool:
    with open_bytes(path) as handle:
        first = next((line.strip() for line in handle if line.strip()), b"")
    if first[:1] == b">":
        return True
    return path.suffix in (".fa", ".fasta", ".fna") and file_format(path) is Format.FASTA


def _sequence_place(table: Table, column: str | None) -> int:
    if column is not None:
        if column not in table.header:
            raise BudwoodError(
                f"there is no column {column!r}", where=str(table.path), mend=suggestion(column, table.header)
            )
        return table.header.index(column)
    found = [
        k
        for k in range(len(table.header))
        if table.rows and all(_LETTERS.fullmatch(cells[k]) for cells in table.rows[:50])
    ]
    if len(found) == 1:
        return found[0]
    what = "no column has" if not found else f"{len(found)} columns have"
    raise BudwoodError(
        f"{what} sequences of DNA", where=str(table.path), mend="name one with --sequence-column"
    )


def _name_place(
    table: Table, column: str | None, others: set[int], known: set[str] | None = None
) -> int | None:
    if column is not None:
        if column not in table.header:
            raise BudwoodError(
                f"there is no column {column!r}", where=str(table.path), mend=suggestion(column, table.header)
            )
        return table.header.index(column)
    if known is not None:
        shares = [sum(cell in known for cell in table.column(k)) for k in range(len(table.header))]
        best = int(np.argmax(shares))
        return best if shares[best] else None
    distinct = [
        k
        for k, name in enumerate(table.plain)
        if k not in others and name in _NAMES and len(set(table.column(k))) == len(table.rows)
    ]
    return distinct[0] if distinct else None


def _numbered(count: int) -> tuple[str, ...]:
    return tuple(str(number) for number in range(1, count + 1))


def joined_groups(sequences: Sequence[NDArray[np.uint8]], groups: Sequence[str] | None) -> NDArray[np.intp]:
    """Numbers of groups that must not be split: groups as named, joined where they share a sequence.

    Parameters
    ----------
    sequences
        Codes of each sequence; a sequence and its reverse complement count as one.
    groups
        Group of each; every sequence is its own where None, and one whose group is missing.

    Returns
    -------
    ndarray
        (sequences,) number of its group.

    Examples
    --------
    >>> joined_groups([encode("AAC"), encode("GGG"), encode("GTT")], None).tolist()
    [0, 1, 0]
    """
    keys = [min(codes.tobytes(), reverse_complement(codes).tobytes()) for codes in sequences]
    number = {key: k for k, key in enumerate(dict.fromkeys(keys))}
    own = np.array([number[key] for key in keys])
    if groups is None:
        return own
    named = {name: len(number) + k for k, name in enumerate(dict.fromkeys(groups))}
    # A missing group joins nothing: the sequence is joined with itself.
    other = np.array(
        [mine if is_missing(name) else named[name] for name, mine in zip(groups, own.tolist(), strict=True)]
    )
    size = len(number) + len(named)
    graph = coo_array((np.ones(len(own)), (own, other)), shape=(size, size))
    _, labels = connected_components(graph, directed=False)
    found: NDArray[np.intp] = labels[own].astype(np.intp)
    return found
