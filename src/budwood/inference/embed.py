"""Sequences to vectors."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum
from functools import partial
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from budwood.config import CENTRE_BASES, WINDOW
from budwood.errors import BudwoodError
from budwood.genomics.assembly import Assembly
from budwood.genomics.haplotypes.table import HaplotypeTable
from budwood.genomics.interval import Interval
from budwood.genomics.sequence import PAD
from budwood.inference.vector_store import VectorStore, open_store
from budwood.model.backbone import Backbone
from budwood.progress import Advance, progress

_BATCH: Final = 16
#: Windows that are encoded before their vectors are saved: whole batches, which are the same anywhere.
_CHUNK: Final = 16 * _BATCH


class Pool(Enum):
    """Which bases of a window its vector is the mean of."""

    MEAN = "mean"
    CENTRE = "centre"

    @property
    def centre(self) -> int | None:
        """Number of middle bases, None for all."""
        return CENTRE_BASES if self is Pool.CENTRE else None


#: :func:`encode_chunk` of one model and kind of vector: takes a chunk, and ``advance`` by name.
EncodeChunk = Callable[..., NDArray[np.float32]]


class ChunkRunner(Protocol):
    """Has windows encoded somewhere, chunk by chunk."""

    def run(
        self, chunks: Iterable[NDArray[np.uint8]], encode_batch: EncodeChunk, advance: Advance
    ) -> Iterator[NDArray[np.float32]]:
        """Vectors of each chunk, in their order; ``advance`` is told how many windows are done."""


class LocalChunks:
    """Encodes chunks one after another in this process."""

    def run(
        self, chunks: Iterable[NDArray[np.uint8]], encode_batch: EncodeChunk, advance: Advance
    ) -> Iterator[NDArray[np.float32]]:
        """Vectors of each chunk, in their order."""
        for codes in chunks:
            yield encode_batch(codes, advance=advance)


def embed_windows(
    codes: NDArray[np.uint8],
    checkpoint: Backbone,
    *,
    pool: Pool = Pool.MEAN,
    oriented: bool = False,
    cache: bool = True,
    runner: ChunkRunner | None = None,
    show: bool | None = None,
) -> NDArray[np.float32]:
    """Embed windows, each distinct sequence once.

    Parameters
    ----------
    codes
        (rows, length) bases, padded on the right with PAD.
    oriented
        Keep the two strands' readings side by side instead of their mean: for windows whose direction is
        known, such as that of a gene. The vector of the reverse complement has its halves in the other order.
    cache
        Keep vectors on disk and use those kept. What was encoded before an interruption is not encoded
        again.
    runner
        Where the windows are encoded, by default in this process.

    Returns
    -------
    ndarray
        (rows, size) ``float32``, where size is the model's own, 512 for the packaged checkpoint; twice
        that if oriented: the given strand, then the other one. Rows of equal sequence are equal to the bit.
    """
    if codes.ndim != 2 or codes.shape[1] > WINDOW:
        raise BudwoodError(f"windows have shape {codes.shape}", mend=f"give rows of at most {WINDOW} bases")
    distinct, row_of = np.unique(codes, axis=0, return_inverse=True)
    if not cache:
        vectors = _encode_all(distinct, checkpoint, pool, oriented, None, runner, show)
    else:
        with open_store(checkpoint.digest, kept_as(pool, oriented)) as store:
            vectors = _encode_all(distinct, checkpoint, pool, oriented, store, runner, show)
    return vectors[row_of.ravel()]


def embed_haplotypes(
    table: HaplotypeTable, checkpoint: Backbone, *, cache: bool = True, show: bool | None = None
) -> NDArray[np.float32]:
    """Vectors of a panel's distinct window sequences, (H, size), in the order of ``table.sequences``."""
    return embed_windows(table.sequences, checkpoint, cache=cache, show=show)


def embed_intervals(
    assembly: Assembly,
    intervals: Sequence[Interval],
    checkpoint: Backbone,
    *,
    pool: Pool = Pool.MEAN,
    oriented: bool = False,
    cache: bool = True,
    show: bool | None = None,
) -> NDArray[np.float32]:
    """Vectors of intervals of at most 512 bases, (rows, size), or (rows, 2 size) if oriented.

    An interval is read along its strand; that matters to oriented vectors only.
    """
    rows = stack_intervals(assembly, intervals)
    return embed_windows(rows, checkpoint, pool=pool, oriented=oriented, cache=cache, show=show)


