"""Files as plain bytes, whatever they are packed with."""

from __future__ import annotations

import gzip
import lzma
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final, cast

from budwood.errors import BudwoodError

_GZIP: Final = b"\x1f\x8b"
_XZ: Final = b"\xfd7zXZ\x00"
_OTHER: Final = {b"BZh": "bzip2", b"\x28\xb5\x2f\xfd": "zstd", b"PK\x03\x04": "zip"}
# The empty block that ends every complete BGZF file (SAM specification 4.1.2).
_BGZF_END: Final = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


def compression(path: Path) -> str:
    """How a file is packed, by its first bytes: ``"plain"``, ``"gzip"``, ``"bgzf"`` or ``"xz"``.

    Raises
    ------
    BudwoodError
        If the file cannot be read, or is packed in another way.
    """
    with _told_plainly(path), path.open("rb") as handle:
        head = handle.read(18)
    for magic, name in _OTHER.items():
        if head.startswith(magic):
            raise BudwoodError(
                f"the file is packed with {name}",
                where=str(path),
                mend="unpack it, or pack it with gzip or xz",
            )
    if head.startswith(_XZ):
        return "xz"
    if head.startswith(_GZIP):
        return "bgzf" if head[12:16] == b"BC\x02\x00" else "gzip"
    return "plain"


@contextmanager
def open_bytes(path: Path) -> Iterator[IO[bytes]]:
    """Open a plain, gzip, BGZF or xz file for reading its unpacked bytes.

    Raises
    ------
    BudwoodError
        If the file cannot be read, or is truncated or damaged; also while it is being read.
    """
    kind = compression(path)
    with _told_plainly(path):
        if kind == "bgzf":
            _check_bgzf_end(path)
        if kind == "plain":
            with path.open("rb") as plain:
                yield plain
        elif kind == "xz":
            with lzma.open(path) as xz:
                yield xz
        else:
            with gzip.open(path) as gz:
                yield cast(IO[bytes], gz)


def _check_bgzf_end(path: Path) -> None:
    with path.open("rb") as handle:
        handle.seek(max(0, path.stat().st_size - len(_BGZF_END)))
        if handle.read() != _BGZF_END:
            raise EOFError("no end-of-file block")


@contextmanager
def _told_plainly(path: Path) -> Iterator[None]:
    try:
        yield
    except (EOFError, lzma.LZMAError, zlib.error, gzip.BadGzipFile) as error:
        raise BudwoodError(
            "the packed file is truncated or damaged", where=str(path), mend="copy or download it again"
        ) from error
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        # An output that the reader's caller writes at the same time has its own message.
        if error.filename is not None and Path(error.filename) != path:
            raise
        reason = {FileNotFoundError: "does not exist", IsADirectoryError: "is a folder"}
        raise BudwoodError(
            f"the file {reason.get(type(error), 'may not be read')}", where=str(path), mend="check its name"
        ) from error
