"""The network prepared for reading alone: the same numbers up to rounding, in half the time on a processor.

Training reads and changes the weights of :class:`~budwood.model.strand_network.StrandNetwork`. Here they are
copied once into the order in which oneDNN multiplies, which on processors of some makers is more than twice
as fast as the product that PyTorch takes for float32, and convolutions are products of shifted copies. Sums,
means and the residual stream stay float32 in either precision.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from budwood.genomics.sequence import PAD
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
#: Rows of a product for which weights are ordered; other numbers of rows are multiplied as well.
_ROWS: Final = 1024
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
        if not _multiplies(kind):
            return None
        weights = _Weights.of(network)
        known = self._made.get(kind)
        if known is not None and known[0].same(weights):
            return known[1]
        if not _is_known(network):
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
        adapted = (_adapters_of(each) for each in network.modules() if _is_adapted(each))
        return cls(held, (*numbers, *adapted))

    def same(self, other: _Weights) -> bool:
        return self.state == other.state


def _is_adapted(layer: nn.Module) -> bool:
    """Whether a layer is one with low-rank adapters of peft, whose import would take longer than reading."""
    return type(layer).__module__ == "peft.tuners.lora.layer" and hasattr(layer, "get_delta_weight")


def _adapters_of(layer: Any) -> tuple[object, ...]:
    used = (layer.disable_adapters, tuple(layer.merged_adapters), tuple(layer.active_adapters))
    return (*used, *layer.scaling.items())


def _weight(layer: nn.Module) -> Tensor:
    """The weight by which a layer multiplies, its adapters added up."""
    if not _is_adapted(layer):
        weight: Tensor = layer.weight  # type: ignore[assignment]
        return weight.detach()
    adapted: Any = layer
    weight = _plain(layer).weight.detach()
    if not adapted.merged and not adapted.disable_adapters:
        for name in adapted.active_adapters:
            if name in adapted.lora_A:
                weight = weight + adapted.get_delta_weight(name).detach()
    return weight


def _bias(layer: nn.Module) -> Tensor | None:
    bias = _plain(layer).bias
    return None if bias is None else bias.detach()


def _plain(layer: Any) -> Any:
    return layer.get_base_layer() if _is_adapted(layer) else layer


def _multiplies(kind: torch.dtype) -> bool:
    """Whether oneDNN multiplies in this precision here."""
    if platform.machine().lower() not in ("x86_64", "amd64") or not torch.backends.mkldnn.is_available():
        return False
    if not torch.backends.mkldnn.enabled:
        return False
    operations = torch.ops.mkldnn
    if not all(hasattr(operations, name) for name in ("_linear_pointwise", "_reorder_linear_weight")):
        return False
    if kind == torch.float32:
        return True
    return kind == torch.bfloat16 and bool(operations._is_mkldnn_bf16_supported())


def _is_known(network: StrandNetwork) -> bool:
    return _is_readable(network) and all(
        each.dtype == torch.float32 and each.device.type == "cpu" for each in network.parameters()
    )


def _is_readable(module: Any) -> bool:
    if module._forward_hooks or module._forward_pre_hooks:
        return False
    if _is_adapted(module):
        changed = (*module.use_dora.values(), *module.lora_bias.values(), *module.lora_variant)
        return type(_plain(module)) in _KINDS and not any(changed)
    return type(module) in _KINDS and all(_is_readable(child) for child in module.children())


class _Product:
    """A linear layer with its weights in the order in which they are multiplied."""

    def __init__(self, weight: Tensor, bias: Tensor | None, kind: torch.dtype) -> None:
        ordered = weight.to(kind).contiguous()
        self.weight = torch.ops.mkldnn._reorder_linear_weight(ordered, _ROWS)
        self.bias = None if bias is None else bias.to(kind)

    @classmethod
    def of(cls, layer: nn.Linear, kind: torch.dtype) -> Self:
        return cls(_weight(layer), _bias(layer), kind)

    @classmethod
    def of_convolution(cls, layer: nn.Conv1d, kind: torch.dtype) -> Self:
        """The layer as a product with rows of its neighbouring bases put end to end."""
        return cls(_weight(layer).permute(0, 2, 1).flatten(1), _bias(layer), kind)

    def __call__(self, x: Tensor, after: str = "none") -> Tensor:
        found: Tensor = torch.ops.mkldnn._linear_pointwise(x, self.weight, self.bias, after, [], "")
        return found

    def activated(self, x: Tensor) -> Tensor:
        """The layer, then SiLU."""
        return self(x, "swish")


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
        self.read_letters = _Product.of_convolution(network.read, kind)
        self.stem = _PreparedConvolution(network.stem, kind)
        self.down, self.up = _Product.of(network.down, kind), _Product.of(network.up, kind)
        self.blocks = [_PreparedAttention(block, kind) for block in network.blocks]  # type: ignore[arg-type]
        self.norm_patch, self.norm_base = _Norm(network.norm_patch), _Norm(network.norm_base)
        self.decoder = _PreparedConvolution(network.decoder, kind)
        heads = (network.base_head, network.region_head)
        self.heads = _Product(
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
        return self.read_letters.activated(_neighbours(letters[..., :PAD].contiguous(), width)).float()


class _PreparedConvolution:
    def __init__(self, block: ConvolutionBlock, kind: torch.dtype) -> None:
        self.kind, self.width = kind, _plain(block.convolution).kernel_size[0]
        self.norm = _Norm(block.norm)
        self.convolution = _Product.of_convolution(block.convolution, kind)
        self.project = _Product.of(block.project, kind)

    def __call__(self, x: Tensor, valid: Tensor | None) -> Tensor:
        batch, length, channels = x.shape
        around = self.width // 2
        padded = torch.zeros(batch, length + 2 * around, channels, dtype=self.kind)
        padded[:, around : around + length] = _masked(self.norm(x), valid)
        update = self.project(self.convolution.activated(_neighbours(padded, self.width)))
        return _masked(x + update, valid)


class _PreparedAttention:
    def __init__(self, block: AttentionBlock, kind: torch.dtype) -> None:
        self.kind, self.heads = kind, block.heads
        self.norm_attention, self.norm_feedforward = (
            _Norm(block.norm_attention),
            _Norm(block.norm_feedforward),
        )
        self.query_key_value = _Product(_paired(_weight(block.query_key_value), block.heads), None, kind)
        self.attention_out = _Product.of(block.attention_out, kind)
        self.expand, self.contract = _Product.of(block.expand, kind), _Product.of(block.contract, kind)

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


def _neighbours(padded: Tensor, width: int) -> Tensor:
    """(batch, length + width - 1, channels) -> (batch, length, width * channels), without a copy."""
    batch, length, channels = padded.shape
    return padded.as_strided((batch, length - width + 1, width * channels), (length * channels, channels, 1))


def _masked(x: Tensor, valid: Tensor | None) -> Tensor:
    return x if valid is None else x * valid


def _blocked(seen: Tensor) -> Tensor:
    """(batch, 1, 1, patches): what is added to scores, the least number on padding."""
    least = torch.finfo(torch.float32).min
    return torch.zeros(seen.shape).masked_fill_(~seen, least)[:, None, None, :]


def ordered_product(weight: Tensor) -> Callable[[Tensor], Tensor] | None:
    """The product of rows with a weight as the prepared network computes it.

    Parameters
    ----------
    weight
        (out, in) float32 or bfloat16, on the processor.

    Returns
    -------
    callable or None
        Takes (rows, in) of the same type; None where this processor or PyTorch lacks the product.

    Examples
    --------
    >>> product = ordered_product(torch.ones(2, 3))
    >>> (product or torch.nn.Linear(3, 2))(torch.ones(4, 3)).shape
    torch.Size([4, 2])
    """
    return _Product(weight, None, weight.dtype) if _multiplies(weight.dtype) else None


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
