"""Differences of accuracy between multi-environment models, with intervals that fit the scheme."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.prediction.environments.contract import DEVIATIONS, INDEX_NORM, REACTION_NORM
from budwood.prediction.environments.cv_predictions import EnvironmentCvPredictions
from budwood.prediction.environments.trials import Trials
from budwood.prediction.evaluation.results import PairedDifference
from budwood.stats.evaluation.metrics import pearson_r
from budwood.stats.evaluation.paired_difference import (
    ConfidenceInterval,
    bootstrap_interval,
    corrected_interval,
)
from budwood.stats.relationship.relationship import Rows

Vector = NDArray[np.float64]

#: The same model with and without covariates.
COVARIATE_PAIRS: Final = ((REACTION_NORM.name, DEVIATIONS.name), (INDEX_NORM.name, REACTION_NORM.name))
#: Fewest places and years that a bootstrap over environments is made of.
_ENOUGH: Final = 4
_DRAWS: Final = 500


def paired_differences(
    trials: Trials, tallies: Mapping[str, EnvironmentCvPredictions], scheme: str, folds: int, seed: int
) -> tuple[tuple[PairedDifference, ...], str]:
    """Mean difference of r within environments for each pair of models, and what its interval is over.

    Known environments (cv1, cv2): over folds of lines. New environments: over environments, those of one
    place and year drawn together, where at least 4 such settings were held out, else over lines.
    """
    names = list(tallies)
    pairs = [(name, names[0]) for name in names[1:]]
    pairs += [pair for pair in COVARIATE_PAIRS if set(pair) <= set(names) and pair not in pairs]
    found = []
    over = "folds" if scheme in ("cv1", "cv2") else "environments"
    for model, baseline in pairs:
        ours, theirs = tallies[model], tallies[baseline]
        differences = np.array(ours.r) - np.array(theirs.r)
        known = ~np.isnan(differences).all(axis=0)
        by_environment = _known_mean(differences[:, known], 0)
        by_setting = _settings_mean(trials, np.flatnonzero(known), by_environment)
        by_split = _known_mean(differences, 1)
        if over == "folds" and len(by_split) > 1:
            interval = corrected_interval(by_split, test_to_train=1.0 / (folds - 1))
        elif over == "environments" and len(by_setting) >= _ENOUGH:
            interval = bootstrap_interval(by_setting, seed=seed)
        else:
            over, interval = "lines", _over_lines(trials, ours, theirs, seed)
        mean = float(by_environment.mean())
        found.append(PairedDifference(model, baseline, mean, interval.lower, interval.upper))
    return tuple(found), over


def _known_mean(values: NDArray[np.float64], axis: int) -> Vector:
    known = ~np.isnan(values)
    count = known.sum(axis=axis)
    return (np.where(known, values, 0.0).sum(axis=axis) / np.maximum(count, 1))[count > 0]


def _settings_mean(trials: Trials, rows: Rows, values: Vector) -> Vector:
    """Mean of the values of the environments of each place and year."""
    settings = [trials.environments.settings[row] for row in rows]
    group = np.unique(settings, return_inverse=True)[1]
    return np.bincount(group, values) / np.bincount(group)


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
