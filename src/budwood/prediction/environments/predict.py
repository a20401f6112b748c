"""Every accession in every environment: predictions, stability, and the mean over target environments."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.genomics.environments import Environments
from budwood.genomics.genotypes import Genotypes
from budwood.genomics.phenotypes import Phenotypes
from budwood.prediction.environments.evaluation.conclusion import provenance_warning
from budwood.prediction.environments.fitted_trait_model import FittedEnvironmentTraitModel
from budwood.prediction.environments.registry import check_environment_models, environment_model_named
from budwood.prediction.environments.results import EnvironmentPrediction
from budwood.prediction.environments.trials import Trials, match_trials
from budwood.prediction.kernels.panel_kernels import PanelKernels
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
    genotypes
        Accessions and their markers.
    phenotypes
        Records of accessions in environments.
    trait
        Name of the trait.
    environments
        Table of environments with their covariates; None where there is none.
    model
        Name of a multi-environment model; by default the reaction norm where the table has covariates, main
        effect with deviations otherwise.
    targets
        Environments whose mean is predicted; all by default.

    Returns
    -------
    EnvironmentPrediction
        Predictions in every environment and of their mean.

    Raises
    ------
    BudwoodError
        If records, environments and model do not fit together.
    """
    fitted, kernels = fit_environments(
        genotypes, phenotypes, trait, environments=environments, model=model, targets=targets
    )
    everyone = kernels.lines(np.arange(len(kernels)), fitted.estimator.lines)
    found = fitted.forecast(everyone, kernels.genotypes.accessions)
    return found.in_order_of(genotypes.accessions)


def fit_environments(
    genotypes: Genotypes,
    phenotypes: Phenotypes,
    trait: str,
    *,
    environments: Environments | None = None,
    model: str | None = None,
    targets: Sequence[str] | None = None,
) -> tuple[FittedEnvironmentTraitModel, PanelKernels]:
    """Fit a multi-environment model that predicts any line.

    Lines are taken in the order of their ids, markers in the order of their places and records in that of
    lines and environments, so the results do not depend on the order of the files.

    Parameters
    ----------
    genotypes, phenotypes, trait, environments, model, targets
        As for :func:`predict_environments`.

    Returns
    -------
    fitted, kernels
        The model, and the panel as it saw it.

    Raises
    ------
    BudwoodError
        As :func:`predict_environments`.
    """
    covaried = environments is not None and environments.has_covariates
    name = model or ("reaction-norm" if covaried else "deviations")
    check_environment_models([name], environments)
    rows, columns = genotypes.order()
    genotypes = genotypes.take(rows).take_markers(columns)
    trials = match_trials(genotypes, phenotypes, trait, environments)
    wanted = _rows(trials.environments, targets)
    described = environment_model_named(name)
    kernels = PanelKernels(genotypes)
    trained = np.isin(np.arange(len(trials.environments)), trials.seen)
    estimator = described.fit(kernels, trials)
    fitted = FittedEnvironmentTraitModel.of(
        kernels,
        estimator,
        trials,
        wanted,
        trait=trait,
        model=described.name,
        name=name,
        notes=(*_warnings(trials, wanted, trained), *estimator.notes, *trials.notes),
    )
    return fitted, kernels


def _rows(environments: Environments, targets: Sequence[str] | None) -> Rows:
    if targets is None:
        return np.arange(len(environments))
    if not targets:
        raise BudwoodError("no target environment is named", mend="name at least one")
    environments.check_known(targets)
    return np.array(sorted({environments.row[name] for name in targets}), dtype=np.intp)


def _warnings(trials: Trials, wanted: Rows, trained: NDArray[np.bool_]) -> tuple[str, ...]:
    warning = provenance_warning(trials.environments, trials.seen, wanted)
    new = [trials.environments.names[row] for row in wanted if not trained[row]]
    if not new:
        return (warning,) if warning else ()
    sentence = (
        f"{len(new)} environments have no records ({', '.join(new[:4])}{' ...' if len(new) > 4 else ''}): "
        "their means are expected from the others'."
    )
    return (warning, sentence) if warning else (sentence,)
