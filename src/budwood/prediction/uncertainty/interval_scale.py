"""What half of a foreseen interval is multiplied by so that it holds, from errors on held-out records."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.prediction.kernels.panel_kernels import RELATIONSHIP, PanelKernels
from budwood.prediction.uncertainty.inner_folds import HeldOut, inner_splits
from budwood.stats.evaluation.conformal import Widening, conformal_quantile, local_scale
from budwood.stats.evaluation.splitters import Folds, cluster_folds
from budwood.stats.relationship.relationship import Rows, genomic_correlation

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]

#: Clusters of relatives held out inside a training set.
_CLUSTERS: Final = 5
#: Smallest factor; held-out errors of exactly 0 promise nothing.
_LEAST: Final = 1e-6


@dataclass(frozen=True)
class Divisions:
    """A training set divided at random and into clusters of relatives.

    Attributes
    ----------
    training
        (n,) training rows of the panel.
    correlation
        (panel, n) genomic correlation with the training rows; with itself a row has none (-1).
    random, clusters
        (n,) inner folds.
    """

    training: Rows
    correlation: Matrix
    random: Folds
    clusters: Folds

    @classmethod
    def of(cls, predictors: PanelKernels, training: Rows, random: Folds) -> Divisions:
        """Relatives of the training rows and their clusters, from the relationship."""
        relationship = predictors.kernel(RELATIONSHIP, training)
        correlation = genomic_correlation(relationship)[:, training]
        correlation[training, np.arange(len(training))] = -1.0
        square = relationship[np.ix_(training, training)]
        return cls(training, correlation, random, cluster_folds(square, min(_CLUSTERS, len(training))))

    def nearest(self, folds: Folds) -> Vector:
        """(n,) largest correlation of each training row with the rows of other folds; -1 without any."""
        among, found = self.correlation[self.training], np.full(len(folds), -1.0)
        for rows, held in inner_splits(folds):
            if len(rows):
                found[held] = among[np.ix_(held, rows)].max(axis=1)
        return found


@dataclass(frozen=True)
class IntervalScale:
    """Factors of foreseen intervals.

    Attributes
    ----------
    divisions
        Where the errors come from.
    judged
        (n,) which training records have one.
    scores
        (judged,) absolute errors on records held out at random, in units of their foreseen half-width.
    near
        Conformal quantile of the scores after their local scale; 1 without scores.
    widening
        With distance from the training set.
    """

    divisions: Divisions
    judged: NDArray[np.bool_]
    scores: Vector
    near: float
    widening: Widening

    @classmethod
    def learn(cls, divisions: Divisions, y: Vector, random: HeldOut, clusters: HeldOut) -> IntervalScale:
        """From what a model said about records held out at random and as clusters."""
        scores = _scores(y, random.value, random)
        near = _near(divisions, random.judged, scores)
        widening = Widening(-1.0, -1.0, 0.0)
        if len(scores):
            widening = Widening.learn(
                near,
                divisions.nearest(divisions.random)[random.judged],
                divisions.nearest(divisions.clusters)[clusters.judged],
                _scores(y, clusters.value, clusters),
                divisions.clusters[clusters.judged],
            )
        return cls(divisions, random.judged, scores, near, widening)

    def scaled_to(self, y: Vector, held_out: Vector, foreseen: HeldOut) -> IntervalScale:
        """The scale of another predictor, for intervals foreseen by the model that this one is of.

        They widen with distance as these do; their size, and whose relatives err more, is the predictor's.

        Parameters
        ----------
        y, held_out
            (n,) records and what the predictor said of each without it.
        foreseen
            What this scale was learnt from, for records held out at random.
        """
        scores = _scores(y, held_out, foreseen)
        return replace(self, scores=scores, near=_near(self.divisions, foreseen.judged, scores))

    def factors(self, rows: Rows) -> Vector:
        """(c,) what the foreseen half-widths of rows of the panel are multiplied by."""
        correlation = self.divisions.correlation[rows]
        local = local_scale(correlation[:, self.judged], self.scores)
        return self.near * local * self.widening.factors(correlation.max(axis=1))


def _scores(y: Vector, held_out: Vector, foreseen: HeldOut) -> Vector:
    return np.abs(y - held_out)[foreseen.judged] / foreseen.half[foreseen.judged]


def _near(divisions: Divisions, judged: NDArray[np.bool_], scores: Vector) -> float:
    if not len(scores):
        return 1.0
    among = divisions.correlation[np.ix_(divisions.training[judged], np.flatnonzero(judged))]
    return max(conformal_quantile(scores / local_scale(among, scores)), _LEAST)
