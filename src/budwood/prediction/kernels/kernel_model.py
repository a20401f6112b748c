"""Models that are sums of kernels, each with a variance by restricted maximum likelihood."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from budwood.prediction.contract import Forecast, Lines, observation_half
from budwood.prediction.kernels.decomposed import COMPARED, compared_likelihood, decomposed
from budwood.prediction.kernels.panel_kernels import (
    EMBEDDING_KERNEL,
    GAUSSIAN,
    RELATIONSHIP,
    KernelName,
    PanelKernels,
    PanelLines,
)
from budwood.stats.mixed_model.band_reml import KernelReml
from budwood.stats.mixed_model.blup import Blup, blup
from budwood.stats.mixed_model.boundary import PLAUSIBLE, averaged_components, share_of_spreads
from budwood.stats.mixed_model.reml import reml
from budwood.stats.mixed_model.variance_components import VarianceComponents
from budwood.stats.relationship.relationship import Rows

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]

#: Bandwidths of the Gaussian kernel among which the likelihood chooses.
BANDWIDTHS: Final = (0.25, 0.5, 1.0, 2.0, 4.0)


@dataclass(frozen=True)
class KernelModel:
    """Sum of kernels with variances by restricted maximum likelihood.

    Attributes
    ----------
    name
        What people call it.
    alternatives
        Sets of kernel names (see :meth:`PanelKernels.kernel`). All are fitted to the training rows and the
        one with the highest restricted likelihood predicts; that is how a bandwidth is chosen.
    """

    name: str
    alternatives: tuple[tuple[str, ...], ...]

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
        names = self.alternatives[0]
        if len(self.alternatives) > 1:
            tried = [self._likelihood(kernels, each, training, y, weights) for each in self.alternatives]
            names = self.alternatives[int(np.argmax(tried))]
        if len(names) > 1:
            own = [kernels.training_kernel(name, training) for name in names]
            components = reml(y, own, fixed=kernels.fixed(training), weights=weights)
            return fitted_kernel_model(kernels, names, training, y, components, weights)
        found, components = self._estimated(kernels, names[0], training, y, weights)
        average = partial(found.average, y)
        return fitted_kernel_model(kernels, names, training, y, components, weights, average)

    def _estimated(
        self, kernels: PanelKernels, name: str, training: Rows, y: Vector, weights: Vector | None
    ) -> tuple[KernelReml, VarianceComponents]:
        """A kernel decomposed, and its variances.

        Beyond 2,000 records single precision gives five digits or more of the variances of a marker kernel
        in half the time, as long as some of the variance is residual: a small one hangs on the smallest
        eigenvalues. Bandwidths that have been compared often leave none, so it is not tried there.
        """
        make = partial(kernels.training_kernel, name, training)
        if len(y) > COMPARED and len(self.alternatives) == 1 and kernels.relationship is None:
            rough = decomposed(kernels, name, make, training, weights, single=True)
            components = rough.fit(y)
            if share_of_spreads(components, [kernels.spread(name, training)]) <= PLAUSIBLE[1]:
                return rough, components
        found = decomposed(kernels, name, make, training, weights)
        return found, found.fit(y)

    @staticmethod
    def _likelihood(
        kernels: PanelKernels, names: tuple[str, ...], training: Rows, y: Vector, weights: Vector | None
    ) -> float:
        """Largest restricted likelihood of the named kernels."""
        if len(names) == 1:
            make = partial(kernels.training_kernel, names[0], training)
            return compared_likelihood(kernels, names[0], make, training, y, weights)
        own = [kernels.training_kernel(name, training) for name in names]
        return reml(y, own, fixed=kernels.fixed(training), weights=weights).log_likelihood


def fitted_kernel_model(
    kernels: PanelKernels,
    names: tuple[str, ...],
    training: Rows,
    y: Vector,
    components: VarianceComponents,
    weights: Vector | None,
    averaged: Callable[[], VarianceComponents] | None = None,
) -> FittedKernelModel:
    """Solve the mixed model of the named kernels at given variance components.

    Parameters
    ----------
    kernels
        The panel as models see it.
    names
        Of the kernels, in the order of ``components``.
    training, y
        (n,) rows of the panel, trait values and record weights.
    components
        Variances of the kernels and of the residual.
    weights
        (n,) rows of the panel, trait values and record weights.
    averaged
        Makes the components' mean over the likelihood, where that is cheaper than from the kernels.

    Returns
    -------
    FittedKernelModel
        The fitted model.
    """
    own = [kernels.training_kernel(name, training) for name in names]
    fixed = kernels.fixed(training)
    spreads = [kernels.spread(name, training, kernel) for name, kernel in zip(names, own, strict=True)]
    share = share_of_spreads(components, spreads)
    average: VarianceComponents | None = None
    notes: tuple[str, ...] = ()
    if not PLAUSIBLE[0] <= share <= PLAUSIBLE[1]:
        if averaged is not None:
            average = averaged()
        else:
            average = averaged_components(y, own, components, fixed=fixed, weights=weights)
        notes = _boundary_notes(share, share_of_spreads(average, spreads), len(y))
        if share > PLAUSIBLE[1]:
            components, average = average, None
    solved = blup(y, own, components, fixed=fixed, weights=weights)
    shares = _shares(names, components, spreads)
    return FittedKernelModel(names, solved, shares, average, notes)


def _boundary_notes(estimate: float, average: float, records: int) -> tuple[str, ...]:
    sentence = (
        f"Restricted maximum likelihood puts the genetic share of the variance at {estimate:.2f}, which "
        f"{records:,} phenotyped lines cannot show; the mean over the likelihood, {average:.2f}, "
    )
    if estimate > PLAUSIBLE[1]:
        return (f"{sentence}is used for predictions and standard errors.",)
    return (f"{sentence}is used for standard errors.",)


def _shares(names: tuple[str, ...], components: VarianceComponents, spreads: list[float]) -> dict[str, float]:
    """Share of the expected phenotypic sample variance by source (see :attr:`KernelName.source`)."""
    parts: dict[str, float] = {}
    for name, variance, spread in zip(names, components.kernels, spreads, strict=True):
        source = KernelName.parse(name).source
        parts[source] = parts.get(source, 0.0) + variance * spread
    parts["residual"] = components.residual
    total = sum(parts.values())
    return {source: part / total for source, part in parts.items()}


@dataclass(frozen=True)
class FittedKernelModel:
    """A kernel model that has learnt.

    Attributes
    ----------
    names
        Names of the kernels used.
    solved
        Variance components and solved equations of the n training records.
    variance_shares
        Share of the phenotypic variance by source.
    average
        Variance components over the likelihood, where the estimate finds hardly any genetic variance; None
        elsewhere.
    notes
        Sentences about the variance components.
    """

    names: tuple[str, ...]
    solved: Blup
    variance_shares: Mapping[str, float]
    average: VarianceComponents | None = None
    notes: tuple[str, ...] = ()

    def predict(self, lines: Lines) -> Forecast:
        """Forecast lines at the mean of the covariates; intervals are Student's with n - q degrees.

        Parameters
        ----------
        lines
            c lines as a fitted model sees them.

        Returns
        -------
        Forecast
            (c,) values, standard errors and intervals.
        """
        if not isinstance(lines, PanelLines):
            return self._forecast(lines)
        # The errors of other models have the shape of GBLUP's on the same lines.
        variances = [*self.solved.components.kernels, self.solved.components.residual]
        if self.average is not None:
            variances += self.average.kernels
        given = (lines.rows, self.solved.projected, np.array(variances))
        name = f"forecast {' + '.join(self.names)}"
        return lines.kernels.recall_for(name, lines.training, given, partial(self._forecast, lines))

    def _forecast(self, lines: Lines) -> Forecast:
        """Values, standard errors and intervals of lines."""
        own = [lines.own(name) for name in self.names]
        effects = len(self.solved.fixed_effects)
        mean_covariates = np.zeros((len(lines), effects))
        mean_covariates[:, 0] = 1.0
        cross = [lines.cross(name) for name in self.names]
        found = self.solved.predict(cross, own, fixed=mean_covariates)
        error = np.sqrt(found.pev_value)
        if self.average is not None:
            # Hardly any genetic variance was found, but some may be there: it is all unexplained.
            hidden = sum(v * each for v, each in zip(self.average.kernels, own, strict=True))
            mean = float(self.solved.fixed_covariance[0, 0])
            error = np.maximum(error, np.sqrt((1.0 - found.reliability) * hidden + mean))
        half = float(stdtrit(len(self.solved.projected) - effects, 0.95)) * np.sqrt(found.pev_record)
        half = observation_half(half, error)
        return Forecast(found.value, error, found.reliability, found.value - half, found.value + half)

    def point_predictor(self) -> KernelEffects:
        """The predicted values alone, which need none of the solved equations but their right-hand sides.

        Returns
        -------
        KernelEffects
            Effects of the training lines.
        """
        return KernelEffects(
            self.names,
            self.solved.components.kernels,
            float(self.solved.fixed_effects[0]),
            self.solved.projected,
        )


@dataclass(frozen=True)
class KernelEffects:
    """A sum of kernels as a point predictor.

    Attributes
    ----------
    names, variances
        Kernels and their variances.
    mean
        Fixed mean.
    projected
        (n,) P y of the mixed model: a line's value is ``mean + sum_k V_k K_k P y``.
    """

    names: tuple[str, ...]
    variances: tuple[float, ...]
    mean: float
    projected: Vector

    def value(self, lines: Lines) -> Vector:
        """(c,) predicted values.

        Parameters
        ----------
        lines
            c lines as a fitted model sees them.

        Returns
        -------
        Vector
            (c,) one number for each line.
        """
        found = np.full(len(lines), self.mean)
        for name, variance in zip(self.names, self.variances, strict=True):
            found += variance * (lines.cross(name) @ self.projected)
        return found


GBLUP: Final = KernelModel("GBLUP", ((RELATIONSHIP,),))
GAUSSIAN_KERNEL: Final = KernelModel("Gaussian kernel", tuple((f"{GAUSSIAN}:{b:g}",) for b in BANDWIDTHS))
GBLUP_AND_DNA_MODEL: Final = KernelModel("GBLUP + DNA model", ((RELATIONSHIP, EMBEDDING_KERNEL),))


def fitted_gblup(
    kernels: PanelKernels, training: Rows, y: Vector, weights: Vector | None = None
) -> FittedKernelModel:
    """:data:`GBLUP` of a training set; the last one is kept for all models that rest on it.

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
    make = partial(GBLUP.fit, kernels, training, y, weights)
    return kernels.recall_for("GBLUP", training, (y, weights), make)
