"""The log of a training: a line of JSON per 100 steps and per validation."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Final

from budwood.training.monitoring.live_line import LiveLine
from budwood.training.recipe.schedule import Schedule

_EVERY: Final = 100


class TrainingLog:
    """Mean losses of every 100 steps, with bases per second and their share of the machine's peak.

    Parameters
    ----------
    path
        File of JSON lines, which is added to.
    schedule
        Tells the number of steps.
    show
        Draw a live line; by default on a terminal.
    """

    def __init__(self, path: Path, schedule: Schedule, *, show: bool | None = None) -> None:
        self.path = path
        self._schedule = schedule
        self._line = LiveLine(schedule.steps, show=show)
        self._sums: dict[str, float] = {}
        self._steps = self._bases = 0
        self._least = 0.0
        self._begun = time.perf_counter()

    def add(
        self, step: int, losses: dict[str, float], bases: int, least_seconds: float, *, write: bool = True
    ) -> None:
        """Take in a step.

        Parameters
        ----------
        step
            Its number from 1.
        losses
            Of the whole batch.
        bases
            Bases of the whole batch.
        least_seconds
            What the step would take at the peak of all devices; a base of a long window costs more.
        write
            Add a line to the file when one is due.
        """
        for name, value in losses.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        self._steps += 1
        self._bases += bases
        self._least += least_seconds
        if step % _EVERY and step != self._schedule.steps:
            return
        means = {name: value / self._steps for name, value in self._sums.items()}
        seconds = time.perf_counter() - self._begun
        speed, share = self._bases / seconds, self._least / seconds
        if write:
            self.write(step, means | {"bases_per_second": speed, "share_of_peak": share}, kind="training")
        left = (self._schedule.steps - step) * bases / speed
        self._line.tell(step, means, speed, share, left)
        self._sums, self._steps, self._bases, self._least = {}, 0, 0, 0.0
        self._begun = time.perf_counter()

    def write(self, step: int, values: dict[str, float], *, kind: str) -> None:
        """Add a line to the file.

        Parameters
        ----------
        step
            Steps done.
        values
            Numbers by name; five digits after the point are kept.
        kind
            ``training`` or ``validation``.
        """
        rounded = {name: round(value, 5) for name, value in values.items()}
        with self.path.open("a", encoding="utf-8") as handle:
            handle.write(json.dumps({"step": step, "kind": kind, **rounded}) + "\n")

    def close(self) -> None:
        """Leave the live line."""
        self._line.close()
