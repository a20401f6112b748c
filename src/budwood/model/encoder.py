"""The encoder: 512 bases in, one embedding and per-base predictions out.

The network (:mod:`budwood.model.strand_network`) reads one strand; :class:`BudwoodEncoder` runs it on both
and joins the two readings, so that the embedding does not change, and the per-base predictions turn with
the sequence, when a window is reverse complemented.

Source: joining both strands after the network, Zhou et al. 2022 (PMLR 200, "post-hoc conjoining").
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedModel
from transformers.modeling_outputs import MaskedLMOutput
from transformers.utils.generic import ModelOutput

from budwood.errors import BudwoodError
from budwood.genomics.annotation.base_class import COMPLEMENT_REGION
from budwood.genomics.sequence import PAD
from budwood.model.adapters.training_network import TrainingNetworks
from budwood.model.encoder_config import BudwoodConfig
from budwood.model.prepared_network import PreparedNetworks, pieces
from budwood.model.strand_network import BASES, AttentionBlock, StrandNetwork, StrandOutput
from budwood.model.weights import check_folder

#: Lengths to which windows are cut differ by this many bases.
_STEP: Final = 64


@dataclass
class EncoderOutput(ModelOutput):
    """Vectors and logits of windows, both strands joined.

    Attributes
    ----------
    last_hidden_state
        (batch, length, embedding_size) vectors of single bases; each base carries its patch's vector. Zero
        where there is padding.
    pooler_output
        (batch, embedding_size) mean over the bases of each window: its embedding, always float32.
    bases, regions
        (batch, length, 4) and (batch, length, regions) logits.
    """

    last_hidden_state: Tensor | None = None
    pooler_output: Tensor | None = None
    bases: Tensor | None = None
    regions: Tensor | None = None


class BudwoodPreTrainedModel(PreTrainedModel):
    """What every model around the network shares: its shape, its first weights, reading both strands.

    Parameters
    ----------
    config
        Shape of the network.
    """

    config_class = BudwoodConfig
    base_model_prefix = "network"

    config: BudwoodConfig

    def __init__(self, config: BudwoodConfig) -> None:
        super().__init__(config)
        self.network = StrandNetwork(config)
        self._prepared, self._training = PreparedNetworks(), TrainingNetworks()
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

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: Any, *model_args: Any, **kwargs: Any) -> Self:
        """Open a folder as transformers does, after a check of its configuration and weights.

        Parameters
        ----------
        pretrained_model_name_or_path
            Folder with config.json and model.safetensors.
        *model_args, **kwargs
            As for ``PreTrainedModel.from_pretrained``; ``dtype`` is that of the file unless given.

        Returns
        -------
        BudwoodPreTrainedModel
            In evaluation mode.

        Raises
        ------
        BudwoodError
            If the weights are damaged or do not fit the configuration.
        """
        folder = Path(str(pretrained_model_name_or_path))
        if folder.is_dir() and "state_dict" not in kwargs:
            check_folder(folder, lambda config: cls(config).state_dict())
        opened: Self = super().from_pretrained(pretrained_model_name_or_path, *model_args, **kwargs)
        return opened

    def read(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> EncoderOutput:
        """Read both strands and join them in the given strand's coordinates.

        Parameters
        ----------
        input_ids
            (batch, length) integer codes of :mod:`budwood.genomics.sequence`. Padding may stand on either
            side of a sequence and does not change the output.
        attention_mask
            (batch, length), 0 for padding; not needed where padding is PAD.

        Returns
        -------
        EncoderOutput
            Vectors and logits of every base, and the embedding of every window.

        Raises
        ------
        BudwoodError
            If a symbol is none of the seven, or padding stands between bases.
        """
        tokens, place = _packed(input_ids, attention_mask)
        parts = [self._joined(piece) for piece in pieces(tokens)]
        pooled, *joined = (
            torch.cat(each) if len(parts) > 1 else each[0] for each in zip(*parts, strict=True)
        )
        if place is not None:
            joined = [_gather(values, place) for values in joined]
        vectors, bases, regions = joined
        return EncoderOutput(vectors, pooled, bases, regions)

    def _joined(self, tokens: Tensor) -> tuple[Tensor, ...]:
        """Vectors of windows, then vectors and logits of their bases, as :meth:`read` gives them."""
        there, back = self._both(tokens)
        turn, present = _turn_index(tokens), (tokens != PAD).unsqueeze(-1)
        given, other = there.features, back.features
        weight = pool_weights(tokens, None)
        return (
            torch.stack([reading.pooled(weight) for reading in (there, back)]).mean(0),
            (given + _gather(other, turn)) / 2 * present.to(given.dtype),
            (there.bases + _gather(back.bases, turn).flip(-1)) / 2,
            (there.regions + _gather(back.regions, turn)[..., list(COMPLEMENT_REGION)]) / 2,
        )

    def read_regions(self, input_ids: Tensor) -> Tensor:
        """Logits of the regions alone, as :meth:`read` gives them: a sixth faster on a CPU.

        Parameters
        ----------
        input_ids
            (batch, length) codes, padded on either side.

        Returns
        -------
        Tensor
            (batch, length, regions) logits, both strands joined.
        """
        tokens, place = _packed(input_ids)
        parts = []
        for piece in pieces(tokens):
            there, back = self._both(piece)
            turned = _gather(back.regions, _turn_index(piece))[..., list(COMPLEMENT_REGION)]
            parts.append((there.regions + turned) / 2)
        joined = torch.cat(parts)
        return joined if place is None else _gather(joined, place)

    def read_out(self, input_ids: Tensor, layer: nn.Linear) -> Tensor:
        """A linear layer of the vectors of single bases, as :meth:`read` gives them, in float32.

        Parameters
        ----------
        input_ids
            (batch, length) codes, padded on either side.
        layer
            From embedding_size numbers to any number, on the device of the encoder.

        Returns
        -------
        Tensor
            (batch, length, out) float32, both strands joined: it turns with the sequence. 0 on padding.
        """
        tokens, place = _packed(input_ids)
        parts = []
        for piece in pieces(tokens):
            there, back = (_in_float32(each) for each in self._both(piece, logits=False))
            # A sum of a few numbers of many vectors: in bfloat16 it would lose what it is read for.
            with torch.autocast(piece.device.type, enabled=False):
                given, other = there.readout(layer), back.readout(layer)
            joined = (given + _gather(other, _turn_index(piece))) / 2
            parts.append(joined * (piece != PAD).unsqueeze(-1))
        joined = torch.cat(parts)
        return joined if place is None else _gather(joined, place)

    def _both(self, tokens: Tensor, *, logits: bool = True) -> tuple[StrandOutput, StrandOutput]:
        turned = reverse_complement_tokens(tokens)
        prepared = self._prepared.of(self.network)
        if prepared is None:
            return self.network(tokens), self.network(turned)
        both = prepared.read(torch.cat([tokens, turned]), logits=logits)
        return both.rows(slice(len(tokens))), both.rows(slice(len(tokens), None))


class BudwoodEncoder(BudwoodPreTrainedModel):
    """A plant DNA encoder, exact under reverse complement.

    ``from_pretrained`` and ``save_pretrained`` read and write safetensors folders;
    :meth:`strand` is what training uses, :meth:`forward` and :meth:`embed` join both strands.

    Examples
    --------
    >>> network = BudwoodEncoder(BudwoodConfig(stem_channels=8, hidden_size=16, layers=1, heads=2))
    >>> codes = torch.zeros(2, 24, dtype=torch.long)
    >>> network(input_ids=codes).last_hidden_state.shape
    torch.Size([2, 24, 32])
    >>> network.embed(codes).shape
    torch.Size([2, 32])
    """

    main_input_name = "input_ids"

    def strand(self, input_ids: Tensor) -> StrandOutput:
        """Read the given strand only.

        Parameters
        ----------
        input_ids
            (batch, length) codes, padded on the right.

        Returns
        -------
        StrandOutput
            Vectors and logits of the given strand.
        """
        prepared = self._prepared.of(self.network)
        if prepared is not None:
            return prepared.read(input_ids)
        reading: StrandOutput = (self._training.of(self.network) or self.network)(input_ids)
        return reading

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        return_dict: bool | None = None,
        **others: Any,
    ) -> EncoderOutput | tuple[Tensor, ...]:
        """Both strands joined, as :meth:`read` gives them.

        Parameters
        ----------
        input_ids, attention_mask
            As for :meth:`read`.
        return_dict
            A plain tuple where False.
        **others
            Arguments of other models; any other value is refused.

        Returns
        -------
        EncoderOutput or tuple
            Vectors and logits of every base, and the embedding of every window.

        Raises
        ------
        BudwoodError
            If an argument of another model is given, or the symbols cannot be read.
        """
        _refuse(others)
        found = self.read(input_ids, attention_mask)
        return found.to_tuple() if return_dict is False else found

    def embed(self, input_ids: Tensor, *, centre: int | None = None) -> Tensor:
        """One vector per window: the mean over its bases, or over the ``centre`` middle ones.

        Parameters
        ----------
        input_ids
            (batch, length) codes, padded on either side.
        centre
            Number of middle bases, None for all.

        Returns
        -------
        Tensor
            (batch, embedding_size) float32, the same for a window and its reverse complement. Padding
            does not count; a window of padding alone gives zeros.
        """
        return self.embed_strands(input_ids, centre=centre).mean(0)

    def embed_strands(self, input_ids: Tensor, *, centre: int | None = None) -> Tensor:
        """The two readings of which :meth:`embed` is the mean.

        Parameters
        ----------
        input_ids, centre
            As for :meth:`embed`.

        Returns
        -------
        Tensor
            (2, batch, embedding_size) float32: the given strand, then the other one. The reverse
            complement of a window has the same two in the other order.
        """
        tokens, _ = _packed(input_ids)
        parts = []
        for piece in map(_trimmed, pieces(_trimmed(tokens))):
            weight = pool_weights(piece, centre)
            parts.append(torch.stack([each.pooled(weight) for each in self._both(piece, logits=False)]))
        return torch.cat(parts, dim=1)


class BudwoodForMaskedLM(BudwoodPreTrainedModel):
    """The same network and weights with the arguments and outputs of a masked language model.

    Symbols that are no bases (N, mask, padding) are never predicted: their logits are the least number of
    their type.
    """

    main_input_name = "input_ids"

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        return_dict: bool | None = None,
        **others: Any,
    ) -> MaskedLMOutput | tuple[Tensor, ...]:
        """Logits over the vocabulary, and the loss where labels are given.

        Parameters
        ----------
        input_ids, attention_mask
            As for :meth:`BudwoodPreTrainedModel.read`.
        labels
            (batch, length) codes to predict; those that are no bases, such as -100, do not count.
        return_dict
            A plain tuple where False.
        **others
            Arguments of other models; any other value is refused.

        Returns
        -------
        MaskedLMOutput
            ``logits`` (batch, length, 7), turned with the sequence when it is reverse complemented; ``loss``
            the mean cross-entropy in nats.

        Raises
        ------
        BudwoodError
            If an argument of another model is given, or the symbols cannot be read.
        """
        _refuse(others)
        bases = self.read(input_ids, attention_mask).bases
        assert bases is not None
        symbols = self.config.vocab_size - BASES
        logits = functional.pad(bases, (0, symbols), value=torch.finfo(bases.dtype).min)
        loss = None
        if labels is not None:
            target = torch.where((labels >= 0) & (labels < BASES), labels, -100)
            loss = functional.cross_entropy(bases.flatten(0, 1).float(), target.flatten())
        found = MaskedLMOutput(loss=loss, logits=logits)
        return found.to_tuple() if return_dict is False else found


def _refuse(others: dict[str, Any]) -> None:
    wanted = sorted(name for name, value in others.items() if value is not None and value is not False)
    if wanted:
        raise BudwoodError(
            f"the encoder has no argument {wanted[0]}",
            where="forward",
            mend="give input_ids and attention_mask",
        )


def _packed(input_ids: Tensor, attention_mask: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
    """Sequences moved to the left of their rows.

    Returns
    -------
    tuple
        (batch, length) codes padded on the right, and where in it each place of the input is to be found;
        None where nothing was moved.
    """
    if input_ids.ndim != 2:
        raise BudwoodError(
            f"input_ids has shape {tuple(input_ids.shape)}", mend="give (batch, length) whole numbers"
        )
    if input_ids.numel() and not 0 <= int(input_ids.min()) <= int(input_ids.max()) <= PAD:
        raise BudwoodError(
            f"input_ids holds numbers from {int(input_ids.min())} to {int(input_ids.max())}",
            mend=f"give the symbols of the encoder's tokenizer, 0 to {PAD}",
        )
    tokens = input_ids if attention_mask is None else input_ids.masked_fill(attention_mask == 0, PAD)
    present = tokens != PAD
    begins = present[:, 1:] & ~present[:, :-1]
    if not begins.any():
        return tokens, None
    if (begins.sum(1) + present[:, 0] > 1).any():
        raise BudwoodError(
            "padding stands between bases", where="input_ids", mend="pad on the right or on the left"
        )
    order = (~present).to(torch.uint8).argsort(dim=1, stable=True)
    return tokens.gather(1, order), order.argsort(dim=1)


def _trimmed(tokens: Tensor) -> Tensor:
    """Right-padded sequences without most of the columns that are padding in all of them.

    Lengths are multiples of 64, since each shape of a product is made ready once and kept.
    """
    longest = int((tokens != PAD).sum(1).max()) if tokens.numel() else 0
    return tokens[:, : max(_STEP, -(-longest // _STEP) * _STEP)]


def _turn_index(tokens: Tensor) -> Tensor:
    """Where each base of a right-padded sequence lands when it is reversed (padding stays)."""
    position = torch.arange(tokens.shape[1], device=tokens.device)
    lengths = (tokens != PAD).sum(1, keepdim=True)
    return torch.where(position < lengths, lengths - 1 - position, position)


def reverse_complement_tokens(tokens: Tensor) -> Tensor:
    """Reverse complement of sequences; padding stays where it is.

    Parameters
    ----------
    tokens
        (batch, length) codes, padded on the right.

    Returns
    -------
    Tensor
        (batch, length) codes of the other strand.

    Examples
    --------
    >>> reverse_complement_tokens(torch.tensor([[0, 1, 4, 6]]))
    tensor([[4, 2, 3, 6]])
    """
    turned = tokens.gather(1, _turn_index(tokens))
    return torch.where(turned < BASES, BASES - 1 - turned, turned)


def _in_float32(reading: StrandOutput) -> StrandOutput:
    """The same vectors in float32, as GPUs give them in bfloat16."""
    patches, base, stem = (each.float() for each in (reading.patches, reading.base, reading.stem))
    return StrandOutput(patches, base, stem, reading.bases, reading.regions)


def _gather(values: Tensor, index: Tensor) -> Tensor:
    return values.gather(1, index.unsqueeze(-1).expand_as(values))


def pool_weights(tokens: Tensor, centre: int | None) -> Tensor:
    """Weight of each base in its window's vector.

    Parameters
    ----------
    tokens
        (batch, length) codes, padded on the right.
    centre
        Number of middle bases, None for all.

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
