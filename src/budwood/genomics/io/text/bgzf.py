"""Writing BGZF: gzip in blocks, which bgzip, tabix and bcftools read (SAM specification 4.1)."""

from __future__ import annotations

import struct
import zlib
from typing import IO, Final

# A gzip member whose extra field holds its size less one.
_HEAD: Final = struct.Struct("<4BI2BH2B2H")
_TAIL: Final = struct.Struct("<2I")
_BLOCK: Final = 65280


class BgzfWriter:
    """Packs bytes in blocks as they come in.

    Files written without :meth:`finish` may be put one after the other.

    Parameters
    ----------
    handle
        Binary file to write to.

    Examples
    --------
    >>> import gzip, io
    >>> packed = io.BytesIO()
    >>> writer = BgzfWriter(packed)
    >>> writer.write(b"##fileformat=VCFv4.3")
    >>> writer.finish()
    >>> gzip.decompress(packed.getvalue())
    b'##fileformat=VCFv4.3'
    """

    def __init__(self, handle: IO[bytes]) -> None:
        self._handle = handle
        self._waiting = bytearray()

    def write(self, data: bytes) -> None:
        """Add bytes.

        Parameters
        ----------
        data
            Bytes of the unpacked file.
        """
        self._waiting += data
        while len(self._waiting) >= _BLOCK:
            self._write_block(bytes(self._waiting[:_BLOCK]))
            del self._waiting[:_BLOCK]

    def flush(self) -> None:
        """Write what is waiting as a block of its own."""
        if self._waiting:
            self._write_block(bytes(self._waiting))
            self._waiting.clear()

    def finish(self) -> None:
        """Write what is waiting, and the empty block that ends a file."""
        self.flush()
        self._write_block(b"")

    def _write_block(self, data: bytes) -> None:
        packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
        packed = packer.compress(data) + packer.flush()
        size = _HEAD.size + len(packed) + _TAIL.size
        self._handle.write(_HEAD.pack(31, 139, 8, 4, 0, 0, 255, 6, 66, 67, 2, size - 1))
        self._handle.write(packed + _TAIL.pack(zlib.crc32(data), len(data)))
