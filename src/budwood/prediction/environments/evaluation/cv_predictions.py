"""What models predicted of held-out cells so far, judged within environments."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.prediction.contract import Forecast
from budwood.prediction.environments.results import EnvironmentScore
from budwood.prediction.environments.trials import Trials
from budwood.stats.evaluation.metrics import coverage, pearson_r, rmse, slope
from budwood.stats.relationship.relationship import Rows

Vector = NDArray[np.float64]

#: Fewest held-out lines of an environment and split for which r is taken.
FEWEST_LINES: Final = 5


@dataclass
class EnvironmentCvPredictions:
    """What one model predicted so far, and r and slope by split and environment, NaN where not judged.

    ``unsettled`` counts the splits in which the search for variance components ran out of steps.

    Attributes
    ----------
    environments
        How many there are.
    r
        (environments,) correlation of each split.
    slopes
        (environments,) slope of each split.
    cells
        Cells held out in each split.
    forecasts
        Of these cells.
    seconds
        Time of fits and predictions so far.
    unsettled
        Splits whose search for variance components ran out of steps.
    """

    environments: int
    r: list[Vector] = field(default_factory=list)
    slopes: list[Vector] = field(default_factory=list)
    cells: list[Rows] = field(default_factory=list)
    forecasts: list[Forecast] = field(default_factory=list)
    seconds: float = 0.0
    unsettled: int = 0

    def add(self, trials: Trials, held_out: Rows, forecast: Forecast, seconds: float) -> None:
        """Judge one split.

        Parameters
        ----------
        trials
            Means of accessions in environments.
        held_out
            Numbers of the cells held out.
        forecast
            Forecast of the held-out rows or cells.
        seconds
            Time of the fit and the prediction.
        """
        r, slopes = np.full(self.environments, np.nan), np.full(self.environments, np.nan)
        where, observed = trials.environment[held_out], trials.value[held_out]
        for environment in judged(trials, held_out):
            chosen = where == environment
            r[environment] = pearson_r(forecast.value[chosen], observed[chosen])
            slopes[environment] = slope(forecast.value[chosen], observed[chosen])
        self.r.append(r)
        self.slopes.append(slopes)
        self.cells.append(held_out)
        self.forecasts.append(forecast)
        self.seconds += seconds

    def score(self, name: str, trials: Trials) -> EnvironmentScore:
        """Summarise all splits.

        Parameters
        ----------
        name
            Its name.
        trials
            Means of accessions in environments.

        Returns
        -------
        EnvironmentScore
            Mean accuracy and slope.
        """
        by_environment = mean_known(np.array(self.r), axis=0)
        observed = trials.value[np.concatenate(self.cells)]
        value, lower, upper = (
            np.concatenate([getattr(forecast, part) for forecast in self.forecasts])
            for part in ("value", "lower_90", "upper_90")
        )
        names = trials.environments.names
        known = np.flatnonzero(~np.isnan(by_environment))
        return EnvironmentScore(
            name=name,
            fold_r=tuple(float(r) for r in mean_known(np.array(self.r), axis=1) if not np.isnan(r)),
            environment_r={names[row]: float(by_environment[row]) for row in known},
            mean_r=float(by_environment[known].mean()),
            coverage_90=coverage(lower, upper, observed),
            rmse=rmse(value, observed),
            slope=float(np.nanmean(mean_known(np.array(self.slopes), axis=0))),
            seconds=self.seconds,
        )


def judged(trials: Trials, held_out: Rows) -> list[int]:
    """Environments with at least 5 held-out lines whose values differ.

    Parameters
    ----------
    trials
        Means of accessions in environments.
    held_out
        Numbers of the cells held out.

    Returns
    -------
    list[int]
        Rows of the environments.
    """
    where, observed = trials.environment[held_out], trials.value[held_out]
    return [
        int(environment)
        for environment in np.unique(where)
        if (where == environment).sum() >= FEWEST_LINES and np.ptp(observed[where == environment]) > 0.0
    ]


def mean_known(values: NDArray[np.float64], axis: int) -> Vector:
    """Mean without the NaN, NaN where there is nothing else.

    Parameters
    ----------
    values
        An array with NaN.
    axis
        Over which to take the mean.

    Returns
    -------
    Vector
        The means.
    """
    known = ~np.isnan(values)
    total, count = np.where(known, values, 0.0).sum(axis=axis), known.sum(axis=axis)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
