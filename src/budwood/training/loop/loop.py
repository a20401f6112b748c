"""The one training loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator

from budwood.config import WINDOW
from budwood.errors import BudwoodError
from budwood.training.data.batches import Windows, training_batch
from budwood.training.loop.optimisers import build_optimisers
from budwood.training.loop.sharding import sharded, whole_tensor
from budwood.training.loop.state import load_moments, load_weights, save_state, saved_state
from budwood.training.monitoring.curve import write_curve
from budwood.training.monitoring.divergence_guard import DivergenceGuard
from budwood.training.monitoring.speed import measured_peak, operations_per_base
from budwood.training.monitoring.training_log import TrainingLog
from budwood.training.objective.alignment_columns import ColumnSampler
from budwood.training.objective.objectives import PretrainingObjective
from budwood.training.objective.training_batch import TrainingBatch
from budwood.training.recipe.schedule import Schedule, rate

Validation = Callable[[PretrainingObjective], dict[str, float]]


@dataclass
class _Running:
    """What the steps of one training share."""

    accelerator: Accelerator
    objective: PretrainingObjective
    module: torch.nn.Module
    optimisers: Sequence[torch.optim.Optimizer]
    prepared: Sequence[Any]
    schedule: Schedule


def train(
    objective: PretrainingObjective,
    windows: Windows,
    schedule: Schedule,
    folder: Path,
    *,
    window: int = WINDOW,
    columns: ColumnSampler | None = None,
    validate: Validation | None = None,
    shard: bool = False,
    show: bool | None = None,
) -> None:
    """Train to the end of the schedule, going on from the state in ``folder`` where there is one.

    ``window`` (bases) serves to know the cost. ``log.jsonl`` in the folder gets a line per 100 steps and per
    validation, ``curve.svg`` draws it. Data, masks and learning rate depend on the step number alone, so a
    training that was stopped ends in the same weights. Under ``torchrun`` or ``accelerate launch`` every
    process draws the whole batch and learns from its part of it, so the losses are those of one process;
    with ``shard`` each holds a part of the weights and moments (FSDP2) instead of a copy of them.

    Raises
    ------
    BudwoodError
        If the loss stops being a number or rises far above its lowest; the last saved state stays.
    """
    folder.mkdir(parents=True, exist_ok=True)
    accelerator = Accelerator(mixed_precision=schedule.precision)
    _check_pieces(accelerator, schedule)
    state = saved_state(folder / "state")
    done, watch = load_weights(state, objective) if state else (0, DivergenceGuard())
    cost = _seconds_per_base(accelerator, objective, window, schedule)
    module = sharded(objective, accelerator.device) if shard else accelerator.prepare(objective)
    optimisers = build_optimisers(objective, schedule)
    prepared = [accelerator.prepare(optimiser) for optimiser in optimisers]
    if state:
        load_moments(state, optimisers)
    running = _Running(accelerator, objective, module, optimisers, prepared, schedule)
    main = accelerator.is_main_process
    log = TrainingLog(folder / "log.jsonl", cost, schedule, show=show if main else False)
    for step in range(done, schedule.steps):
        batch = training_batch(windows, objective.config, step, schedule.batch, columns)
        losses = _step(running, batch, step, watch, folder)
        log.add(step + 1, losses, batch.codes.numel(), write=main)
        last = step + 1 == schedule.steps
        if (step + 1) % schedule.save_every == 0 or last:
            save_state(folder / "state", objective, optimisers, step + 1, watch, main=main)
        if validate and ((step + 1) % schedule.validate_every == 0 or last):
            scores = validate(objective)
            if main:
                log.write(step + 1, scores, kind="validation")
                write_curve(folder / "log.jsonl", folder / "curve.svg")
    log.close()
    accelerator.wait_for_everyone()


def _step(
    running: _Running, batch: TrainingBatch, step: int, watch: DivergenceGuard, folder: Path
) -> dict[str, float]:
    """One optimiser step; returns the losses of the whole batch."""
    accelerator, schedule = running.accelerator, running.schedule
    for optimiser in running.optimisers:
        for group in optimiser.param_groups:
            group["lr"] = group["peak"] * rate(step, schedule)
    running.module.train()
    totals = running.objective.totals(batch).to(accelerator.device)
    world = accelerator.num_processes
    sums: dict[str, torch.Tensor] = {}
    for piece in range(schedule.accumulate):
        first = piece * world + accelerator.process_index
        part = batch.part(first, world * schedule.accumulate).to(accelerator.device)
        waiting = piece + 1 < schedule.accumulate
        with accelerator.no_sync(running.module) if waiting else nullcontext():
            with accelerator.autocast():
                losses = running.module(part, totals)
            # Gradients are averaged over processes, the losses of a batch's pieces add up.
            accelerator.backward(losses["loss"] * world)
        for name, value in losses.items():
            sums[name] = sums.get(name, torch.zeros_like(value)) + value.detach()
    whole = accelerator.reduce(torch.stack(list(sums.values())), "sum").tolist()
    gradient = accelerator.clip_grad_norm_(running.module.parameters(), schedule.clip)
    found = dict(zip(sums, whole, strict=True))
    watch.check(found["loss"], float(whole_tensor(gradient)), step, folder)
    for optimiser in running.prepared:
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
    return found


def _seconds_per_base(
    accelerator: Accelerator, objective: PretrainingObjective, window: int, schedule: Schedule
) -> float:
    """What a base would take at the peak of all devices together."""
    peak = measured_peak(accelerator.device, schedule.precision) * accelerator.num_processes
    return operations_per_base(objective.encoder, window) / peak


def _check_pieces(accelerator: Accelerator, schedule: Schedule) -> None:
    pieces = accelerator.num_processes * schedule.accumulate
    if schedule.batch < pieces:
        raise BudwoodError(
            f"a batch of {schedule.batch} windows cannot be cut into {pieces} pieces",
            where=f"{accelerator.num_processes} processes, accumulate = {schedule.accumulate}",
            mend="raise batch or lower accumulate in the recipe",
        )
