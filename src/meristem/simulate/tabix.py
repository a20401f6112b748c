"""The tabix index of a sorted VCF (Li 2011, Bioinformatics 27:718)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from meristem.simulate.bgzf import BgzfWriter

# Columns of a VCF: contig 1, start 2, no end; comment lines begin with #, none is skipped.
_VCF: Final = (2, 1, 2, 0, ord("#"), 0)
_TILE_BITS: Final = 14


class TabixIndex:
    """Bins and tiles of a VCF, filled while its records are written in order.

    Parameters
    ----------
    contigs
        Contigs in the order of the file.
    """

    def __init__(self, contigs: Sequence[str]) -> None:
        self._bins: dict[str, dict[int, list[tuple[int, int]]]] = {contig: {} for contig in contigs}
        self._tiles: dict[str, list[int]] = {contig: [] for contig in contigs}

    def add(self, contig: str, start: int, end: int, first: int, last: int) -> None:
        """A record over bases ``start`` to ``end`` (0-based half-open) at virtual offsets first to last."""
        chunks = self._bins[contig].setdefault(_bin(start, end), [])
        if chunks and chunks[-1][1] == first:
            chunks[-1] = (chunks[-1][0], last)
        else:
            chunks.append((first, last))
        tiles = self._tiles[contig]
        # Tiles without a record of their own begin where the next record does.
        tiles += [first] * (((end - 1) >> _TILE_BITS) + 1 - len(tiles))

    def write(self, path: Path) -> None:
        """Write the index."""
        contigs = [contig for contig in self._bins if self._bins[contig]]
        names = b"".join(contig.encode("ascii") + b"\0" for contig in contigs)
        found = [b"TBI\1", struct.pack("<8i", len(contigs), *_VCF, len(names)), names]
        for contig in contigs:
            bins, tiles = self._bins[contig], self._tiles[contig]
            found.append(struct.pack("<i", len(bins)))
            for number, chunks in sorted(bins.items()):
                found.append(struct.pack("<Ii", number, len(chunks)))
                found += [struct.pack("<2Q", *chunk) for chunk in chunks]
            found.append(struct.pack(f"<i{len(tiles)}Q", len(tiles), *tiles))
        with BgzfWriter(path) as writer:
            writer.write(b"".join(found))


def _bin(start: int, end: int) -> int:
    """Number of the smallest bin that holds the bases: one of 2^29 bases, eight of 2^26, and so on.

    Examples
    --------
    >>> _bin(0, 1), _bin(16_000, 16_500), _bin(0, 1 << 29)
    (4681, 585, 0)
    """
    for bits, first in ((14, 4681), (17, 585), (20, 73), (23, 9), (26, 1)):
        if start >> bits == (end - 1) >> bits:
            return first + (start >> bits)
    return 0
