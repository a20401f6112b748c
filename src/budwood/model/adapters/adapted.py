"""An encoder with adapters: added, chosen, stacked, merged and taken out again."""

from __future__ import annotations

import copy
import hashlib
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from peft import get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
from torch import Tensor

from budwood.errors import BudwoodError, suggestion
from budwood.model.adapters.low_rank import LowRank, peft_config, target_layers
from budwood.model.checkpoint import Checkpoint
from budwood.model.encoder import BudwoodEncoder


@dataclass(frozen=True, kw_only=True)
class Adapter:
    """Low-rank weights for one species or population on one checkpoint.

    Attributes
    ----------
    name
        What people call it.
    low_rank
        Its size.
    base
        Digest of the encoder that it was trained on: of a checkpoint, or of one with other adapters.
    weights
        Tensors by the names that peft gives them.
    digest
        SHA-256 over its files.
    """

    name: str
    low_rank: LowRank
    base: str
    weights: Mapping[str, Tensor]
    digest: str

    @property
    def parameters(self) -> int:
        """Numbers in its weights."""
        return sum(value.numel() for value in self.weights.values())


def stacked_digest(base: str, adapters: Sequence[str]) -> str:
    """Digest of an encoder with adapters: vectors are cached and labelled by it.

    Parameters
    ----------
    base
        Digest of the checkpoint.
    adapters
        Digests of the adapters, in their order.

    Returns
    -------
    str
        64 hexadecimal digits; that of the checkpoint where there is no adapter.

    Examples
    --------
    >>> stacked_digest("ab", ())
    'ab'
    >>> stacked_digest("ab", ("cd",))[:8]
    '5141648c'
    """
    for adapter in adapters:
        base = hashlib.sha256(f"{base}\n{adapter}\n".encode()).hexdigest()
    return base


