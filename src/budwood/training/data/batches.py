"""A step's batch with its hidden bases, as tensors."""

from __future__ import annotations

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

    def batch(self, number: int, size: int) -> WindowBatch:
        """Batch ``number`` of ``size`` windows: the same windows every time."""


def training_batch(
    windows: Windows,
    config: ObjectiveConfig,
    number: int,
    size: int,
    columns: ColumnSampler | None = None,
) -> TrainingBatch:
    """Batch ``number`` with its hidden bases.

    With ``columns``, ``config.column_windows`` of the windows are cut from alignments. What is hidden, like
    the windows, depends on the seed and the number alone.
    """
    random = np.random.default_rng((windows.seed, number, 1))
    aligned = 0 if columns is None else min(config.column_windows, size - 1)
    batch = windows.batch(number, size - aligned)
    codes, repeat, region, offset = batch.codes, batch.repeat, batch.region, offset_labels(batch)
    column = np.zeros((*codes.shape, 4), dtype=np.float32)
    if columns is not None:
        drawn = columns.batch(number, aligned)
        codes = np.concatenate([codes, drawn.codes])
        repeat = np.concatenate([repeat, np.zeros(drawn.codes.shape, dtype=np.bool_)])
        region = np.concatenate([region, np.full_like(drawn.codes, UNLABELLED)])
        offset = np.concatenate([offset, np.full_like(drawn.codes, NO_OFFSET)])
        column = np.concatenate([column, drawn.share])
    swapped = np.full(len(codes), NO_ORDER, dtype=np.uint8)
    if config.order_weight:
        swapped[: len(batch.codes)] = order_labels(batch, config.order_windows, (windows.seed, number, 3))
    whole = (codes, hide_spans(codes, config, random), repeat, region, offset)
    codes_, hidden, repeat_, region_, offset_ = (torch.from_numpy(np.ascontiguousarray(t)) for t in whole)
    return TrainingBatch(
        codes_.long(),
        hidden,
        repeat_,
        region_.long(),
        offset_.long(),
        torch.from_numpy(column),
        torch.from_numpy(swapped).long(),
    )


def order_labels(batch: WindowBatch, most: int, seed: tuple[int, ...]) -> NDArray[np.uint8]:
    """Which windows are asked for the order of their halves, and whether these are swapped: (batch,).

    Asked are the first ``most`` windows of no annotated gene: where a gene begins, places in a locus are
    known better.
    """
    labels = np.full(len(batch.codes), NO_ORDER, dtype=np.uint8)
    asked = np.flatnonzero(batch.anchor == NO_ANCHOR)[:most]
    labels[asked] = np.random.default_rng(seed).integers(0, 2, len(asked))
    return labels
