"""Where chunks of windows are encoded: in this process, or elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from budwood.inference.variants.ordered_threads import OrderedThreads
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
def one_core_each(backbone: Backbone) -> Iterator[int]:
    """Have every thread encode on one core, instead of all cores encoding each batch together.

    Cores that share a batch wait for the slowest after each product; beside other work they burn most of
    their time so. Tokenizers of other language models are not made for several threads.

    Parameters
    ----------
    backbone
        The model.

    Yields
    ------
    int
        Number of threads to start.
    """
    together = torch.get_num_threads()
    if backbone.device.type != "cpu" or not isinstance(backbone, Checkpoint) or together == 1:
        yield 1
        return
    torch.set_num_threads(1)
    try:
        yield together
    finally:
        torch.set_num_threads(together)
