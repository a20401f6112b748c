"""Held-out accuracy of multi-environment models on the same cells.

Everything that learns (frequencies, scales, covariates' centres, variances) learns from the training cells of
a split: models get no others. r is taken within an environment and averaged; environments are never pooled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from budwood.errors import BudwoodError
from budwood.prediction.environments.contract import EnvironmentModel, forecast_cells
from budwood.prediction.environments.evaluation.conclusion import covariate_conclusion
from budwood.prediction.environments.evaluation.cv_predictions import (
    FEWEST_LINES,
    EnvironmentCvPredictions,
    mean_known,
)
from budwood.prediction.environments.evaluation.paired_differences import paired_differences
from budwood.prediction.environments.evaluation.schemes import CellSplit, splits
from budwood.prediction.environments.results import EnvironmentEvaluation
from budwood.prediction.environments.trials import Trials
from budwood.prediction.evaluation.results import PermutationTest
from budwood.prediction.kernels.panel_kernels import PanelKernels


def evaluate_environments(
    kernels: PanelKernels,
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
    kernels
        Accessions that ``trials.line`` are rows of.
    trials
        Means of accessions in environments.
    models
        The baseline first; the last one has the permutation control.
    scheme
        One of :data:`budwood.prediction.environments.evaluation.schemes.ENVIRONMENT_SCHEMES`.
    trait
        Name of the trait.
    folds
        Number of folds.
    repeats
        Divisions; repeat r uses seed + r. ``forward`` has one.
    permutations
        Shuffles within environments, each through the splits of the first repeat.
    seed
        Determines everything random.

    Returns
    -------
    EnvironmentEvaluation
        Accuracy of each model on the same splits.

    Raises
    ------
    BudwoodError
        If no environment can be judged or the scheme cannot be made.
    """
    names = kernels.genotypes.accessions
    count = 1 if scheme == "forward" else repeats
    drawn = [splits(trials, names, scheme, folds=folds, seed=seed + r) for r in range(count)]
    cases = {model.name: (model, trials) for model in models}
    tallies = _run(kernels, cases, [split for division in drawn for split in division])
    _check_judged(trials, next(iter(tallies.values())))
    paired, over = paired_differences(trials, tallies, scheme, folds, seed)
    return EnvironmentEvaluation(
        trait=trait,
        scheme=scheme,
        folds=len(drawn[0]) if scheme in ("cv0", "forward") else folds,
        repeats=count,
        scores=tuple(tally.score(name, trials) for name, tally in tallies.items()),
        paired=paired,
        interval_over=over,
        permutation=_control(kernels, trials, models[-1], drawn[0], permutations, seed),
        notes=(*trials.notes, *_not_judged(trials, next(iter(tallies.values()))), *_unsettled(tallies)),
        conclusion=covariate_conclusion(paired, scheme, over),
    )


def _run(
    kernels: PanelKernels, cases: Mapping[str, tuple[EnvironmentModel, Trials]], drawn: Sequence[CellSplit]
) -> dict[str, EnvironmentCvPredictions]:
    """Every case, a model with the records it sees, through every split."""
    tallies = {
        name: EnvironmentCvPredictions(len(trials.environments)) for name, (_, trials) in cases.items()
    }
    for split in drawn:
        if not len(split.held_out):
            continue
        for name, (model, trials) in cases.items():
            kernels.lap()
            fitted = model.fit(kernels, trials.take(split.training))
            cells = (trials.line[split.held_out], trials.environment[split.held_out])
            forecast = forecast_cells(fitted, kernels, *cells)
            tallies[name].add(trials, split.held_out, forecast, kernels.lap())
            tallies[name].unsettled += bool(fitted.notes)
    return tallies


def _control(
    kernels: PanelKernels,
    trials: Trials,
    model: EnvironmentModel,
    drawn: Sequence[CellSplit],
    permutations: int,
    seed: int,
) -> PermutationTest:
    generator = np.random.default_rng(seed)
    cases = {f"shuffle {i}": (model, trials.shuffled(generator)) for i in range(permutations)}
    tallies = _run(kernels, cases, drawn).values()
    found = [float(np.nanmean(mean_known(np.array(tally.r), axis=0))) for tally in tallies]
    lower, upper = np.quantile(found, [0.025, 0.975]) if found else (0.0, 0.0)
    return PermutationTest(model.name, float(np.mean(found or [0.0])), float(lower), float(upper))


def _unsettled(tallies: Mapping[str, EnvironmentCvPredictions]) -> tuple[str, ...]:
    return tuple(
        f"The variance components of {name} did not settle in {tally.unsettled} of {len(tally.r)} fits: its "
        "figures may be too low."
        for name, tally in tallies.items()
        if tally.unsettled
    )


def _check_judged(trials: Trials, tally: EnvironmentCvPredictions) -> None:
    if np.isnan(tally.r).all():
        raise BudwoodError(
            f"no environment has {FEWEST_LINES} held-out accessions in a fold, so none can be judged",
            mend="use fewer folds, or give environments with more accessions",
        )


def _not_judged(trials: Trials, tally: EnvironmentCvPredictions) -> tuple[str, ...]:
    silent = [row for row in trials.seen if np.isnan(np.array(tally.r)[:, row]).all()]
    if not silent:
        return ()
    named = ", ".join(trials.environments.names[row] for row in silent[:6])
    more = f" and {len(silent) - 6} more" if len(silent) > 6 else ""
    return (
        f"Not judged, because no fold holds {FEWEST_LINES} of their accessions out or the scheme never "
        f"does: {named}{more}.",
    )
