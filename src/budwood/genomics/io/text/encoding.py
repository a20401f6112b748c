"""Bytes of text files as characters: UTF-8, UTF-16 or Windows-1252."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from budwood.errors import BudwoodError
from budwood.genomics.io.text.compressed import open_bytes

_HEAD: Final = 512
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
_ASCII_SHARE: Final = 0.4
WINDOWS: Final = "Windows-1252"


def decoded_lines(path: Path) -> Iterator[str]:
    """Lines of a text file without their ends, in the encoding they are written in.

    A byte order mark is dropped. Bytes that are not UTF-8 are read as Windows-1252, line by line, so that a
    file of any length is streamed.

    Parameters
    ----------
    path
        The file, plain or packed.

    Yields
    ------
    str
        The next line.

    Raises
    ------
    BudwoodError
        If the file cannot be read or is no text.
    """
    encoding = _encoding_of_start(path)
    with open_bytes(path) as handle:
        text = io.TextIOWrapper(handle, encoding=encoding, errors=_errors(encoding))
        try:
            for line in text:
                yield _line(line.rstrip("\n"), path)
        except UnicodeError as error:
            raise _no_text(path) from error
        finally:
            text.detach()


def text_encoding(path: Path) -> str:
    """What a text file is read as: ``"UTF-8"``, ``"UTF-16"`` or ``"Windows-1252"``; reads it once.

    Parameters
    ----------
    path
        The file, plain or packed.

    Returns
    -------
    str
        Name of the encoding.

    Raises
    ------
    BudwoodError
        If the file cannot be read.
    """
    encoding = _encoding_of_start(path)
    if encoding.startswith("utf-16"):
        return "UTF-16"
    with open_bytes(path) as handle:
        text = io.TextIOWrapper(handle, encoding=encoding, errors="surrogateescape")
        try:
            return WINDOWS if any(map(_is_escaped, text)) else "UTF-8"
        finally:
            text.detach()


def _encoding_of_start(path: Path) -> str:
    """Codec of a file by its first bytes: a byte order mark, or zero bytes at every other place."""
    with open_bytes(path) as handle:
        head = handle.read(_HEAD)
    if head.startswith(_UTF_16):
        return "utf-16"
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if len(head) >= 4 and max(even, odd) > _ASCII_SHARE * len(head) and not min(even, odd):
        return "utf-16-be" if even else "utf-16-le"
    return "utf-8-sig"


def _errors(encoding: str) -> str:
    return "strict" if encoding.startswith("utf-16") else "surrogateescape"


def _is_escaped(line: str) -> bool:
    """Whether a line holds bytes that are not UTF-8."""
    return not line.isascii() and any("\udc80" <= letter <= "\udcff" for letter in line)


def _line(line: str, path: Path) -> str:
    if "\0" in line:
        raise _no_text(path)
    if not _is_escaped(line):
        return line
    return line.encode("utf-8", "surrogateescape").decode("cp1252")


def _no_text(path: Path) -> BudwoodError:
    return BudwoodError(
        "the file is no text that can be read",
        where=str(path),
        mend="give a text file in UTF-8, UTF-16 or Windows-1252",
    )
