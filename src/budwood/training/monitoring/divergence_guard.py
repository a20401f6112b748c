"""Stops a training that diverges, before a diverged state is saved."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from budwood.errors import BudwoodError

_SHARE: Final = 0.02
_TOLERANCE: Final = 1.5
_EARLIEST: Final = 100


@dataclass
class DivergenceGuard:
    """A running mean of the loss and the lowest it has been.

    Attributes
    ----------
    steps
        Steps seen.
    mean, lowest
        Exponential mean over some 50 steps and its minimum, from step 100 on.
    """

    steps: int = 0
    mean: float = 0.0
    lowest: float = math.inf

    def check(self, loss: float, gradient: float, step: int, folder: Path) -> None:
        """Take in a step before its update is applied.

        Parameters
        ----------
        loss
            Loss of the batch.
        gradient
            Norm of the gradient.
        step
            Number of the step from 0.
        folder
            Folder of the training, for the message.

        Raises
        ------
        BudwoodError
            If the loss or the gradient is no number, or the running mean has risen to one and a half times
            its lowest; the last saved state is from before.
        """
        if not (math.isfinite(loss) and math.isfinite(gradient)):
            raise self._stop("the loss is no number any more", step, folder)
        self.steps += 1
        self.mean += max(_SHARE, 1 / self.steps) * (loss - self.mean)
        if self.steps < _EARLIEST:
            return
        self.lowest = min(self.lowest, self.mean)
        if self.mean > _TOLERANCE * self.lowest:
            raise self._stop(f"the loss has risen from {self.lowest:.3g} to {self.mean:.3g}", step, folder)

    @staticmethod
    def _stop(what: str, step: int, folder: Path) -> BudwoodError:
        return BudwoodError(
            f"{what} at step {step + 1}; the last good state is kept",
            where=str(folder),
            mend="lower learning_rate in the recipe and start again",
        )
