"""Tables with one marker per row whose cells spell the alleles of each accession (``AG``, ``AAAG``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from sys import intern
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.genomics.haplotypes.calls import CallBlock, Site
from budwood.genomics.io.text.delimited import (
    MISSING_CELLS,
    delimiter_of,
    refuse_repeated,
    split_cells,
    text_lines,
)
from budwood.genomics.io.variants.position import parse_position
from budwood.genomics.io.variants.tables.letters import cells_of, index_alleles, listed_alleles, spell_cells
from budwood.genomics.io.variants.tables.marker_map import marker_column_roles

_PREVIEW: Final = 200


@dataclass(frozen=True)
class Columns:
    """Where a row says what; columns are counted from 0 and the first accession's is ``first``.

    ``alleles`` and ``strand`` are None where the format has no such column, ``ploidy`` is None where it does
    not fix the number of copies.

    Attributes
    ----------
    marker, contig, position
        Columns of the marker's name and place.
    first
        Column of the first accession.
    alleles, strand
        Columns of the alleles and the strand, or None.
    ploidy
        Copies that the format fixes, or None.
    """

    marker: int
    contig: int
    position: int
    first: int
    alleles: int | None = None
    strand: int | None = None
    ploidy: int | None = None


@dataclass(frozen=True)
class _Row:
    line: int
    site: Site
    strand: str
    cells: NDArray[np.bytes_]


def open_letter_table(path: Path, *, ploidy: int | None = None) -> LetterTable:
    """Open a table of marker, chromosome, position and one column of spelled calls per accession (GWASpoly).

    Parameters
    ----------
    path
        The table, plain or packed.
    ploidy
        Copies of a call; None takes them from the cells.

    Returns
    -------
    LetterTable
        The calls, to be streamed.

    Raises
    ------
    BudwoodError
        If the header does not begin with these columns, or as for :class:`LetterTable`.
    """
    header = next(text_lines(path), "")
    roles = marker_column_roles(split_cells(header, delimiter_of(header))[:3])
    if set(roles) != {"marker", "contig", "position"}:
        raise BudwoodError(
            "the table of letters does not begin with the columns Marker, Chrom and Position",
            where=str(path),
            mend="put these first, then one column per accession",
        )
    return LetterTable(path, Columns(**roles, first=3), "letters", ploidy=ploidy)


class LetterTable:
    """A table of spelled calls as a CallSource.

    Parameters
    ----------
    path
        The file, plain or packed.
    columns
        Its layout.
    format
        Its name in summaries.
    ploidy
        Letters per cell; None takes the longest of the first 200 rows (two for one-letter cells). Cells that
        spell A and B throughout name the alleles of an array: then ``has_letters`` is False.

    Raises
    ------
    BudwoodError
        If the file is malformed (while it is streamed, too), an accession occurs twice, or the cells have
        another ploidy than the one given.
    """

    def __init__(self, path: Path, columns: Columns, format: str, *, ploidy: int | None = None) -> None:
        self.path = Path(path)
        self.format: Final = format
        self._columns = columns
        header = next(text_lines(self.path), "")
        self._delimiter = delimiter_of(header)
        names = split_cells(header, self._delimiter)[columns.first :]
        if not names:
            raise BudwoodError(
                "the table has no column of an accession", where=str(path), mend="check the header"
            )
        refuse_repeated(names, "accession", self.path)
        self.accessions: Final = tuple(names)
        self.ploidy: Final = columns.ploidy or self._find_ploidy(ploidy)

    @property
    def contigs(self) -> Mapping[str, int | None]:
        """Contigs in order of appearance (one pass over the file); such tables declare no lengths."""
        return dict.fromkeys(self._scan.contigs)

    @property
    def has_letters(self) -> bool:
        """False where the cells spell A and B, an array's names for two alleles."""
        return not self._scan.coded

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What reading this file takes for granted."""
        first = "no allele is marked as the reference:"
        if not self.has_letters:
            found = [f"{first} A stands first, B is counted; the letters A and B are taken as names"]
        elif self._columns.alleles is None:
            found = [f"{first} alleles stand in alphabetical order, all but the first are counted"]
        else:
            found = [
                f"{first} alleles stand in the file's order, all but the first are counted",
                "where a call holds a base that the alleles column lacks, the alleles are those of the calls",
            ]
        if self._scan.minus:
            found.append(f"{self._scan.minus:,} markers on strand - keep their letters as written")
        return tuple(found)

    def blocks(self, sites_per_block: int = 1024) -> Iterator[CallBlock]:
        """Stream the calls.

        Parameters
        ----------
        sites_per_block
            Most sites of a block.

        Yields
        ------
        CallBlock
            Unphased calls of one contig.
        """
        rows: list[_Row] = []
        for row in self._rows():
            if rows and (len(rows) == sites_per_block or row.site.contig != rows[0].site.contig):
                yield self._block(rows)
                rows = []
            rows.append(row)
        if rows:
            yield self._block(rows)

    def _block(self, rows: list[_Row]) -> CallBlock:
        def unreadable(j: int, i: int) -> BudwoodError:
            cell = rows[j].cells[i].decode("ascii", "replace")
            whose = f"of accession {self.accessions[i]}"
            return BudwoodError(
                f"the call {cell!r} {whose} cannot be read with ploidy {self.ploidy}",
                where=f"{self.path}, line {rows[j].line}, marker {rows[j].site.identifier}",
                mend="write calls as letters such as AG, or NA where missing",
            )

        coded = not self.has_letters
        cells = np.stack([row.cells for row in rows])
        codes = spell_cells(cells, self.ploidy, coded=coded)
        listed = [("A", "B") if coded else row.site.alleles for row in rows]
        names, alleles = index_alleles(codes, listed, unreadable)
        if coded:
            names = [("", "")] * len(rows)
        sites = tuple(
            Site(row.site.contig, row.site.start, row.site.identifier, own)
            for row, own in zip(rows, names, strict=True)
        )
        return CallBlock(sites, alleles, np.full(alleles.shape[:2], self.ploidy == 1))

    def _rows(self) -> Iterator[_Row]:
        columns = self._columns
        for line, fields in self._fields():
            cells = cells_of(fields[columns.first], len(self.accessions), self._delimiter)
            if cells is None:
                raise self._cut_short(line)
            listed = () if columns.alleles is None else listed_alleles(fields[columns.alleles])
            strand = "" if columns.strand is None else fields[columns.strand]
            yield _Row(line, self._site(line, fields, listed), strand, cells)

    def _fields(self) -> Iterator[tuple[int, list[str]]]:
        """Line numbers, and lines cut into the layout's leading cells and the text of the calls."""
        mark = None if self._delimiter == " " else self._delimiter
        for line, text in islice(enumerate(text_lines(self.path), start=1), 1, None):
            fields = text.split(mark, self._columns.first)
            if len(fields) <= self._columns.first:
                raise self._cut_short(line)
            yield line, [*(cell.strip().strip('"') for cell in fields[:-1]), fields[-1]]

    def _cut_short(self, line: int) -> BudwoodError:
        return BudwoodError(
            f"the row does not have {len(self.accessions)} calls as the header has accessions",
            where=f"{self.path}, line {line}",
            mend="the file may be cut short; copy it again or correct the row",
        )

    def _site(self, line: int, fields: list[str], listed: tuple[str, ...]) -> Site:
        contig, text = intern(fields[self._columns.contig]), fields[self._columns.position]
        number = parse_position(text, f"{self.path}, line {line}")
        if not number.is_integer():
            raise BudwoodError(
                f"the position {text!r} is no whole number",
                where=f"{self.path}, line {line}",
                mend="give base pairs, or NA where unknown",
            )
        position = int(number)
        name = fields[self._columns.marker] or f"{contig}_{position}"
        return Site(contig, max(position, 0) - 1, name, listed)

    def _find_ploidy(self, given: int | None) -> int:
        longest = 0
        for row in islice(self._rows(), _PREVIEW):
            missing = np.isin(np.char.lower(row.cells), [cell.encode() for cell in MISSING_CELLS])
            longest = max(longest, int(np.char.str_len(row.cells[~missing]).max(initial=0)))
        if not longest:
            raise BudwoodError("the table holds no call", where=str(self.path), mend="check the file")
        if longest <= 2 and given in (None, 2):
            return 2
        if given not in (None, longest):
            raise BudwoodError(
                f"the calls spell {longest} copies where ploidy {given} was given",
                where=str(self.path),
                mend="give the right ploidy or leave it out",
            )
        return longest

    @cached_property
    def _scan(self) -> _Scan:
        """One pass over the file for what only all the rows together tell."""
        contigs: dict[str, None] = {}
        minus, coded = 0, False
        for _, fields in self._fields():
            contigs[fields[self._columns.contig]] = None
            if self._columns.strand is not None:
                minus += fields[self._columns.strand] == "-"
            coded = coded or (self._columns.alleles is None and "B" in fields[self._columns.first])
        return _Scan(tuple(contigs), minus, coded)


@dataclass(frozen=True)
class _Scan:
    contigs: tuple[str, ...]
    minus: int
    coded: bool
