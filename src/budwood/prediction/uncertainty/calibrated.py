"""Any trait model with intervals that hold, for distant candidates too.

A model's own interval trusts its assumptions. Here records of the training set are held out at random and as
whole clusters of relatives, and the errors made on them say how wide an interval has to be: for candidates
among their like, for candidates whose relatives err more than others, and for candidates far from the
training set, where a model errs by what a whole cluster differs in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.prediction.contract import (
    Estimator,
    FittedEstimator,
    Forecast,
    Lines,
    fit_notes,
    fit_several,
    scaled_interval,
)
from budwood.prediction.kernels.kernel_model import FittedKernelModel
from budwood.prediction.kernels.landmark_model import FittedLandmarkModel
from budwood.prediction.kernels.marker_model import FittedMarkerModel, calibrated_models
from budwood.prediction.kernels.panel_kernels import PanelKernels
from budwood.prediction.uncertainty.inner_folds import (
    TrainingKernels,
    held_out_forecast,
    inner_random_folds,
)
from budwood.prediction.uncertainty.interval_scale import Divisions, IntervalScale
from budwood.prediction.uncertainty.kernel_calibration import kernel_calibration
from budwood.stats.relationship.relationship import Rows

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]

#: Fewest records whose held-out errors say more about an interval than the model itself does.
_FEWEST: Final = 20


@dataclass(frozen=True)
class Calibrated:
    """A trait model whose 90 % intervals have the width that its held-out errors ask for, under its name.

    The point, its standard error and its reliability are the model's. A kernel model is calibrated by algebra
    on the one fit, a model of a large panel on a tenth of its lines; any other model is fitted again without
    each inner fold and cluster, ten times. Under 20 training records the model's own interval stands.

    Attributes
    ----------
    model
        The model.
    folds
        Random inner folds.
    seed
        Seed of the random inner folds.
    """

    model: Estimator
    folds: int = 5
    seed: int = 0

    @property
    def name(self) -> str:
        """What people call it."""
        return self.model.name

    def fit(
        self, kernels: PanelKernels, training: Rows, y: Vector, weights: Vector | None = None
    ) -> FittedEstimator:
        """Fit the model to the training rows, and judge it on records held out inside them.

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
        FittedEstimator
            The fitted model.
        """
        return self.fit_several(kernels, training, y[:, None], weights)[0]

    def fit_several(
        self, kernels: PanelKernels, training: Rows, y: Matrix, weights: Vector | None = None
    ) -> tuple[FittedEstimator, ...]:
        """Fit several traits of the same lines, together where the model can.

        Parameters
        ----------
        kernels, training
            As for :meth:`fit`.
        y
            (n, t) values of t traits.
        weights
            (n,) weights of the trait values, the same for all traits; None for equal ones.

        Returns
        -------
        tuple of FittedEstimator
            A fitted model for each trait.
        """
        rows = np.asarray(training, dtype=np.intp)
        found = fit_several(self.model, kernels, rows, y, weights)
        marker_models = [each for each in found if isinstance(each, FittedMarkerModel)]
        if len(marker_models) == len(found):
            return calibrated_models(marker_models, kernels, rows, y, weights, self.seed)
        columns = (np.ascontiguousarray(column) for column in y.T)
        return tuple(
            self._calibrated(each, kernels, rows, column, weights)
            for each, column in zip(found, columns, strict=True)
        )

    def _calibrated(
        self, fitted: FittedEstimator, kernels: PanelKernels, rows: Rows, y: Vector, weights: Vector | None
    ) -> FittedEstimator:
        if isinstance(fitted, FittedLandmarkModel) or len(rows) < _FEWEST:
            return fitted
        folds = inner_random_folds(kernels, rows, self.folds, self.seed)
        if isinstance(fitted, FittedKernelModel):
            return FittedCalibrated(
                fitted, kernel_calibration(kernels, rows, fitted, y, folds, weights).scale
            )
        divisions, inner = Divisions.of(kernels, rows, folds), TrainingKernels(kernels, rows)
        random, clusters = (
            held_out_forecast(self.model, inner, y, each, weights)
            for each in (divisions.random, divisions.clusters)
        )
        return FittedCalibrated(fitted, IntervalScale.learn(divisions, y, random, clusters))


@dataclass(frozen=True)
class FittedCalibrated:
    """A calibrated model that has learnt.

    Attributes
    ----------
    fitted
        The model.
    scale
        What half of its interval is multiplied by.
    """

    fitted: FittedEstimator
    scale: IntervalScale

    @property
    def variance_shares(self) -> dict[str, float]:
        """Those of the model."""
        return dict(self.fitted.variance_shares)

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences about the fit."""
        return fit_notes(self.fitted)

    def predict(self, lines: Lines) -> Forecast:
        """Forecast lines; an interval stays centred on the model's value.

        Parameters
        ----------
        lines
            c lines as a fitted model sees them.

        Returns
        -------
        Forecast
            (c,) values, standard errors and intervals.
        """
        return scaled_interval(self.fitted.predict(lines), self.scale.factors(lines))
