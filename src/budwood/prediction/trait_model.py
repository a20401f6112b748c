"""The contract of every trait model, and the models that are sums of kernels.

A model is a frozen description; ``fit`` learns from training rows of the predictors and returns something
that predicts any row. Evaluation and prediction know this contract only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from budwood.prediction.kernels.panel_kernels import (
    EMBEDDING_KERNEL,
    GAUSSIAN,
    RELATIONSHIP,
    KernelName,
    PanelKernels,
)
from budwood.stats.mixed_model.blup import Blup, blup
from budwood.stats.mixed_model.fixed_effects import check_kernels, whitened_design
from budwood.stats.mixed_model.reml import reml
from budwood.stats.mixed_model.spectral_reml import SpectralReml, spectral_reml
from budwood.stats.mixed_model.variance_components import VarianceComponents
from budwood.stats.relationship.kernel_scaling import kernel_spread
from budwood.stats.relationship.relationship import Rows

Vector = NDArray[np.float64]

#: Bandwidths of the Gaussian kernel among which the likelihood chooses.
BANDWIDTHS: Final = (0.25, 0.5, 1.0, 2.0, 4.0)


@dataclass(frozen=True)
class Forecast:
    """Predictions of c accessions.

    Attributes
    ----------
    value, standard_error
        (c,) genetic value on the scale of the trait, and the standard error of that estimate.
    reliability
        (c,) squared correlation of predicted and true genetic effect, 0 to 1.
    lower_90, upper_90
        (c,) interval that covers nine in ten observed phenotypes.
    """

    value: Vector
    standard_error: Vector
    reliability: Vector
    lower_90: Vector
    upper_90: Vector


class FittedTraitModel(Protocol):
    """A model that has learnt."""

    @property
    def variance_shares(self) -> Mapping[str, float]:
        """Share of the phenotypic variance by source, ``"residual"`` included; they add up to 1."""

    def predict(self, rows: Rows) -> Forecast:
        """Forecast rows of the predictors; rows do not influence one another."""


class TraitModel(Protocol):
    """A description of a model."""

    @property
    def name(self) -> str:
        """What people call it."""

    def fit(
        self, predictors: PanelKernels, training: Rows, y: Vector, weights: Vector | None = None
    ) -> FittedTraitModel:
        """Learn from the training rows with their trait values and record weights, (len(training),) each."""


@dataclass(frozen=True)
class KernelModel:
    """Sum of kernels with variances by restricted maximum likelihood.

    Attributes
    ----------
    name
        What people call it.
    alternatives
        Sets of kernel names (see :meth:`PanelKernels.kernel`). All are fitted to the training rows and the one
        with the highest restricted likelihood predicts; that is how a bandwidth is chosen.
    """

    name: str
    alternatives: tuple[tuple[str, ...], ...]

    def fit(
        self, predictors: PanelKernels, training: Rows, y: Vector, weights: Vector | None = None
    ) -> FittedKernelModel:
        """Estimate variance components and solve the mixed model."""
        square = np.ix_(training, training)
        fits: list[tuple[VarianceComponents, tuple[str, ...]]] = []
        for names in self.alternatives:
            if len(names) == 1 and weights is None:
                fits.append((_spectrum(predictors, names[0], training).fit(y), names))
                continue
            kernels = [predictors.kernel(name, training)[square] for name in names]
            fits.append((reml(y, kernels, weights=weights), names))
        components, names = max(fits, key=lambda fit: fit[0].log_likelihood)
        kernels = [predictors.kernel(name, training) for name in names]
        solved = blup(y, [kernel[square] for kernel in kernels], components, weights=weights)
        return FittedKernelModel(names, solved, tuple(kernels), training)


def _spectrum(predictors: PanelKernels, name: str, training: Rows) -> SpectralReml:
    """Eigendecomposition of one kernel between the training records, made once for any number of traits."""

    def decompose() -> SpectralReml:
        kernel = predictors.kernel(name, training)[np.ix_(training, training)]
        check_kernels([kernel], len(training))
        return spectral_reml(kernel, whitened_design(len(training)))

    return predictors.recall(f"spectrum {name}", training, decompose)


@dataclass(frozen=True)
class FittedKernelModel:
    """A kernel model that has learnt.

    Attributes
    ----------
    names
        Names of the kernels used.
    solved
        Variance components and solved equations.
    kernels
        (n, n) each, over all rows of the predictors.
    training
        Rows it learnt from.
    """

    names: tuple[str, ...]
    solved: Blup
    kernels: tuple[NDArray[np.float64], ...]
    training: Rows

    @property
    def variance_shares(self) -> dict[str, float]:
        """Share of the expected phenotypic sample variance by source (see :attr:`KernelName.source`)."""
        square = np.ix_(self.training, self.training)
        components = self.solved.components
        parts = {"residual": components.residual}
        for name, variance, kernel in zip(self.names, components.kernels, self.kernels, strict=True):
            source = KernelName.parse(name).source
            parts[source] = parts.get(source, 0.0) + variance * kernel_spread(kernel[square])
        total = sum(parts.values())
        shares = {source: part / total for source, part in parts.items()}
        return {
            **{source: share for source, share in shares.items() if source != "residual"},
            "residual": shares["residual"],
        }

    def predict(self, rows: Rows) -> Forecast:
        """Forecast rows; intervals are Student's with n - 1 degrees of freedom."""
        cross: Sequence[NDArray[np.float64]] = [
            kernel[np.ix_(rows, self.training)] for kernel in self.kernels
        ]
        found = self.solved.predict(cross, [np.diagonal(kernel)[rows] for kernel in self.kernels])
        half = float(stdtrit(len(self.training) - 1, 0.95)) * np.sqrt(found.pev_record)
        return Forecast(
            found.value, np.sqrt(found.pev_value), found.reliability, found.value - half, found.value + half
        )


GBLUP: Final = KernelModel("GBLUP", ((RELATIONSHIP,),))
GAUSSIAN_KERNEL: Final = KernelModel("Gaussian kernel", tuple((f"{GAUSSIAN}:{b:g}",) for b in BANDWIDTHS))
GBLUP_AND_DNA_MODEL: Final = KernelModel("GBLUP + DNA model", ((RELATIONSHIP, EMBEDDING_KERNEL),))
