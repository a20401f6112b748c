"""Factors of expected half-widths that make intervals hold, from errors on held-out records."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.prediction.contract import Lines
from budwood.prediction.kernels.panel_kernels import RELATIONSHIP, PanelKernels
from budwood.prediction.uncertainty.inner_folds import HeldOut, inner_splits
from budwood.stats.evaluation.conformal import Widening, conformal_quantile, local_scale
from budwood.stats.evaluation.splitters import Folds, cluster_folds
from budwood.stats.relationship.relationship import Rows, correlation_with

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
    own
        (n,) relationship of each training line with itself.
    correlation
        (n, n) genomic correlation of the training lines; -1 of a line with itself.
    random, clusters
        (n,) inner folds.
    """

    own: Vector
    correlation: Matrix
    random: Folds
    clusters: Folds

    @classmethod
    def of(cls, kernels: PanelKernels, training: Rows, random: Folds) -> Divisions:
        """Relatives of the training rows and their clusters, from the relationship.

        Parameters
        ----------
        kernels
            The panel as models see it.
        training
            (n,) rows of the training lines in the panel.
        random
            (n,) random fold of each training row.
        """

        def make() -> tuple[Vector, Matrix, Folds]:
            square = kernels.training_kernel(RELATIONSHIP, training)
            own = np.diagonal(square).copy()
            correlation = correlation_with(square, own, own)
            np.fill_diagonal(correlation, -1.0)
            return own, correlation, cluster_folds(square, min(_CLUSTERS, len(training)))

        own, correlation, clusters = kernels.recall("relatives", training, make)
        return cls(own, correlation, random, clusters)

    def nearest(self, folds: Folds) -> Vector:
        """(n,) largest correlation of each training row with the rows of other folds; -1 without any.

        Parameters
        ----------
        folds
            (n,) fold of each training row.

        Returns
        -------
        Vector
            Correlations.
        """
        found = np.full(len(folds), -1.0)
        for rows, held in inner_splits(folds):
            if len(rows):
                found[held] = self.correlation[np.ix_(held, rows)].max(axis=1)
        return found


@dataclass(frozen=True)
class IntervalScale:
    """Factors of expected intervals.

    Attributes
    ----------
    own
        (n,) relationship of each training line with itself.
    judged
        (n,) which training records have a held-out error.
    scores
        (judged,) absolute errors on records held out at random, in units of their expected half-width.
    near
        Conformal quantile of the scores after their local scale; 1 without scores.
    widening
        With distance from the training set.
    """

    own: Vector
    judged: NDArray[np.bool_]
    scores: Vector
    near: float
    widening: Widening

    @classmethod
    def learn(cls, divisions: Divisions, y: Vector, random: HeldOut, clusters: HeldOut) -> IntervalScale:
        """From a model's predictions of records held out at random and as clusters.

        Parameters
        ----------
        divisions
            How the training lines are divided.
        y
            (n,) trait values of the training lines.
        random
            Predictions in random folds.
        clusters
            Predictions of whole clusters.
        """
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
        return cls(divisions.own, random.judged, scores, near, widening)

    def scaled_to(
        self, divisions: Divisions, y: Vector, held_out: Vector, expected: HeldOut
    ) -> IntervalScale:
        """The scale of another predictor, for intervals expected by the model that this one is of.

        They widen with distance as these do; their size, and whose relatives err more, is the predictor's.

        Parameters
        ----------
        divisions
            How the training lines are divided.
        y, held_out
            (n,) records and the predictor's prediction of each without it.
        expected
            What this scale was learnt from, for records held out at random.

        Returns
        -------
        IntervalScale
            Factors by distance.
        """
        scores = _scores(y, held_out, expected)
        return replace(self, scores=scores, near=_near(divisions, expected.judged, scores))

    def factors(self, lines: Lines) -> Vector:
        """(c,) factors of the expected half-widths of lines.

        A training line's relatives are the other training lines.

        Parameters
        ----------
        lines
            c lines as a fitted model sees them.

        Returns
        -------
        Vector
            (c,) one number for each line.
        """
        correlation = correlation_with(lines.cross(RELATIONSHIP), lines.own(RELATIONSHIP), self.own)
        position = lines.training_position
        same = np.flatnonzero(position >= 0)
        correlation[same, position[same]] = -1.0
        local = local_scale(correlation[:, self.judged], self.scores)
        return self.near * local * self.widening.factors(correlation.max(axis=1))


def _scores(y: Vector, held_out: Vector, expected: HeldOut) -> Vector:
    return np.abs(y - held_out)[expected.judged] / expected.half[expected.judged]


def _near(divisions: Divisions, judged: NDArray[np.bool_], scores: Vector) -> float:
    if not len(scores):
        return 1.0
    among = divisions.correlation if judged.all() else divisions.correlation[np.ix_(judged, judged)]
    return max(conformal_quantile(scores / local_scale(among, scores)), _LEAST)
