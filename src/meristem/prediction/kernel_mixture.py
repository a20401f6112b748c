"""Several kernels in fixed proportions, the likelihood choosing among proportions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from meristem.prediction.predictors import GAUSSIAN, RELATIONSHIP, Predictors
from meristem.prediction.trait_model import FittedKernelModel
from meristem.stats.blup import blup
from meristem.stats.centring import kernel_spread
from meristem.stats.components import VarianceComponents
from meristem.stats.relationship import Rows
from meristem.stats.reml import reml

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class KernelMixture:
    """Restricted maximum likelihood of two kernels' variances on a grid of their proportions.

    A grid needs one eigendecomposition for each proportion, always settles where kernels nearly repeat one
    another, and keeps small training sets from giving one of two near twins everything.

    Attributes
    ----------
    name
        What people call it.
    alternatives
        Pairs of kernel names; the pair with the highest likelihood predicts.
    shares
        The first kernel's share of the genetic variance expected among the training accessions.
    """

    name: str
    alternatives: tuple[tuple[str, str], ...]
    shares: tuple[float, ...] = (0.25, 0.5, 0.75)

    def fit(
        self, predictors: Predictors, training: Rows, y: Vector, weights: Vector | None = None
    ) -> FittedKernelModel:
        """Estimate variance components and solve the mixed model."""
        square = np.ix_(training, training)
        fits: list[tuple[VarianceComponents, tuple[str, str]]] = []
        for names in self.alternatives:
            first, second = (predictors.kernel(name, training)[square] for name in names)
            for share in self.shares:
                parts = (share / kernel_spread(first), (1.0 - share) / kernel_spread(second))
                found = reml(y, [parts[0] * first + parts[1] * second], weights=weights)
                variances = tuple(part * found.kernels[0] for part in parts)
                fits.append((VarianceComponents(variances, found.residual, found.log_likelihood), names))
        components, names = max(fits, key=lambda fit: fit[0].log_likelihood)
        kernels = tuple(predictors.kernel(name, training) for name in names)
        solved = blup(y, [kernel[square] for kernel in kernels], components, weights=weights)
        return FittedKernelModel(names, solved, kernels, training)


#: Relationship with a Gaussian kernel of short or long bandwidth.
MULTI_KERNEL: Final = KernelMixture(
    "Multi-kernel", ((RELATIONSHIP, f"{GAUSSIAN}:0.25"), (RELATIONSHIP, f"{GAUSSIAN}:1"))
)
