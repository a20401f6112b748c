"""How long and how fast to learn."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Schedule:
    """Steps, rates and what is kept while learning.

    Attributes
    ----------
    steps, batch
        Optimiser steps and windows per step, over all devices.
    accumulate
        Pieces that every device reads its windows of a step in, one after another: less memory, the same
        result up to rounding.
    learning_rate, matrix_rate, warmup, decay, floor
        Peak rate of AdamW and of Muon (which takes the matrices inside the network), steps to reach
        them, the share of the steps after the warm-up in which they fall, along a cosine, and the share of
        them that is left at the end.
    weight_decay, clip
        Decay of matrices and the largest gradient norm.
    save_every, validate_every, validation_batches
        Steps between saved states and validations, and batches per validation.
    precision
        ``"bf16"`` or ``"no"``.
    """

    steps: int
    batch: int = 16
    accumulate: int = 1
    learning_rate: float = 1e-3
    matrix_rate: float = 0.02
    warmup: int = 300
    decay: float = 1.0
    floor: float = 0.05
    weight_decay: float = 0.05
    clip: float = 1.0
    save_every: int = 500
    validate_every: int = 1000
    validation_batches: int = 16
    precision: str = "bf16"


def rate(step: int, schedule: Schedule) -> float:
    """Share of the peak learning rate at a step: up, level, and down to the floor.

    Parameters
    ----------
    step
        Number of the step from 0.
    schedule
        Steps and rates.

    Returns
    -------
    float
        From 0 to 1.

    Examples
    --------
    >>> schedule = Schedule(steps=110, warmup=10, decay=0.4, floor=0.1)
    >>> [round(rate(step, schedule), 2) for step in (4, 9, 69, 90, 109)]
    [0.5, 1.0, 1.0, 0.55, 0.1]
    """
    if step < schedule.warmup:
        return (step + 1) / schedule.warmup
    falling = schedule.decay * (schedule.steps - schedule.warmup)
    done = max(0.0, (step - (schedule.steps - falling)) / max(1.0, falling))
    return schedule.floor + (1 - schedule.floor) * (1 + math.cos(math.pi * done)) / 2
