"""The one training loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator

from budwood.errors import BudwoodError
from budwood.training.data.batches import Windows, batch_shape, prefetched, training_batch
from budwood.training.loop.accelerator import open_accelerator
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


@dataclass(frozen=True)
class _Work:
    """The batches of a training.

    Attributes
    ----------
    batch_size
        Windows of the usual length that a device reads at once; None for all of its share.
    """

    windows: Windows
    objective: PretrainingObjective
    schedule: Schedule
    columns: ColumnSampler | None
    accelerator: Accelerator
    batch_size: int | None

    def shape(self, step: int) -> tuple[int, int]:
        """Windows of the whole batch of a step, and their bases."""
        count, aligned, length = batch_shape(
            self.windows, self.objective.config, step, self.schedule.batch, self.columns
        )
        return count + aligned, length

    def share(self, step: int) -> TrainingBatch:
        """What this process learns from."""
        return training_batch(
            self.windows,
            self.objective.config,
            step,
            self.schedule.batch,
            self.columns,
            first=self.accelerator.process_index,
            step=self.accelerator.num_processes,
        )

    def pieces(self, step: int) -> int:
        """Pieces that every process reads its share in: the same number in all of them."""
        rows, length = self.shape(step)
        _, usual = self.shape(0)
        pieces = self.schedule.accumulate
        if self.batch_size is not None:
            most = -(-rows // self.accelerator.num_processes) * length
            pieces = max(pieces, -(-most // (self.batch_size * usual)))
        return min(pieces, rows // self.accelerator.num_processes)

    def check(self) -> None:
        """Refuse batches that cannot be shared out; every other one may have fewer windows."""
        if self.batch_size is not None and self.batch_size < 1:
            raise BudwoodError(
                f"the batch size is {self.batch_size}", where="--batch-size", mend="give 1 or more"
            )
        pieces = self.accelerator.num_processes * self.schedule.accumulate
        rows, length = min(self.shape(number) for number in range(2))
        if rows < pieces:
            raise BudwoodError(
                f"a batch of {rows} windows of {length} bases cannot be cut into {pieces} pieces",
                where=f"{self.accelerator.num_processes} processes, accumulate = {self.schedule.accumulate}",
                mend="raise batch, or lower accumulate or long_window in the recipe",
            )


def train(
    objective: PretrainingObjective,
    windows: Windows,
    schedule: Schedule,
    folder: Path,
    *,
    columns: ColumnSampler | None = None,
    validate: Validation | None = None,
    shard: bool = False,
    accelerator: Accelerator | None = None,
    batch_size: int | None = None,
    show: bool | None = None,
) -> None:
    """Train to the end of the schedule; resumes from the state in ``folder`` where there is one.

    Data, masks and learning rate depend on the step number alone, so a training that was stopped ends in
    the same weights. Under ``torchrun`` or ``accelerate launch`` every process draws its share of a batch;
    the shares together are the batch of one process, and so are the losses up to rounding.

    Parameters
    ----------
    objective
        Network and losses; trained in place.
    windows
        What to learn from.
    schedule
        Steps and rates.
    folder
        Gets ``state``, ``log.jsonl`` with a line per 100 steps and per validation, and ``curve.svg``.
    columns
        Windows cut from alignments.
    validate
        Gives the scores that are logged.
    shard
        Let every process hold a part of the weights and moments (FSDP2) instead of a copy of them.
    accelerator
        Devices; by default those of :func:`budwood.training.loop.accelerator.open_accelerator`.
    batch_size
        Windows of the usual length that a device reads at once, its whole share if None: less memory, the
        same result up to rounding.
    show
        Draw a live line; by default on a terminal.

    Raises
    ------
    BudwoodError
        If the batches cannot be shared out, the saved state is damaged or of another network, or the loss
        stops being a number or rises far above its lowest; the last saved state stays.
    """
    accelerator = accelerator or open_accelerator(schedule.precision)
    work = _Work(windows, objective, schedule, columns, accelerator, batch_size)
    work.check()
    folder.mkdir(parents=True, exist_ok=True)
    state = saved_state(folder / "state")
    done, watch = load_weights(state, objective) if state else (0, DivergenceGuard())
    cost = _seconds_per_base(work)
    module = sharded(objective, accelerator.device) if shard else accelerator.prepare(objective)
    optimisers = build_optimisers(objective, schedule)
    prepared = [accelerator.prepare(optimiser) for optimiser in optimisers]
    if state:
        load_moments(state, optimisers)
    running = _Running(accelerator, objective, module, optimisers, prepared, schedule)
    main = accelerator.is_main_process
    log = TrainingLog(folder / "log.jsonl", schedule, show=show if main else False)
    steps = range(done, schedule.steps)
    for step, batch in zip(steps, prefetched(work.share, steps), strict=True):
        losses = _step(running, batch, work.pieces(step), step, watch, folder)
        rows, length = work.shape(step)
        log.add(step + 1, losses, rows * length, rows * length * cost[length], write=main)
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
    running: _Running, share: TrainingBatch, pieces: int, step: int, watch: DivergenceGuard, folder: Path
) -> dict[str, float]:
    """One optimiser step; returns the losses of the whole batch."""
    accelerator, schedule = running.accelerator, running.schedule
    for optimiser in running.optimisers:
        for group in optimiser.param_groups:
            group["lr"] = group["peak"] * rate(step, schedule)
    running.module.train()
    totals = _totals(running, share)
    world = accelerator.num_processes
    sums: dict[str, torch.Tensor] = {}
    for piece in range(pieces):
        part = share.part(piece, pieces).to(accelerator.device)
        waiting = piece + 1 < pieces
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


def _totals(running: _Running, share: TrainingBatch) -> torch.Tensor:
    """The totals of the whole batch, of which this process has a share."""
    accelerator, counts = running.accelerator, running.objective.counts(share)
    if accelerator.num_processes > 1:
        counts = accelerator.reduce(counts.to(accelerator.device), "sum")
    return counts.clamp(min=1.0).to(torch.float32).to(accelerator.device)


def _seconds_per_base(work: _Work) -> dict[int, float]:
    """What a base would take at the peak of all devices together, by the length of its window."""
    accelerator = work.accelerator
    peak = measured_peak(accelerator.device, work.schedule.precision) * accelerator.num_processes
    lengths = {work.shape(number)[1] for number in range(2)}
    return {length: operations_per_base(work.objective.encoder, length) / peak for length in lengths}
