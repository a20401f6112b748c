"""Held-out accuracy of trait models on the same folds.

Everything that learns (frequencies, imputation, bandwidths, variance components) learns inside the fold:
models receive trait values of the training rows only, and
:class:`~budwood.prediction.kernels.panel_kernels.PanelKernels` makes kernels from the training rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.prediction.contract import Estimator, Forecast, fit_several
from budwood.prediction.evaluation.conclusion import dna_conclusion
from budwood.prediction.evaluation.cv_predictions import CvPredictions, Scorer
from budwood.prediction.evaluation.fold_runner import FoldRunner
from budwood.prediction.evaluation.heritability import genomic_heritability, heritability_notes
from budwood.prediction.evaluation.results import Evaluation, Heritability, PermutationTest
from budwood.prediction.evaluation.shuffled_control import ShuffledControl, control_note
from budwood.prediction.evaluation.splitting import Scheme
from budwood.prediction.kernels.panel_kernels import PanelKernels
from budwood.stats.relationship.relationship import Rows

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]

#: Forecast of the held-out lines of a fold by each model, and the seconds it took.
FoldForecasts: TypeAlias = list[tuple[Forecast, float]]

#: Most shuffles of the control.
PERMUTATIONS: Final = 20


@dataclass(frozen=True)
class Comparison:
    """Models to compare.

    Attributes
    ----------
    models
        The baseline first; names differ.
    reported
        Name of the model whose held-out predictions and permutation control are kept.
    dna_model
        Name of the model that has the DNA model's kernel, for the conclusion; empty when none has.
    """

    models: tuple[Estimator, ...]
    reported: str
    dna_model: str = ""

    @property
    def reported_model(self) -> Estimator:
        """The model that is reported on."""
        return next(model for model in self.models if model.name == self.reported)


def evaluate(
    kernels: PanelKernels,
    y: Vector,
    comparison: Comparison,
    scheme: Scheme,
    *,
    trait: str,
    weights: Vector | None = None,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
    heritability: Heritability | None = None,
    lower_is_better: bool = False,
    notes: Sequence[str] = (),
    runner: FoldRunner | None = None,
    forecasts: Sequence[FoldForecasts] | None = None,
) -> Evaluation:
    """Cross-validate models on the same folds.

    Parameters
    ----------
    kernels
        The n phenotyped accessions.
    y
        (n,) trait values.
    comparison
        The models.
    scheme
        Folds, the same for every model.
    trait
        Name of the trait.
    weights
        (n,) weights of the trait values, None for equal ones; accuracy counts every line alike.
    permutations
        Most shuffles of the trait values for the control, through folds of the first repeat (see
        :class:`~budwood.prediction.evaluation.shuffled_control.ShuffledControl`).
    seed
        Seed of the shuffles and of the bootstrap.
    heritability
        What r is divided by the root of; the genomic one of these accessions where None.
    lower_is_better
        Whether the best lines are those with the smallest values.
    notes
        Sentences that the evaluation is to carry.
    runner
        Runs folds and the first shuffles of the control; one after another in this process where None.
    forecasts
        Those of :func:`fold_forecasts`, where they were made with other traits'; without a runner.

    Returns
    -------
    Evaluation
        Accuracy of each model on the same folds, and differences from the baseline.

    Raises
    ------
    BudwoodError
        If a fold is too small to correlate or its trait values are all the same.
    """
    if not np.isfinite(y).all():
        raise BudwoodError("a trait value is not a number", mend="leave accessions without a value out")
    scheme.check(y)
    heritability = heritability or genomic_heritability(kernels, y, weights)
    scorer = Scorer(y, scheme, heritability, lower_is_better)
    shuffled = ShuffledControl(kernels, y, scheme, permutations, seed, weights)
    reported = comparison.reported_model
    if runner is None:
        folds = (task() for task in _fold_tasks(kernels, y, weights, comparison, scheme))
        tallies = _tallies(comparison, scheme, iter(forecasts) if forecasts else folds, len(y))
        control = shuffled.run(reported)
    else:
        first = shuffled.first_tasks(reported)
        tasks: list[Callable[[], Any]] = [
            *first,
            *_fold_tasks(kernels.fresh(), y, weights, comparison, scheme),
        ]
        done = runner.run(tasks)
        tallies = _tallies(comparison, scheme, iter(done[len(first) :]), len(y))
        control = shuffled.run(reported, done[: len(first)])
    found = _outcome(scorer, tallies, comparison, control, seed)
    accessions = kernels.genotypes.accessions
    return replace(found, trait=trait, held_out_accessions=accessions, notes=(*notes, *found.notes))


def _outcome(
    scorer: Scorer,
    tallies: dict[str, CvPredictions],
    comparison: Comparison,
    control: PermutationTest,
    seed: int,
) -> Evaluation:
    """Figures of all models, without the names of trait and accessions."""
    scheme, heritability = scorer.scheme, scorer.heritability
    scores = tuple(scorer.score(name, tally) for name, tally in tallies.items())
    paired = tuple(scorer.paired(scores[0], score, tallies, seed) for score in scores[1:])
    return Evaluation(
        trait="",
        scheme=scheme.name,
        folds=scheme.folds,
        repeats=len(scheme.repeats),
        scores=scores,
        paired=paired,
        permutation=control,
        held_out_prediction=tallies[comparison.reported].value[0].copy(),
        held_out_observed=scorer.observed.copy(),
        held_out_accessions=(),
        conclusion=dna_conclusion(paired, comparison.dna_model),
        heritability=heritability,
        lower_is_better=scorer.lower_is_better,
        possible_gain=scorer.possible_gain,
        top_quarter_chance=scorer.top_quarter_chance,
        held_out_fold=scheme.repeats[0].copy(),
        families=scorer.families,
        notes=(
            *heritability_notes(heritability, {score.name: score.mean_r for score in scores}),
            control_note(control, len(scorer.observed)),
        ),
    )


def _fold_tasks(
    kernels: PanelKernels, y: Vector, weights: Vector | None, comparison: Comparison, scheme: Scheme
) -> list[Callable[[], FoldForecasts]]:
    """Every model through every fold: a function for each fold, which can run in a process of its own."""
    return [
        partial(_fold, kernels, y, weights, comparison.models, training, held_out)
        for repeat in range(len(scheme.repeats))
        for training, held_out in scheme.splits(repeat)
    ]


def fold_forecasts(
    kernels: PanelKernels, y: Matrix, weights: Vector | None, comparison: Comparison, scheme: Scheme
) -> tuple[list[FoldForecasts], ...]:
    """Every model through every fold, for several traits of the same lines at once.

    Parameters
    ----------
    kernels
        The n phenotyped accessions.
    y
        (n, t) values of t traits.
    weights
        (n,) weights of the trait values, None for equal ones.
    comparison, scheme
        The models and the folds.

    Returns
    -------
    tuple of list
        For each trait what :func:`evaluate` takes; seconds are each trait's part of what all took.
    """
    found: tuple[list[FoldForecasts], ...] = tuple([] for _ in y.T)
    for repeat in range(len(scheme.repeats)):
        for training, held_out in scheme.splits(repeat):
            made: list[FoldForecasts] = [[] for _ in y.T]
            for model in comparison.models:
                kernels.lap()
                fits = fit_several(model, kernels, training, y[training], _of(weights, training))
                lines = kernels.lines(held_out, training)
                predicted = [fitted.predict(lines) for fitted in fits]
                seconds = kernels.lap() / len(made)
                for own, forecast in zip(made, predicted, strict=True):
                    own.append((forecast, seconds))
            for each, own in zip(found, made, strict=True):
                each.append(own)
    return found


def _fold(
    kernels: PanelKernels,
    y: Vector,
    weights: Vector | None,
    models: Sequence[Estimator],
    training: Rows,
    held_out: Rows,
) -> FoldForecasts:
    """Every model through one fold; what several need is made once."""
    found = []
    for model in models:
        kernels.lap()
        fitted = model.fit(kernels, training, y[training], _of(weights, training))
        found.append((fitted.predict(kernels.lines(held_out, training)), kernels.lap()))
    return found


def _tallies(
    comparison: Comparison, scheme: Scheme, folds: Iterator[FoldForecasts], n: int
) -> dict[str, CvPredictions]:
    """Forecasts of all folds by model."""
    tallies = {model.name: CvPredictions(len(scheme.repeats), n) for model in comparison.models}
    for repeat in range(len(scheme.repeats)):
        for _, held_out in scheme.splits(repeat):
            for model, (forecast, seconds) in zip(comparison.models, next(folds), strict=True):
                tallies[model.name].add(repeat, held_out, forecast, seconds)
    return tallies


def _of(weights: Vector | None, rows: Rows) -> Vector | None:
    """Weights of some rows."""
    return None if weights is None else weights[rows]
