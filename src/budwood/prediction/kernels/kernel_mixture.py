"""Several kernels as one model: the markers' two in a proportion, any others with a variance each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.prediction.kernels.decomposed import compared_likelihood, decomposed
from budwood.prediction.kernels.kernel_model import FittedKernelModel, fitted_kernel_model
from budwood.prediction.kernels.panel_kernels import GAUSSIAN, RELATIONSHIP, PanelKernels
from budwood.stats.mixed_model.band_reml import KernelReml
from budwood.stats.mixed_model.reml import reml
from budwood.stats.mixed_model.variance_components import VarianceComponents
from budwood.stats.relationship.relationship import Rows

Matrix = NDArray[np.float64]
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
        pair, parts, decomposition = self._mixture(kernels, training, y, weights)
        names = (*pair, *kernels.further_kernels)
        if len(names) == 2:
            components = _divided(parts, decomposition.fit(y))
            average = lambda: _divided(parts, decomposition.average(y))  # noqa: E731
            return fitted_kernel_model(kernels, names, training, y, components, weights, average)
        own = [kernels.training_kernel(name, training) for name in names]
        both = parts[0] * own[0] + parts[1] * own[1]
        found = reml(y, [both, *own[2:]], fixed=kernels.fixed(training), weights=weights)
        return fitted_kernel_model(kernels, names, training, y, _divided(parts, found), weights)

    def _mixture(
        self, kernels: PanelKernels, training: Rows, y: Vector, weights: Vector | None
    ) -> tuple[tuple[str, str], tuple[float, float], KernelReml]:
        """The likeliest pair, the multiple of each in the mixture, and the mixture decomposed."""
        fits = []
        for names in self.alternatives:
            first, second = (kernels.spread(name, training) for name in names)
            for share in self.shares:
                parts = (share / first, (1.0 - share) / second)
                label = f"{' + '.join(names)} at {share:g}"
                make = partial(_sum, kernels, names, parts, training)
                value = compared_likelihood(kernels, label, make, training, y, weights)
                fits.append((value, names, parts, label, make))
        _, names, parts, label, make = max(fits, key=lambda fit: fit[0])
        return names, parts, decomposed(kernels, label, make, training, weights)


def _divided(parts: tuple[float, float], found: VarianceComponents) -> VarianceComponents:
    """Variances of the mixture's kernels, and of the others as they are."""
    variances = (*(part * found.kernels[0] for part in parts), *found.kernels[1:])
    return VarianceComponents(variances, found.residual, found.log_likelihood)


def _sum(
    kernels: PanelKernels,
    names: tuple[str, str],
    parts: tuple[float, float],
    training: Rows,
    chosen: Rows | None = None,
) -> Matrix:
    """The mixture between the training rows, or some of them."""
    mixed = parts[0] * kernels.training_kernel(names[0], training, chosen)
    mixed += parts[1] * kernels.training_kernel(names[1], training, chosen)
    return mixed


#: Relationship with a Gaussian kernel of short or long bandwidth.
MULTI_KERNEL: Final = KernelMixture(
    "Multi-kernel", ((RELATIONSHIP, f"{GAUSSIAN}:0.25"), (RELATIONSHIP, f"{GAUSSIAN}:1"))
)
