"""The encoder: 512 bases in, one embedding and per-base predictions out.

A convolution stem reads single bases, attention works on patches of a few bases, and a decoder brings
the patches' context back to single bases: a U-net with attention at the bottom. The network reads one
strand; :class:`BudwoodEncoder` runs it on both and joins the two readings, so that the embedding does
not change, and the per-base predictions turn with the sequence, when a window is reverse complemented.

Sources: rotary positions, Su et al. 2021 (arXiv:2104.09864); U-net, Ronneberger et al. 2015
(arXiv:1505.04597); joining both strands after the network, Zhou et al. 2022 (PMLR 200, "post-hoc
conjoining").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedModel
from transformers.modeling_outputs import MaskedLMOutput

from budwood.genomics.annotation.base_class import COMPLEMENT_REGION
from budwood.genomics.sequence import PAD
from budwood.model.encoder_config import BudwoodConfig

BASES: Final = 4


@dataclass(frozen=True)
class EncoderOutput:
    """What the network makes of a window, both strands joined.

    Attributes
    ----------
    features
        (batch, length, embedding_size) vectors of single bases; each base carries its patch's vector.
    bases, regions
        (batch, length, 4) and (batch, length, regions) logits.
    """

    features: Tensor
    bases: Tensor
    regions: Tensor


@dataclass(frozen=True)
class StrandOutput:
    """What the network makes of one strand.

    Attributes
    ----------
    patches
        (batch, patches, hidden_size) vectors of patches.
    base, stem
        (batch, patches * patch, stem_channels) vectors of single bases after and before attention.
    bases, regions
        (batch, length, 4) and (batch, length, regions) logits.
    """

    patches: Tensor
    base: Tensor
    stem: Tensor
    bases: Tensor
    regions: Tensor

    @property
    def features(self) -> Tensor:
        """(batch, length, embedding_size) vectors of single bases; each carries its patch's vector."""
        parts = [self._of_bases(self.patches), self.base, self.stem.to(self.base.dtype)]
        return torch.cat(parts, dim=-1)[:, : self.bases.shape[1]]

    def readout(self, layer: nn.Linear) -> Tensor:
        """(batch, length, out) what a linear layer makes of the vectors of single bases.

        Each part of the vectors meets its columns of the weight: putting the vectors together first costs a
        training 5 to 10 % of a step, and picking some rows of them another shape at every step.
        """
        parts = [self.patches, self.base, self.stem]
        columns = layer.weight.split([part.shape[-1] for part in parts], dim=1)
        patches, base, stem = (
            functional.linear(part, weight) for part, weight in zip(parts, columns, strict=True)
        )
        read = self._of_bases(patches) + base + stem
        return (read if layer.bias is None else read + layer.bias)[:, : self.bases.shape[1]]

    def _of_bases(self, of_patches: Tensor) -> Tensor:
        """(batch, patches, d) -> (batch, patches * patch, d): every base has what its patch has."""
        return of_patches.repeat_interleave(self.stem.shape[1] // self.patches.shape[1], dim=1)


class ConvolutionBlock(nn.Module):
    """Residual convolution at base resolution, channels last."""

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.convolution = nn.Conv1d(channels, channels, kernel, padding=kernel // 2)
        self.project = nn.Linear(channels, channels)

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        """(batch, length, channels) -> the same; ``valid`` is 1 on bases and 0 on padding."""
        seen = (self.norm(x) * valid).transpose(1, 2)
        update = self.project(functional.silu(self.convolution(seen).transpose(1, 2)))
        joined: Tensor = (x + update) * valid
        return joined


class AttentionBlock(nn.Module):
    """Pre-norm attention with rotary positions, then a feed-forward layer."""

    def __init__(self, size: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_attention = nn.LayerNorm(size)
        self.query_key_value = nn.Linear(size, 3 * size, bias=False)
        self.attention_out = nn.Linear(size, size, bias=False)
        self.norm_feedforward = nn.LayerNorm(size)
        self.expand = nn.Linear(size, 4 * size)
        self.contract = nn.Linear(4 * size, size)

    def forward(self, x: Tensor, rotation: tuple[Tensor, Tensor], blocked: Tensor) -> Tensor:
        """(batch, patches, size) -> the same; ``blocked`` adds -inf to scores against padding."""
        batch, patches, size = x.shape
        heads = self.query_key_value(self.norm_attention(x))
        heads = heads.view(batch, patches, 3, self.heads, size // self.heads)
        query, key, value = heads.permute(2, 0, 3, 1, 4)
        query, key = _rotate(query, rotation), _rotate(key, rotation)
        # Written out because it trains half again as fast on a CPU as the fused kernel at this length.
        scores = query @ key.transpose(-1, -2) * (size // self.heads) ** -0.5 + blocked
        mixed = torch.softmax(scores, dim=-1).to(value.dtype) @ value
        x = x + self.attention_out(mixed.transpose(1, 2).reshape(batch, patches, size))
        return x + self.contract(functional.silu(self.expand(self.norm_feedforward(x))))


class StrandNetwork(nn.Module):
    """The network itself, reading one strand."""

    def __init__(self, config: BudwoodConfig) -> None:
        super().__init__()
        self.config = config
        channels, size = config.stem_channels, config.hidden_size
        self.read = nn.Conv1d(PAD, channels, 2 * config.kernel + 1, padding=config.kernel)
        self.stem = ConvolutionBlock(channels, config.kernel)
        self.down = nn.Linear(channels * config.patch, size)
        self.blocks = nn.ModuleList(AttentionBlock(size, config.heads) for _ in range(config.layers))
        self.norm_patch = nn.LayerNorm(size)
        self.up = nn.Linear(size, channels * config.patch)
        self.decoder = ConvolutionBlock(channels, config.kernel)
        self.norm_base = nn.LayerNorm(channels)
        self.base_head = nn.Linear(channels, BASES)
        self.region_head = nn.Linear(channels, config.regions)

    def forward(self, tokens: Tensor) -> StrandOutput:
        """Read (batch, length) codes, padded on the right with PAD."""
        patch = self.config.patch
        length = tokens.shape[1]
        tokens = functional.pad(tokens, (0, -length % patch), value=PAD)
        present = tokens != PAD
        valid = present.unsqueeze(-1).to(self.read.weight.dtype)
        letters = functional.one_hot(tokens.long(), PAD + 1)[..., :PAD].to(valid.dtype)
        stem = functional.silu(self.read(letters.transpose(1, 2)).transpose(1, 2)) * valid
        stem = self.stem(stem, valid)
        patches = self._attend(stem, present)
        base = stem + self.up(patches).view_as(stem) * valid
        base = self.norm_base(self.decoder(base, valid)) * valid
        bases, regions = self.base_head(base), self.region_head(base)
        return StrandOutput(patches, base, stem, bases[:, :length], regions[:, :length])

    def _attend(self, stem: Tensor, present: Tensor) -> Tensor:
        patch = self.config.patch
        batch, length, channels = stem.shape
        x = self.down(stem.reshape(batch, length // patch, channels * patch))
        seen = present.view(batch, -1, patch).any(-1)
        blocked = torch.zeros_like(seen, dtype=x.dtype).masked_fill_(~seen, torch.finfo(x.dtype).min)
        blocked = blocked[:, None, None, :]
        rotation = _rotation(length // patch, self.config.hidden_size // self.config.heads, x)
        for block in self.blocks:
            x = block(x, rotation, blocked)
        normed: Tensor = self.norm_patch(x)
        return normed


class BudwoodPreTrainedModel(PreTrainedModel):
    """What every model around the network shares: its shape, its first weights, reading both strands."""

    config_class = BudwoodConfig
    base_model_prefix = "network"

    config: BudwoodConfig

    def __init__(self, config: BudwoodConfig) -> None:
        super().__init__(config)
        self.network = StrandNetwork(config)
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=module.in_features**-0.5)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Conv1d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.LayerNorm):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
        elif isinstance(module, AttentionBlock):
            # Residual branches start small so that depth does not set the scale of the sum.
            for branch in (module.attention_out, module.contract):
                nn.init.zeros_(branch.weight)

    def read(self, tokens: Tensor) -> EncoderOutput:
        """Read both strands and join them in the given strand's coordinates.

        Parameters
        ----------
        tokens
            (batch, length) integer codes of :mod:`budwood.genomics.sequence`, padded on the right.
        """
        there, back = self._both(tokens)
        turn = _turn_index(tokens)
        bases = (there.bases + _gather(back.bases, turn).flip(-1)) / 2
        regions = (there.regions + _gather(back.regions, turn)[..., list(COMPLEMENT_REGION)]) / 2
        return EncoderOutput((there.features + _gather(back.features, turn)) / 2, bases, regions)

    def _both(self, tokens: Tensor) -> tuple[StrandOutput, StrandOutput]:
        turned = _reverse_complement(tokens)
        return self.network(tokens), self.network(turned)


class BudwoodEncoder(BudwoodPreTrainedModel):
    """A plant DNA encoder, exact under reverse complement.

    ``from_pretrained`` and ``save_pretrained`` read and write safetensors folders;
    :meth:`strand` is what training uses, :meth:`forward` and :meth:`embed` join both strands.

    Examples
    --------
    >>> network = BudwoodEncoder(BudwoodConfig(stem_channels=8, hidden_size=16, layers=1, heads=2))
    >>> network.embed(torch.zeros(2, 24, dtype=torch.long)).shape
    torch.Size([2, 32])
    """

    main_input_name = "tokens"

    def strand(self, tokens: Tensor) -> StrandOutput:
        """Read the given strand only."""
        reading: StrandOutput = self.network(tokens)
        return reading

    def forward(self, tokens: Tensor) -> EncoderOutput:
        """Both strands joined, as :meth:`read` gives them."""
        return self.read(tokens)

    def embed(self, tokens: Tensor, *, centre: int | None = None) -> Tensor:
        """One vector per window: the mean over its bases, or over the ``centre`` middle ones.

        Returns
        -------
        Tensor
            (batch, embedding_size) float32, the same for a window and its reverse complement. Padding
            does not count; a window of padding alone gives zeros.
        """
        return self.embed_strands(tokens, centre=centre).mean(0)

    def embed_strands(self, tokens: Tensor, *, centre: int | None = None) -> Tensor:
        """The two readings of which :meth:`embed` is the mean.

        Returns
        -------
        Tensor
            (2, batch, embedding_size) float32: the given strand, then the other one. The reverse
            complement of a window has the same two in the other order.
        """
        weight = pool_weights(tokens, centre)
        return torch.stack([(r.features * weight).sum(1) for r in self._both(tokens)]).float()


class BudwoodForMaskedLM(BudwoodPreTrainedModel):
    """The same network and weights with the arguments and outputs of a masked language model.

    Symbols that are no bases (N, mask, padding) are never predicted: their logits are the least number of
    their type.
    """

    main_input_name = "input_ids"

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, labels: Tensor | None = None
    ) -> MaskedLMOutput:
        """Logits over the vocabulary, and the loss where labels are given.

        Parameters
        ----------
        input_ids
            (batch, length) integer codes of :mod:`budwood.genomics.sequence`, padded on the right.
        attention_mask
            (batch, length), 0 for padding; not needed where padding is PAD.
        labels
            (batch, length) codes to be predicted; those that are no bases, such as -100, ask nothing.

        Returns
        -------
        MaskedLMOutput
            ``logits`` (batch, length, 7), turned with the sequence when it is reverse complemented; ``loss``
            the mean cross-entropy in nats.
        """
        tokens = input_ids if attention_mask is None else input_ids.masked_fill(attention_mask == 0, PAD)
        bases = self.read(tokens).bases
        others = self.config.vocab_size - BASES
        logits = functional.pad(bases, (0, others), value=torch.finfo(bases.dtype).min)
        loss = None
        if labels is not None:
            asked = torch.where((labels >= 0) & (labels < BASES), labels, -100)
            loss = functional.cross_entropy(bases.flatten(0, 1).float(), asked.flatten())
        return MaskedLMOutput(loss=loss, logits=logits)


def _rotation(patches: int, size: int, like: Tensor) -> tuple[Tensor, Tensor]:
    half = size // 2
    rate = 1000.0 ** (-torch.arange(half, device=like.device) / half)
    angle = torch.arange(patches, device=like.device)[:, None] * rate
    return angle.cos().to(like.dtype), angle.sin().to(like.dtype)


def _rotate(x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
    cosine, sine = rotation
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cosine - second * sine, first * sine + second * cosine], dim=-1)


def _turn_index(tokens: Tensor) -> Tensor:
    """Where each base of a right-padded sequence lands when it is reversed (padding stays)."""
    position = torch.arange(tokens.shape[1], device=tokens.device)
    lengths = (tokens != PAD).sum(1, keepdim=True)
    return torch.where(position < lengths, lengths - 1 - position, position)


def _reverse_complement(tokens: Tensor) -> Tensor:
    turned = tokens.gather(1, _turn_index(tokens))
    return torch.where(turned < BASES, BASES - 1 - turned, turned)


def _gather(values: Tensor, index: Tensor) -> Tensor:
    return values.gather(1, index.unsqueeze(-1).expand_as(values))


def pool_weights(tokens: Tensor, centre: int | None) -> Tensor:
    """Weight of each base in its window's vector.

    Returns
    -------
    Tensor
        (batch, length, 1) float32 that sums to 1 over all bases, or over the ``centre`` middle ones,
        symmetric about the middle; 0 on padding.
    """
    lengths = (tokens != PAD).sum(1, keepdim=True)
    position = torch.arange(tokens.shape[1], device=tokens.device)
    inside = position < lengths
    if centre is not None:
        # Distances from the middle are doubled to stay whole; an odd length keeps both edge bases.
        inside &= (2 * position + 1 - lengths).abs() <= centre
    weight = inside.to(torch.float32)
    return (weight / weight.sum(1, keepdim=True).clamp(min=1)).unsqueeze(-1)
