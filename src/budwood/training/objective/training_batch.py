"""What one training step reads, as tensors."""

from __future__ import annotations

from typing import Final, NamedTuple

import torch
from torch import Tensor

#: Label of a window whose order of halves is not predicted.
NO_ORDER: Final = 255


class TrainingBatch(NamedTuple):
    """Windows with their hidden bases and labels.

    Attributes
    ----------
    codes, hidden, repeat, region, offset
        (batch, window) bases, which are hidden, which are soft-masked, region labels, and classes of the
        distance from where the gene begins.
    column
        (batch, window, 4) share of A, C, G, T in the base's alignment column; all zero without one.
    swapped
        (batch,) 1 where the halves of the window are to be read in the other order, 0 where in their own,
        NO_ORDER where the order is not predicted.
    tracks
        (batch, window) interval tracks as bits, see
        :attr:`budwood.corpus.sampling.genome.TrainingContig.tracks`.
    smoothing
        (batch,) smoothing of the window's region labels.
    """

    codes: Tensor
    hidden: Tensor
    repeat: Tensor
    region: Tensor
    offset: Tensor
    column: Tensor
    swapped: Tensor
    tracks: Tensor
    smoothing: Tensor

    def to(self, device: torch.device) -> TrainingBatch:
        """The batch on a device.

        Parameters
        ----------
        device
            Where to.

        Returns
        -------
        TrainingBatch
            A copy, or the same tensors where they are there already.
        """
        return TrainingBatch(*(tensor.to(device) for tensor in self))

    def part(self, first: int, step: int) -> TrainingBatch:
        """Every ``step``-th window, from ``first`` on.

        Parameters
        ----------
        first, step
            Which windows.

        Returns
        -------
        TrainingBatch
            Views of the tensors.
        """
        return TrainingBatch(*(tensor[first::step] for tensor in self))
