"""Every accession in every environment: predictions, stability, and the mean over target environments."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.genomics.environments import Environments
from budwood.genomics.genotypes import Genotypes
from budwood.genomics.phenotypes import Phenotypes
from budwood.prediction.contract import Lines
from budwood.prediction.environments.conclusion import provenance_warning
from budwood.prediction.environments.contract import FittedEnvironmentModel
from budwood.prediction.environments.registry import check_environment_models, environment_model_named
from budwood.prediction.environments.results import EnvironmentPrediction
from budwood.prediction.environments.trials import Trials, match_trials
from budwood.prediction.kernels.panel_kernels import PanelKernels
from budwood.stats.evaluation.finlay_wilkinson import finlay_wilkinson
from budwood.stats.relationship.relationship import Rows

Vector = NDArray[np.float64]


def predict_environments(
    genotypes: Genotypes,
    phenotypes: Phenotypes,
    trait: str,
    *,
    environments: Environments | None = None,
    model: str | None = None,
    targets: Sequence[str] | None = None,
) -> EnvironmentPrediction:
    """Predict a trait for all accessions in all environments of the table, those without records included.

    Parameters
    ----------
    model
        Name of a multi-environment model; by default the reaction norm where the table has covariates, main
        effect with deviations otherwise.
    targets
        Environments whose mean is predicted; all by default.

    Raises
    ------
    BudwoodError
        If records, environments and model do not fit together.
    """
    covaried = environments is not None and environments.has_covariates
    name = model or ("reaction-norm" if covaried else "deviations")
    check_environment_models([name], environments)
    trials = match_trials(genotypes, phenotypes, trait, environments)
    wanted = _rows(trials.environments, targets)
    described = environment_model_named(name)
    kernels = PanelKernels(genotypes)
    fitted = described.fit(kernels, trials)
    everyone = kernels.lines(np.arange(len(kernels)), fitted.lines)
    return _prediction(genotypes, trials, trait, described.name, fitted, everyone, wanted)


def _prediction(
    genotypes: Genotypes,
    trials: Trials,
    trait: str,
    model: str,
    fitted: FittedEnvironmentModel,
    everyone: Lines,
    wanted: Rows,
) -> EnvironmentPrediction:
    known = trials.environments
    cells = fitted.predict_mixtures(everyone, np.eye(len(known)))
    mixture = np.zeros((1, len(known)))
    mixture[0, wanted] = 1.0 / len(wanted)
    mean = fitted.predict_mixtures(everyone, mixture)
    observed = np.full((len(everyone), len(known)), np.nan)
    observed[trials.line, trials.environment] = trials.value
    trained = np.isin(np.arange(len(known)), trials.seen)
    slope, deviation, told = _stability(cells.value)
    return EnvironmentPrediction(
        trait=trait,
        model=model,
        accessions=genotypes.accessions,
        environments=known.names,
        observed=observed,
        value=cells.value,
        standard_error=cells.standard_error,
        lower_90=cells.lower_90,
        upper_90=cells.upper_90,
        trained=trained,
        spread=cells.value.std(axis=0, ddof=1),
        mean=mean.value[:, 0],
        mean_standard_error=mean.standard_error[:, 0],
        slope=slope,
        deviation=deviation,
        variance_shares=fitted.variance_shares,
        notes=(*_warnings(trials, wanted, trained), *fitted.notes, *trials.notes, *told),
    )


def _rows(environments: Environments, targets: Sequence[str] | None) -> Rows:
    if targets is None:
        return np.arange(len(environments))
    if not targets:
        raise BudwoodError("no target environment is named", mend="name at least one")
    environments.check_known(targets)
    return np.array(sorted({environments.row[name] for name in targets}), dtype=np.intp)


def _stability(value: NDArray[np.float64]) -> tuple[Vector, Vector, tuple[str, ...]]:
    try:
        found = finlay_wilkinson(value)
    except BudwoodError as error:
        unknown = np.full(len(value), np.nan)
        return unknown, unknown, (f"No stability: {error.what}.",)
    told = "Slopes and deviations of stability are those of predictions, which are shrunk towards the mean."
    return found.slope, found.deviation, (told,)


def _warnings(trials: Trials, wanted: Rows, trained: NDArray[np.bool_]) -> tuple[str, ...]:
    warning = provenance_warning(trials.environments, trials.seen, wanted)
    new = [trials.environments.names[row] for row in wanted if not trained[row]]
    if not new:
        return (warning,) if warning else ()
    told = (
        f"{len(new)} environments have no records ({', '.join(new[:4])}{' ...' if len(new) > 4 else ''}): "
        "their means are expected from the others'."
    )
    return (warning, told) if warning else (told,)
