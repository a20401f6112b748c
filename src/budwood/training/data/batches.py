"""A step's batch with its hidden bases, as tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from budwood.corpus.sampling.locus import NO_ANCHOR
from budwood.corpus.sampling.sampler import WindowBatch
from budwood.genomics.annotation.base_class import UNLABELLED
from budwood.training.objective.alignment_columns import ColumnSampler
from budwood.training.objective.locus_offset import NO_OFFSET, offset_labels
from budwood.training.objective.objectives import ObjectiveConfig, hide_spans
from budwood.training.objective.training_batch import NO_ORDER, TrainingBatch


class Windows(Protocol):
    """Where batches come from: genomes in memory, or a corpus folder."""

    seed: int

    def shape(self, number: int, size: int) -> tuple[int, int]:
        """Windows of a batch, and their bases.

        Parameters
        ----------
        number
            Number of the batch from 0.
        size
            Windows of the usual length in a whole batch.

        Returns
        -------
        tuple of int
            Windows of the whole batch (fewer where they are long), and bases of each.
        """

    def batch(self, number: int, size: int, *, first: int = 0, step: int = 1) -> WindowBatch:
        """Draw a batch, or every ``step``-th window of it from ``first`` on.

        The windows are the same every time.

        Parameters
        ----------
        number
            Number of the batch from 0.
        size
            Windows of the usual length in a whole batch.
        first, step
            Which windows of the batch to draw.

        Returns
        -------
        WindowBatch
            The windows and their labels.
        """


def batch_shape(
    windows: Windows, config: ObjectiveConfig, number: int, size: int, columns: ColumnSampler | None = None
) -> tuple[int, int, int]:
    """What a whole batch holds.

    Parameters
    ----------
    windows, config, number, size, columns
        As for :func:`training_batch`.

    Returns
    -------
    tuple
        Windows of genomes, windows cut from alignments, and bases of each.
    """
    aligned = 0 if columns is None else min(config.column_windows, size - 1)
    count, length = windows.shape(number, size - aligned)
    if columns is not None and length != columns.window:
        # Windows cut from alignments have one length, so batches of long windows have none of them.
        aligned = 0
        count, length = windows.shape(number, size)
    return count, aligned, length


def training_batch(
    windows: Windows,
    config: ObjectiveConfig,
    number: int,
    size: int,
    columns: ColumnSampler | None = None,
    *,
    first: int = 0,
    step: int = 1,
) -> TrainingBatch:
    """A batch, or one process's share of it, with its hidden bases.

    Every window, and what is hidden in it, depends on the seed, the number of the batch and the window's
    place in it alone. So the shares of any number of processes together are the batch of one.

    Parameters
    ----------
    windows
        Where the windows come from.
    config
        What is hidden, and the other objectives.
    number
        Number of the batch from 0.
    size
        Windows of the whole batch (fewer where they are long).
    columns
        Cuts the last ``config.column_windows`` windows from alignments, except in batches of long windows.
    first, step
        Every ``step``-th window of the batch, from ``first`` on.

    Returns
    -------
    TrainingBatch
        Tensors on the processor.
    """
    count, aligned, _ = batch_shape(windows, config, number, size, columns)
    rows = range(first, count + aligned, step)
    batch = _share(windows, number, size - aligned, count, first, step)
    codes, repeat, region, offset = batch.codes, batch.repeat, batch.region, offset_labels(batch)
    tracks, smoothing = batch.tracks, batch.smoothing
    column = np.zeros((*codes.shape, 4), dtype=np.float32)
    if columns is not None and aligned:
        begin = next((row - count for row in rows if row >= count), aligned)
        drawn = columns.batch(number, aligned, first=begin, step=step)
        codes = np.concatenate([codes, drawn.codes])
        repeat = np.concatenate([repeat, np.zeros(drawn.codes.shape, dtype=np.bool_)])
        region = np.concatenate([region, np.full_like(drawn.codes, UNLABELLED)])
        offset = np.concatenate([offset, np.full_like(drawn.codes, NO_OFFSET)])
        tracks = np.concatenate([tracks, np.zeros(drawn.codes.shape, dtype=np.uint32)])
        smoothing = np.concatenate([smoothing, np.zeros(len(drawn.codes), dtype=np.float32)])
        column = np.concatenate([column, drawn.share])
    swapped = np.full(len(codes), NO_ORDER, dtype=np.uint8)
    if config.order_weight:
        own = rows[: len(batch.codes)]
        swapped[: len(own)] = order_labels(batch, own, config.order_windows, (windows.seed, number))
    hidden = [
        hide_spans(codes[k : k + 1], config, np.random.default_rng((windows.seed, number, 1, row)))
        for k, row in enumerate(rows)
    ]
    whole = (codes, np.concatenate(hidden), repeat, region, offset)
    codes_, hidden_, repeat_, region_, offset_ = (torch.from_numpy(np.ascontiguousarray(t)) for t in whole)
    return TrainingBatch(
        codes_.long(),
        hidden_,
        repeat_,
        region_.long(),
        offset_.long(),
        torch.from_numpy(column),
        torch.from_numpy(swapped).long(),
        torch.from_numpy(tracks.astype(np.int64)),
        torch.from_numpy(smoothing),
    )


def order_labels(batch: WindowBatch, rows: range, most: int, seed: tuple[int, int]) -> NDArray[np.uint8]:
    """Which windows serve to predict the order of their halves, and whether these are swapped.

    Those are the windows of no annotated gene among the first ``most`` of the batch: where a gene begins,
    places in a locus are known better.

    Parameters
    ----------
    batch
        Windows of a batch or of a share of it.
    rows
        (windows,) their places in the whole batch.
    most
        Windows of the whole batch that may serve.
    seed
        Seed of the training, and number of the batch.

    Returns
    -------
    ndarray
        (windows,) ``uint8``: 1 for swapped, 0 for not, NO_ORDER for windows that do not serve.
    """
    labels = np.full(len(batch.codes), NO_ORDER, dtype=np.uint8)
    for k, row in enumerate(rows):
        if row < most and batch.anchor[k] == NO_ANCHOR:
            labels[k] = np.random.default_rng((*seed, 3, row)).integers(0, 2)
    return labels


def prefetched(
    draw: Callable[[int], TrainingBatch], steps: range, *, ahead: int = 2
) -> Iterator[TrainingBatch]:
    """Batches of steps, drawn by a thread while the steps before them are computed.

    Parameters
    ----------
    draw
        Gives the batch of a step; it depends on nothing else, so the order of drawing does not matter.
    steps
        Numbers of the steps.
    ahead
        Batches that wait at most.

    Yields
    ------
    TrainingBatch
        The batch of each step, in order.

    Examples
    --------
    >>> list(prefetched(lambda step: step * step, range(4)))
    [0, 1, 4, 9]
    """
    with ThreadPoolExecutor(1, thread_name_prefix="batches") as pool:
        waiting = [pool.submit(draw, step) for step in steps[:ahead]]
        try:
            for step in steps:
                batch = waiting.pop(0).result()
                if step + ahead * steps.step in steps:
                    waiting.append(pool.submit(draw, step + ahead * steps.step))
                yield batch
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _share(windows: Windows, number: int, size: int, count: int, first: int, step: int) -> WindowBatch:
    if first < count:
        return windows.batch(number, size, first=first, step=step)
    # Whoever has windows of alignments alone still needs arrays of the right width.
    none = windows.batch(number, size, first=0, step=count)
    return WindowBatch(
        none.codes[:0],
        none.repeat[:0],
        none.region[:0],
        none.anchor[:0],
        none.direction[:0],
        none.species[:0],
        none.tracks[:0],
        none.smoothing[:0],
    )
