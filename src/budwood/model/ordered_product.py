"""Products with a weight in the order in which oneDNN multiplies: for reading, and for the way back.

On processors of some makers they take less than half the time of the product that PyTorch takes for float32.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from typing import Any, Final, Self

import torch
from torch import Tensor, nn

#: Rows of a product for which weights are ordered; other numbers of rows are multiplied as well.
_ROWS: Final = 1024


def multiplies(kind: torch.dtype) -> bool:
    """Whether oneDNN multiplies in this precision here.

    Parameters
    ----------
    kind
        Type of the factors.

    Returns
    -------
    bool
        False for other types than float32 and bfloat16, and where this processor or PyTorch lacks it.

    Examples
    --------
    >>> multiplies(torch.float64)
    False
    """
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


class OrderedProduct:
    """A linear layer with its weights in the order in which they are multiplied.

    Parameters
    ----------
    weight
        (out, in) weights, on the processor.
    bias
        (out,) numbers that are added; None for none.
    kind
        Type of the factors, of which :func:`multiplies` is true.

    Examples
    --------
    >>> make = OrderedProduct if multiplies(torch.float32) else lambda *given: nn.Linear(3, 2)
    >>> make(torch.ones(2, 3), None, torch.float32)(torch.ones(4, 3)).shape
    torch.Size([4, 2])
    """

    def __init__(self, weight: Tensor, bias: Tensor | None, kind: torch.dtype) -> None:
        ordered = weight.to(kind).contiguous()
        self.weight = torch.ops.mkldnn._reorder_linear_weight(ordered, _ROWS)
        self.bias = None if bias is None else bias.to(kind)

    @classmethod
    def of(cls, layer: nn.Linear, kind: torch.dtype) -> Self:
        """The product of a linear layer, its adapters in use added up.

        Parameters
        ----------
        layer
            The layer, or one with low-rank adapters of peft.
        kind
            Type of the factors.

        Returns
        -------
        OrderedProduct
            With copies of the layer's numbers.
        """
        return cls(layer_weight(layer), _bias(layer), kind)

    @classmethod
    def of_convolution(cls, layer: nn.Conv1d, kind: torch.dtype) -> Self:
        """The product of a convolution with rows of neighbouring bases put end to end.

        Parameters
        ----------
        layer
            The layer, or one with low-rank adapters of peft.
        kind
            Type of the factors.

        Returns
        -------
        OrderedProduct
            Takes rows of :func:`neighbours`.
        """
        return cls(layer_weight(layer).permute(0, 2, 1).flatten(1), _bias(layer), kind)

    def __call__(self, x: Tensor, after: str = "none") -> Tensor:
        """Multiply.

        Parameters
        ----------
        x
            (..., in) rows.
        after
            What is done with the result in the same pass: ``"swish"`` is SiLU.

        Returns
        -------
        Tensor
            (..., out).
        """
        found: Tensor = torch.ops.mkldnn._linear_pointwise(x, self.weight, self.bias, after, [], "")
        return found

    def activated(self, x: Tensor) -> Tensor:
        """The layer, then SiLU.

        Parameters
        ----------
        x
            (..., in) rows.

        Returns
        -------
        Tensor
            (..., out).
        """
        return self(x, "swish")


def is_adapted(layer: nn.Module) -> bool:
    """Whether a layer is one with low-rank adapters of peft, whose import would take longer than reading.

    Parameters
    ----------
    layer
        Any layer.

    Returns
    -------
    bool
        True for the wrapped layer, False for what it wraps.

    Examples
    --------
    >>> is_adapted(nn.Linear(2, 2))
    False
    """
    return type(layer).__module__ == "peft.tuners.lora.layer" and hasattr(layer, "get_delta_weight")


def adapters_of(layer: Any) -> tuple[object, ...]:
    """What tells which adapters of a layer are in use, and how strongly.

    Parameters
    ----------
    layer
        One with low-rank adapters of peft.

    Returns
    -------
    tuple
        Equal as long as these stay the same, whatever their weights.
    """
    used = (layer.disable_adapters, tuple(layer.merged_adapters), tuple(layer.active_adapters))
    return (*used, *layer.scaling.items())


def layer_weight(layer: nn.Module) -> Tensor:
    """The weight by which a layer multiplies, its adapters in use added up.

    Parameters
    ----------
    layer
        A linear layer or convolution, or one with low-rank adapters of peft.

    Returns
    -------
    Tensor
        (out, in, ...) numbers, without a gradient.

    Examples
    --------
    >>> layer_weight(nn.Linear(2, 3)).shape
    torch.Size([3, 2])
    """
    if not is_adapted(layer):
        weight: Tensor = layer.weight  # type: ignore[assignment]
        return weight.detach()
    adapted: Any = layer
    weight = plain_layer(layer).weight.detach()
    if not adapted.merged and not adapted.disable_adapters:
        for name in adapted.active_adapters:
            if name in adapted.lora_A:
                weight = weight + adapted.get_delta_weight(name).detach()
    return weight


def _bias(layer: nn.Module) -> Tensor | None:
    bias = plain_layer(layer).bias
    return None if bias is None else bias.detach()


def plain_layer(layer: Any) -> Any:
    """The layer itself, without adapters around it.

    Parameters
    ----------
    layer
        Any layer.

    Returns
    -------
    Module
        What peft has wrapped, or the layer.

    Examples
    --------
    >>> plain_layer(nn.Linear(2, 3))
    Linear(in_features=2, out_features=3, bias=True)
    """
    return layer.get_base_layer() if is_adapted(layer) else layer


def neighbours(padded: Tensor, width: int) -> Tensor:
    """Every base beside those around it, without a copy.

    Parameters
    ----------
    padded
        (batch, length + width - 1, channels), contiguous.
    width
        Bases of a row.

    Returns
    -------
    Tensor
        (batch, length, width * channels).

    Examples
    --------
    >>> neighbours(torch.arange(4).view(1, 4, 1), 3)
    tensor([[[0, 1, 2],
             [1, 2, 3]]])
    """
    batch, length, channels = padded.shape
    return padded.as_strided((batch, length - width + 1, width * channels), (length * channels, channels, 1))


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
    return OrderedProduct(weight, None, weight.dtype) if multiplies(weight.dtype) else None
