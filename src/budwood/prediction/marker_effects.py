"""Marker effects of trait models that are linear in the markers.

A sum of linear kernels predicts ``mean + sum_k V_k K_k P y`` with ``K_k = c_k Z diag(w_k) Z'``, which is
``mean + Z a`` with the effects ``a = sum_k V_k c_k diag(w_k) Z' P y`` (Strandén and Garrick 2009, Journal of
Dairy Science 92:2971): exact, no further estimation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.genomics.genotypes import Markers
from budwood.prediction.contract import FittedEstimator
from budwood.prediction.kernels.kernel_model import FittedKernelModel
from budwood.prediction.kernels.marker_model import FittedMarkerModel
from budwood.prediction.kernels.panel_kernels import RELATIONSHIP
from budwood.prediction.kernels.training_lines import TrainingLines
from budwood.prediction.models.bayes_c import SampledEffects
from budwood.prediction.models.elastic_net import MarkerEffects
from budwood.prediction.uncertainty.calibrated import FittedCalibrated
from budwood.prediction.uncertainty.cross_fit_model import FittedCrossFitModel

Vector = NDArray[np.float64]

#: Names of the models that are linear in the markers.
LINEAR_MODELS: Final = ("gblup", "subgenomes", "elastic-net", "bayes-c")


@dataclass(frozen=True, kw_only=True)
class EffectTable:
    """Effects of m markers.

    Attributes
    ----------
    markers
        The markers that the model uses.
    frequency
        (m,) mean relative frequency of the counted allele among the training lines.
    effect
        (m,) change of the predicted value with one more copy of the counted allele.
    mean
        Predicted value of a line with the training lines' mean frequencies.
    ploidy
        Copies per line; the mean of the training lines where they differ.
    """

    markers: Markers
    frequency: Vector
    effect: Vector
    mean: float
    ploidy: float

    def value(self, dosage: NDArray[np.float64]) -> Vector:
        """(c,) predicted values of lines from their (c, m) dosages of the counted alleles; NaN where missing.

        ``mean + sum over markers of effect x (dosage - ploidy x frequency)``; a missing call counts as the
        mean.

        Parameters
        ----------
        dosage
            (c, m) copies of the counted alleles.

        Returns
        -------
        Vector
            (c,) one number for each line.
        """
        centred = np.nan_to_num(dosage - self.ploidy * self.frequency, nan=0.0)
        return np.asarray(self.mean + centred @ self.effect, dtype=np.float64)


def check_linear(name: str) -> None:
    """Refuse a model without marker effects.

    Parameters
    ----------
    name
        Name of the model.

    Raises
    ------
    BudwoodError
        If the model is not linear in the markers.
    """
    if name.partition(":")[0] not in LINEAR_MODELS:
        raise BudwoodError(
            f"model {name!r} has no marker effects: it is not linear in the markers",
            mend=f"choose one of: {', '.join(LINEAR_MODELS)}",
        )


def effects_of(training: TrainingLines, estimator: FittedEstimator) -> EffectTable:
    """Marker effects of a fitted model.

    Parameters
    ----------
    training, estimator
        The training lines, and what the model has learnt from them.

    Returns
    -------
    EffectTable
        Mean, and effect and frequency by marker.

    Raises
    ------
    BudwoodError
        If the model is not linear in the markers.
    """
    if isinstance(estimator, FittedCalibrated):
        estimator = estimator.fitted
    if isinstance(estimator, FittedKernelModel):
        mean, effect = float(estimator.solved.fixed_effects[0]), kernel_effects(training, estimator)
    elif isinstance(estimator, FittedMarkerModel):
        mean, effect = float(estimator.solved.fixed_effects[0]), estimator.solved.effects
    elif isinstance(estimator, FittedCrossFitModel):
        mean, effect = predictor_effects(training, estimator.predictor)
    else:
        raise _not_linear()
    ploidy = training.mean_ploidy
    return EffectTable(
        markers=training.markers,
        frequency=training.frequency,
        effect=effect / ploidy,
        mean=mean,
        ploidy=ploidy,
    )


def kernel_effects(
    training: TrainingLines, fitted: FittedKernelModel, *, without: tuple[str, ...] = ()
) -> Vector:
    """Effects of relative allele frequencies in a sum of linear kernels.

    Parameters
    ----------
    training, fitted
        The training lines, and the fitted kernels.
    without
        Names of kernels that are left out.

    Returns
    -------
    Vector
        (m,) change of the predicted value with one more unit of relative allele frequency.

    Raises
    ------
    BudwoodError
        If another kernel is not linear in the markers.
    """
    solved = fitted.solved
    per_marker = training.centred.T @ solved.projected
    effect = np.zeros(len(per_marker))
    for name, variance in zip(fitted.names, solved.components.kernels, strict=True):
        if name in without:
            continue
        if name != RELATIONSHIP and name not in training.weights:
            raise _not_linear()
        summary = training.weighted_summary(name)
        unit = variance * summary.ploidy / summary.scale
        effect += unit * per_marker * training.weights.get(name, np.ones(1))
    return effect


def predictor_effects(training: TrainingLines, predictor: object) -> tuple[float, Vector]:
    """Mean, and effects of relative allele frequencies, of a linear predictor.

    Parameters
    ----------
    training
        The training lines.
    predictor
        A fitted elastic net or BayesC.

    Returns
    -------
    tuple
        Mean, and (m,) effects.

    Raises
    ------
    BudwoodError
        If the predictor is not linear in the markers.
    """
    if isinstance(predictor, SampledEffects):
        predictor = predictor.effects
    if not isinstance(predictor, MarkerEffects):
        raise _not_linear()
    effect = np.zeros(len(training.markers))
    effect[predictor.columns] = predictor.effects
    return float(predictor.mean - predictor.centre @ predictor.effects), effect


def _not_linear() -> BudwoodError:
    return BudwoodError(
        "the model has no marker effects: it is not linear in the markers",
        mend=f"choose one of: {', '.join(LINEAR_MODELS)}",
    )
