"""Text tables as lines and cells, whatever they are packed, broken or separated with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from budwood.errors import BudwoodError
from budwood.genomics.io.text.encoding import decoded_lines

#: Cells that mean "no value" in every table, in lower case (compare ``cell.strip().lower()``).
MISSING_CELLS: Final = frozenset(
    {
        *("", "na", "n/a", "n.a.", "nan", "null", "none", "nil", "nd", "n.d.", "missing", "<na>"),
        *(".", "..", "-", "--", "?", "*", "#n/a", "#na", "#null!", "#div/0!", "#value!", "#num!", "#ref!"),
    }
)
#: Numbers that stand for "no value" where no real value can be near them.
MISSING_NUMBERS: Final = frozenset(
    {-9.0, -99.0, -999.0, -9999.0, -99999.0, 99.0, 999.0, 9999.0, 99999.0, 999999.0}
)


def text_lines(path: Path) -> Iterator[str]:
    """Lines of a text file without their ends; blank lines at the end are left out.

    Any line break (LF, CRLF, CR) and a byte order mark are understood; the file may be packed. UTF-8 and
    UTF-16 are read as such; a line that is not UTF-8 is read as Windows-1252
    (:func:`budwood.genomics.io.text.encoding.text_encoding` names what a file was read as).

    Parameters
    ----------
    path
        The file.

    Yields
    ------
    str
        The next line.

    Raises
    ------
    BudwoodError
        If the file is missing, packed and truncated, or no text.
    """
    blank = 0
    for line in decoded_lines(path):
        if not line.strip():
            blank += 1
            continue
        yield from [""] * blank
        blank = 0
        yield line


def delimiter_of(header: str) -> str:
    r"""What separates the cells of a line: tab, comma, semicolon, or (as ``" "``) runs of blanks.

    Parameters
    ----------
    header
        A line, usually the first.

    Returns
    -------
    str
        A tab, a comma, a semicolon or a blank.

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

    Parameters
    ----------
    line
        The line.
    delimiter
        From :func:`delimiter_of`.

    Returns
    -------
    list of str
        The cells.

    Examples
    --------
    >>> split_cells('"a", b,3', ",")
    ['a', 'b', '3']
    """
    cells = line.split() if delimiter == " " else line.split(delimiter)
    return [cell.strip().strip('"') for cell in cells]


def refuse_repeated(names: list[str], what: str, path: Path) -> None:
    """Refuse a list of names that has a duplicate or an empty name.

    Parameters
    ----------
    names
        The names.
    what
        What they name, for the message.
    path
        File, for the message.

    Raises
    ------
    BudwoodError
        If a name is empty or repeats.
    """
    seen: set[str] = set()
    for number, name in enumerate(names, start=1):
        if not name:
            raise BudwoodError(f"{what} number {number} has no name", where=str(path), mend="name it")
        if name in seen:
            raise BudwoodError(
                f"{what} {name!r} occurs twice", where=str(path), mend="give every one a name of its own"
            )
        seen.add(name)
