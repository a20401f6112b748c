"""Continued pre-training on one genome: of an adapter, or of every weight as its control."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from torch import nn

from budwood.errors import BudwoodError
from budwood.progress import progress
from budwood.training.data.batches import Windows, prefetched, training_batch
from budwood.training.monitoring.divergence_guard import DivergenceGuard
from budwood.training.objective.objectives import PretrainingObjective
from budwood.training.objective.training_batch import TrainingBatch

#: Peak rates of AdamW for adapters and for all weights.
ADAPTER_RATE: Final = 2e-3
FULL_RATE: Final = 2e-4
_LOGGED: Final = 20


@dataclass(frozen=True, kw_only=True)
class Continuation:
    """How long and how fast to continue.

    Attributes
    ----------
    steps, batch
        Optimiser steps, and windows per step.
    learning_rate
        Peak rate of AdamW; it rises over a tenth of the steps and falls along a cosine.
    weight_decay, clip
        Decay of matrices, and largest norm of the gradient.
    precision
        ``bf16`` or ``float32``.

    Raises
    ------
    BudwoodError
        If a number is out of range.
    """

    steps: int = 200
    batch: int = 16
    learning_rate: float = ADAPTER_RATE
    weight_decay: float = 0.0
    clip: float = 1.0
    precision: str = "bf16"

    def __post_init__(self) -> None:
        for name in ("steps", "batch"):
            if getattr(self, name) < 1:
                raise BudwoodError(f"{name} is {getattr(self, name)!r}", where="adapt", mend="give 1 or more")
        if not 0 < self.learning_rate < 1:
            raise BudwoodError(
                f"the learning rate is {self.learning_rate!r}", where="adapt", mend="give one between 0 and 1"
            )


def continue_pretraining(
    objective: PretrainingObjective,
    windows: Windows,
    plan: Continuation,
    *,
    log: Path | None = None,
    follow: Callable[[int], bool] | None = None,
    every: int = 50,
    label: str = "adapting",
    show: bool | None = None,
) -> int:
    """Train the parameters that need a gradient, in place.

    Parameters
    ----------
    objective
        Network and losses.
    windows
        Where the batches come from.
    plan
        How long and how fast.
    log
        File of JSON lines with the mean losses of every 20 steps; None for none.
    follow
        Called with the number of steps done, every ``every`` steps and at the end; True stops the training.
    every
        Steps between two calls.
    label
        What the progress bar says.
    show
        Draw a progress bar; by default on a terminal.

    Returns
    -------
    int
        Steps done.

    Raises
    ------
    BudwoodError
        If the loss stops being a number or rises far above its lowest.
    """
    trained = [p for p in objective.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": plan.weight_decay},
        {"params": [p for p in trained if p.ndim < 2], "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(groups, lr=plan.learning_rate, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _share(step, plan.steps))
    device, guard = trained[0].device, DivergenceGuard()
    steps, counted = range(plan.steps), 0
    sums: dict[str, float] = {}

    def draw(step: int) -> TrainingBatch:
        return training_batch(windows, objective.config, step, plan.batch)

    with progress(label, total=plan.steps, show=show) as advance:
        for step, drawn in zip(steps, prefetched(draw, steps), strict=True):
            objective.train()
            batch = drawn.to(device)
            mixed = torch.autocast(device.type, torch.bfloat16) if plan.precision == "bf16" else nullcontext()
            with mixed:
                losses = objective(batch, objective.totals(batch))
            optimiser.zero_grad(set_to_none=True)
            losses["loss"].backward()
            norm = nn.utils.clip_grad_norm_(trained, plan.clip)
            guard.check(float(losses["loss"].detach()), float(norm), step, log.parent if log else Path())
            optimiser.step()
            schedule.step()
            advance(1)
            for name, value in losses.items():
                sums[name] = sums.get(name, 0.0) + float(value.detach())
            counted += 1
            done = step + 1
            if log is not None and (done % _LOGGED == 0 or done == plan.steps):
                means = {name: round(value / counted, 5) for name, value in sums.items()}
                with log.open("a", encoding="utf-8") as handle:
                    handle.write(json.dumps({"step": done, **means}) + "\n")
                sums, counted = {}, 0
            if follow is not None and (done % every == 0 or done == plan.steps) and follow(done):
                break
    objective.eval()
    return done


def _share(step: int, steps: int) -> float:
    rising = max(1.0, 0.1 * steps)
    if step < rising:
        return (step + 1) / rising
    return 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * min(1.0, (step - rising) / max(1.0, steps - rising))))
