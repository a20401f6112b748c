"""Compare multi-environment models on the same cells."""

from __future__ import annotations

from collections.abc import Sequence

from budwood.genomics.environments import Environments
from budwood.genomics.genotypes import Genotypes
from budwood.genomics.phenotypes import Phenotypes
from budwood.prediction.environments.evaluation.evaluate import evaluate_environments
from budwood.prediction.environments.registry import (
    check_environment_models,
    environment_model_named,
    usual_models,
)
from budwood.prediction.environments.results import EnvironmentEvaluation
from budwood.prediction.environments.trials import match_trials
from budwood.prediction.kernels.panel_kernels import PanelKernels


def compare_environment_models(
    genotypes: Genotypes,
    phenotypes: Phenotypes,
    trait: str,
    *,
    environments: Environments | None = None,
    models: Sequence[str] | None = None,
    scheme: str = "cv1",
    folds: int = 5,
    repeats: int = 1,
    seed: int = 0,
) -> EnvironmentEvaluation:
    """Cross-validate multi-environment models.

    Parameters
    ----------
    genotypes
        Accessions and their markers.
    phenotypes
        Long records; replicates are averaged first.
    trait
        Name of the trait.
    environments
        Table of environments with their covariates; ``forward`` and the reaction norm need it.
    models
        Names in :data:`budwood.prediction.environments.registry.ENVIRONMENT_MODELS`, the baseline first.
    scheme
        Name of the scheme of cross-validation.
    folds
        Number of folds.
    repeats
        Number of divisions into folds.
    seed
        Determines everything random.

    Returns
    -------
    EnvironmentEvaluation
        Accuracy of each model on the same splits.

    Raises
    ------
    BudwoodError
        If models, scheme, records or environments do not fit together.
    """
    names = tuple(models) if models else usual_models(environments)
    check_environment_models(names, environments)
    rows, columns = genotypes.order()
    genotypes = genotypes.take(rows).take_markers(columns)
    trials = match_trials(genotypes, phenotypes, trait, environments)
    chosen = [environment_model_named(name) for name in names]
    return evaluate_environments(
        PanelKernels(genotypes), trials, chosen, scheme, trait=trait, folds=folds, repeats=repeats, seed=seed
    )
