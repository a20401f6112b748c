"""What a training will cost, measured before it starts."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from budwood.model.encoder import BudwoodEncoder
from budwood.training.monitoring.speed import bases_per_second, measured_peak, operations_per_base
from budwood.training.recipe.recipe import Recipe


@dataclass(frozen=True)
class TrainingCost:
    """Parameters, bases to see, measured bases per second of one process, its share of the peak, hours.

    ``state_megabytes`` is what a saved state takes on disk; twice that is needed while one replaces another.
    """

    parameters: int
    bases: int
    bases_per_second: float
    share_of_peak: float
    hours: float
    state_megabytes: float

    def sentence(self, name: str) -> str:
        """The cost in words."""
        return (
            f"{name}: {self.parameters / 1e6:.1f} M parameters, {self.bases / 1e6:.0f} M bases to see; about "
            f"{self.hours:.1f} h in one process at {self.bases_per_second:,.0f} bases/s "
            f"({self.share_of_peak:.0%} of this device's peak), measured now; "
            f"{2 * self.state_megabytes:.0f} MB on disk"
        )


def training_cost(recipe: Recipe, encoder: BudwoodEncoder, device: torch.device) -> TrainingCost:
    """Measure a few steps of the recipe's network on this device."""
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
