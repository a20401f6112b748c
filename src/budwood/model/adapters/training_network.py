"""The network with an adapter, for training the adapter alone on a processor: the same gradients, sooner.

A layer with a low-rank adapter multiplies by W + s B A, where A and B alone are trained. peft multiplies by
W and by A and B in turn. Here the sum is made once per step and put into the order in which oneDNN
multiplies, once for the way forward and once, turned, for the way back; gradients of A and B are products of
few rows with the layer's inputs and with the gradients of its outputs. Only the rounding differs.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from budwood.model.ordered_product import (
    OrderedProduct,
    adapters_of,
    is_adapted,
    multiplies,
    neighbours,
    plain_layer,
)
from budwood.model.prepared_network import is_known
from budwood.model.strand_network import StrandNetwork


class TrainingNetworks:
    """The form for training of one network, made when an adapter is first trained and again when others are.

    A copy of this object, and what a file keeps of it, is empty.
    """

    def __init__(self) -> None:
        self._made: tuple[tuple[object, ...], StrandNetwork | None] | None = None

    def __reduce__(self) -> tuple[type[Self], tuple[()]]:
        return type(self), ()

    def of(self, network: StrandNetwork) -> StrandNetwork | None:
        """The network as this processor trains its adapter fastest.

        Parameters
        ----------
        network
            The network, with adapters by peft.

        Returns
        -------
        StrandNetwork or None
            Shares every parameter with the network. None where the network itself has to be trained: other
            parameters than those of one adapter need a gradient, it is on a GPU, layers have hooks or are of
            other kinds than its own, or this processor or PyTorch lacks the products.
        """
        if not torch.is_grad_enabled():
            return None
        state = _state(network)
        if self._made is None or self._made[0] != state:
            self._made = (state, _for_training(network))
        return self._made[1]


def _state(network: StrandNetwork) -> tuple[object, ...]:
    """What tells that the form for training is that of the network still; the adapter itself may change."""
    numbers = ((id(p), p.requires_grad or p._version) for p in network.parameters())
    adapted = (adapters_of(each) for each in network.modules() if is_adapted(each))
    return (torch.backends.mkldnn.enabled, *numbers, *adapted)


def _for_training(network: StrandNetwork) -> StrandNetwork | None:
    trained = [name for name, each in network.named_parameters() if each.requires_grad]
    layers = {name: each for name, each in network.named_modules() if is_adapted(each)}
    names = {name.split(".")[-2] for name in trained if ".lora_A." in name or ".lora_B." in name}
    if len(names) != 1 or not all(f".{each}.weight" in name for name in trained for each in names):
        return None
    if not multiplies(torch.float32) or not is_known(network):
        return None
    if not all(_is_trained(layer, *names) for layer in layers.values()):
        return None
    # Whatever is no adapted layer is shared; a layer of its own stands in the place of each of these.
    shared = {id(each): each for each in (*network.parameters(), *network.buffers())}
    made = copy.deepcopy(network, shared)
    for name, layer in layers.items():
        parent, _, last = name.rpartition(".")
        setattr(made.get_submodule(parent), last, _LowRankLayer(layer, *names))
    return made


def _is_trained(layer: Any, name: str) -> bool:
    dropped = any(not isinstance(each, nn.Identity) for each in layer.lora_dropout.values())
    return name in layer.active_adapters and not (layer.disable_adapters or layer.merged or dropped)


class _LowRankLayer(nn.Module):
    """A linear layer, or a convolution of (batch, channels, length), with the adapter that is trained."""

    def __init__(self, layer: Any, name: str) -> None:
        super().__init__()
        plain = plain_layer(layer)
        weight = plain.weight.detach()
        for other in layer.active_adapters:
            if other != name and other in layer.lora_A:
                weight = weight + layer.get_delta_weight(other).detach()
        self.width = weight.shape[2] if isinstance(plain, nn.Conv1d) else 0
        self.scale = float(layer.scaling[name])
        self.weight, self.bias = weight, None if plain.bias is None else plain.bias.detach()
        self.a, self.b = layer.lora_A[name].weight, layer.lora_B[name].weight
        self._made: tuple[tuple[object, ...], _Products] | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Multiply in the precision in use, float32 or bfloat16 by autocast."""
        kind = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else torch.float32
        products = self._products(kind if multiplies(kind) else torch.float32)
        if not self.width:
            found: Tensor = _Multiplied.apply(x.to(products.kind), self.a, self.b, products)
            return found
        read: Tensor = _Convolved.apply(x.transpose(1, 2).to(products.kind), self.a, self.b, products)
        return read.transpose(1, 2)

    def _products(self, kind: torch.dtype) -> _Products:
        state = (kind, self.a._version, self.b._version, self.a.data_ptr(), self.b.data_ptr())
        if self._made is None or self._made[0] != state:
            self._made = (state, self._sum(kind))
        return self._made[1]

    def _sum(self, kind: torch.dtype) -> _Products:
        with torch.no_grad():
            change = self.scale * (self.b.flatten(1) @ self.a.flatten(1)).view_as(self.weight)
            weight = self.weight + change
            if self.width:
                # The way back is a convolution with the weights in reverse.
                there, back = weight.permute(0, 2, 1).flatten(1), weight.flip(2).permute(1, 2, 0).flatten(1)
            else:
                there, back = weight, weight.t()
            return _Products(
                OrderedProduct(there, self.bias, kind),
                OrderedProduct(back, None, kind),
                self.scale,
                self.width,
                kind,
            )


