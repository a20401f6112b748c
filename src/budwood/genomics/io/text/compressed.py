"""Files as plain bytes, whatever they are packed with."""

from __future__ import annotations

import gzip
import io
import lzma
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final, cast

from budwood.errors import BudwoodError

#: A packed file that has given this many bytes is checked against :data:`MOST_UNPACKED_PER_BYTE`.
CHECKED_FROM: Final = 1 << 28
#: Bytes that one packed byte may give, on average. Genotypes give 10 to 100, a file made to fill the memory
#: 1,000.
MOST_UNPACKED_PER_BYTE: Final = 500

_GZIP: Final = b"\x1f\x8b"
_XZ: Final = b"\xfd7zXZ\x00"
_OTHER: Final = {b"BZh": "bzip2", b"\x28\xb5\x2f\xfd": "zstd", b"PK\x03\x04": "zip"}
# The empty block that ends every complete BGZF file (SAM specification 4.1.2).
_BGZF_END: Final = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
_BUFFER: Final = 1 << 18


def compression(path: Path) -> str:
    """How a file is packed, by its first bytes: ``"plain"``, ``"gzip"``, ``"bgzf"`` or ``"xz"``.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    str
        One of the four words.

    Raises
    ------
    BudwoodError
        If the file cannot be read, is a pipe, or is packed in another way.
    """
    refuse_pipe(path)
    with _plain_errors(path), path.open("rb") as handle:
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


def refuse_pipe(path: Path) -> None:
    """Refuse what is no file on a disk: Budwood reads files more than once, a pipe gives its bytes once.

    Parameters
    ----------
    path
        The file; one that does not exist is left to who opens it.

    Raises
    ------
    BudwoodError
        If it is a pipe, a socket or a device.
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise BudwoodError(
            "this is a pipe or a device, which cannot be read twice",
            where=str(path),
            mend="save its content to a file and give that",
        )


@contextmanager
def open_bytes(path: Path) -> Iterator[IO[bytes]]:
    """Open a plain, gzip, BGZF or xz file for reading its unpacked bytes.

    Parameters
    ----------
    path
        The file.

    Yields
    ------
    IO[bytes]
        The unpacked bytes, buffered.

    Raises
    ------
    BudwoodError
        If the file cannot be read, is truncated or damaged, or unpacks to more than 500 times its size after
        256 MiB; also while it is being read.
    """
    kind = compression(path)
    with _plain_errors(path):
        if kind == "bgzf":
            _check_bgzf_end(path)
        with path.open("rb") as packed:
            if kind == "plain":
                yield packed
            elif kind == "xz":
                with lzma.open(packed) as xz:
                    yield _guarded(xz, packed, path)
            else:
                with gzip.open(packed) as gz:
                    yield _guarded(gz, packed, path)


def _guarded(unpacked: Any, packed: IO[bytes], path: Path) -> IO[bytes]:
    return cast(IO[bytes], io.BufferedReader(_Guarded(unpacked, packed, path), _BUFFER))


class _Guarded(io.RawIOBase):
    """Unpacked bytes, counted against the packed ones that they come from."""

    def __init__(self, unpacked: IO[bytes], packed: IO[bytes], path: Path) -> None:
        self._unpacked = unpacked
        self._packed = packed
        self._path = path
        self._given = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._unpacked.read(len(buffer))
        buffer[: len(data)] = data
        self._given += len(data)
        if self._given > CHECKED_FROM and self._given > MOST_UNPACKED_PER_BYTE * self._packed.tell():
            raise BudwoodError(
                f"the packed file unpacks to more than {MOST_UNPACKED_PER_BYTE} times its size",
                where=str(self._path),
                mend="check where it comes from; if it is right, unpack it and give the plain file",
            )
        return len(data)


def _check_bgzf_end(path: Path) -> None:
    with path.open("rb") as handle:
        handle.seek(max(0, path.stat().st_size - len(_BGZF_END)))
        if handle.read() != _BGZF_END:
            raise EOFError("no end-of-file block")


@contextmanager
def _plain_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (EOFError, lzma.LZMAError, zlib.error, gzip.BadGzipFile) as error:
        raise BudwoodError(
            "the packed file is truncated or damaged", where=str(path), mend="copy or download it again"
        ) from error
    except (FileNotFoundError, IsADirectoryError, PermissionError, NotADirectoryError) as error:
        # An output that the reader's caller writes at the same time has its own message.
        if error.filename is not None and Path(error.filename) != path:
            raise
        reason = {FileNotFoundError: "does not exist", IsADirectoryError: "is a folder"}
        raise BudwoodError(
            f"the file {reason.get(type(error), 'may not be read')}", where=str(path), mend="check its name"
        ) from error
