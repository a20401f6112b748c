"""Any trait model with intervals that hold, for distant candidates too.

A model's own interval trusts its assumptions. Here records of the training set are held out at random and
as whole clusters of relatives, and the errors made on them say how wide an interval has to be, at every
degree of relatedness: a candidate far from the training set gets the errors of records that were as far from
theirs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from meristem.prediction.inner_folds import (
    TrainingPredictors,
    held_out_forecast,
    inner_random_folds,
    inner_splits,
)
from meristem.prediction.predictors import RELATIONSHIP, Predictors
from meristem.prediction.trait_model import FittedTraitModel, Forecast, TraitModel
from meristem.stats.conformal import LocalConformal
from meristem.stats.relationship import Rows, genomic_correlation
from meristem.stats.splits import Folds, cluster_folds

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Calibrated:
    """A trait model whose 90 % intervals are localised conformal ones; all else is the model's.

    Attributes
    ----------
    model
        The model.
    folds
        Inner folds, at random and again as clusters of relatives.
    seed
        Seed of the random inner folds.
    """

    model: TraitModel
    folds: int = 5
    seed: int = 0

    @property
    def name(self) -> str:
        """What people call it."""
        return f"{self.model.name}, calibrated"

    def fit(
        self, predictors: Predictors, training: Rows, y: Vector, weights: Vector | None = None
    ) -> FittedCalibrated:
        """Fit the model to the training rows, and again without each inner fold."""
        rows = np.asarray(training, dtype=np.intp)
        correlation = genomic_correlation(predictors.kernel(RELATIONSHIP, rows))[:, rows]
        inner = TrainingPredictors(predictors, rows)
        random = inner_random_folds(predictors, rows, self.folds, self.seed)
        clusters = cluster_folds(
            predictors.kernel(RELATIONSHIP, rows)[np.ix_(rows, rows)], int(random.max()) + 1
        )
        scores, relatedness = [], []
        for folds in (random, clusters):
            found = held_out_forecast(self.model, inner, y, folds, weights)
            near = _nearest_outside(correlation[rows], folds)
            scores.append(np.abs(y - found.value)[found.judged] / found.half[found.judged])
            relatedness.append(near[found.judged])
        fitted = self.model.fit(predictors, rows, y, weights)
        kept = LocalConformal(np.concatenate(scores), np.concatenate(relatedness))
        return FittedCalibrated(fitted, kept, correlation, rows)


@dataclass(frozen=True)
class FittedCalibrated:
    """A calibrated model that has learnt.

    Attributes
    ----------
    fitted
        The model.
    conformal
        Scores of the held-out records.
    correlation
        (n, training) genomic correlation of all rows with the training rows.
    training
        Training rows.
    """

    fitted: FittedTraitModel
    conformal: LocalConformal
    correlation: Matrix
    training: Rows

    @property
    def variance_shares(self) -> dict[str, float]:
        """Those of the model."""
        return dict(self.fitted.variance_shares)

    def predict(self, rows: Rows) -> Forecast:
        """Forecast rows; an interval stays centred on the model's value.

        A training row's nearest relative is another training row.
        """
        found = self.fitted.predict(rows)
        if not len(self.conformal.scores):
            return found
        correlation = self.correlation[rows].copy()
        correlation[np.asarray(rows)[:, None] == self.training[None, :]] = -np.inf
        half = 0.5 * (found.upper_90 - found.lower_90) * self.conformal.factors(correlation.max(axis=1))
        return Forecast(
            found.value, found.standard_error, found.reliability, found.value - half, found.value + half
        )


def _nearest_outside(correlation: Matrix, folds: Folds) -> Vector:
    """Largest correlation of each training row with the rows of other folds; -1 where there is none."""
    nearest = np.full(len(folds), -1.0)
    for rows, held in inner_splits(folds):
        if len(rows):
            nearest[held] = correlation[np.ix_(held, rows)].max(axis=1)
    return nearest
