"""Means and spreads of environments, and what to expect of an environment that has no records."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.prediction.environments.trials import Trials
from budwood.stats.mixed_model.blup import blup
from budwood.stats.mixed_model.reml import reml
from budwood.stats.relationship.relationship import Rows

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

#: Degrees of freedom that the common spread lends to an environment's own.
_LENT: Final = 10.0
#: Fewest environments whose means can show whether covariates explain them.
_ENOUGH: Final = 5


@dataclass(frozen=True)
class EnvironmentScales:
    """Mean and standard deviation of the values in each environment.

    Attributes
    ----------
    seen
        (m,) environments with records.
    centre, scale
        (a,) of every environment; those of an environment without records are what others lead to expect.
    centre_variance
        (a,) prediction-error variance of ``centre``; 0 where there are records.
    settings
        (a,) place and year of every environment.
    """

    seen: Rows
    centre: Vector
    scale: Vector
    centre_variance: Vector
    settings: tuple[str, ...]

    @classmethod
    def learn(cls, trials: Trials) -> EnvironmentScales:
        """Means and spreads of the training records.

        The spread of an environment is shrunk to the common one, which counts as 10 degrees of freedom.

        Parameters
        ----------
        trials
            Means of accessions in environments.
        """
        count, seen = len(trials.environments), trials.seen
        records = np.bincount(trials.environment, minlength=count)[seen]
        centre = np.bincount(trials.environment, trials.value, count)[seen] / records
        every = np.zeros(count)
        every[seen] = centre
        squares = np.bincount(trials.environment, (trials.value - every[trials.environment]) ** 2, count)[
            seen
        ]
        degrees = records - 1.0
        common = float(squares.sum() / max(degrees.sum(), 1.0))
        scale = np.full(count, np.sqrt(common))
        scale[seen] = np.sqrt((squares + _LENT * common) / (degrees + _LENT))
        expected = cls(seen, every, scale, np.zeros(count), trials.environments.settings)
        return expected.with_similarity(None)

    def known_means(self) -> Vector:
        """(a,) mean of the records, NaN for environments without.

        Returns
        -------
        Vector
            (c,) one number for each line.
        """
        known = np.full(len(self.centre), np.nan)
        known[self.seen] = self.centre[self.seen]
        return known

    def with_similarity(self, similarity: Matrix | None) -> EnvironmentScales:
        """Expect the means of environments without records from those with, by covariates where given.

        Without covariates, or where these expect settings left out worse than the plain mean, the mean of
        the others is expected, with the variance between environments.

        Parameters
        ----------
        similarity
            (a, a) inner products of the environments' covariates.

        Returns
        -------
        EnvironmentScales
            Scales with their expectations.
        """
        new = np.setdiff1d(np.arange(len(self.centre)), self.seen)
        means = self.centre[self.seen]
        if not len(new):
            return self
        m = len(means)
        # One environment tells nothing of the variance between environments: that within must do.
        between = float(np.var(means, ddof=1)) if m > 1 else float(self.scale[self.seen[0]] ** 2)
        centre, variance = self.centre.copy(), self.centre_variance.copy()
        centre[new], variance[new] = means.mean(), between * (1.0 + 1.0 / m)
        if similarity is not None and m >= _ENOUGH and np.ptp(means) > 0.0:
            among = similarity[np.ix_(self.seen, self.seen)]
            error, plain = _left_out(means, among, [self.settings[row] for row in self.seen])
            if error < plain:
                cross, own = similarity[np.ix_(new, self.seen)], np.diagonal(similarity)[new]
                centre[new], expected = _informed(means, among, cross, own)
                variance[new] = np.maximum(expected, error)
        return replace(self, centre=centre, centre_variance=variance)


def _informed(means: Vector, among: Matrix, cross: Matrix, own: Vector) -> tuple[Vector, Vector]:
    """Means of new environments from covariates, and their prediction-error variance."""
    found = blup(means, [among], reml(means, [among])).predict([cross], [own])
    return found.value, found.pev_record


def _left_out(means: Vector, among: Matrix, settings: list[str]) -> tuple[float, float]:
    """Mean squared error of each setting's means from the others, by covariates and by the plain mean.

    Covariates are many beside the environments, so that variances estimated from the same means promise too
    much: what they got wrong on settings left out is believed instead.
    """
    group = np.unique(settings, return_inverse=True)[1]
    covaried, plain = np.zeros(len(means)), np.zeros(len(means))
    for one in np.unique(group):
        held, kept = np.flatnonzero(group == one), np.flatnonzero(group != one)
        if len(kept) < _ENOUGH - 1 or np.ptp(means[kept]) == 0.0:
            return np.inf, 0.0
        own, cross = np.diagonal(among)[held], among[np.ix_(held, kept)]
        expected, _ = _informed(means[kept], among[np.ix_(kept, kept)], cross, own)
        covaried[held], plain[held] = means[held] - expected, means[held] - means[kept].mean()
    return float((covaried**2).mean()), float((plain**2).mean())
