"""The network prepared for reading alone: the same numbers up to rounding, in half the time on a processor.

Training reads and changes the weights of :class:`~budwood.model.strand_network.StrandNetwork`. Here they are
copied once into the order in which oneDNN multiplies, which on processors of some makers is more than twice
as fast as the product that PyTorch takes for float32, and convolutions are products of shifted copies. Sums,
means and the residual stream stay float32 in either precision.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from budwood.genomics.sequence import PAD
from budwood.model.ordered_product import (
    OrderedProduct,
    adapters_of,
    is_adapted,
    layer_weight,
    multiplies,
    neighbours,
    plain_layer,
)
from budwood.model.strand_network import (
    AttentionBlock,
    ConvolutionBlock,
    StrandNetwork,
    StrandOutput,
    rotation,
)

#: Bases of both strands that pass through the network at once: their vectors stay near the core. Of 1 to 16
#: windows of 512 bases in a pass, 4 were fastest.
BASES_AT_ONCE: Final = 4096
_KINDS: Final = (
    nn.Linear,
    nn.Conv1d,
    nn.LayerNorm,
    nn.ModuleList,
    AttentionBlock,
    ConvolutionBlock,
    StrandNetwork,
)


class PreparedNetworks:
    """The prepared forms of one network, made when they are first read and again when its weights change.

    A copy of this object, and what a file keeps of it, is empty.
    """

    def __init__(self) -> None:
        self._made: dict[torch.dtype, tuple[_Weights, PreparedNetwork]] = {}

    def __reduce__(self) -> tuple[type[Self], tuple[()]]:
        return type(self), ()

    def of(self, network: StrandNetwork) -> PreparedNetwork | None:
        """The network in the precision in use, float32 or bfloat16 by autocast.

        Parameters
        ----------
        network
            The network.

        Returns
        -------
        PreparedNetwork or None
            None where the network itself has to be read: gradients are wanted, it is on a GPU, its weights
            are not float32, layers have hooks or are of other kinds than its own and those of low-rank
            adapters, or this processor or PyTorch lacks the products.
        """
        if torch.is_grad_enabled():
            return None
        kind = torch.float32
        if torch.is_autocast_enabled("cpu"):
            kind = torch.get_autocast_dtype("cpu")
        if not multiplies(kind):
            return None
        weights = _Weights.of(network)
        known = self._made.get(kind)
        if known is not None and known[0].same(weights):
            return known[1]
        if not is_known(network):
            return None
        made = PreparedNetwork(network, kind)
        self._made[kind] = (weights, made)
        return made


@dataclass(frozen=True)
class _Weights:
    """What tells that no weight of a network has changed; holding the numbers keeps their place in use."""

    held: tuple[Tensor, ...]
    state: tuple[object, ...]

    @classmethod
    def of(cls, network: StrandNetwork) -> Self:
        held = tuple(parameter.detach() for parameter in network.parameters())
        # Tensors made in inference mode count no changes: their sum has to tell.
        changes = (float(p.sum()) if p.is_inference() else p._version for p in network.parameters())
        numbers = ((each.data_ptr(), count) for each, count in zip(held, changes, strict=True))
        adapted = (adapters_of(each) for each in network.modules() if is_adapted(each))
        return cls(held, (*numbers, *adapted))

    def same(self, other: _Weights) -> bool:
        return self.state == other.state


def is_known(network: StrandNetwork) -> bool:
    """Whether a network is of float32 on a processor, its layers are its own or adapted, and none has hooks.

    Parameters
    ----------
    network
        The network.

    Returns
    -------
    bool
        False where only the network itself can tell what it computes.
    """
    return _is_readable(network) and all(
        each.dtype == torch.float32 and each.device.type == "cpu" for each in network.parameters()
    )


def _is_readable(module: Any) -> bool:
    if module._forward_hooks or module._forward_pre_hooks:
        return False
    if is_adapted(module):
        changed = (*module.use_dora.values(), *module.lora_bias.values(), *module.lora_variant)
        return type(plain_layer(module)) in _KINDS and not any(changed)
    return type(module) in _KINDS and all(_is_readable(child) for child in module.children())


class _Norm:
    """A layer norm in float32."""

    def __init__(self, layer: nn.LayerNorm) -> None:
        self.weight, self.bias, self.rest = layer.weight.detach(), layer.bias.detach(), layer.eps

    def __call__(self, x: Tensor) -> Tensor:
        return functional.layer_norm(x, x.shape[-1:], self.weight, self.bias, self.rest)


class PreparedNetwork:
    """A network whose weights are ordered for multiplication in one precision.

    Parameters
    ----------
    network
        The network, on a processor, in float32.
    kind
        ``torch.float32``, or ``torch.bfloat16`` for the factors of products.
    """

    def __init__(self, network: StrandNetwork, kind: torch.dtype) -> None:
        config, self.kind = network.config, kind
        self.config = config
        self.read_letters = OrderedProduct.of_convolution(network.read, kind)
        self.stem = _PreparedConvolution(network.stem, kind)
        self.down, self.up = OrderedProduct.of(network.down, kind), OrderedProduct.of(network.up, kind)
        self.blocks = [_PreparedAttention(block, kind) for block in network.blocks]  # type: ignore[arg-type]
        self.norm_patch, self.norm_base = _Norm(network.norm_patch), _Norm(network.norm_base)
        self.decoder = _PreparedConvolution(network.decoder, kind)
        heads = (network.base_head, network.region_head)
        self.heads = OrderedProduct(
            torch.cat([head.weight.detach() for head in heads]),
            torch.cat([head.bias.detach() for head in heads]),
            kind,
        )
        self.outputs = [head.out_features for head in heads]

    def read(self, tokens: Tensor, *, logits: bool = True) -> StrandOutput:
        """Read one strand, as :meth:`StrandNetwork.forward` does.

        Parameters
        ----------
        tokens
            (batch, length) codes, padded on the right with PAD.
        logits
            Whether bases and regions are predicted; else their arrays have no classes.

        Returns
        -------
        StrandOutput
            Vectors float32, logits of the kind of the products.
        """
        patch, channels = self.config.patch, self.config.stem_channels
        batch, given = tokens.shape
        tokens = functional.pad(tokens, (0, -given % patch), value=PAD)
        length = tokens.shape[1]
        present = tokens != PAD
        valid = None if bool(present.all()) else present.unsqueeze(-1).float()
        stem = self.stem(_masked(self._letters(tokens), valid), valid)
        x = self.down(stem.view(batch, length // patch, channels * patch).to(self.kind)).float()
        blocked = _blocked(present.view(batch, -1, patch).any(-1)) if valid is not None else None
        turned = torch.complex(*rotation(length // patch, self.config.hidden_size // self.config.heads, x))
        for block in self.blocks:
            x = block(x, turned, blocked)
        patches = self.norm_patch(x)
        base = _masked(self.up(patches.to(self.kind)).view_as(stem), valid) + stem
        base = _masked(self.norm_base(self.decoder(base, valid)), valid)
        if logits:
            bases, regions = self.heads(base.to(self.kind))[:, :given].split(self.outputs, dim=-1)
        else:
            bases = regions = base.new_empty(batch, given, 0)
        return StrandOutput(patches, base, stem, bases, regions)

    def _letters(self, tokens: Tensor) -> Tensor:
        """(batch, length, channels) vectors of bases from the letters around them."""
        batch, length = tokens.shape
        width = 2 * self.config.kernel + 1
        letters = torch.zeros(batch, length + width - 1, PAD + 1, dtype=self.kind)
        here = letters[:, self.config.kernel : self.config.kernel + length]
        here.scatter_(2, tokens.long().unsqueeze(-1), 1)
        return self.read_letters.activated(neighbours(letters[..., :PAD].contiguous(), width)).float()


class _PreparedConvolution:
    def __init__(self, block: ConvolutionBlock, kind: torch.dtype) -> None:
        self.kind, self.width = kind, plain_layer(block.convolution).kernel_size[0]
        self.norm = _Norm(block.norm)
        self.convolution = OrderedProduct.of_convolution(block.convolution, kind)
        self.project = OrderedProduct.of(block.project, kind)

    def __call__(self, x: Tensor, valid: Tensor | None) -> Tensor:
        batch, length, channels = x.shape
        around = self.width // 2
        padded = torch.zeros(batch, length + 2 * around, channels, dtype=self.kind)
        padded[:, around : around + length] = _masked(self.norm(x), valid)
        update = self.project(self.convolution.activated(neighbours(padded, self.width)))
        return _masked(x + update, valid)


class _PreparedAttention:
    def __init__(self, block: AttentionBlock, kind: torch.dtype) -> None:
        self.kind, self.heads = kind, block.heads
        self.norm_attention, self.norm_feedforward = (
            _Norm(block.norm_attention),
            _Norm(block.norm_feedforward),
        )
        self.query_key_value = OrderedProduct(
            _paired(layer_weight(block.query_key_value), block.heads), None, kind
        )
        self.attention_out = OrderedProduct.of(block.attention_out, kind)
        self.expand, self.contract = (
            OrderedProduct.of(block.expand, kind),
            OrderedProduct.of(block.contract, kind),
        )

    def __call__(self, x: Tensor, turned: Tensor, blocked: Tensor | None) -> Tensor:
        """Add to x in place, which no other holds."""
        batch, patches, size = x.shape
        read = self.query_key_value(self.norm_attention(x).to(self.kind))
        read = read.view(batch, patches, 3, self.heads, size // self.heads)
        pairs = torch.view_as_complex(read[:, :, :2].float().unflatten(-1, (-1, 2)))
        pairs = torch.view_as_real(pairs * turned[:, None, None, :]).flatten(-2).permute(2, 0, 3, 1, 4)
        value = read[:, :, 2].transpose(1, 2)
        if self.kind == torch.float32:
            query, key = pairs
            mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=blocked, scale=1.0)
        else:
            # The fused kernel multiplies in bfloat16 at half the speed of plain products.
            query, key = torch.empty(pairs.shape, dtype=self.kind).copy_(pairs)
            scores = query @ key.transpose(-1, -2)
            scores = scores if blocked is None else scores + blocked.to(self.kind)
            mixed = torch.softmax(scores, dim=-1) @ value
        x += self.attention_out(mixed.transpose(1, 2).reshape(batch, patches, size))
        x += self.contract(self.expand.activated(self.norm_feedforward(x).to(self.kind)))
        return x


def _paired(weight: Tensor, heads: int) -> Tensor:
    """Rows of a projection to queries, keys and values in another order, queries scaled.

    The two numbers that a rotation turns stand side by side, as those of a complex number. Products of
    queries and keys do not change when both are ordered anew.
    """
    query, key, value = weight.chunk(3)
    size = query.shape[0] // heads
    order = torch.arange(heads * size).view(heads, 2, size // 2).transpose(1, 2).flatten()
    return torch.cat([query[order] * size**-0.5, key[order], value])


def _masked(x: Tensor, valid: Tensor | None) -> Tensor:
    return x if valid is None else x * valid


def _blocked(seen: Tensor) -> Tensor:
    """(batch, 1, 1, patches): what is added to scores, the least number on padding."""
    least = torch.finfo(torch.float32).min
    return torch.zeros(seen.shape).masked_fill_(~seen, least)[:, None, None, :]


def pieces(tokens: Tensor) -> Iterator[Tensor]:
    """Sequences in groups that a processor reads best at once; all together on another device.

    Groups hold 1, 2, 4, 8, ... sequences. oneDNN keeps a kernel for each shape of a product, up to 1,024 of
    some 400 kB: with groups of any size a service would fill them all.

    Parameters
    ----------
    tokens
        (batch, length) codes.

    Yields
    ------
    Tensor
        (rows, length) codes.

    Examples
    --------
    >>> with torch.inference_mode():
    ...     [len(piece) for piece in pieces(torch.zeros(11, 512, dtype=torch.uint8))]
    [4, 4, 2, 1]
    """
    if tokens.device.type != "cpu" or torch.is_grad_enabled() or not len(tokens):
        yield tokens
        return
    most = max(1, BASES_AT_ONCE // 2 // max(1, tokens.shape[1]))
    begin = 0
    while begin < len(tokens):
        rows = 1 << (min(most, len(tokens) - begin).bit_length() - 1)
        yield tokens[begin : begin + rows]
        begin += rows
