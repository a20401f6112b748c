"""Point predictors that also predict the training records they have not seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from budwood.prediction.contract import Lines
from budwood.prediction.kernels.dense_limit import is_large
from budwood.prediction.kernels.kernel_mixture import KernelMixture
from budwood.prediction.kernels.kernel_model import GBLUP, FittedKernelModel, KernelModel
from budwood.prediction.kernels.landmark_model import fit_landmarks
from budwood.prediction.kernels.marker_model import FittedMarkerModel, fit_marker_model
from budwood.prediction.kernels.panel_kernels import PanelKernels
from budwood.prediction.kernels.thinning import evenly_spaced
from budwood.prediction.uncertainty.inner_folds import (
    HeldOut,
    TrainingKernels,
    held_out_forecast,
    held_out_solved,
)
from budwood.stats.evaluation.splitters import Folds
from budwood.stats.relationship.relationship import Rows

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]


@dataclass(frozen=True)
class TrainingSet:
    """What a predictor learns from.

    Attributes
    ----------
    kernels
        The whole panel.
    rows
        (n,) training rows of it.
    y, folds
        (n,) trait values and inner folds.
    weights
        (n,) record weights, or None for equal ones.
    gblup, gblup_held_out
        GBLUP of these records and its held-out predictions by algebra, where they have been made.
    marker_model
        GBLUP of large training sets, where it has been fitted.
    """

    kernels: PanelKernels
    rows: Rows
    y: Vector
    folds: Folds
    weights: Vector | None = None
    gblup: FittedKernelModel | None = None
    gblup_held_out: HeldOut | None = None
    marker_model: FittedMarkerModel | None = None

    def markers(self) -> Matrix:
        """(n, m) centred allele frequencies of the training lines.

        Returns
        -------
        Matrix
            The matrix of the summary line.
        """
        return self.kernels.training_markers(self.rows)

    def columns(self, most: int) -> Rows:
        """At most ``most`` evenly spaced markers.

        Parameters
        ----------
        most
            Largest number of markers.

        Returns
        -------
        Rows
            Numbers of the markers.
        """
        return evenly_spaced(self.kernels.markers(self.rows).shape[1], most)

    def weights_of(self, chosen: Rows) -> Vector | None:
        """Record weights of some of the training rows.

        Parameters
        ----------
        chosen
            Numbers of training records.

        Returns
        -------
        Vector | None
            Weights; None where all are equal.
        """
        return None if self.weights is None else self.weights[chosen]


class PointPredictor(Protocol):
    """A predictor that has learnt: values without errors."""

    def value(self, lines: Lines) -> Vector:
        """(c,) predictions of lines; lines do not influence one another.

        Parameters
        ----------
        lines
            c lines as a fitted model sees them.
        """


@dataclass(frozen=True)
class CrossFit:
    """A predictor that has learnt, and its predictions of records it has not seen.

    Attributes
    ----------
    held_out
        (n,) prediction of each training record by a fit without it: inner folds, or out of bag.
    predictor
        The fit to all training records.
    notes
        Sentences on what was done otherwise than usual.
    """

    held_out: Vector
    predictor: PointPredictor
    notes: tuple[str, ...] = ()


class CrossFitter(Protocol):
    """A description of a point predictor."""

    def cross_fit(self, training: TrainingSet) -> CrossFit:
        """Learn from the training set.

        Parameters
        ----------
        training
            (n,) rows of the training lines in the panel.
        """


@dataclass(frozen=True)
class KernelFitter:
    """A kernel model as a point predictor.

    Up to 2,000 records the model is fitted again in every inner fold. Above, held-out predictions come by
    algebra from the one fit to all records, with its variance components: records are then so many that a
    fold hardly changes two or three variances.

    Attributes
    ----------
    model
        The kernel model.
    refitted
        Most records up to which inner folds are fits of their own.
    """

    model: KernelModel | KernelMixture
    refitted: int = 2_000

    def cross_fit(self, training: TrainingSet) -> CrossFit:
        """Fit to all training records, and in the inner folds.

        Parameters
        ----------
        training
            (n,) rows of the training lines in the panel.

        Returns
        -------
        CrossFit
            The fitted predictor, and its prediction of each training record from inner folds without it.
        """
        if is_large(len(training.rows)) and training.kernels.relationship is None:
            return self._of_many(training)
        made = training.gblup if self.model == GBLUP else None
        fitted = made or self.model.fit(training.kernels, training.rows, training.y, training.weights)
        if len(training.rows) > self.refitted:
            known = training.gblup_held_out if made else None
            held_out = known or held_out_solved(fitted, training.y, training.folds)
        else:
            inner = TrainingKernels(training.kernels, training.rows)
            held_out = held_out_forecast(self.model, inner, training.y, training.folds, training.weights)
        return CrossFit(held_out.value, fitted.point_predictor())

    def _of_many(self, training: TrainingSet) -> CrossFit:
        """GBLUP by marker effects; any other kernel model as the Gaussian kernel through landmarks."""
        kernels, rows, y = training.kernels, training.rows, training.y
        if self.model != GBLUP:
            landmarks, held_out = fit_landmarks(kernels, rows, y, training.folds, training.weights)
            return CrossFit(held_out, landmarks)
        fitted = training.marker_model or fit_marker_model(kernels, rows, y, training.weights)
        return CrossFit(fitted.held_out(kernels, rows, y, training.folds, training.weights), fitted)
