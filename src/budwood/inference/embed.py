"""Sequences to vectors."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Final, overload

import numpy as np
from numpy.typing import NDArray

from budwood.config import CENTRE_BASES, WINDOW
from budwood.errors import BudwoodError, counted
from budwood.genomics.assembly import Assembly
from budwood.genomics.haplotypes.table import HaplotypeTable
from budwood.genomics.interval import Interval
from budwood.genomics.sequence import PAD, N, encode
from budwood.inference.chunk_runner import ChunkRunner, LocalChunks, encoding_threads
from budwood.inference.tiles import OVERLAP, cut_tiles
from budwood.inference.vector_store import VectorStore, open_store
from budwood.model.backbone import Backbone
from budwood.progress import Advance, progress

_BATCH: Final = 16
#: Sequences named in a note.
_NAMED: Final = 5
#: Batches that are encoded before their vectors are saved: whole ones, which are the same anywhere.
_CHUNK: Final = 16


class Pool(Enum):
    """Which bases of a window its vector is the mean of."""

    MEAN = "mean"
    CENTRE = "centre"

    @property
    def centre(self) -> int | None:
        """Number of middle bases, None for all."""
        return CENTRE_BASES if self is Pool.CENTRE else None


def blank_notes(names: Sequence[str], codes: Sequence[NDArray[np.uint8]]) -> tuple[str, ...]:
    """A sentence that names the sequences without a known base, if there are any.

    Parameters
    ----------
    names, codes
        Sequences and what they are called.

    Returns
    -------
    tuple[str, ...]
        One sentence, or none.

    Examples
    --------
    >>> blank_notes(["a", "b"], [encode("NNN"), encode("ACN")])
    ('1 sequence holds no known base (N alone), and its vector describes no sequence: a.',)
    """
    blank = [name for name, each in zip(names, codes, strict=True) if len(each) and each.min() >= N]
    if not blank:
        return ()
    listed = ", ".join(blank[:_NAMED]) + (f" and {len(blank) - _NAMED:,} more" if len(blank) > _NAMED else "")
    one = len(blank) == 1
    return (
        f"{counted(len(blank), 'sequence')} {'holds' if one else 'hold'} no known base (N alone), and "
        f"{'its vector describes' if one else 'their vectors describe'} no sequence: {listed}.",
    )


def embed_windows(
    codes: NDArray[np.uint8],
    checkpoint: Backbone,
    *,
    pool: Pool = Pool.MEAN,
    oriented: bool = False,
    cache: bool = True,
    device: str | None = None,
    batch_size: int | None = None,
    runner: ChunkRunner | None = None,
    show: bool | None = None,
    advance: Advance | None = None,
) -> NDArray[np.float32]:
    """Embed windows, each distinct sequence once.

    Parameters
    ----------
    codes
        (rows, length) bases, padded with PAD on the right or on the left, at most 512 long.
    checkpoint
        Model to embed by.
    pool
        Which bases of a window its vector is the mean of.
    oriented
        Keep the two strands' readings side by side instead of their mean: for windows whose direction is
        known, such as that of a gene. The vector of the reverse complement has its halves in the other order.
    cache
        Keep vectors on disk and use those kept. What was encoded before an interruption is not encoded
        again.
    device
        ``auto``, ``cpu``, ``cuda`` or ``mps``: the model is moved there; where it is if None.
    batch_size
        Windows that are read at once, 16 if None. More are faster on a GPU and take more memory; vectors
        change by rounding alone.
    runner
        Where the windows are encoded, by default in this process.
    show
        Draw a progress bar; by default on a terminal.
    advance
        Called with the number of windows just encoded, in the place of a bar.

    Returns
    -------
    ndarray
        (rows, size) ``float32``, where size is the model's own, 512 for the packaged checkpoint; twice
        that if oriented: the given strand, then the other one. Rows of equal sequence are equal to the bit.

    Raises
    ------
    BudwoodError
        If the windows have another shape, there is no such device, or the model gives numbers that are not
        finite.

    Examples
    --------
    >>> from budwood.model.backbone import load_backbone
    >>> windows = np.zeros((2, 60), dtype=np.uint8)
    >>> embed_windows(windows, load_backbone(), cache=False, show=False).shape
    (2, 512)
    """
    if codes.ndim != 2 or codes.shape[1] > WINDOW:
        raise BudwoodError(f"windows have shape {codes.shape}", mend=f"give rows of at most {WINDOW} bases")
    batch_size = _BATCH if batch_size is None else batch_size
    if batch_size < 1:
        raise BudwoodError(f"the batch size is {batch_size}", where="--batch-size", mend="give 1 or more")
    if device is not None:
        checkpoint.on(device)
    distinct, row_of = np.unique(codes, axis=0, return_inverse=True)
    with nullcontext(1) if runner is not None else encoding_threads(checkpoint) as threads:
        where = runner or LocalChunks(threads)
        work = _Work(checkpoint, pool, oriented, batch_size, where, threads, show, advance)
        if not cache:
            vectors = _encode_all(distinct, work, None)
        else:
            kind = kept_as(pool, oriented, checkpoint)
            with open_store(checkpoint.digest, kind, work.numbers) as store:
                vectors = _encode_all(distinct, work, store)
    return vectors[row_of.ravel()]


def embed_haplotypes(
    table: HaplotypeTable,
    checkpoint: Backbone,
    *,
    cache: bool = True,
    device: str | None = None,
    batch_size: int | None = None,
    show: bool | None = None,
) -> NDArray[np.float32]:
    """Vectors of a panel's distinct window sequences.

    Parameters
    ----------
    table
        Haplotypes of the panel.
    checkpoint
        Model to embed by, in float32: haplotypes of a window often differ in one base, and in bfloat16
        rounding hides much of the difference between their vectors.
    cache, device, batch_size, show
        As for :func:`embed_windows`.

    Returns
    -------
    ndarray
        (H, size) ``float32``, in the order of ``table.sequences``.

    Raises
    ------
    BudwoodError
        If the model computes in less than float32.
    """
    if checkpoint.precision != "float32":
        raise BudwoodError(
            f"haplotypes cannot be embedded in {checkpoint.precision}, which rounds their differences away",
            where=checkpoint.name,
            mend="open the model with precision float32",
        )
    return embed_windows(
        table.sequences, checkpoint, cache=cache, device=device, batch_size=batch_size, show=show
    )


def embed_sequences(
    sequences: Sequence[str | NDArray[np.uint8]],
    checkpoint: Backbone,
    *,
    pool: Pool = Pool.MEAN,
    oriented: bool = False,
    overlap: int = OVERLAP,
    cache: bool = True,
    device: str | None = None,
    batch_size: int | None = None,
    show: bool | None = None,
) -> NDArray[np.float32]:
    """One vector for each sequence, of any length.

    A sequence of more than 512 bases is cut into tiles (:func:`budwood.inference.tiles.tile_bounds`); its
    vector is the mean of theirs, in which every base counts once. The vector of the reverse complement is the
    same. With ``Pool.CENTRE`` the middle window alone is read.

    Parameters
    ----------
    sequences
        Letters, or codes of :mod:`budwood.genomics.sequence`.
    checkpoint, pool, oriented
        As for :func:`embed_windows`.
    overlap
        Bases that neighbouring tiles share at least, 0 to 510.
    cache, device, batch_size, show
        As for :func:`embed_windows`.

    Returns
    -------
    ndarray
        (sequences, size) ``float32``, or (sequences, 2 size) if oriented.

    Raises
    ------
    BudwoodError
        If a sequence is empty, with its number.

    Examples
    --------
    >>> from budwood.model.backbone import load_backbone
    >>> embed_sequences(["ACGT" * 200, "TTA"], load_backbone(), cache=False, show=False).shape
    (2, 512)
    """
    codes = [encode(each) if isinstance(each, str) else each for each in sequences]
    if pool is Pool.CENTRE:
        codes = [middle_window(each) for each in codes]
    tiles = cut_tiles(codes, overlap)
    vectors = embed_windows(
        tiles.codes,
        checkpoint,
        pool=pool,
        oriented=oriented,
        cache=cache,
        device=device,
        batch_size=batch_size,
        show=show,
    )
    return tiles.pooled(vectors)


def embed_intervals(
    assembly: Assembly,
    intervals: Sequence[Interval],
    checkpoint: Backbone,
    *,
    pool: Pool = Pool.MEAN,
    oriented: bool = False,
    overlap: int = OVERLAP,
    cache: bool = True,
    device: str | None = None,
    batch_size: int | None = None,
    show: bool | None = None,
) -> NDArray[np.float32]:
    """One vector for each interval, of any length.

    An interval is read along its strand; that matters to oriented vectors only. Those of more than 512 bases
    are tiled as by :func:`embed_sequences`.

    Parameters
    ----------
    assembly, intervals
        Places and the sequence they lie in.
    checkpoint, pool, oriented, overlap, cache, device, batch_size, show
        As for :func:`embed_sequences`.

    Returns
    -------
    ndarray
        (intervals, size) ``float32``, or (intervals, 2 size) if oriented.

    Raises
    ------
    BudwoodError
        If an interval is empty or leaves its contig.
    """
    for interval in intervals:
        if interval.length < 1:
            raise BudwoodError("the interval is empty", where=str(interval), mend="give 1 or more bases")
    return embed_sequences(
        [assembly.sequence(interval) for interval in intervals],
        checkpoint,
        pool=pool,
        oriented=oriented,
        overlap=overlap,
        cache=cache,
        device=device,
        batch_size=batch_size,
        show=show,
    )


def middle_window(codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The 512 bases in the middle, 511 where the length is odd: the same from either strand.

    Parameters
    ----------
    codes
        (length,) bases.

    Returns
    -------
    ndarray
        At most 512 of them.

    Examples
    --------
    >>> middle_window(np.zeros(1001, dtype=np.uint8)).shape
    (511,)
    """
    cut = max(0, -(-(len(codes) - WINDOW) // 2))
    return codes[cut : len(codes) - cut]


def stack_sequences(sequences: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Sequences of at most 512 bases as rows of codes, padded on the right.

    Parameters
    ----------
    sequences
        Codes of each.

    Returns
    -------
    ndarray
        (sequences, 512).

    Examples
    --------
    >>> stack_sequences([np.zeros(3, dtype=np.uint8)]).shape
    (1, 512)
    """
    rows = np.full((len(sequences), WINDOW), PAD, dtype=np.uint8)
    for row, codes in zip(rows, sequences, strict=True):
        row[: len(codes)] = codes
    return rows


def stack_intervals(assembly: Assembly, intervals: Sequence[Interval]) -> NDArray[np.uint8]:
    """Sequences of intervals as rows of 512 codes, padded on the right.

    Parameters
    ----------
    assembly, intervals
        Places of at most 512 bases, and the sequence they lie in.

    Returns
    -------
    ndarray
        (intervals, 512).

    Raises
    ------
    BudwoodError
        If an interval is longer than a window, is empty, or leaves its contig.
    """
    rows = np.full((len(intervals), WINDOW), PAD, dtype=np.uint8)
    for row, interval in zip(rows, intervals, strict=True):
        if not 0 < interval.length <= WINDOW:
            raise BudwoodError(
                f"the interval has {counted(interval.length, 'base')}",
                where=str(interval),
                mend=f"give 1 to {WINDOW}",
            )
        row[: interval.length] = assembly.sequence(interval)
    return rows


def tile(assembly: Assembly) -> list[Interval]:
    """Consecutive windows that cover every contig; the last of a contig may be shorter.

    Parameters
    ----------
    assembly
        Contigs to cover.

    Returns
    -------
    list of Interval
        Windows of 512 bases without overlap, contig by contig, on the given strand.
    """
    return GenomeTiles(assembly.contigs)[:]


class GenomeTiles(Sequence[Interval]):
    """The windows of :func:`tile`, made when they are asked for: a genome of any length takes no memory.

    Parameters
    ----------
    contigs
        Length of each contig.

    Examples
    --------
    >>> windows = GenomeTiles({"a": 600, "b": 0, "c": 3})
    >>> len(windows), str(windows[1]), str(windows[-1])
    (3, 'a:513-600', 'c:1-3')
    """

    def __init__(self, contigs: Mapping[str, int]) -> None:
        self._contigs = list(contigs.items())
        counts = [-(-length // WINDOW) for _, length in self._contigs]
        self._ends = np.cumsum(counts, dtype=np.int64)

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    @overload
    def __getitem__(self, row: int) -> Interval: ...
    @overload
    def __getitem__(self, row: slice) -> list[Interval]: ...
    def __getitem__(self, row: int | slice) -> Interval | list[Interval]:
        if isinstance(row, slice):
            return [self[each] for each in range(*row.indices(len(self)))]
        row = row + len(self) if row < 0 else row
        if not 0 <= row < len(self):
            raise IndexError(row)
        number = int(np.searchsorted(self._ends, row, side="right"))
        contig, length = self._contigs[number]
        start = (row - int(self._ends[number - 1] if number else 0)) * WINDOW
        return Interval(contig, start, min(start + WINDOW, length))


def sequence_digest(codes: NDArray[np.uint8]) -> bytes:
    """SHA-256 of a window's bases without its padding.

    Parameters
    ----------
    codes
        (length,) bases; padding anywhere is left out.

    Returns
    -------
    bytes
        32 bytes.

    Examples
    --------
    >>> sequence_digest(np.array([0, 1, PAD], dtype=np.uint8)).hex()[:8]
    'b413f47d'
    """
    return hashlib.sha256(codes[codes != PAD].tobytes()).digest()


@dataclass(frozen=True)
class _Work:
    """How windows are to be encoded."""

    checkpoint: Backbone
    pool: Pool
    oriented: bool
    batch_size: int
    runner: ChunkRunner
    threads: int
    show: bool | None
    advance: Advance | None

    @property
    def numbers(self) -> int:
        """Length of a vector."""
        return self.checkpoint.embedding_size * (2 if self.oriented else 1)


def _encode_all(distinct: NDArray[np.uint8], work: _Work, store: VectorStore | None) -> NDArray[np.float32]:
    vectors = np.empty((len(distinct), work.numbers), dtype=np.float32)
    digests = [sequence_digest(row) for row in distinct]
    known = store.get(digests) if store is not None else {}
    # Windows of about one length stand together, so that their batch has little padding.
    lengths = (distinct != PAD).sum(axis=1)
    todo = [i for i in np.argsort(lengths, kind="stable").tolist() if digests[i] not in known]
    for i, digest in enumerate(digests):
        if digest in known:
            vectors[i] = known[digest]
    batches = -(-len(todo) // work.batch_size)
    # Few batches are shared among the threads, too; a batch has the same windows for any number of them.
    size = max(1, min(_CHUNK, -(-batches // work.threads))) * work.batch_size
    chunks = [todo[k : k + size] for k in range(0, len(todo), size)]
    bar = nullcontext(work.advance) if work.advance is not None else None
    with bar or progress("embedding", total=len(todo), show=work.show) as advance:
        waiting = (distinct[rows] for rows in chunks)
        encode_batch = partial(
            encode_chunk,
            checkpoint=work.checkpoint,
            pool=work.pool,
            oriented=work.oriented,
            batch_size=work.batch_size,
        )
        parts = work.runner.run(waiting, encode_batch, advance)
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
    batch_size: int = _BATCH,
    advance: Advance | None = None,
) -> NDArray[np.float32]:
    """Vectors of a chunk, batch by batch: the one stage of embedding, on whichever machine it runs.

    Parameters
    ----------
    codes
        (rows, length) bases.
    checkpoint, pool, oriented, batch_size
        As for :func:`embed_windows`.
    advance
        Called with the number of windows done.

    Returns
    -------
    ndarray
        (rows, size), or (rows, 2 size) if oriented.

    Raises
    ------
    BudwoodError
        If the model gives numbers that are not finite, as broken weights do.
    """
    parts = []
    for begin in range(0, len(codes), batch_size):
        parts.append(encode_batch(codes[begin : begin + batch_size], checkpoint, pool, oriented))
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
    """Vectors of one batch in one pass, without the cache.

    Parameters
    ----------
    codes
        (batch, length) bases.
    checkpoint, pool, oriented
        As for :func:`embed_windows`.

    Returns
    -------
    ndarray
        (batch, size), or (batch, 2 size) if oriented.
    """
    there, back = checkpoint.embed_strands(codes, centre=pool.centre)
    return np.concatenate([there, back], axis=1) if oriented else (there + back) / 2


def kept_as(pool: Pool, oriented: bool, checkpoint: Backbone) -> str:
    """Name of a kind of vectors in the store: whatever a vector depends on besides sequence and model.

    Vectors of a GPU differ from a processor's in their last digits and are kept apart from them.

    Parameters
    ----------
    pool, oriented
        As for :func:`embed_windows`.
    checkpoint
        Gives device and precision.

    Returns
    -------
    str
        For example ``"mean-oriented"``.
    """
    parts = [pool.value]
    if oriented:
        parts.append("oriented")
    if checkpoint.precision != "float32":
        parts.append(checkpoint.precision)
    if checkpoint.device.type != "cpu":
        parts.append(checkpoint.device.type)
    return "-".join(parts)
