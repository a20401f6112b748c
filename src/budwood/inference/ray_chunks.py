"""Windows encoded on a Ray cluster (extra ``ray``)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from budwood.corpus.stages.ray_runner import connect
from budwood.errors import BudwoodError
from budwood.inference.chunk_runner import EncodeChunk
from budwood.progress import Advance


class RayChunks:
    """Has chunks of windows encoded by the workers of a cluster, one core each.

    Chunks and batches are those of one process, and so are the vectors. The model is sent to the workers;
    they need no files. A chunk whose worker dies is encoded again elsewhere.

    Parameters
    ----------
    address
        As for :func:`budwood.corpus.stages.ray_runner.connect`.
    """

    def __init__(self, address: str) -> None:
        self._ray = ray = connect(address)
        # Every retry is safe: vectors depend on nothing but the arguments.
        self._remote = ray.remote(max_retries=-1)(_encode)

    @property
    def workers(self) -> int:
        """Cores of the cluster."""
        return max(1, int(self._ray.cluster_resources().get("CPU", 1)))

    def run(
        self, chunks: Iterable[NDArray[np.uint8]], encode: EncodeChunk, advance: Advance
    ) -> Iterator[NDArray[np.float32]]:
        """Vectors of each chunk, in their order.

        Parameters
        ----------
        chunks, encode, advance
            As for :class:`budwood.inference.chunk_runner.ChunkRunner`. The model is on the processor.

        Yields
        ------
        ndarray
            (windows, size) ``float32``, one array for each chunk.

        Raises
        ------
        BudwoodError
            If a worker refuses a chunk, for example for numbers that are not finite.
        """
        sent, most = self._ray.put(encode), 2 * self.workers
        pending: deque[Any] = deque()
        try:
            for codes in chunks:
                pending.append(self._remote.remote(sent, codes))
                # A chunk or two for each worker; all of a genome at once would fill the cluster's memory.
                if len(pending) >= most:
                    yield self._take(pending, advance)
            while pending:
                yield self._take(pending, advance)
        finally:
            for reference in pending:
                self._ray.cancel(reference)

    def _take(self, pending: deque[Any], advance: Advance) -> NDArray[np.float32]:
        try:
            vectors: NDArray[np.float32] = self._ray.get(pending.popleft())
        except self._ray.exceptions.RayTaskError as error:
            cause = error.cause
            raise cause if isinstance(cause, BudwoodError) else error from error
        advance(len(vectors))
        return vectors


def _encode(encode: EncodeChunk, codes: NDArray[np.uint8]) -> NDArray[np.float32]:
    return encode(codes)
