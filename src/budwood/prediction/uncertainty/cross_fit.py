"""Point predictors that also say what they predict for training records they have not seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from budwood.prediction.kernels.panel_kernels import PanelKernels
from budwood.prediction.kernels.thinning import evenly_spaced
from budwood.prediction.trait_model import TraitModel
from budwood.prediction.uncertainty.inner_folds import TrainingKernels, held_out_forecast
from budwood.stats.evaluation.splitters import Folds
from budwood.stats.relationship.relationship import Rows

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class TrainingSet:
    """What a predictor learns from.

    Attributes
    ----------
    predictors
        The whole panel.
    rows
        (n,) training rows of it.
    y, folds
        (n,) trait values and inner folds.
    weights
        (n,) record weights, or None for equal ones.
    """

    predictors: PanelKernels
    rows: Rows
    y: Vector
    folds: Folds
    weights: Vector | None = None

    def markers(self, most: int) -> NDArray[np.float64]:
        """(panel, at most ``most``) centred allele frequencies of evenly spaced markers."""
        features = self.predictors.markers(self.rows)
        return features[:, evenly_spaced(features.shape[1], most)]

    def weights_of(self, chosen: Rows) -> Vector | None:
        """Record weights of some of the training rows."""
        return None if self.weights is None else self.weights[chosen]


@dataclass(frozen=True)
class CrossFit:
    """A predictor that has learnt.

    Attributes
    ----------
    held_out
        (n,) prediction of each training record by a fit without it: inner folds, or out of bag.
    value
        Prediction of any rows of the panel by the fit to all training records.
    """

    held_out: Vector
    value: Callable[[Rows], Vector]


class CrossFitter(Protocol):
    """A description of a point predictor."""

    def cross_fit(self, training: TrainingSet) -> CrossFit:
        """Learn from the training set."""


@dataclass(frozen=True)
class KernelFitter:
    """A kernel model as a point predictor."""

    model: TraitModel

    def cross_fit(self, training: TrainingSet) -> CrossFit:
        """Fit to all training records, and in the inner folds."""
        inner = TrainingKernels(training.predictors, training.rows)
        held_out = held_out_forecast(self.model, inner, training.y, training.folds, training.weights)
        fitted = self.model.fit(training.predictors, training.rows, training.y, training.weights)
        return CrossFit(held_out.value, lambda rows: fitted.predict(np.asarray(rows)).value)
