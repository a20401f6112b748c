"""Lines of FASTA files, whatever ends them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Final

from budwood.errors import BudwoodError

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_BLOCK: Final = 1 << 20


def fasta_lines(handle: IO[bytes]) -> Iterator[tuple[bytes, int]]:
    r"""Each line without its end, and its bytes in the file.

    A byte order mark is dropped. Lines may end with LF, CRLF or CR.

    Parameters
    ----------
    handle
        The unpacked bytes.

    Yields
    ------
    line : bytes
        Without blanks at its end.
    width : int
        Bytes of the line with its end; 0 where CR alone ends it, so that no arithmetic finds its place.

    Examples
    --------
    >>> import io
    >>> list(fasta_lines(io.BytesIO(b">a\nACGT\r\n")))
    [(b'>a', 3), (b'ACGT', 6)]
    >>> list(fasta_lines(io.BytesIO(b">a\rACGT\r")))
    [(b'>a', 0), (b'ACGT', 0)]
    """
    begun = False
    while raw := handle.readline(_BLOCK):
        width = len(raw)
        if not begun:
            raw, begun = raw.removeprefix(_BYTE_ORDER_MARK), True
        if b"\r" in raw.rstrip(b"\r\n"):
            yield from _of_carriage_returns(raw, handle)
            continue
        if not raw.endswith(b"\n"):
            rest = handle.readline()
            raw, width = raw + rest, width + len(rest)
        if b"\r" in raw.rstrip(b"\r\n"):
            yield from ((piece.rstrip(), 0) for piece in raw.rstrip(b"\r\n").split(b"\r"))
        elif raw.endswith(b"\r") and not raw.endswith(b"\n"):
            yield raw.rstrip(), 0
        else:
            yield raw.rstrip(), width


def _of_carriage_returns(raw: bytes, handle: IO[bytes]) -> Iterator[tuple[bytes, int]]:
    """Lines of a stretch up to the next LF, in blocks, so that a file without any is never held whole."""
    while True:
        *pieces, rest = raw.split(b"\r")
        yield from ((piece.rstrip(), 0) for piece in pieces)
        if rest.endswith(b"\n"):
            if rest.strip():
                yield rest.rstrip(), 0
            return
        block = handle.readline(_BLOCK)
        if not block:
            if rest.strip():
                yield rest.rstrip(), 0
            return
        raw = rest + block


def contig_name(header: bytes, where: str, seen: set[str]) -> str:
    """Name of a record: the first word of its header; bytes that are not UTF-8 are read as Windows-1252.

    Parameters
    ----------
    header
        Line that begins with ``>``.
    where
        File and line, for messages.
    seen
        Names so far, to which this one is added.

    Returns
    -------
    str
        The name.

    Raises
    ------
    BudwoodError
        If there is no name, it holds a control character, or another record bears it.
    """
    words = header[1:].split()
    if not words:
        raise BudwoodError("a contig has no name", where=where, mend="write a name after the >")
    try:
        name = words[0].decode("utf-8")
    except UnicodeDecodeError:
        name = words[0].decode("cp1252", "replace")
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in name):
        raise BudwoodError(
            f"the contig name {name!r} holds a control character", where=where, mend="rename the contig"
        )
    if name in seen:
        raise BudwoodError(f"contig {name!r} occurs twice", where=where, mend="rename or remove one of them")
    seen.add(name)
    return name
