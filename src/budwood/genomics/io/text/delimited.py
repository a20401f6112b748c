"""Text tables as lines and cells, whatever they are packed, broken or separated with."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from budwood.errors import BudwoodError
from budwood.genomics.io.text.compressed import open_bytes

#: Cells that mean "no value", in lower case; numeric tables add -1 and -9.
MISSING_CELLS: Final = frozenset({"", "na", "n/a", "nan", "null", "none", ".", "-", "?"})


def text_lines(path: Path) -> Iterator[str]:
    """Lines of a UTF-8 text file without their ends; blank lines at the end are left out.

    Any line break (LF, CRLF, CR) and a byte order mark are understood; the file may be packed.

    Raises
    ------
    BudwoodError
        If the file is missing, packed and truncated, or no text.
    """
    blank = 0
    with open_bytes(path) as handle:
        text = io.TextIOWrapper(handle, encoding="utf-8-sig")
        try:
            for line in text:
                stripped = line.rstrip("\n")
                if not stripped.strip():
                    blank += 1
                    continue
                yield from [""] * blank
                blank = 0
                yield stripped
        except UnicodeDecodeError as error:
            raise BudwoodError(
                "the file is not UTF-8 text", where=str(path), mend="save it as UTF-8 (or plain ASCII) text"
            ) from error
        finally:
            text.detach()


def delimiter_of(header: str) -> str:
    r"""What separates the cells of a line: tab, comma, semicolon, or (as ``" "``) runs of blanks.

    Examples
    --------
    >>> delimiter_of("marker,a b,c")
    ','
    >>> delimiter_of("marker\tline 1")
    '\t'
    """
    counts = {mark: header.count(mark) for mark in "\t,;"}
    best = max(counts, key=lambda mark: counts[mark])
    return best if counts[best] else " "


def split_cells(line: str, delimiter: str) -> list[str]:
    """Cells of a line without blanks and quotes around them.

    Examples
    --------
    >>> split_cells('"a", b,3', ",")
    ['a', 'b', '3']
    """
    cells = line.split() if delimiter == " " else line.split(delimiter)
    return [cell.strip().strip('"') for cell in cells]


def refuse_repeated(names: list[str], what: str, path: Path) -> None:
    """Refuse a list of names in which one stands twice or is empty."""
    seen: set[str] = set()
    for number, name in enumerate(names, start=1):
        if not name:
            raise BudwoodError(f"{what} number {number} has no name", where=str(path), mend="name it")
        if name in seen:
            raise BudwoodError(
                f"{what} {name!r} stands twice", where=str(path), mend="give every one a name of its own"
            )
        seen.add(name)
