"""Held-out accuracy of multi-environment models on the same cells.

Everything that learns (frequencies, scales, covariates' centres, variances) learns from the training cells of
a split: models get no others. r is taken within an environment and averaged; environments are never pooled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from meristem.errors import MeristemError
from meristem.prediction.environments.differences import paired_differences
from meristem.prediction.environments.model import EnvironmentModel
from meristem.prediction.environments.outcome import EnvironmentEvaluation, EnvironmentScore
from meristem.prediction.environments.schemes import Split, splits
from meristem.prediction.environments.trials import Trials
from meristem.prediction.environments.verdict import covariate_verdict
from meristem.prediction.outcome import PermutationControl
from meristem.prediction.predictors import Predictors
from meristem.prediction.trait_model import Forecast
from meristem.stats.metrics import coverage, pearson_r, rmse, slope
from meristem.stats.relationship import Rows

Vector = NDArray[np.float64]

#: Fewest held-out lines of an environment and split for which r is taken.
FEWEST_LINES: Final = 5


@dataclass
class Tally:
    """What one model predicted so far, and r and slope by split and environment, NaN where not judged."""

    environments: int
    r: list[Vector] = field(default_factory=list)
    slopes: list[Vector] = field(default_factory=list)
    cells: list[Rows] = field(default_factory=list)
    forecasts: list[Forecast] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, trials: Trials, held_out: Rows, forecast: Forecast, seconds: float) -> None:
        """Judge one split."""
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
        """Summarise all splits."""
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


def evaluate_environments(
    predictors: Predictors,
    trials: Trials,
    models: Sequence[EnvironmentModel],
    scheme: str,
    *,
    trait: str,
    folds: int = 5,
    repeats: int = 1,
    permutations: int = 5,
    seed: int = 0,
) -> EnvironmentEvaluation:
    """Cross-validate models on the same splits.

    Parameters
    ----------
    predictors
        Accessions that ``trials.line`` are rows of.
    models
        The baseline first; the last one has the permutation control.
    scheme
        One of :data:`meristem.prediction.environments.schemes.ENVIRONMENT_SCHEMES`.
    repeats
        Divisions; repeat r uses seed + r. ``forward`` has one.
    permutations
        Shuffles within environments, each through the splits of the first repeat.

    Raises
    ------
    MeristemError
        If no environment can be judged or the scheme cannot be made.
    """
    names = predictors.genotypes.accessions
    count = 1 if scheme == "forward" else repeats
    drawn = [splits(trials, names, scheme, folds=folds, seed=seed + r) for r in range(count)]
    cases = {model.name: (model, trials) for model in models}
    tallies = _run(predictors, cases, [split for division in drawn for split in division])
    _check_judged(trials, next(iter(tallies.values())))
    paired, over = paired_differences(trials, tallies, scheme, folds, seed)
    return EnvironmentEvaluation(
        trait=trait,
        scheme=scheme,
        folds=folds if scheme != "forward" else len(drawn[0]),
        repeats=count,
        scores=tuple(tally.score(name, trials) for name, tally in tallies.items()),
        paired=paired,
        interval_over=over,
        permutation=_control(predictors, trials, models[-1], drawn[0], permutations, seed),
        assumptions=(*trials.assumptions, *_not_judged(trials, next(iter(tallies.values())))),
        verdict=covariate_verdict(paired, scheme, over),
    )


def judged(trials: Trials, held_out: Rows) -> list[int]:
    """Environments with at least 5 held-out lines whose values differ."""
    where, observed = trials.environment[held_out], trials.value[held_out]
    return [
        int(environment)
        for environment in np.unique(where)
        if (where == environment).sum() >= FEWEST_LINES and np.ptp(observed[where == environment]) > 0.0
    ]


def mean_known(values: NDArray[np.float64], axis: int) -> Vector:
    """Mean without the NaN, NaN where there is nothing else."""
    known = ~np.isnan(values)
    total, count = np.where(known, values, 0.0).sum(axis=axis), known.sum(axis=axis)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _run(
    predictors: Predictors, cases: Mapping[str, tuple[EnvironmentModel, Trials]], drawn: Sequence[Split]
) -> dict[str, Tally]:
    """Every case, a model with the records it sees, through every split."""
    tallies = {name: Tally(len(trials.environments)) for name, (_, trials) in cases.items()}
    for split in drawn:
        if not len(split.held_out):
            continue
        for name, (model, trials) in cases.items():
            predictors.lap()
            fitted = model.fit(predictors, trials.take(split.training))
            forecast = fitted.predict(trials.line[split.held_out], trials.environment[split.held_out])
            tallies[name].add(trials, split.held_out, forecast, predictors.lap())
    return tallies


def _control(
    predictors: Predictors,
    trials: Trials,
    model: EnvironmentModel,
    drawn: Sequence[Split],
    permutations: int,
    seed: int,
) -> PermutationControl:
    generator = np.random.default_rng(seed)
    cases = {f"shuffle {i}": (model, trials.shuffled(generator)) for i in range(permutations)}
    tallies = _run(predictors, cases, drawn).values()
    found = [float(np.nanmean(mean_known(np.array(tally.r), axis=0))) for tally in tallies]
    lower, upper = np.quantile(found, [0.025, 0.975]) if found else (0.0, 0.0)
    return PermutationControl(model.name, float(np.mean(found or [0.0])), float(lower), float(upper))


def _check_judged(trials: Trials, tally: Tally) -> None:
    if np.isnan(tally.r).all():
        raise MeristemError(
            f"no environment has {FEWEST_LINES} held-out accessions in a fold, so none can be judged",
            mend="use fewer folds, or give environments with more accessions",
        )


def _not_judged(trials: Trials, tally: Tally) -> tuple[str, ...]:
    silent = [row for row in trials.seen if np.isnan(np.array(tally.r)[:, row]).all()]
    if not silent:
        return ()
    named = ", ".join(trials.environments.names[row] for row in silent[:6])
    more = f" and {len(silent) - 6} more" if len(silent) > 6 else ""
    return (
        f"Not judged, because no fold holds {FEWEST_LINES} of their accessions out or the scheme never "
        f"does: {named}{more}.",
    )
