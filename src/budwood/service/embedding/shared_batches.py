"""Encoder batches that several requests share.

A small request fills a fraction of a batch. The first one waits a few milliseconds for others; then the
encoder reads what has come, in one thread. A large request takes its turn among the others.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.inference.embed import Pool, embed_windows
from budwood.inference.tiles import OVERLAP, cut_tiles, tile_bounds
from budwood.service.metrics import Metrics
from budwood.service.settings import ServiceSettings

if TYPE_CHECKING:
    from budwood.model.backbone import Backbone


@dataclass(eq=False)
class _Wanted:
    """Windows of one request, and those of their vectors that are there."""

    codes: NDArray[np.uint8]
    pool: Pool
    done: asyncio.Future[NDArray[np.float32]]
    taken: int = 0
    parts: list[NDArray[np.float32]] = field(default_factory=list)

    @property
    def left(self) -> int:
        return len(self.codes) - self.taken


class SharedBatches:
    """One encoder for all requests.

    Parameters
    ----------
    settings
        Encoder, and size and wait of a batch.
    metrics
        Counts batches.
    """

    def __init__(self, settings: ServiceSettings, metrics: Metrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self._waiting: deque[_Wanted] = deque()
        self._came = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="encoder")
        self._encoder: Backbone | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to work; the encoder is read when it is first needed."""
        self._task = asyncio.create_task(self._work())

    async def close(self) -> None:
        """Stop; requests that wait get an error."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        while self._waiting:
            self._fail(self._waiting.popleft(), BudwoodError("the service is stopping", mend="try again"))
        await asyncio.to_thread(self._thread.shutdown)

    async def encoder(self) -> Backbone:
        """The encoder, read from its folder the first time.

        Returns
        -------
        Backbone
            The encoder, in evaluation mode.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._opened)

    async def embed(self, sequences: Sequence[NDArray[np.uint8]], pool: Pool) -> NDArray[np.float32]:
        """One vector for each sequence, as :func:`budwood.inference.embed.embed_sequences` gives.

        Parameters
        ----------
        sequences
            Codes of each, of any length.
        pool
            Which bases of a window its vector is the mean of.

        Returns
        -------
        ndarray
            (sequences, size).

        Raises
        ------
        BudwoodError
            If a sequence is empty, or the encoder fails.
        """
        tiles = cut_tiles(sequences, OVERLAP)
        wanted = _Wanted(tiles.codes, pool, asyncio.get_running_loop().create_future())
        self._waiting.append(wanted)
        self._came.set()
        try:
            return tiles.pooled(await wanted.done)
        finally:
            with suppress(ValueError):  # a client that is gone gives its place away
                self._waiting.remove(wanted)

    def _opened(self) -> Backbone:
        if self._encoder is None:
            self._encoder = self._settings.encoder.open()
        return self._encoder

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._came.wait()
            if sum(each.left for each in self._waiting) < self._settings.batch_windows:
                await asyncio.sleep(self._settings.batch_wait)
            turns = self._turns()
            self._came.clear()
            if not turns:
                continue
            pool = turns[0][0].pool
            codes = np.concatenate([part for _, part in turns])
            try:
                vectors = await loop.run_in_executor(self._thread, self._encode, codes, pool)
            except Exception as error:
                for wanted, _ in turns:
                    self._fail(wanted, error)
            else:
                self._metrics.batch(len(codes), len(turns))
                self._deliver(turns, vectors)
            if self._waiting:
                self._came.set()

    def _turns(self) -> list[tuple[_Wanted, NDArray[np.uint8]]]:
        """Windows of the next batch: equal shares of those who wait with the first one's pooling.

        What small requests leave of their shares goes to larger ones. The first in the queue always has a
        turn: where more wait than a batch has room for, small ones alone would be read otherwise.
        """
        self._waiting = deque(each for each in self._waiting if not each.done.done() and each.left)
        if not self._waiting:
            return []
        alike = [each for each in self._waiting if each.pool is self._waiting[0].pool]
        room, turns = self._settings.batch_windows, []
        for number, wanted in enumerate([alike[0], *sorted(alike[1:], key=lambda each: each.left)]):
            count = min(wanted.left, max(1, room // (len(alike) - number)))
            if room <= 0:
                break
            turns.append((wanted, wanted.codes[wanted.taken : wanted.taken + count]))
            wanted.taken += count
            room -= count
        # Who had a turn stands at the end of the queue.
        served = {id(wanted) for wanted, _ in turns}
        self._waiting = deque(sorted(self._waiting, key=lambda each: id(each) in served))
        return turns

    def _encode(self, codes: NDArray[np.uint8], pool: Pool) -> NDArray[np.float32]:
        size = self._settings.encoder.batch_size
        return embed_windows(codes, self._opened(), pool=pool, batch_size=size, show=False)

    def _deliver(
        self, turns: Sequence[tuple[_Wanted, NDArray[np.uint8]]], vectors: NDArray[np.float32]
    ) -> None:
        begin = 0
        for wanted, part in turns:
            wanted.parts.append(vectors[begin : begin + len(part)])
            begin += len(part)
            if not wanted.left and not wanted.done.done():
                wanted.done.set_result(np.concatenate(wanted.parts))

    def _fail(self, wanted: _Wanted, error: Exception) -> None:
        if not wanted.done.done():
            wanted.done.set_exception(error)


def windows_of(sequences: Sequence[NDArray[np.uint8]]) -> int:
    """Windows that the encoder reads for sequences, at most.

    Parameters
    ----------
    sequences
        Codes of each.

    Returns
    -------
    int
        Number of windows.

    Examples
    --------
    >>> windows_of([np.zeros(512, np.uint8), np.zeros(513, np.uint8)])
    3
    """
    return sum(len(tile_bounds(len(each), OVERLAP)[0]) for each in sequences)