@dataclass(frozen=True, eq=False)
class _Products:
    """What a layer multiplies by on the way forward and on the way back."""

    there: OrderedProduct
    back: OrderedProduct
    scale: float
    width: int
    kind: torch.dtype


class _Multiplied(torch.autograd.Function):
    """Rows times W + s B A."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, a: Tensor, b: Tensor, products: _Products) -> Tensor:
        ctx.save_for_backward(x, a, b)
        ctx.products = products
        return products.there(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor, Tensor, None]:
        x, a, b = ctx.saved_tensors
        gradient = gradient.contiguous()
        of_x = ctx.products.back(gradient) if ctx.needs_input_grad[0] else None
        rows, given = x.flatten(0, -2), gradient.flatten(0, -2)
        # The few rows stand on the left: the other way round takes eight times as long.
        of_b = (rows @ a.to(x.dtype).t()).t() @ given
        of_a = (given @ b.to(x.dtype)).t() @ rows
        scale = ctx.products.scale
        return of_x, scale * of_a.float(), scale * of_b.float().t(), None


class _Convolved(torch.autograd.Function):
    """(batch, length, channels) convolved with W + s B A, zeros around each sequence."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, a: Tensor, b: Tensor, products: _Products) -> Tensor:
        padded = _padded(x, products.width)
        ctx.save_for_backward(padded, a, b)
        ctx.products = products
        return products.there(neighbours(padded, products.width))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor, Tensor, None]:
        padded, a, b = ctx.saved_tensors
        width, kind = ctx.products.width, padded.dtype
        of_x = None
        if ctx.needs_input_grad[0]:
            of_x = ctx.products.back(neighbours(_padded(gradient, width), width))
        # All sequences end to end: a shift by k bases is a slice, and rows whose window would reach into the
        # next sequence have a gradient of zero.
        rows, given = padded.flatten(0, 1), functional.pad(gradient, (0, 0, 0, width - 1)).flatten(0, 1)
        count = len(rows) - width + 1
        given = given[:count]
        through_b = (given @ b.flatten(1).to(kind)).t()
        through_a = torch.zeros(count, len(a), dtype=kind)
        of_a = torch.empty_like(a)
        for k in range(width):
            shifted = rows[k : k + count]
            through_a += shifted @ a[:, :, k].to(kind).t()
            of_a[:, :, k] = through_b @ shifted
        of_b = (through_a.t() @ given).float().t().reshape(b.shape)
        scale = ctx.products.scale
        return of_x, scale * of_a, scale * of_b, None


def _padded(x: Tensor, width: int) -> Tensor:
    return functional.pad(x, (0, 0, width // 2, width // 2)).contiguous()
