"""Several kernels as one model: the markers' two in a proportion, any others with a variance each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.prediction.kernels.kernel_model import FittedKernelModel, fitted_kernel_model
from budwood.prediction.kernels.panel_kernels import GAUSSIAN, RELATIONSHIP, PanelKernels
from budwood.stats.mixed_model.reml import reml
from budwood.stats.mixed_model.variance_components import VarianceComponents
from budwood.stats.relationship.kernel_scaling import kernel_spread
from budwood.stats.relationship.relationship import Rows

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class KernelMixture:
    """Restricted maximum likelihood of two kernels' variances on a grid of their proportions.

    A grid needs one eigendecomposition for each proportion, always settles where kernels nearly repeat one
    another, and keeps small training sets from giving one of two near twins everything. Where the panel has
    further kernels (embedding, function-weighted, subgenomes), each has a variance of its own beside the
    mixture, by restricted maximum likelihood.

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
        self, kernels: PanelKernels, training: Rows, y: Vector, weights: Vector | None = None
    ) -> FittedKernelModel:
        """Estimate variance components and solve the mixed model.

        Parameters
        ----------
        kernels
            The panel as models see it.
        training
            (n,) rows of the training lines in the panel.
        y
            (n,) trait values of the training lines.
        weights
            (n,) weights of the trait values, None for equal ones.

        Returns
        -------
        FittedKernelModel
            The fitted model.
        """
        square = np.ix_(training, training)
        pair, parts, found = self._mixture(kernels, training, y, weights)
        names = (*pair, *kernels.further_kernels)
        own = [kernels.kernel(name, training)[square] for name in names]
        if len(own) > 2:
            both = parts[0] * own[0] + parts[1] * own[1]
            found = reml(y, [both, *own[2:]], fixed=kernels.fixed(training), weights=weights)
        variances = (*(part * found.kernels[0] for part in parts), *found.kernels[1:])
        components = VarianceComponents(variances, found.residual, found.log_likelihood)
        return fitted_kernel_model(kernels, names, training, y, components, weights)

    def _mixture(
        self, kernels: PanelKernels, training: Rows, y: Vector, weights: Vector | None
    ) -> tuple[tuple[str, str], tuple[float, float], VarianceComponents]:
        """The likeliest pair, the multiple of each in the mixture, and the mixture's variances."""
        square = np.ix_(training, training)
        fits, fixed = [], kernels.fixed(training)
        for names in self.alternatives:
            first, second = (kernels.kernel(name, training)[square] for name in names)
            for share in self.shares:
                parts = (share / kernel_spread(first), (1.0 - share) / kernel_spread(second))
                both = parts[0] * first + parts[1] * second
                fits.append((names, parts, reml(y, [both], fixed=fixed, weights=weights)))
        return max(fits, key=lambda fit: fit[2].log_likelihood)


#: Relationship with a Gaussian kernel of short or long bandwidth.
MULTI_KERNEL: Final = KernelMixture(
    "Multi-kernel", ((RELATIONSHIP, f"{GAUSSIAN}:0.25"), (RELATIONSHIP, f"{GAUSSIAN}:1"))
)
