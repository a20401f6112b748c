"""The encoder's configuration; it stands apart because transformers asks for it before any network."""

from __future__ import annotations

from typing import Any

from transformers.configuration_utils import PretrainedConfig

from budwood.genomics.annotation.base_class import BaseClass
from budwood.genomics.sequence import PAD, VOCABULARY_SIZE


class BudwoodConfig(PretrainedConfig):
    """Shape of the network.

    Parameters
    ----------
    stem_channels
        Channels at base resolution.
    hidden_size
        Channels of a patch in the attention blocks. ``hidden_size + 2 * stem_channels`` is the length of
        the embedding.
    layers, heads
        Attention blocks, and heads in each.
    patch
        Bases per patch.
    kernel
        Width of the base-resolution convolutions (the first one, on letters, is ``2 * kernel + 1``).
    regions
        Number of per-base region classes predicted.
    """

    model_type = "budwood"

    def __init__(
        self,
        stem_channels: int = 128,
        hidden_size: int = 256,
        layers: int = 6,
        heads: int = 4,
        patch: int = 4,
        kernel: int = 5,
        regions: int = len(BaseClass),
        **others: Any,
    ) -> None:
        self.stem_channels = stem_channels
        self.hidden_size = hidden_size
        self.layers = layers
        self.heads = heads
        self.patch = patch
        self.kernel = kernel
        self.regions = regions
        self.vocab_size = VOCABULARY_SIZE
        self.pad_token_id = PAD
        super().__init__(**others)

    @property
    def embedding_size(self) -> int:
        """Numbers in one embedding."""
        return self.hidden_size + 2 * self.stem_channels
