"""What the encoder learns: hidden bases, regions, places in a locus, alignment columns, interval tracks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from budwood.config import CENTRE_BASES
from budwood.corpus.sampling.genome import TRACKED
from budwood.genomics.annotation.base_class import UNLABELLED, BaseClass
from budwood.genomics.sequence import MASK, N
from budwood.model.encoder import BudwoodEncoder
from budwood.model.strand_network import BASES, StrandOutput
from budwood.training.objective.locus_offset import NO_OFFSET, OFFSETS
from budwood.training.objective.training_batch import NO_ORDER, TrainingBatch

#: The objectives, in the order of their totals.
OBJECTIVES: Final = ("span", "region", "locus", "column", "pooled", "order", "track")


@dataclass(frozen=True)
class ObjectiveConfig:
    """Weights and shape of the objectives; a weight of 0 switches one off.

    Attributes
    ----------
    span_weight, region_weight, locus_weight, column_weight, pooled_weight, order_weight, track_weight
        Weight in the sum of: the reconstruction of hidden bases; the per-base regions; how far a hidden
        base lies from where its gene begins; the bases that other species have in an alignment column; the
        regions of two neighbouring bases, read from the mean vector of the 8 bases around them, so that the
        embedding of a site shows its regions; which of two neighbouring windows of no annotated gene
        comes first, read apart; in which interval tracks of its genome every eighth base lies (open
        chromatin, transposons, chromatin states), read from the mean vector of the 8 bases around it.
    max_masked
        Each window hides a share of its bases drawn uniformly from 0 to this, so that the network also
        learns from whole windows, as it will see them later.
    mean_span
        Mean length of a hidden span (geometric); 1 hides single bases.
    single_share
        Share of the windows in which single bases are hidden, whatever ``mean_span``.
    repeat_weight
        Weight of soft-masked bases in the reconstruction.
    mark_weight
        Weight of the marks of gene structure (ends of introns, start and stop codons) among the regions. They
        are one base in a hundred, and embeddings of sites serve to find them.
    column_windows
        Windows of a batch that are cut from alignments, where ``column_weight`` is not 0.
    order_windows
        Windows of a batch that may be cut into two for their order, where ``order_weight`` is not 0: those
        of them that are of no annotated gene are.
    """

    span_weight: float = 1.0
    region_weight: float = 1.0
    locus_weight: float = 0.0
    column_weight: float = 0.0
    max_masked: float = 0.3
    mean_span: float = 6.0
    single_share: float = 0.0
    repeat_weight: float = 0.1
    mark_weight: float = 1.0
    column_windows: int = 2
    pooled_weight: float = 0.0
    order_weight: float = 0.0
    order_windows: int = 2
    track_weight: float = 0.0

    @property
    def weights(self) -> dict[str, float]:
        """Weight of each objective."""
        return {name: getattr(self, f"{name}_weight") for name in OBJECTIVES}


def hide_spans(
    codes: NDArray[np.uint8], config: ObjectiveConfig, random: np.random.Generator
) -> NDArray[np.bool_]:
    """Choose the bases to hide: contiguous spans or single bases, never N.

    Parameters
    ----------
    codes
        (batch, window) bases.
    config
        Shares and lengths of what is hidden.
    random
        Generator of the draws.

    Returns
    -------
    ndarray
        (batch, window) bool.
    """
    batch, window = codes.shape
    share = random.uniform(0, config.max_masked, size=(batch, 1))
    mean = np.full((batch, 1), config.mean_span)
    if config.single_share:
        mean[random.random(batch) < config.single_share] = 1.0
    # A base is hidden when one of the last `length` bases began a span, so starts are thinned by the mean.
    starts = random.random((batch, window)) < share / mean
    lengths = np.where(starts, random.geometric(1 / mean, size=(batch, window)), 0)
    reach = np.maximum.accumulate(np.arange(window) + lengths, axis=1)
    return (reach > np.arange(window)) & (codes < N)


class PretrainingObjective(nn.Module):
    """The encoder with its losses, as one module for the training loop.

    Heads that only training needs stand here and not in the encoder, so an encoder is the same whatever it
    was trained by; that of the tracks is kept beside the checkpoint. They read one strand; the random strand
    of every window makes them learn both.

    Parameters
    ----------
    encoder
        The network, trained in place.
    config
        Weights of the objectives; a head is made for each that is on.
    tracks
        Number of interval tracks.
    """

    def __init__(self, encoder: BudwoodEncoder, config: ObjectiveConfig, tracks: int = 0) -> None:
        super().__init__()
        self.encoder = encoder
        self.config = config
        size = encoder.config.embedding_size
        self.locus_head = nn.Linear(size, OFFSETS) if config.locus_weight else None
        self.column_head = nn.Linear(size, BASES) if config.column_weight else None
        pair = 2 * encoder.config.regions
        self.pooled_head = nn.Linear(size, pair) if config.pooled_weight else None
        self.order_head = nn.Linear(2 * size, 1) if config.order_weight else None
        self.track_head = nn.Linear(size, tracks) if config.track_weight and tracks else None

    def read(self, tokens: Tensor) -> StrandOutput:
        """Read one strand with the encoder.

        Parameters
        ----------
        tokens
            (batch, length) codes, padded on the right.

        Returns
        -------
        StrandOutput
            Vectors and logits.
        """
        return self.encoder.strand(tokens)

    def totals(self, batch: TrainingBatch) -> Tensor:
        """What the sum of each objective over a batch is divided by.

        A batch that is read in pieces, one after another or on several devices, has the totals of the
        whole in every piece, so that the sum of the pieces' losses is the loss of the batch.

        Parameters
        ----------
        batch
            The whole batch.

        Returns
        -------
        Tensor
            (objectives,) ``float32``, in the order of OBJECTIVES, at least 1.
        """
        return self.counts(batch).clamp(min=1.0).to(torch.float32)

    def counts(self, batch: TrainingBatch) -> Tensor:
        """What :meth:`totals` are made of: those of the shares of a batch add up to those of the batch.

        Parameters
        ----------
        batch
            A batch or a share of one.

        Returns
        -------
        Tensor
            (objectives,) ``float64``: sums are exact, whatever their order.
        """
        offset = batch.hidden & (batch.offset != NO_OFFSET)
        regions = self._region_weight(batch).double().sum()
        counts = (
            self._span_weight(batch).double().sum(),
            regions,
            offset.sum() if self.locus_head is not None else offset.new_zeros(()),
            batch.column.double().sum(),
            2 * regions,
            (batch.swapped != NO_ORDER).sum(),
            _tracked(_middles(batch.tracks)).sum(),
        )
        return torch.stack([count.to(torch.float64) for count in counts])

    def forward(self, batch: TrainingBatch, totals: Tensor) -> dict[str, Tensor]:
        """Losses of a batch, or of a piece of one.

        Parameters
        ----------
        batch
            The windows.
        totals
            (objectives,) totals of the whole batch, as :meth:`totals` gives them.

        Returns
        -------
        dict of Tensor
            A scalar in nats for each objective that is on; ``"loss"`` is their weighted sum.
        """
        reading = self.read(batch.codes.masked_fill(batch.hidden, MASK))
        sums = {
            "span": self._span(reading.bases, batch),
            "region": self._regions(reading.regions, batch),
        }
        if self.locus_head is not None:
            chosen = batch.hidden & (batch.offset != NO_OFFSET)
            logits = reading.readout(self.locus_head)[chosen]
            sums["locus"] = functional.cross_entropy(logits.float(), batch.offset[chosen], reduction="sum")
        if self.column_head is not None:
            cells = batch.column.any(-1)
            chance = reading.readout(self.column_head)[cells].float().log_softmax(-1)
            sums["column"] = -(chance * batch.column[cells]).sum()
        if self.pooled_head is not None:
            sums["pooled"] = self._pooled(reading.readout(self.pooled_head), batch)
        if self.order_head is not None:
            sums["order"] = self._order(self.order_head, batch)
        if self.track_head is not None:
            sums["track"] = self._tracks(reading.readout(self.track_head), batch)
        divided = {name: value / totals[OBJECTIVES.index(name)] for name, value in sums.items()}
        weights = self.config.weights
        loss = torch.stack([weights[name] * value for name, value in divided.items()]).sum()
        return {"loss": loss, **divided}

    def _span_weight(self, batch: TrainingBatch) -> Tensor:
        return torch.where(batch.repeat, self.config.repeat_weight, 1.0) * batch.hidden

    def _span(self, logits: Tensor, batch: TrainingBatch) -> Tensor:
        target = batch.codes.clamp(max=BASES - 1)
        losses = functional.cross_entropy(logits.float().transpose(1, 2), target, reduction="none")
        return (losses * self._span_weight(batch)).sum()

    def _pooled(self, logits: Tensor, batch: TrainingBatch) -> Tensor:
        # A linear layer of a mean is the mean of the layer's outputs.
        means = functional.avg_pool1d(logits.float().transpose(1, 2), CENTRE_BASES, stride=1).transpose(1, 2)
        left = CENTRE_BASES // 2 - 1
        pair = enumerate(means.chunk(2, dim=-1), start=left)
        return torch.stack([self._regions(half, batch, first=place) for place, half in pair]).sum()

    def _order(self, head: nn.Linear, batch: TrainingBatch) -> Tensor:
        chosen = batch.swapped != NO_ORDER
        # Where no window is chosen, one is read with weight 0, so that every process has all gradients.
        rows = chosen.nonzero()[:, 0] if chosen.any() else chosen.new_zeros(1, dtype=torch.long)
        half = batch.codes.shape[1] // 2
        pairs = batch.codes[rows, : 2 * half].unflatten(1, (2, half))
        swapped = batch.swapped[rows] == 1
        pairs = torch.where(swapped[:, None, None], pairs.flip(1), pairs)
        vectors = self.read(pairs.flatten(0, 1)).features.mean(1)
        logits = head(vectors.unflatten(0, (-1, 2)).flatten(1))[:, 0].float()
        losses = functional.binary_cross_entropy_with_logits(logits, swapped.float(), reduction="none")
        return (losses * chosen[rows]).sum()

    def _region_weight(self, batch: TrainingBatch) -> Tensor:
        marks = batch.region >= BaseClass.DONOR_FORWARD
        return torch.where(marks, self.config.mark_weight, 1.0) * (batch.region != UNLABELLED)

    def _regions(self, logits: Tensor, batch: TrainingBatch, first: int = 0) -> Tensor:
        """Summed region cross-entropy of the bases from ``first`` on, one for each row of logits."""
        place = slice(first, first + logits.shape[1])
        labels = batch.region.masked_fill(batch.region == UNLABELLED, 0)[:, place]
        chances = logits.float().log_softmax(-1)
        losses = -chances.gather(-1, labels[..., None])[..., 0]
        if batch.smoothing.any():
            share = batch.smoothing[:, None]
            losses = (1 - share) * losses - share * chances.mean(-1)
        return (losses * self._region_weight(batch)[:, place]).sum()

    def _tracks(self, logits: Tensor, batch: TrainingBatch) -> Tensor:
        """Summed cross-entropy of tracks in nats, a mean over those that are known of a base."""
        means = functional.avg_pool1d(logits.float().transpose(1, 2), CENTRE_BASES).transpose(1, 2)
        middles = _middles(batch.tracks)
        number = torch.arange(means.shape[-1], device=means.device)
        inside = (middles[..., None] >> number) & 1
        known = (middles[..., None] >> (TRACKED + number)) & 1
        losses = functional.binary_cross_entropy_with_logits(means, inside.float(), reduction="none")
        return ((losses * known).sum(-1) / known.sum(-1).clamp(min=1)).sum()


def _middles(tracks: Tensor) -> Tensor:
    """Tracks of the middle of every CENTRE_BASES whole bases."""
    whole = tracks.shape[1] // CENTRE_BASES * CENTRE_BASES
    return tracks[:, CENTRE_BASES // 2 : whole : CENTRE_BASES]


def _tracked(tracks: Tensor) -> Tensor:
    return (tracks >> TRACKED) > 0
