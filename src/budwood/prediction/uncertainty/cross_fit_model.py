"""Any point predictor as a trait model: uncertainty from what it predicts for records it has not seen.

Trees and penalised regression have no prediction-error variance of their own. Here it has the shape that
GBLUP gives it (accessions far from the training set are less certain), widened with distance by what GBLUP
errs on clusters held out inside the training set, and the size of the predictor's own errors in inner folds:
a normalised conformal interval. GBLUP's clusters cost one matrix inverse; the predictor's own would cost as
much as its inner folds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from budwood.prediction.contract import Forecast, Lines, observation_half
from budwood.prediction.kernels.dense_limit import is_large
from budwood.prediction.kernels.kernel_model import FittedKernelModel, fitted_gblup
from budwood.prediction.kernels.marker_model import FittedMarkerModel, fit_marker_model
from budwood.prediction.kernels.panel_kernels import PanelKernels
from budwood.prediction.uncertainty.cross_fit import CrossFit, CrossFitter, PointPredictor, TrainingSet
from budwood.prediction.uncertainty.inner_folds import inner_random_folds
from budwood.prediction.uncertainty.interval_scale import IntervalScale
from budwood.prediction.uncertainty.kernel_calibration import kernel_calibration
from budwood.stats.evaluation.conformal import conformal_quantile
from budwood.stats.evaluation.metrics import pearson_r
from budwood.stats.relationship.relationship import Rows

Vector = NDArray[np.float64]

#: Most training records whose held-out errors judge a model of many.
_JUDGED: Final = 1_000


@dataclass(frozen=True)
class CrossFitModel:
    """A trait model around a point predictor.

    Attributes
    ----------
    name
        What people call it.
    fitter
        The predictor.
    folds
        Inner folds.
    seed
        Seed of the inner folds.
    """

    name: str
    fitter: CrossFitter
    folds: int = 5
    seed: int = 0

    def fit(
        self, kernels: PanelKernels, training: Rows, y: Vector, weights: Vector | None = None
    ) -> FittedCrossFitModel | FittedLargeModel:
        """Learn from the training rows, and judge the errors in inner folds.

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
        FittedCrossFitModel or FittedLargeModel
            The fitted model.
        """
        rows = np.asarray(training, dtype=np.intp)
        folds = inner_random_folds(kernels, rows, self.folds, self.seed)
        if is_large(len(rows)) and kernels.relationship is None:
            return self._of_many(TrainingSet(kernels, rows, y, folds, weights))
        shape = fitted_gblup(kernels, rows, y, weights)
        errors = kernel_calibration(kernels, rows, shape, y, folds, weights)
        found = self.fitter.cross_fit(TrainingSet(kernels, rows, y, folds, weights, shape, errors.random))
        own = errors.scale.scaled_to(errors.divisions, y, found.held_out, errors.random)
        # Half of GBLUP's interval is this many standard errors of a record.
        spread = float(stdtrit(len(y) - 1, 0.95))
        error_factor = spread * float(np.sqrt(np.mean(own.scores**2))) if len(own.scores) else 1.0
        return FittedCrossFitModel(
            predictor=found.predictor,
            shape=shape,
            scale=own,
            error_factor=error_factor,
            reliability=_squared_correlation(found, y),
        )

    def _of_many(self, training: TrainingSet) -> FittedLargeModel:
        """The same of a large training set: errors have the shape of marker effects' ones."""
        kernels, rows, y = training.kernels, training.rows, training.y
        shape = fit_marker_model(kernels, rows, y, training.weights)
        found = self.fitter.cross_fit(replace(training, marker_model=shape))
        drawn = np.random.default_rng([self.seed, len(y)]).permutation(len(y))[:_JUDGED]
        expected = shape.expected_error(kernels, rows, drawn, training.weights)
        errors = np.abs(y - found.held_out)[drawn]
        return FittedLargeModel(
            predictor=found.predictor,
            shape=shape,
            half_factor=conformal_quantile(errors / expected),
            error_factor=float(np.sqrt(np.mean((errors / expected) ** 2))),
            reliability=_squared_correlation(found, y),
            notes=(*found.notes, *getattr(found.predictor, "notes", ()), *shape.notes),
        )


@dataclass(frozen=True)
class FittedLargeModel:
    """A predictor that has learnt from a large training set, and what its errors are.

    Attributes
    ----------
    predictor
        Values of any lines.
    shape
        GBLUP on the same records, by marker effects.
    half_factor, error_factor
        What GBLUP's standard error of a record is multiplied by to be half of a 90 % interval; and what its
        standard error of a genetic value is multiplied by.
    reliability
        As for :class:`FittedCrossFitModel`.
    notes
        Sentences about the predictor, and about GBLUP.
    """

    predictor: PointPredictor
    shape: FittedMarkerModel
    half_factor: float
    error_factor: float
    reliability: float
    notes: tuple[str, ...]

    @property
    def variance_shares(self) -> dict[str, float]:
        """Share of the variance that predictions of unseen records account for, and the rest."""
        return {"markers": self.reliability, "residual": 1.0 - self.reliability}

    def predict(self, lines: Lines) -> Forecast:
        """Forecast lines.

        Parameters
        ----------
        lines
            c lines as a fitted model sees them.

        Returns
        -------
        Forecast
            (c,) values, standard errors and intervals.
        """
        expected, value = self.shape.predict(lines), self.predictor.value(lines)
        error = self.error_factor * expected.standard_error
        record = np.sqrt(expected.standard_error**2 + self.shape.solved.components.residual)
        half = observation_half(self.half_factor * record, error)
        reliability = np.full(len(value), self.reliability)
        return Forecast(value, error, reliability, value - half, value + half)


@dataclass(frozen=True)
class FittedCrossFitModel:
    """A predictor that has learnt, and what its errors are.

    Attributes
    ----------
    predictor
        Values of any lines.
    shape
        GBLUP on the same records.
    scale
        What half of GBLUP's interval is multiplied by.
    error_factor
        What GBLUP's standard error is multiplied by: the root mean square of the predictor's held-out errors
        per unit of GBLUP's. It does not widen with distance beyond GBLUP's.
    reliability
        Squared correlation of held-out predictions and records, 0 where it is negative. With the record and
        not with the genetic value: a lower bound of reliability, and the same for every accession.
    """

    predictor: PointPredictor
    shape: FittedKernelModel
    scale: IntervalScale
    error_factor: float
    reliability: float

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences about the predictor, and about GBLUP, whose errors have the shape of these."""
        return (*getattr(self.predictor, "notes", ()), *self.shape.notes)

    @property
    def variance_shares(self) -> dict[str, float]:
        """Share of the variance that predictions of unseen records account for, and the rest."""
        return {"markers": self.reliability, "residual": 1.0 - self.reliability}

    def predict(self, lines: Lines) -> Forecast:
        """Forecast lines; a line's standard error is GBLUP's, scaled to the predictor's own errors.

        Parameters
        ----------
        lines
            c lines as a fitted model sees them.

        Returns
        -------
        Forecast
            (c,) values, standard errors and intervals.
        """
        expected, value = self.shape.predict(lines), self.predictor.value(lines)
        error = self.error_factor * expected.standard_error
        half = self.scale.factors(lines) * 0.5 * (expected.upper_90 - expected.lower_90)
        half = observation_half(half, error)
        return Forecast(
            value,
            error,
            np.full(len(value), self.reliability),
            value - half,
            value + half,
        )


def _squared_correlation(found: CrossFit, y: Vector) -> float:
    return max(pearson_r(found.held_out, y), 0.0) ** 2
