"""Random access to a plain FASTA file by the arithmetic of its ``.fai`` index."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class _Row:
    """Where a contig is: its bases, the offset of the first, and bases and bytes to the line."""

    length: int
    offset: int
    line_bases: int
    line_width: int


class IndexedLines:
    """A plain FASTA file with its index, read by interval.

    Parameters
    ----------
    path
        The FASTA file.
    index
        Its ``.fai`` index: name, length, offset, bases a line and bytes a line, separated by tabs.
    """

    def __init__(self, path: Path, index: Path) -> None:
        self._handle = path.open("rb")
        rows = (line.split("\t") for line in index.read_text(encoding="utf-8").removesuffix("\n").split("\n"))
        self._rows = {name: _Row(*map(int, numbers)) for name, *numbers in rows}

    def __del__(self) -> None:
        handle = getattr(self, "_handle", None)
        if handle is not None:
            handle.close()

    def fetch(self, contig: str, start: int, end: int) -> str:
        """Letters of an interval.

        Parameters
        ----------
        contig
            Name of the contig.
        start, end
            0-based half-open interval, inside the contig.

        Returns
        -------
        str
            ``end - start`` letters as the file writes them.
        """
        row = self._rows[contig]
        first, last = (
            row.offset + at // row.line_bases * row.line_width + at % row.line_bases for at in (start, end)
        )
        self._handle.seek(first)
        return self._handle.read(last - first).translate(None, b"\r\n \t").decode("ascii")
