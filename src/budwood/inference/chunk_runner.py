"""Where chunks of windows are encoded: in this process, or elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from budwood.inference.threads import OrderedThreads, one_core_each
from budwood.model.backbone import Backbone
from budwood.model.checkpoint import Checkpoint
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
    """Encodes chunks in this process, on all cores: each thread a chunk of its own.

    Parameters
    ----------
    threads
        Their number.
    """

    def __init__(self, threads: int = 1) -> None:
        self.threads = threads

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
        with OrderedThreads(self.threads) as threads:
            yield from threads.map(partial(encode, advance=advance), chunks)


@contextmanager
def encoding_threads(backbone: Backbone) -> Iterator[int]:
    """Have every thread encode on one core, where the model can be read by several threads.

    Tokenizers of other language models are not made for that: they keep all cores for each batch.

    Parameters
    ----------
    backbone
        The model.

    Yields
    ------
    int
        Number of threads to start.
    """
    if not isinstance(backbone, Checkpoint):
        yield 1
        return
    with one_core_each(None, backbone.device.type) as threads:
        yield threads
