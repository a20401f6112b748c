"""GBLUP of large training sets: marker effects by products with blocks of markers, no matrix of the lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from budwood.prediction.contract import Forecast, Lines, observation_half
from budwood.prediction.kernels.panel_kernels import RELATIONSHIP, PanelKernels
from budwood.stats.evaluation.conformal import conformal_quantile
from budwood.stats.evaluation.splitters import Folds
from budwood.stats.matrix_free.marker_blup import MarkerBlup, marker_blup, marker_blups
from budwood.stats.matrix_free.stochastic_reml import StochasticReml, stochastic_reml
from budwood.stats.matrix_free.whitened_relationship import WhitenedRelationship
from budwood.stats.mixed_model.boundary import PLAUSIBLE
from budwood.stats.mixed_model.fixed_effects import independent_columns, whitened_design
from budwood.stats.mixed_model.variance_components import VarianceComponents
from budwood.stats.relationship.relationship import Rows

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]

#: Random probes of the restricted likelihood, and samples for the error variances.
_PROBES: Final = 32
_SAMPLES: Final = 64
#: Most lines held out to set the width of intervals, and samples for their error variances.
_HELD_OUT: Final = 1_000
_HELD_OUT_SAMPLES: Final = 32


@dataclass(frozen=True)
class FittedMarkerModel:
    """GBLUP that has learnt marker effects.

    Attributes
    ----------
    names
        The relationship.
    solved
        Variance components and solved equations.
    variance_shares
        Share of the phenotypic variance by source.
    records
        Number of training records.
    hidden_variance
        Genetic variance over the likelihood, where the estimate finds hardly any; 0 elsewhere.
    notes
        Sentences on the engine, its Monte Carlo errors and the variance components.
    interval_factor
        What half of the model's 90 % interval is multiplied by.
    """

    names: tuple[str, ...]
    solved: MarkerBlup
    variance_shares: Mapping[str, float]
    records: int
    hidden_variance: float
    notes: tuple[str, ...]
    interval_factor: float = 1.0

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
        solved, own = self.solved, lines.own(RELATIONSHIP)
        effects = len(solved.fixed_effects)
        mean_covariates = np.zeros((len(lines), effects))
        mean_covariates[:, 0] = 1.0
        found = solved.predict(
            lines.marker_products, own, lines.unknown_squares(), lines.known_position, fixed=mean_covariates
        )
        error = np.sqrt(found.pev_value)
        if self.hidden_variance > 0.0:
            # Hardly any genetic variance was found, but some may be there: it is all unexplained.
            hidden = (1.0 - found.reliability) * self.hidden_variance * own
            error = np.maximum(error, np.sqrt(hidden + float(solved.fixed_covariance[0, 0])))
        half = self.interval_factor * self.quantile * np.sqrt(found.pev_record)
        half = observation_half(half, error)
        return Forecast(found.value, error, found.reliability, found.value - half, found.value + half)

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
        effect = lines.marker_products(self.solved.effects[:, None], exact=True)[:, 0]
        position = lines.known_position
        known = position >= 0
        effect[known] = self.solved.training_effect[position[known]]
        return np.asarray(effect + self.solved.fixed_effects[0], dtype=np.float64)

    def expected_error(
        self, kernels: PanelKernels, training: Rows, chosen: Rows, weights: Vector | None
    ) -> Vector:
        """(c,) standard errors of some of the training records, were they new ones.

        Parameters
        ----------
        kernels, training
            What the model was fitted to.
        chosen
            (c,) numbers of training records.
        weights
            (n,) record weights; None for equal ones.

        Returns
        -------
        Vector
            (c,) in units of the records.
        """
        markers = kernels.centred_markers(training[chosen], training)
        own, unknown = markers.squares * markers.unit, markers.missing_squares * markers.unit
        fixed = np.zeros((len(chosen), len(self.solved.fixed_effects)))
        fixed[:, 0] = 1.0
        new = np.full(len(chosen), -1, dtype=np.intp)
        found = self.solved.predict(markers.times, own, unknown, new, fixed=fixed)
        w = np.ones(len(chosen)) if weights is None else weights[chosen]
        return np.asarray(np.sqrt(found.pev_value + self.solved.components.residual / w), dtype=np.float64)

    def held_out(
        self, kernels: PanelKernels, training: Rows, y: Vector, folds: Folds, weights: Vector | None
    ) -> Vector:
        """(n,) prediction of each record from the other folds, with the same variances.

        Parameters
        ----------
        kernels, training, y
            What the model was fitted to.
        folds
            (n,) fold of each record.
        weights
            (n,) record weights; None for equal ones.

        Returns
        -------
        Vector
            (n,) in units of the records.
        """
        found = np.zeros(len(y))
        fixed = kernels.fixed(training)
        fixed = np.ones((len(y), 1)) if fixed is None else fixed
        for fold in np.unique(folds):
            rest, held = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
            own = fixed[:, independent_columns(fixed[rest])]
            design = whitened_design(len(rest), own[rest], None if weights is None else weights[rest])
            relationship = WhitenedRelationship(kernels.ranged_markers(training[rest], training), design)
            solved = marker_blup(relationship, y[rest], self.solved.components, samples=0)
            markers = kernels.centred_markers(training[held], training)
            effect = markers.times(solved.effects[:, None], exact=True)[:, 0]
            found[held] = own[held] @ solved.fixed_effects + effect
        return found

    @property
    def quantile(self) -> float:
        """What a standard error of a record is multiplied by to be half of its 90 % interval."""
        return float(stdtrit(self.records - len(self.solved.fixed_effects), 0.95))


def calibrated_models(
    models: Sequence[FittedMarkerModel],
    kernels: PanelKernels,
    training: Rows,
    y: Matrix,
    weights: Vector | None,
    seed: int,
) -> tuple[FittedMarkerModel, ...]:
    """Models with intervals as wide as errors on held-out training lines ask for.

    A tenth of the training lines, 1,000 at most, are predicted from the others at the same variance
    components; the 90 % quantile of their errors sets the width (split conformal prediction).

    Parameters
    ----------
    models
        Of t traits.
    kernels, training, y, weights
        What the models were fitted to: :func:`fit_marker_models`.
    seed
        Of the lines that are held out.

    Returns
    -------
    tuple of FittedMarkerModel
        With another factor and a note.
    """
    n = len(y)
    held = np.sort(np.random.default_rng([seed, n]).choice(n, min(n // 10, _HELD_OUT), replace=False))
    rest = np.setdiff1d(np.arange(n), held)
    fixed = kernels.fixed(training)
    fixed = np.ones((n, 1)) if fixed is None else fixed
    fixed = fixed[:, independent_columns(fixed[rest])]
    weights = np.ones(n) if weights is None else weights
    design = whitened_design(len(rest), fixed[rest], weights[rest])
    relationship = WhitenedRelationship(kernels.ranged_markers(training[rest], training), design)
    components = [model.solved.components for model in models]
    solved = marker_blups(relationship, y[rest], components, samples=_HELD_OUT_SAMPLES, seed=seed)
    markers = kernels.centred_markers(training[held], training)
    own, unknown = markers.squares * markers.unit, markers.missing_squares * markers.unit
    new = np.full(len(held), -1, dtype=np.intp)
    found = []
    for trait, (model, each) in enumerate(zip(models, solved, strict=True)):
        expected = each.predict(markers.times, own, unknown, new, fixed=fixed[held])
        half = model.quantile * np.sqrt(expected.pev_value + each.components.residual / weights[held])
        factor = conformal_quantile(np.abs(y[held, trait] - expected.value) / half)
        note = (
            f"The 90 % intervals are {factor:.2f} times as wide as the model's own, as errors on "
            f"{len(held):,} held-out lines ask for; they are not widened further for lines far from the "
            "phenotyped ones."
        )
        found.append(replace(model, interval_factor=factor, notes=(*model.notes, note)))
    return tuple(found)


def fit_marker_model(
    kernels: PanelKernels, training: Rows, y: Vector, weights: Vector | None = None
) -> FittedMarkerModel:
    """Estimate variance components and marker effects of a training set of any size.

    Parameters
    ----------
    kernels
        The panel as models see it; its relationship is that of its markers.
    training
        (n,) rows of the training lines in the panel.
    y
        (n,) trait values of the training lines.
    weights
        (n,) weights of the trait values, None for equal ones.

    Returns
    -------
    FittedMarkerModel
        The fitted model.
    """
    return fit_marker_models(kernels, training, y[:, None], weights)[0]


def fit_marker_models(
    kernels: PanelKernels, training: Rows, y: Matrix, weights: Vector | None = None
) -> tuple[FittedMarkerModel, ...]:
    """The models of several traits of the same lines, from the same passes over the markers.

    Parameters
    ----------
    kernels, training
        As for :func:`fit_marker_model`.
    y
        (n, t) values of t traits.
    weights
        (n,) weights of the trait values, the same for all traits; None for equal ones.

    Returns
    -------
    tuple of FittedMarkerModel
        As each trait alone would have it, but for the Monte Carlo error of its variance components.
    """
    design = whitened_design(len(training), kernels.fixed(training), weights)
    relationship = WhitenedRelationship(kernels.ranged_markers(training, training), design)
    estimates, space = stochastic_reml(relationship, y, probes=_PROBES)
    # Shares of the whitened contrasts, as shares of the variance of a record of weight 1.
    size = relationship.markers.spread / (relationship.mean_eigenvalue or 1.0)
    used = [_Used.of(found, size) for found in estimates]
    components = [each.components for each in used]
    solved = marker_blups(relationship, y, components, space=space, samples=_SAMPLES)
    return tuple(
        FittedMarkerModel(
            names=(RELATIONSHIP,),
            solved=blup,
            variance_shares={RELATIONSHIP: each.share, "residual": 1.0 - each.share},
            records=len(y),
            hidden_variance=each.hidden_variance,
            notes=(_engine_note(found, blup, y.shape, size), *each.notes),
        )
        for found, each, blup in zip(estimates, used, solved, strict=True)
    )


@dataclass(frozen=True, kw_only=True)
class _Used:
    """What is made of the estimates of a trait: at their limits, the mean over the likelihood."""

    components: VarianceComponents
    share: float
    hidden_variance: float = 0.0
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, found: StochasticReml, size: float) -> _Used:
        share, average = (_of_records(x, size) for x in (found.share, found.average_share))
        if share > PLAUSIBLE[1]:
            note = _boundary_note(share, average, "predictions and standard errors")
            return cls(components=found.average, share=average, notes=(note,))
        if share < PLAUSIBLE[0]:
            note, hidden = _boundary_note(share, average, "standard errors"), found.average.kernels[0]
            return cls(components=found.components, share=share, hidden_variance=hidden, notes=(note,))
        return cls(components=found.components, share=share)


def _of_records(share: float, size: float) -> float:
    return size * share / (size * share + 1.0 - share)


def _engine_note(found: StochasticReml, solved: MarkerBlup, shape: tuple[int, ...], size: float) -> str:
    records, traits = shape
    share, slope = _of_records(found.share, size), size / (size * found.share + 1.0 - found.share) ** 2
    errors, together = "", f" for {traits} traits together" if traits > 1 else ""
    if np.isfinite(found.standard_error):
        errors = (
            f" has a standard error of {slope * found.standard_error:.3f}, with a Monte Carlo error of "
            f"{slope * found.monte_carlo_error:.3f} from {_PROBES} probes"
        )
    return (
        f"{records:,} phenotyped lines were analysed by the engine for large panels: marker effects by "
        f"conjugate gradients, {found.passes + solved.passes} passes over the markers{together}, relative "
        f"residual {solved.residual:.0e}. The genetic share of the variance, {share:.3f},"
        f"{errors or ' is at its limit'}. Standard errors of predictions have a Monte Carlo error of about "
        f"{solved.monte_carlo_error:.0%} from {_SAMPLES} samples."
    )


def _boundary_note(share: float, average: float, use: str) -> str:
    return (
        f"Restricted maximum likelihood puts the genetic share of the variance at {share:.2f}; the mean over "
        f"the likelihood, {average:.2f}, is used for {use}."
    )
