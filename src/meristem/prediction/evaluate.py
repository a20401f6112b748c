"""Held-out accuracy of trait models on the same folds.

Everything that learns (frequencies, imputation, bandwidths, variance components) learns inside the fold:
models receive trait values of the training rows only, and
:class:`~meristem.prediction.predictors.Predictors` makes kernels from the training rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from meristem.errors import MeristemError
from meristem.prediction.outcome import Evaluation, ModelScore, PairedDifference, PermutationControl
from meristem.prediction.predictors import Predictors
from meristem.prediction.trait_model import Forecast, TraitModel
from meristem.prediction.verdict import dna_verdict
from meristem.stats.metrics import MINIMUM_PAIRS, coverage, pearson_r, rmse, slope
from meristem.stats.paired import corrected_interval
from meristem.stats.relationship import Rows
from meristem.stats.splits import Folds

Vector = NDArray[np.float64]

_PERMUTATIONS: Final = 20


@dataclass(frozen=True)
class Scheme:
    """How accessions are held out.

    Attributes
    ----------
    name
        ``"random"``, ``"clusters"`` or ``"groups"``.
    repeats
        For each repeat the fold of each labelled accession, (n,).
    """

    name: str
    repeats: tuple[Folds, ...]

    @property
    def folds(self) -> int:
        """Folds in each repeat."""
        return int(self.repeats[0].max()) + 1

    def splits(self, repeat: int) -> Iterator[tuple[Rows, Rows]]:
        """Training and held-out rows of each fold."""
        folds = self.repeats[repeat]
        for fold in np.unique(folds):
            yield np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)


@dataclass(frozen=True)
class Comparison:
    """Models to hold against one another.

    Attributes
    ----------
    models
        The baseline first; names differ.
    reported
        Name of the model whose held-out predictions and permutation control are kept.
    dna_model
        Name of the model that has the DNA model's kernel, for the verdict; empty when none has.
    """

    models: tuple[TraitModel, ...]
    reported: str
    dna_model: str = ""

    @property
    def reported_model(self) -> TraitModel:
        """The model that is reported on."""
        return next(model for model in self.models if model.name == self.reported)


@dataclass
class _Tally:
    """What one model did on the folds so far."""

    fold_r: list[float] = field(default_factory=list)
    value: list[Vector] = field(default_factory=list)
    lower: list[Vector] = field(default_factory=list)
    upper: list[Vector] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, forecast: Forecast, observed: Vector, seconds: float) -> None:
        self.fold_r.append(pearson_r(forecast.value, observed))
        self.value.append(forecast.value)
        self.lower.append(forecast.lower_90)
        self.upper.append(forecast.upper_90)
        self.seconds += seconds

    def score(self, name: str, observed: Vector) -> ModelScore:
        value, lower, upper = (np.concatenate(part) for part in (self.value, self.lower, self.upper))
        return ModelScore(
            name=name,
            fold_r=tuple(self.fold_r),
            mean_r=float(np.mean(self.fold_r)),
            coverage_90=coverage(lower, upper, observed),
            rmse=rmse(value, observed),
            slope=slope(value, observed),
            seconds=self.seconds,
        )


@dataclass
class _Shuffles:
    """The reported model on shuffled trait values, through the folds of one repeat."""

    values: list[Vector]
    fold_r: list[list[float]] = field(default_factory=list)

    def add(self, model: TraitModel, predictors: Predictors, training: Rows, held_out: Rows) -> None:
        row = []
        for y in self.values:
            # Shuffling a trait with few levels can leave one level only: nothing to learn or to rank.
            if np.ptp(y[training]) == 0.0 or np.ptp(y[held_out]) == 0.0:
                row.append(0.0)
                continue
            forecast = model.fit(predictors, training, y[training]).predict(held_out)
            row.append(pearson_r(forecast.value, y[held_out]))
        self.fold_r.append(row)

    def control(self, model: str) -> PermutationControl:
        mean_r = np.mean(self.fold_r, axis=0)
        lower, upper = np.quantile(mean_r, [0.025, 0.975])
        return PermutationControl(model, float(mean_r.mean()), float(lower), float(upper))


def evaluate(
    predictors: Predictors,
    y: Vector,
    comparison: Comparison,
    scheme: Scheme,
    *,
    trait: str,
    permutations: int = _PERMUTATIONS,
    seed: int = 0,
) -> Evaluation:
    """Cross-validate models on the same folds.

    Parameters
    ----------
    predictors
        The n labelled accessions.
    y
        (n,) trait values.
    scheme
        Folds, the same for every model.
    comparison
        The models.
    permutations
        Shuffles of the trait values for the control, each through the folds of the first repeat.
    seed
        Seed of the shuffles.

    Raises
    ------
    MeristemError
        If a fold is too small to correlate or its trait values are all the same.
    """
    _check(y, scheme)
    generator = np.random.default_rng(seed)
    shuffles = _Shuffles([generator.permutation(y) for _ in range(permutations)])
    tallies = _cross_validate(predictors, y, comparison, scheme, shuffles)
    order = np.concatenate([rows for r in range(len(scheme.repeats)) for _, rows in scheme.splits(r)])
    scores = tuple(tally.score(name, y[order]) for name, tally in tallies.items())
    paired = tuple(_paired(scores[0], score, scheme.folds) for score in scores[1:])
    held_out_prediction = np.empty(len(y))
    held_out_prediction[order[: len(y)]] = np.concatenate(tallies[comparison.reported].value)[: len(y)]
    return Evaluation(
        trait=trait,
        scheme=scheme.name,
        folds=scheme.folds,
        repeats=len(scheme.repeats),
        scores=scores,
        paired=paired,
        permutation=shuffles.control(comparison.reported),
        held_out_prediction=held_out_prediction,
        held_out_observed=y.copy(),
        held_out_accessions=predictors.genotypes.accessions,
        verdict=dna_verdict(paired, comparison.dna_model),
    )


def _cross_validate(
    predictors: Predictors, y: Vector, comparison: Comparison, scheme: Scheme, shuffles: _Shuffles
) -> dict[str, _Tally]:
    """Every model through every fold, and the shuffles through those of the first repeat."""
    tallies = {model.name: _Tally() for model in comparison.models}
    for repeat in range(len(scheme.repeats)):
        for training, held_out in scheme.splits(repeat):
            for model in comparison.models:
                predictors.lap()
                forecast = model.fit(predictors, training, y[training]).predict(held_out)
                tallies[model.name].add(forecast, y[held_out], predictors.lap())
            if repeat == 0:
                shuffles.add(comparison.reported_model, predictors, training, held_out)
    return tallies


def _paired(baseline: ModelScore, score: ModelScore, folds: int) -> PairedDifference:
    differences = np.array(score.fold_r) - np.array(baseline.fold_r)
    found = corrected_interval(differences, test_to_train=1.0 / (folds - 1))
    return PairedDifference(score.name, baseline.name, found.mean, found.lower, found.upper)


def _check(y: Vector, scheme: Scheme) -> None:
    if not np.isfinite(y).all():
        raise MeristemError("a trait value is not a number", mend="leave accessions without a value out")
    for repeat in range(len(scheme.repeats)):
        for _, held_out in scheme.splits(repeat):
            if len(held_out) < MINIMUM_PAIRS or np.ptp(y[held_out]) == 0.0:
                raise MeristemError(
                    f"{scheme.folds} folds of {len(y)} labelled accessions leave a fold with under "
                    f"{MINIMUM_PAIRS} accessions or with one trait value only",
                    mend="use fewer folds",
                )