class AdaptedEncoder:
    """A checkpoint's encoder with any number of adapters, of which some are in use.

    The checkpoint's own encoder stays as it is: this one is a copy. Adapters in use are added up. Outputs
    with an adapter are the same to the bit before and after another one was in use, merged or not.

    Parameters
    ----------
    checkpoint
        The encoder to adapt.

    Examples
    --------
    >>> from budwood.model.checkpoint import random_checkpoint
    >>> from budwood.model.encoder_config import BudwoodConfig
    >>> shape = BudwoodConfig(stem_channels=8, hidden_size=16, layers=1, heads=2)
    >>> adapted = AdaptedEncoder(random_checkpoint(shape))
    >>> adapted.new("lyrata", LowRank(rank=2), seed=0)
    >>> adapted.names, adapted.used
    (('lyrata',), ('lyrata',))
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._checkpoint = checkpoint
        self._plain = copy.deepcopy(checkpoint.encoder)
        self._model: Any = None
        self._added: dict[str, str] = {}
        self._used: tuple[str, ...] = ()
        self._kept: dict[str, Tensor] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Adapters that were added, in their order."""
        return tuple(self._added)

    @property
    def used(self) -> tuple[str, ...]:
        """Adapters in use."""
        return self._used

    @property
    def merged(self) -> bool:
        """Whether the adapters in use are part of the weights."""
        return bool(self._kept)

    @property
    def encoder(self) -> BudwoodEncoder:
        """The encoder as the adapters in use make it; training it trains the adapter in use alone."""
        return self._plain

    @property
    def checkpoint(self) -> Checkpoint:
        """The encoder as a checkpoint, whose name and digest tell its adapters."""
        name = "+".join([self._checkpoint.name, *self._used])
        digest = stacked_digest(self._checkpoint.digest, [self._added[each] for each in self._used])
        return replace(self._checkpoint, name=name, encoder=self._plain, digest=digest)

    def new(self, name: str, low_rank: LowRank, *, seed: int) -> None:
        """Add an untrained adapter, which changes nothing yet, and use it beside those in use.

        Parameters
        ----------
        name
            What it is called.
        low_rank
            Its size.
        seed
            Seed of its first weights; the global generator of torch stays as it is.

        Raises
        ------
        BudwoodError
            If there is one of that name, or the adapters are merged.
        """
        state = torch.get_rng_state()
        try:
            torch.manual_seed(seed)
            self._insert(name, low_rank)
        finally:
            torch.set_rng_state(state)
        self._added[name] = f"untrained {name}"
        self.use(*self._used, name)

    def add(self, adapter: Adapter) -> None:
        """Add a trained adapter without using it.

        Parameters
        ----------
        adapter
            From :func:`budwood.model.adapters.adapter_folder.read_adapter`.

        Raises
        ------
        BudwoodError
            If it was trained on another encoder, its tensors do not fit, there is one of that name, or the
            adapters are merged.
        """
        stacks = [stacked_digest(self._checkpoint.digest, list(self._added.values())[:k]) for k in range(99)]
        if adapter.base not in stacks[: len(self._added) + 1]:
            raise BudwoodError(
                f"the adapter {adapter.name!r} was trained on another encoder than {self._checkpoint.name!r}",
                where=f"digest {adapter.base[:12]}, not {self._checkpoint.digest[:12]}",
                mend="give the checkpoint it was trained on, and before it the adapters it was trained over",
            )
        self._insert(adapter.name, adapter.low_rank)
        found: Any = set_peft_model_state_dict(
            self._model, dict(adapter.weights), adapter_name=_inner(adapter.name)
        )
        # Names and shapes were checked when the file was read; this is peft's own account of them.
        if found.unexpected_keys:
            raise BudwoodError(
                f"the adapter has the unexpected tensor {found.unexpected_keys[0]}", where=adapter.name
            )
        self._added[adapter.name] = adapter.digest
        self.use(*self._used)

    def use(self, *names: str) -> None:
        """Use these adapters and no other; none leaves the checkpoint as it was.

        Parameters
        ----------
        *names
            Adapters that were added; several are added up.

        Raises
        ------
        BudwoodError
            If one was not added, or is named twice, or the adapters are merged.
        """
        self._check_open()
        for name in names:
            if name not in self._added:
                raise BudwoodError(f"there is no adapter {name!r}", mend=suggestion(name, self._added))
        if len(set(names)) < len(names):
            raise BudwoodError("an adapter is named twice", where=", ".join(names), mend="name it once")
        self._used = tuple(names)
        if self._model is None:
            return
        base = self._model.base_model
        if names:
            base.enable_adapter_layers()
            base.set_adapter([_inner(name) for name in names])
        else:
            base.disable_adapter_layers()
        # Where weights need no gradient, torch convolves by another algorithm, and outputs differ by 1e-6.
        self._plain.requires_grad_(True)

    def train_only(self, name: str) -> list[torch.nn.Parameter]:
        """Let one adapter be trained, and nothing else.

        Parameters
        ----------
        name
            An adapter in use.

        Returns
        -------
        list of Parameter
            Its weights.
        """
        trained = []
        for key, parameter in self._plain.named_parameters():
            parameter.requires_grad_("lora_" in key and f".{_inner(name)}." in key)
            if parameter.requires_grad:
                trained.append(parameter)
        return trained

    def weights(self, name: str) -> dict[str, Tensor]:
        """Weights of an adapter.

        Parameters
        ----------
        name
            An adapter that was added.

        Returns
        -------
        dict
            Copies by the names that peft gives them.
        """
        # By default peft looks for the base model's configuration on the internet.
        found = get_peft_model_state_dict(self._model, adapter_name=_inner(name), save_embedding_layers=False)
        return {key: value.detach().cpu().clone().contiguous() for key, value in found.items()}

    def merge(self) -> None:
        """Make the adapters in use part of the weights: outputs stay the same up to rounding, and are faster.

        Raises
        ------
        BudwoodError
            If they are merged already, or none is in use.
        """
        self._check_open()
        if not self._used or self._model is None:
            raise BudwoodError("no adapter is in use", where="merge", mend="use one first")
        # Subtracting the product again would leave rounding errors.
        self._kept = {name: layer.weight.detach().clone() for name, layer in self._adapted_layers().items()}
        self._model.base_model.merge_adapter([_inner(name) for name in self._used])

    def unmerge(self) -> None:
        """Take the adapters in use out of the weights, which are as before to the bit.

        Raises
        ------
        BudwoodError
            If they are not merged.
        """
        if not self._kept or self._model is None:
            raise BudwoodError("the adapters are not merged", where="unmerge")
        self._model.base_model.unmerge_adapter()
        with torch.no_grad():
            for name, layer in self._adapted_layers().items():
                layer.weight.copy_(self._kept[name])
        self._kept = {}

    def merged_checkpoint(self) -> Checkpoint:
        """A checkpoint whose plain weights hold the adapters in use.

        Returns
        -------
        Checkpoint
            Independent of this object, in evaluation mode.
        """
        found = self.checkpoint
        if not self._used:
            return replace(found, encoder=copy.deepcopy(self._plain))
        plain = copy.deepcopy(self._checkpoint.encoder)
        merge = not self.merged
        if merge:
            self.merge()
        state = {name: layer.weight for name, layer in self._adapted_layers().items()}
        with torch.no_grad():
            for name, layer in target_layers(plain).items():
                layer.weight.copy_(state[name])
        if merge:
            self.unmerge()
        return replace(found, encoder=plain.eval())

    def _insert(self, name: str, low_rank: LowRank) -> None:
        self._check_open()
        if not name or "." in name:
            raise BudwoodError(f"{name!r} cannot be an adapter's name", mend="give one without dots")
        if name in self._added:
            raise BudwoodError(f"there is an adapter {name!r} already", mend="give it another name")
        config = peft_config(self._checkpoint.encoder, low_rank)
        if self._model is None:
            with warnings.catch_warnings():
                # peft reads a property that this release of transformers calls deprecated.
                warnings.simplefilter("ignore", FutureWarning)
                self._model = get_peft_model(self._plain, config, adapter_name=_inner(name))
        else:
            self._model.add_adapter(_inner(name), config)
        self._model.eval()

    def _adapted_layers(self) -> dict[str, Any]:
        inside: dict[str, Any] = dict(self._plain.named_modules())
        return {name: inside[name].get_base_layer() for name in target_layers(self._checkpoint.encoder)}

    def _check_open(self) -> None:
        if self._kept:
            raise BudwoodError("the adapters are merged", where="adapter", mend="unmerge them first")


def _inner(name: str) -> str:
    """Name of an adapter within peft, which takes names such as ``lora`` or ``weight`` for its own words."""
    return f"named-{name}"
