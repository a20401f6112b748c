"""Where chunks of windows are encoded: in this process, or elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from budwood.progress import Advance

#: :func:`budwood.inference.embed.encode_chunk` of one model and kind of vector: takes a chunk, and
#: ``advance`` by name.
EncodeChunk = Callable[..., NDArray[np.float32]]


class ChunkRunner(Protocol):
    """Has windows encoded somewhere, chunk by chunk."""

    def run(
        self, chunks: Iterable[NDArray[np.uint8]], encode: EncodeChunk, advance: Advance
    ) -> Iterator[NDArray[np.float32]]:
        """Vectors of each chunk, in their order.

        Parameters
        ----------
        chunks
            (windows, length) codes each.
        encode
            Encodes one chunk.
        advance
            Called with the number of windows done.

        Returns
        -------
        iterator of ndarray
            (windows, size) ``float32``, one array for each chunk.
        """


class LocalChunks:
    """Encodes chunks one after another in this process."""

    def run(
        self, chunks: Iterable[NDArray[np.uint8]], encode: EncodeChunk, advance: Advance
    ) -> Iterator[NDArray[np.float32]]:
        """Vectors of each chunk, in their order.

        Parameters
        ----------
        chunks, encode, advance
            As for :class:`ChunkRunner`.

        Yields
        ------
        ndarray
            (windows, size) ``float32``, one array for each chunk.
        """
        for codes in chunks:
            yield encode(codes, advance=advance)
