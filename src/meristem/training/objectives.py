"""What the encoder learns from: hidden spans of bases, and the region every base is part of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from meristem.corpus.sampler import WindowBatch
from meristem.genomics.region import UNLABELLED
from meristem.genomics.sequence import MASK, N
from meristem.model.encoder import BASES, MeristemEncoder


@dataclass(frozen=True)
class ObjectiveConfig:
    """Weights and shape of the objectives; a weight of 0 switches one off.

    Attributes
    ----------
    span_weight, region_weight
        Weight of the reconstruction of hidden spans and of the per-base regions in the sum.
    max_masked
        Each window hides a share of its bases drawn uniformly from 0 to this, so that the network also
        learns from whole windows, as it will see them later.
    mean_span
        Mean length of a hidden span (geometric).
    repeat_weight
        Weight of soft-masked bases in the reconstruction.
    """

    span_weight: float = 1.0
    region_weight: float = 1.0
    max_masked: float = 0.3
    mean_span: float = 6.0
    repeat_weight: float = 0.1


def hide_spans(
    codes: NDArray[np.uint8], config: ObjectiveConfig, random: np.random.Generator
) -> NDArray[np.bool_]:
    """Choose the bases to hide: contiguous spans, never N.

    Parameters
    ----------
    codes
        (batch, window) bases.

    Returns
    -------
    ndarray
        (batch, window) bool.
    """
    batch, window = codes.shape
    share = random.uniform(0, config.max_masked, size=(batch, 1))
    # A base is hidden when one of the last `length` bases began a span, so starts are thinned by the mean.
    starts = random.random((batch, window)) < share / config.mean_span
    lengths = np.where(starts, random.geometric(1 / config.mean_span, size=(batch, window)), 0)
    reach = np.maximum.accumulate(np.arange(window) + lengths, axis=1)
    return (reach > np.arange(window)) & (codes < N)


class PretrainingObjective(nn.Module):
    """The encoder with its losses, as one module for the training loop."""

    def __init__(self, encoder: MeristemEncoder, config: ObjectiveConfig) -> None:
        super().__init__()
        self.encoder = encoder
        self.config = config

    def forward(self, codes: Tensor, hidden: Tensor, repeat: Tensor, region: Tensor) -> dict[str, Tensor]:
        """Losses of a batch, each a scalar; ``"loss"`` is their weighted sum.

        Parameters
        ----------
        codes, hidden, repeat, region
            (batch, window) bases, which are hidden, which are soft-masked, and region labels.
        """
        reading = self.encoder.strand(codes.masked_fill(hidden, MASK))
        weight = torch.where(repeat, self.config.repeat_weight, 1.0) * hidden
        target = codes.clamp(max=BASES - 1)
        surprise = functional.cross_entropy(reading.bases.float().transpose(1, 2), target, reduction="none")
        span = (surprise * weight).sum() / weight.sum().clamp(min=1.0)
        labelled = region != UNLABELLED
        labels = region.masked_fill(~labelled, 0)
        doubt = functional.cross_entropy(reading.regions.float().transpose(1, 2), labels, reduction="none")
        regions = (doubt * labelled).sum() / labelled.sum().clamp(min=1)
        loss = self.config.span_weight * span + self.config.region_weight * regions
        return {"loss": loss, "span": span, "region": regions}


def as_tensors(batch: WindowBatch, hidden: NDArray[np.bool_]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """A batch in the order :class:`PretrainingObjective` takes it."""
    return (
        torch.from_numpy(batch.codes.astype(np.int64)),
        torch.from_numpy(hidden),
        torch.from_numpy(batch.repeat),
        torch.from_numpy(batch.region.astype(np.int64)),
    )
