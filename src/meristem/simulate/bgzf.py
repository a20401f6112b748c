"""Writing BGZF: gzip in blocks that a reader can jump between (SAM specification, section 4.1)."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

_BLOCK: Final = 0xFF00
_END: Final = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


class BgzfWriter:
    """A BGZF file being written; the same bytes in give the same bytes out.

    Examples
    --------
    >>> import gzip, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with BgzfWriter(Path(folder, "a.gz")) as writer:
    ...         writer.write(b"AC")
    ...         writer.tell()
    ...     gzip.open(Path(folder, "a.gz")).read()
    2
    b'AC'
    """

    def __init__(self, path: Path) -> None:
        self._handle: IO[bytes] = path.open("wb")
        self._pending = bytearray()
        self._written = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._handle:
            if error is None:
                self._flush(everything=True)
                self._handle.write(_END)

    def write(self, data: bytes) -> None:
        """Append bytes."""
        self._pending += data
        self._flush()

    def tell(self) -> int:
        """Virtual offset of the next byte: where its block starts, shifted, and its place in the block."""
        return self._written << 16 | len(self._pending)

    def _flush(self, *, everything: bool = False) -> None:
        # A full block is put out as soon as it is full, so that an offset in a block stays under _BLOCK.
        while len(self._pending) >= _BLOCK or (everything and self._pending):
            block = _block(bytes(self._pending[:_BLOCK]))
            self._handle.write(block)
            self._written += len(block)
            del self._pending[:_BLOCK]


def _block(data: bytes) -> bytes:
    deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
    packed = deflate.compress(data) + deflate.flush()
    # The extra field BC holds the size of the block less one; 26 bytes surround the packed data.
    head = struct.pack("<4BI2BH2B2H", 31, 139, 8, 4, 0, 0, 255, 6, 66, 67, 2, len(packed) + 25)
    return head + packed + struct.pack("<2I", zlib.crc32(data), len(data))
