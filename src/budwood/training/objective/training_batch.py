"""What one training step reads, as tensors."""

from __future__ import annotations

from typing import Final, NamedTuple

import torch
from torch import Tensor

#: Label of a window whose halves are not asked for their order.
NO_ORDER: Final = 255


class TrainingBatch(NamedTuple):
    """Windows with what is hidden in them and what is asked of them.

    Attributes
    ----------
    codes, hidden, repeat, region, offset
        (batch, window) bases, which are hidden, which are soft-masked, region labels, and classes of the
        distance from where the gene begins.
    column
        (batch, window, 4) share of A, C, G, T in the base's alignment column; all zero without one.
    swapped
        (batch,) 1 where the halves of the window are to be read in the other order, 0 where in their own,
        NO_ORDER where nobody asks which comes first.
    """

    codes: Tensor
    hidden: Tensor
    repeat: Tensor
    region: Tensor
    offset: Tensor
    column: Tensor
    swapped: Tensor

    def to(self, device: torch.device) -> TrainingBatch:
        """The batch on a device."""
        return TrainingBatch(*(tensor.to(device) for tensor in self))

    def part(self, first: int, step: int) -> TrainingBatch:
        """Every ``step``-th window, from ``first`` on."""
        return TrainingBatch(*(tensor[first::step] for tensor in self))
