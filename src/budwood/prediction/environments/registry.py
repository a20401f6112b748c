"""Multi-environment models by the names that people type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from budwood.errors import BudwoodError, suggestion
from budwood.genomics.environments import Environments
from budwood.prediction.environments.contract import (
    DEVIATIONS,
    FACTOR_1,
    FACTOR_2,
    INDEX_NORM,
    MAIN_EFFECT,
    REACTION_NORM,
    SEPARATE,
    EnvironmentModel,
)

_MODELS: Final[Mapping[str, EnvironmentModel]] = MappingProxyType(
    {
        "main": MAIN_EFFECT,
        "separate": SEPARATE,
        "deviations": DEVIATIONS,
        "reaction-norm": REACTION_NORM,
        "index-norm": INDEX_NORM,
        "factor": FACTOR_1,
        "factor-2": FACTOR_2,
    }
)

ENVIRONMENT_MODELS: Final = tuple(_MODELS)


def environment_model_named(name: str) -> EnvironmentModel:
    """The multi-environment model of a name.

    Parameters
    ----------
    name
        Its name.

    Returns
    -------
    EnvironmentModel
        The model.

    Raises
    ------
    BudwoodError
        If there is none.

    Examples
    --------
    >>> environment_model_named("reaction-norm").name
    'reaction norm'
    """
    if name not in _MODELS:
        raise BudwoodError(
            f"there is no multi-environment model {name!r}",
            mend=suggestion(name, ENVIRONMENT_MODELS),
        )
    return _MODELS[name]


def usual_models(environments: Environments | None) -> tuple[str, ...]:
    """Models to compare where none are named: with covariates only where there are some.

    Parameters
    ----------
    environments
        Table of environments with their covariates; None where there is none.

    Returns
    -------
    tuple[str, ...]
        Sentences.
    """
    covaried = environments is not None and environments.has_covariates
    return ("main", "deviations", *(("reaction-norm",) if covaried else ()), "factor")


def check_environment_models(names: Sequence[str], environments: Environments | None) -> None:
    """Refuse models that do not exist, are named twice or need covariates that are not there.

    Parameters
    ----------
    names
        Of models.
    environments
        Table of environments with their covariates; None where there is none.

    Raises
    ------
    BudwoodError
        If there is no such model, or it needs what is not there.
    """
    for name in names:
        environment_model_named(name)
    if not names or len(set(names)) < len(names):
        raise BudwoodError(
            "the models are not distinct", mend=f"choose among {', '.join(ENVIRONMENT_MODELS)}"
        )
    if "reaction-norm" in names and (environments is None or not environments.has_covariates):
        raise BudwoodError(
            "the reaction norm needs covariates of the environments",
            mend="give --environments with year, location, treatment or numbers, or leave the model out",
        )
