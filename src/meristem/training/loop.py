"""The one training loop."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from pathlib import Path

import torch
from accelerate import Accelerator

from meristem.corpus.sampler import WindowSampler
from meristem.errors import MeristemError
from meristem.progress import progress
from meristem.training.batches import hidden_batch
from meristem.training.objectives import PretrainingObjective
from meristem.training.optimisers import build_optimisers
from meristem.training.recipe import Schedule
from meristem.training.state import load_state, save_state

Validation = Callable[[PretrainingObjective], dict[str, float]]


def rate(step: int, schedule: Schedule) -> float:
    """Share of the peak learning rate at a step: linear warm-up, then a cosine down to the floor.

    Examples
    --------
    >>> schedule = Schedule(steps=100, warmup=10, floor=0.1)
    >>> rate(4, schedule), round(rate(99, schedule), 3)
    (0.5, 0.1)
    """
    if step < schedule.warmup:
        return (step + 1) / schedule.warmup
    done = (step - schedule.warmup) / max(1, schedule.steps - schedule.warmup)
    return schedule.floor + (1 - schedule.floor) * (1 + math.cos(math.pi * done)) / 2


def train(
    objective: PretrainingObjective,
    sampler: WindowSampler,
    schedule: Schedule,
    folder: Path,
    *,
    validate: Validation | None = None,
    show: bool | None = None,
) -> None:
    """Train to the end of the schedule, going on from the state in ``folder`` where there is one.

    ``log.jsonl`` in the folder gets a line per 100 steps and per validation. Data, masks and learning rate
    depend on the step number alone, so a training that was stopped ends in the same weights.

    Raises
    ------
    MeristemError
        If the loss stops being a number; the last saved state stays.
    """
    folder.mkdir(parents=True, exist_ok=True)
    accelerator = Accelerator(mixed_precision=schedule.precision)
    optimisers = build_optimisers(objective, schedule)
    module, *prepared = accelerator.prepare(objective, *optimisers)
    done = load_state(folder / "state", objective, optimisers)
    log = _Log(folder / "log.jsonl", schedule.batch * sampler.config.window)
    with progress("training", total=schedule.steps, show=show) as advance:
        advance(done)
        for step in range(done, schedule.steps):
            for optimiser in optimisers:
                for group in optimiser.param_groups:
                    group["lr"] = group["peak"] * rate(step, schedule)
            tensors = hidden_batch(sampler, objective.config, step, schedule.batch)
            module.train()
            losses = module(*(t.to(accelerator.device) for t in tensors))
            accelerator.backward(losses["loss"])
            accelerator.clip_grad_norm_(module.parameters(), schedule.clip)
            for optimiser in prepared:
                optimiser.step()
                optimiser.zero_grad(set_to_none=True)
            _check(losses["loss"], step, folder)
            log.add(step + 1, {k: float(v.detach()) for k, v in losses.items()})
            advance(1)
            if (step + 1) % schedule.save_every == 0 or step + 1 == schedule.steps:
                save_state(folder / "state", objective, optimisers, step + 1)
            if validate and ((step + 1) % schedule.validate_every == 0 or step + 1 == schedule.steps):
                log.write(step + 1, validate(objective), kind="validation")


class _Log:
    """Mean losses of every 100 steps, with bases per second."""

    def __init__(self, path: Path, bases_per_step: int) -> None:
        self.path = path
        self.bases_per_step = bases_per_step
        self.sums: dict[str, float] = {}
        self.steps = 0
        self.begun = time.perf_counter()

    def add(self, step: int, losses: dict[str, float]) -> None:
        for name, value in losses.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
        self.steps += 1
        if step % 100 == 0:
            means = {name: value / self.steps for name, value in self.sums.items()}
            means["bases_per_second"] = self.steps * self.bases_per_step / (time.perf_counter() - self.begun)
            self.write(step, means, kind="training")
            self.sums, self.steps, self.begun = {}, 0, time.perf_counter()

    def write(self, step: int, values: dict[str, float], *, kind: str) -> None:
        rounded = {name: round(value, 5) for name, value in values.items()}
        with self.path.open("a", encoding="utf-8") as handle:
            handle.write(json.dumps({"step": step, "kind": kind, **rounded}) + "\n")


def _check(loss: torch.Tensor, step: int, folder: Path) -> None:
    if not torch.isfinite(loss):
        raise MeristemError(
            f"the loss is no number any more at step {step + 1}; the last good state is kept",
            where=str(folder),
            mend="lower learning_rate in the recipe and start again",
        )