def stack_intervals(assembly: Assembly, intervals: Sequence[Interval]) -> NDArray[np.uint8]:
    """Sequences of intervals as rows of 512 codes, padded on the right.

    Raises
    ------
    BudwoodError
        If an interval is longer than a window, is empty, or leaves its contig.
    """
    rows = np.full((len(intervals), WINDOW), PAD, dtype=np.uint8)
    for row, interval in zip(rows, intervals, strict=True):
        if not 0 < interval.length <= WINDOW:
            raise BudwoodError(
                f"the interval has {interval.length} bases", where=str(interval), mend=f"give 1 to {WINDOW}"
            )
        row[: interval.length] = assembly.sequence(interval)
    return rows


def tile(assembly: Assembly) -> list[Interval]:
    """Consecutive windows that cover every contig; the last of a contig may be shorter."""
    return [
        Interval(contig, start, min(start + WINDOW, length))
        for contig, length in assembly.contigs.items()
        for start in range(0, length, WINDOW)
    ]


def sequence_digest(codes: NDArray[np.uint8]) -> bytes:
    """SHA-256 of a window's bases without its padding."""
    return hashlib.sha256(codes[codes != PAD].tobytes()).digest()


def _encode_all(
    distinct: NDArray[np.uint8],
    checkpoint: Backbone,
    pool: Pool,
    oriented: bool,
    store: VectorStore | None,
    runner: ChunkRunner | None,
    show: bool | None,
) -> NDArray[np.float32]:
    numbers = checkpoint.embedding_size * (2 if oriented else 1)
    vectors = np.empty((len(distinct), numbers), dtype=np.float32)
    digests = [sequence_digest(row) for row in distinct]
    known = store.get(digests) if store is not None else {}
    todo = [i for i, digest in enumerate(digests) if digest not in known]
    for i, digest in enumerate(digests):
        if digest in known:
            vectors[i] = known[digest]
    chunks = [todo[k : k + _CHUNK] for k in range(0, len(todo), _CHUNK)]
    with progress("embedding", total=len(todo), show=show) as advance:
        waiting = (distinct[rows] for rows in chunks)
        encode_batch = partial(encode_chunk, checkpoint=checkpoint, pool=pool, oriented=oriented)
        parts = (runner or LocalChunks()).run(waiting, encode_batch, advance)
        for rows, part in zip(chunks, parts, strict=True):
            vectors[rows] = part
            if store is not None:
                store.put([digests[i] for i in rows], part)
    return vectors


def encode_chunk(
    codes: NDArray[np.uint8],
    checkpoint: Backbone,
    pool: Pool,
    oriented: bool,
    advance: Advance | None = None,
) -> NDArray[np.float32]:
    """Vectors of a chunk, in batches of 16: the one stage of embedding, on whichever machine it runs.

    Raises
    ------
    BudwoodError
        If the model gives numbers that are not finite, as broken weights do.
    """
    parts = []
    for begin in range(0, len(codes), _BATCH):
        parts.append(encode_batch(codes[begin : begin + _BATCH], checkpoint, pool, oriented))
        if advance is not None:
            advance(len(parts[-1]))
    vectors = np.concatenate(parts)
    if not np.isfinite(vectors).all():
        raise BudwoodError(
            "the model gives vectors with numbers that are not finite",
            where=checkpoint.name,
            mend="copy its weights again from their source",
        )
    return vectors


def encode_batch(
    codes: NDArray[np.uint8], checkpoint: Backbone, pool: Pool = Pool.MEAN, oriented: bool = False
) -> NDArray[np.float32]:
    """One pass over (batch, length) codes, without cache: (batch, size), or (batch, 2 size) if oriented."""
    there, back = checkpoint.embed_strands(codes, centre=pool.centre)
    return np.concatenate([there, back], axis=1) if oriented else (there + back) / 2


def kept_as(pool: Pool, oriented: bool) -> str:
    """Name of the kind of vectors in the store."""
    return f"{pool.value}-oriented" if oriented else pool.value
