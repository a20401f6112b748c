"""Train a network for sequences, and stop where sequences that it does not learn from get no better."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from budwood.errors import BudwoodError
from budwood.genomics.sequence import PAD
from budwood.progress import progress
from budwood.training.finetuning.outputs import Outputs
from budwood.training.finetuning.sequence_network import trimmed

_READ: Final = 128


@dataclass(frozen=True, kw_only=True)
class FitConfig:
    """How a network is trained.

    Attributes
    ----------
    learning_rate, head_rate
        Peak rates of AdamW for the network and for its head (which begins untrained).
    batch, epochs, patience
        Sequences per step; most passes over them; passes without a lower loss on the validation part before
        stopping.
    warmup
        Share of all steps in which the rate rises; it falls along a cosine afterwards.
    weight_decay, clip
        Decay of matrices, and largest norm of the gradient.
    precision
        ``float32``, or ``bf16``: matrix products in bfloat16.
    seed
        Order of the sequences.

    Raises
    ------
    BudwoodError
        If a number is out of range.
    """

    learning_rate: float = 5e-4
    head_rate: float = 2e-3
    batch: int = 32
    epochs: int = 10
    patience: int = 3
    warmup: float = 0.1
    weight_decay: float = 0.01
    clip: float = 1.0
    precision: str = "float32"
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("learning_rate", "head_rate"):
            if not 0 < getattr(self, name) < 1:
                raise _wrong(name, getattr(self, name), "give a rate between 0 and 1")
        for name in ("batch", "epochs", "patience"):
            if getattr(self, name) < 1:
                raise _wrong(name, getattr(self, name), "give 1 or more")


@dataclass(frozen=True, kw_only=True)
class History:
    """Losses of a training.

    Attributes
    ----------
    training, validation
        Mean loss of each pass.
    best
        Number of the pass whose weights are kept, from 1; 0 for those before the first.
    """

    training: tuple[float, ...]
    validation: tuple[float, ...]
    best: int


def fit_network(
    network: nn.Module,
    codes: NDArray[np.uint8],
    targets: Tensor,
    outputs: Outputs,
    *,
    training: NDArray[np.intp],
    validation: NDArray[np.intp],
    config: FitConfig,
    head: Iterable[nn.Parameter] = (),
    label: str = "training",
    show: bool | None = None,
) -> History:
    """Train a network in place; the weights of its best pass stay.

    Parameters
    ----------
    network
        Turns (rows, length) codes into (rows, outputs); its parameters that need a gradient are trained.
    codes
        (rows, length) bases, padded on the right.
    targets
        (rows, names) from :meth:`Outputs.targets`.
    outputs
        Gives the loss.
    training, validation
        Rows to learn from, and rows that determine when to stop.
    config
        How.
    head
        Parameters that learn at the rate of the head.
    label
        What the progress bar says.
    show
        Draw a progress bar; by default on a terminal.

    Returns
    -------
    History
        Losses of each pass.

    Raises
    ------
    BudwoodError
        If the loss stops being a number.
    """
    device = next(network.parameters()).device
    tokens, targets = torch.from_numpy(codes.astype(np.int64)).to(device), targets.to(device)
    optimiser = _optimiser(network, head, config)
    total = config.epochs * math.ceil(len(training) / config.batch)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _share(step, total, config.warmup))
    random = np.random.default_rng(config.seed)
    best, kept, best_pass = math.inf, _trained_state(network), 0
    losses: list[float] = []
    followed: list[float] = []
    with _seeded(config.seed), progress(label, total=total, show=show) as advance:
        for _ in range(config.epochs):
            network.train()
            summed = 0.0
            order = random.permutation(training)
            for begin in range(0, len(order), config.batch):
                rows = torch.from_numpy(order[begin : begin + config.batch])
                # Batch normalisation cannot estimate a variance from a batch of one.
                if len(rows) > 1 or len(order) == 1:
                    loss = _step(network, trimmed(tokens[rows]), targets[rows], outputs, optimiser, config)
                    summed += loss * len(rows)
                schedule.step()
                advance(1)
            losses.append(summed / len(order))
            given = read_network(network, codes[validation], config.precision)
            seen = targets[torch.from_numpy(validation)].cpu()
            followed.append(float(outputs.loss(torch.from_numpy(given).float(), seen)))
            if followed[-1] < best:
                best, kept, best_pass = followed[-1], _trained_state(network), len(followed)
            if len(followed) - best_pass >= config.patience:
                break
    network.load_state_dict(kept, strict=False)
    network.eval()
    return History(training=tuple(losses), validation=tuple(followed), best=best_pass)


def read_network(
    network: nn.Module, codes: NDArray[np.uint8], precision: str = "float32"
) -> NDArray[np.float64]:
    """Outputs of a network, batch by batch.

    Parameters
    ----------
    network
        Left in evaluation mode.
    codes
        (rows, length) bases, padded on the right.
    precision
        As in :class:`FitConfig`.

    Returns
    -------
    ndarray
        (rows, outputs).
    """
    network.eval()
    # Sequences of one length are read together, so that none is padded to the length of another.
    order = np.argsort((codes != PAD).sum(axis=1), kind="stable")
    device = next(network.parameters()).device
    parts = []
    with torch.inference_mode(), _mixed(precision, device):
        for begin in range(0, len(order), _READ):
            rows = order[begin : begin + _READ]
            tokens = torch.from_numpy(codes[rows].astype(np.int64))
            parts.append(network(trimmed(tokens).to(device)).float())
    read = torch.cat(parts).double().cpu().numpy() if parts else np.empty((0, 0))
    found = np.empty_like(read)
    found[order] = read
    return found


def _step(
    network: nn.Module,
    tokens: Tensor,
    targets: Tensor,
    outputs: Outputs,
    optimiser: torch.optim.Optimizer,
    config: FitConfig,
) -> float:
    optimiser.zero_grad(set_to_none=True)
    with _mixed(config.precision, tokens.device):
        loss = outputs.loss(network(tokens).float(), targets)
    if not torch.isfinite(loss):
        raise BudwoodError(
            "the loss is no number any more", where="training", mend="give a lower learning rate"
        )
    loss.backward()
    trained = [p for group in optimiser.param_groups for p in group["params"]]
    nn.utils.clip_grad_norm_(trained, config.clip)
    optimiser.step()
    return float(loss.detach())


def _optimiser(network: nn.Module, head: Iterable[nn.Parameter], config: FitConfig) -> torch.optim.AdamW:
    heads = {id(parameter) for parameter in head}
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for parameter in network.parameters():
        if parameter.requires_grad:
            groups.setdefault((id(parameter) in heads, parameter.ndim > 1), []).append(parameter)
    described = [
        {
            "params": held,
            "lr": config.head_rate if is_head else config.learning_rate,
            "weight_decay": config.weight_decay if is_matrix else 0.0,
        }
        for (is_head, is_matrix), held in groups.items()
    ]
    return torch.optim.AdamW(described, lr=config.learning_rate, betas=(0.9, 0.98))


def _share(step: int, total: int, warmup: float) -> float:
    rising = max(1.0, warmup * total)
    if step < rising:
        return (step + 1) / rising
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - rising) / max(1.0, total - rising))))


def _trained_state(network: nn.Module) -> dict[str, Tensor]:
    """Copies of what training changes: trained parameters, and buffers such as running means."""
    trained = {name for name, parameter in network.named_parameters() if parameter.requires_grad}
    trained |= {name for name, _ in network.named_buffers()}
    return {name: copy.deepcopy(value) for name, value in network.state_dict().items() if name in trained}


def _mixed(precision: str, device: torch.device) -> AbstractContextManager[object]:
    return torch.autocast(device.type, torch.bfloat16) if precision == "bf16" else nullcontext()


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed what torch draws itself, such as dropout; its generator is as before when the block ends."""
    state = torch.get_rng_state()
    torch.manual_seed(seed)
    try:
        yield
    finally:
        torch.set_rng_state(state)


def _wrong(name: str, value: object, mend: str) -> BudwoodError:
    return BudwoodError(f"{name} is {value!r}", where="training", mend=mend)
