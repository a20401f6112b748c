"""Which layers an adapter changes, and how many numbers it adds.

Source: low-rank adaptation, Hu et al. 2021 (arXiv:2106.09685), by the library peft.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from peft import LoraConfig
from torch import nn

from budwood.errors import BudwoodError
from budwood.model.encoder import BudwoodEncoder

#: Share of the encoder's parameters that an adapter adds by default.
SHARE: Final = 0.04
#: Layers that predict bases and regions; they stay as the checkpoint has them.
_HEADS: Final = ("base_head", "region_head")
_LARGEST_RANK: Final = 256


@dataclass(frozen=True, kw_only=True)
class LowRank:
    """Size of an adapter: a product of two thin matrices is added to every adapted weight.

    Attributes
    ----------
    rank
        Rank of the products, 1 to 256.
    alpha
        The products are multiplied by ``alpha / rank``.

    Raises
    ------
    BudwoodError
        If the rank or alpha is out of range.

    Examples
    --------
    >>> LowRank(rank=8).alpha
    16.0
    """

    rank: int
    alpha: float = 16.0

    def __post_init__(self) -> None:
        if type(self.rank) is not int or not 1 <= self.rank <= _LARGEST_RANK:
            raise BudwoodError(
                f"the rank {self.rank!r} is not possible",
                where="adapter",
                mend=f"give a whole number from 1 to {_LARGEST_RANK}",
            )
        if not 0 < self.alpha < float("inf"):
            raise BudwoodError(f"alpha is {self.alpha!r}", where="adapter", mend="give a positive number")


def target_layers(encoder: BudwoodEncoder) -> dict[str, nn.Linear | nn.Conv1d]:
    """The layers that an adapter changes: all linear layers and convolutions but the heads.

    Parameters
    ----------
    encoder
        Without an adapter.

    Returns
    -------
    dict
        Layer by its name in the encoder.

    Examples
    --------
    >>> from budwood.model.encoder_config import BudwoodConfig
    >>> small = BudwoodEncoder(BudwoodConfig(stem_channels=8, hidden_size=16, layers=1, heads=2))
    >>> list(target_layers(small))[:3]
    ['network.read', 'network.stem.convolution', 'network.stem.project']
    """
    return {
        name: layer
        for name, layer in encoder.named_modules()
        if isinstance(layer, nn.Linear | nn.Conv1d) and name.rpartition(".")[2] not in _HEADS
    }


def added_parameters(encoder: BudwoodEncoder, rank: int) -> int:
    """Numbers that an adapter of a rank adds.

    Parameters
    ----------
    encoder
        Without an adapter.
    rank
        Rank of the adapter.

    Returns
    -------
    int
        Number of parameters of the adapter.

    Examples
    --------
    >>> from budwood.model.encoder_config import BudwoodConfig
    >>> added_parameters(BudwoodEncoder(BudwoodConfig()), 8)
    226832
    """
    # A weight of out x in (x width) gains out x rank and rank x in (x width) numbers.
    sizes = ((w.shape[0], w[0].numel()) for w in (layer.weight for layer in target_layers(encoder).values()))
    return rank * sum(rows + columns for rows, columns in sizes)


def rank_of_share(encoder: BudwoodEncoder, share: float = SHARE) -> int:
    """The rank whose adapter comes nearest to a share of the encoder's parameters.

    Parameters
    ----------
    encoder
        Without an adapter.
    share
        Parameters of the adapter per parameter of the encoder, above 0.

    Returns
    -------
    int
        At least 1.

    Raises
    ------
    BudwoodError
        If the share is not above 0, or its rank is larger than 256.

    Examples
    --------
    >>> from budwood.model.encoder_config import BudwoodConfig
    >>> rank_of_share(BudwoodEncoder(BudwoodConfig()), 0.04)
    7
    """
    if not 0 < share < float("inf"):
        raise BudwoodError(f"the share {share!r} is not possible", where="adapter", mend="give 0.04, say")
    wanted = share * sum(p.numel() for p in encoder.parameters())
    rank = max(1, round(wanted / added_parameters(encoder, 1)))
    if rank > _LARGEST_RANK:
        raise BudwoodError(
            f"a share of {share:g} takes rank {rank}",
            where="adapter",
            mend=f"give one of rank {_LARGEST_RANK}",
        )
    return rank


def peft_config(encoder: BudwoodEncoder, low_rank: LowRank) -> LoraConfig:
    """The configuration of an adapter as peft has it.

    Parameters
    ----------
    encoder
        Without an adapter.
    low_rank
        Size of the adapter.

    Returns
    -------
    LoraConfig
        For all layers of :func:`target_layers`.
    """
    config: LoraConfig = LoraConfig(
        r=low_rank.rank,
        lora_alpha=low_rank.alpha,  # type: ignore[arg-type]
        target_modules=sorted(target_layers(encoder)),
        bias="none",
        inference_mode=False,
    )
    return config
