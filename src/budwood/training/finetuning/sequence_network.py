"""The encoder with a head that predicts values or classes of whole sequences."""

from __future__ import annotations

from typing import Final, Literal

import torch
from torch import Tensor, nn

from budwood.genomics.sequence import PAD
from budwood.model.encoder import BudwoodEncoder, pool_weights, reverse_complement_tokens

#: Which strands are read: the given one, or both, whose mean does not depend on the strand.
Strand = Literal["own", "both"]
STRANDS: Final = ("own", "both")


class SequenceNetwork(nn.Module):
    """The encoder, the mean of its vectors over a sequence, and a linear head.

    Parameters
    ----------
    encoder
        Trained in place, or its adapter is.
    outputs
        Numbers to predict for each sequence.
    strand
        ``own`` reads the given strand alone; ``both`` averages the outputs of the two strands.
    seed
        Seed of the head's first weights; the global generator of torch stays as it is.

    Examples
    --------
    >>> from budwood.model.encoder_config import BudwoodConfig
    >>> encoder = BudwoodEncoder(BudwoodConfig(stem_channels=8, hidden_size=16, layers=1, heads=2))
    >>> SequenceNetwork(encoder, 2)(torch.zeros(3, 40, dtype=torch.long)).shape
    torch.Size([3, 2])
    """

    def __init__(
        self, encoder: BudwoodEncoder, outputs: int, *, strand: Strand = "own", seed: int = 0
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.strand = strand
        state = torch.get_rng_state()
        torch.manual_seed(seed)
        size = encoder.config.embedding_size
        self.head = nn.Sequential(nn.LayerNorm(size), nn.Linear(size, outputs))
        torch.set_rng_state(state)

    def forward(self, tokens: Tensor) -> Tensor:
        """Predict a batch.

        Parameters
        ----------
        tokens
            (rows, length) codes, padded on the right.

        Returns
        -------
        Tensor
            (rows, outputs) float32.
        """
        given = self._read(tokens)
        if self.strand == "own":
            return given
        return (given + self._read(reverse_complement_tokens(tokens))) / 2

    def _read(self, tokens: Tensor) -> Tensor:
        features = self.encoder.strand(tokens).features
        pooled = (features.float() * pool_weights(tokens, None)).sum(1)
        found: Tensor = self.head(pooled).float()
        return found


def trimmed(tokens: Tensor) -> Tensor:
    """Rows without the columns that are padding in all of them.

    Parameters
    ----------
    tokens
        (rows, length) codes, padded on the right.

    Returns
    -------
    Tensor
        (rows, longest).

    Examples
    --------
    >>> trimmed(torch.tensor([[0, 1, 6, 6], [0, 6, 6, 6]]))
    tensor([[0, 1],
            [0, 6]])
    """
    longest = int((tokens != PAD).sum(1).max()) if tokens.numel() else 0
    return tokens[:, :longest]
