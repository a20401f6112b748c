"""Differences of accuracy between multi-environment models, with intervals that fit the scheme."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.prediction.environments.contract import DEVIATIONS, INDEX_NORM, REACTION_NORM
from budwood.prediction.environments.evaluation.cv_predictions import EnvironmentCvPredictions
from budwood.prediction.environments.trials import Trials
from budwood.prediction.evaluation.results import PairedDifference
from budwood.stats.evaluation.metrics import pearson_r
from budwood.stats.evaluation.paired_difference import (
    ConfidenceInterval,
    clustered_interval,
    corrected_interval,
)
from budwood.stats.relationship.relationship import Rows

Vector = NDArray[np.float64]

#: The same model with and without covariates.
COVARIATE_PAIRS: Final = ((REACTION_NORM.name, DEVIATIONS.name), (INDEX_NORM.name, REACTION_NORM.name))
#: Fewest places and years that an interval over environments is made of.
_ENOUGH: Final = 4
_DRAWS: Final = 500


def paired_differences(
    trials: Trials, tallies: Mapping[str, EnvironmentCvPredictions], scheme: str, folds: int, seed: int
) -> tuple[tuple[PairedDifference, ...], str]:
    """Mean difference of r within environments for each pair of models, and what the intervals are over.

    Known environments (cv1, cv2): over folds of lines. New environments: over environments, those of one
    place and year as one cluster, where at least 4 such settings were held out for every pair, else over
    lines. Intervals over environments are Student's t with one degree of freedom fewer than settings.

    Parameters
    ----------
    trials
        Records of the training data.
    tallies
        Held-out predictions by model, the baseline first.
    scheme
        ``"cv1"``, ``"cv2"``, ``"cv0"``, ``"cv00"`` or ``"forward"``.
    folds
        Folds of lines in each repeat.
    seed
        Of the lines that are redrawn.

    Returns
    -------
    differences : tuple of PairedDifference
        Every model against the first, then each model with covariates against that without.
    over : str
        ``"folds"``, ``"environments"`` or ``"lines"``.
    """
    names = list(tallies)
    pairs = [(name, names[0]) for name in names[1:]]
    pairs += [pair for pair in COVARIATE_PAIRS if set(pair) <= set(names) and pair not in pairs]
    differences = {pair: np.array(tallies[pair[0]].r) - np.array(tallies[pair[1]].r) for pair in pairs}
    over = _unit(trials, list(differences.values()), scheme)
    found = []
    for (model, baseline), values in differences.items():
        known = ~np.isnan(values).all(axis=0)
        by_environment = _known_mean(values[:, known], 0)
        if over == "folds":
            interval = corrected_interval(_known_mean(values, 1), test_to_train=1.0 / (folds - 1))
        elif over == "environments":
            settings = _settings(trials, np.flatnonzero(known))
            interval = clustered_interval(by_environment, settings)
        else:
            interval = _over_lines(trials, tallies[model], tallies[baseline], seed)
        mean = float(by_environment.mean())
        found.append(PairedDifference(model, baseline, mean, interval.lower, interval.upper))
    return tuple(found), over


def _unit(trials: Trials, differences: Sequence[NDArray[np.float64]], scheme: str) -> str:
    """What the intervals of all pairs are over: one unit, so that they can be compared."""
    if scheme in ("cv1", "cv2"):
        enough = all(len(_known_mean(values, 1)) > 1 for values in differences)
        return "folds" if enough else "lines"
    judged = [np.flatnonzero(~np.isnan(values).all(axis=0)) for values in differences]
    enough = all(len(np.unique(_settings(trials, rows))) >= _ENOUGH for rows in judged)
    return "environments" if enough else "lines"


def _known_mean(values: NDArray[np.float64], axis: int) -> Vector:
    known = ~np.isnan(values)
    count = known.sum(axis=axis)
    return (np.where(known, values, 0.0).sum(axis=axis) / np.maximum(count, 1))[count > 0]


def _settings(trials: Trials, rows: Rows) -> NDArray[np.int64]:
    """Number of the place and year of each environment."""
    names = [trials.environments.settings[row] for row in rows]
    return np.unique(names, return_inverse=True)[1].astype(np.int64)


def _over_lines(
    trials: Trials, ours: EnvironmentCvPredictions, theirs: EnvironmentCvPredictions, seed: int
) -> ConfidenceInterval:
    """Bootstrap of the held-out lines of each split, models paired."""
    generator = np.random.default_rng(seed)
    drawn = np.empty(_DRAWS)
    cases = list(_cases(trials, ours, theirs))
    for draw in range(_DRAWS):
        found = []
        for observed, first, second in cases:
            picks = generator.integers(0, len(observed), len(observed))
            if np.ptp(observed[picks]) > 0.0:
                again = observed[picks]
                found.append(pearson_r(first[picks], again) - pearson_r(second[picks], again))
        drawn[draw] = np.mean(found)
    lower, upper = np.quantile(drawn, [0.025, 0.975])
    return ConfidenceInterval(float(drawn.mean()), float(lower), float(upper))


def _cases(
    trials: Trials, ours: EnvironmentCvPredictions, theirs: EnvironmentCvPredictions
) -> list[tuple[Vector, Vector, Vector]]:
    """Observed and both predictions of each judged environment of each split."""
    cases = []
    for cells, first, second, r in zip(ours.cells, ours.forecasts, theirs.forecasts, ours.r, strict=True):
        for environment in np.flatnonzero(~np.isnan(r)):
            chosen = trials.environment[cells] == environment
            cases.append((trials.value[cells][chosen], first.value[chosen], second.value[chosen]))
    return cases
