"""What a training will cost, measured before it starts."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from budwood.model.encoder import BudwoodEncoder
from budwood.training.monitoring.speed import bases_per_second, measured_peak, operations_per_base
from budwood.training.recipe.recipe import Recipe


@dataclass(frozen=True)
class TrainingCost:
    """Cost of a training, measured before it starts.

    Attributes
    ----------
    parameters
        Trained numbers of the encoder.
    bases
        Bases that the training reads.
    bases_per_second
        Speed of one process.
    share_of_peak
        Share of the device's peak speed, 0 to 1.
    hours
        Time in one process.
    state_megabytes
        Size of a saved state on disk; twice that is needed while one replaces another.
    """

    parameters: int
    bases: int
    bases_per_second: float
    share_of_peak: float
    hours: float
    state_megabytes: float

    def sentence(self, name: str) -> str:
        """The cost in words.

        Parameters
        ----------
        name
            Name of the recipe.

        Returns
        -------
        str
            One sentence without a full stop.
        """
        return (
            f"{name}: {self.parameters / 1e6:.1f} M parameters, {self.bases / 1e6:.0f} M bases to see; about "
            f"{self.hours:.1f} h in one process at {self.bases_per_second:,.0f} bases/s "
            f"({self.share_of_peak:.0%} of this device's peak), measured now; "
            f"{2 * self.state_megabytes:.0f} MB on disk"
        )


def training_cost(recipe: Recipe, encoder: BudwoodEncoder, device: torch.device) -> TrainingCost:
    """Measure a few steps of a recipe's network on a device.

    Parameters
    ----------
    recipe
        Gives lengths of windows, batch and steps.
    encoder
        The network; it is moved to the device.
    device
        What to measure.

    Returns
    -------
    TrainingCost
        Measured cost.
    """
    schedule, sampler = recipe.schedule, recipe.sampler
    torch.nn.Module.to(encoder, device)
    # Batches of long windows take turns with the others and have as many bases.
    shapes = dict.fromkeys(sampler.shape(number, schedule.batch) for number in range(2))
    seconds = operations = 0.0
    for windows, length in shapes:
        rows = max(1, windows // schedule.accumulate)
        seconds += 1 / bases_per_second(encoder, length, rows, schedule.precision) / len(shapes)
        operations += operations_per_base(encoder, length) / len(shapes)
    parameters = sum(p.numel() for p in encoder.parameters())
    bases = schedule.steps * schedule.batch * sampler.window
    peak = measured_peak(device, schedule.precision)
    share = operations / seconds / peak
    # Weights and at most two moments of each, in single precision.
    megabytes = 12 * parameters / 1e6
    return TrainingCost(parameters, bases, 1 / seconds, share, bases * seconds / 3600, megabytes)
