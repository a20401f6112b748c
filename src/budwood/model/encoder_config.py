"""The encoder's configuration: the shape of the network."""

from __future__ import annotations

from typing import Any, Final

from transformers.configuration_utils import PretrainedConfig

from budwood.errors import BudwoodError
from budwood.genomics.annotation.base_class import BaseClass
from budwood.genomics.sequence import PAD, VOCABULARY_SIZE

#: A number beyond this is a mistake; a network of that size would be built in memory before it is noticed.
_LARGEST: Final = 65_536
_MOST_LAYERS: Final = 1_000


class BudwoodConfig(PretrainedConfig):
    """Shape of the network.

    Parameters
    ----------
    stem_channels
        Channels at base resolution.
    hidden_size
        Channels of a patch in the attention blocks, a multiple of twice ``heads``. ``hidden_size + 2 *
        stem_channels`` is the length of the embedding.
    layers, heads
        Attention blocks, and heads in each.
    patch
        Bases per patch.
    kernel
        Width of the base-resolution convolutions, odd (the first one, on letters, is ``2 * kernel + 1``).
    regions
        Number of per-base region classes predicted; there is one number of classes, which old files state.
    **others
        Whatever else a configuration of transformers holds.

    Raises
    ------
    BudwoodError
        If no network has this shape.

    Examples
    --------
    >>> BudwoodConfig(stem_channels=8, hidden_size=16, layers=1, heads=2).embedding_size
    32
    >>> BudwoodConfig(heads=0)
    Traceback (most recent call last):
    budwood.errors.BudwoodError: heads is 0 (encoder): give a whole number from 1 to 65536.
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
        self._check_shape()
        for name, only in (("vocab_size", VOCABULARY_SIZE), ("pad_token_id", PAD)):
            if others.setdefault(name, only) != only:
                raise _wrong(name, others[name], f"the encoder's is {only}")
        super().__init__(**others)

    @property
    def embedding_size(self) -> int:
        """Numbers in one embedding."""
        return self.hidden_size + 2 * self.stem_channels

    def _check_shape(self) -> None:
        for name in ("stem_channels", "hidden_size", "layers", "heads", "patch", "kernel", "regions"):
            value = getattr(self, name)
            most = _MOST_LAYERS if name == "layers" else _LARGEST
            if type(value) is not int or not 1 <= value <= most:
                raise _wrong(name, value, f"give a whole number from 1 to {most}")
        if self.hidden_size % (2 * self.heads):
            raise BudwoodError(
                f"hidden_size {self.hidden_size} cannot be shared out among {self.heads} heads",
                where="encoder",
                mend="make it a multiple of twice their number",
            )
        if self.kernel % 2 == 0:
            raise _wrong("kernel", self.kernel, "give an odd number")
        if self.regions != len(BaseClass):
            raise _wrong("regions", self.regions, f"there are {len(BaseClass)} classes")


def _wrong(name: str, value: object, mend: str) -> BudwoodError:
    return BudwoodError(f"{name} is {value!r}", where="encoder", mend=mend)
