"""Trait models by the names that people type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from numbers import Integral
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeVar

from budwood.errors import BudwoodError, shown, suggestion
from budwood.prediction.contract import Estimator
from budwood.prediction.kernels.kernel_mixture import MULTI_KERNEL, KernelMixture
from budwood.prediction.kernels.kernel_model import GBLUP_AND_DNA_MODEL, KernelModel
from budwood.prediction.models.bayes_c import BAYES_C
from budwood.prediction.models.boosted_trees import LIGHTGBM
from budwood.prediction.models.elastic_net import ELASTIC_NET
from budwood.prediction.models.gaussian import GAUSSIAN_OF_ANY_SIZE, Gaussian
from budwood.prediction.models.gblup import GBLUP_OF_ANY_SIZE, Gblup
from budwood.prediction.models.major_loci import MAJOR_LOCI
from budwood.prediction.models.random_forest import RANDOM_FOREST
from budwood.prediction.models.stack import AUTO
from budwood.prediction.models.subgenomes import SUBGENOMES, SubgenomeModel
from budwood.prediction.uncertainty.calibrated import Calibrated
from budwood.prediction.uncertainty.cross_fit_model import CrossFitModel

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")

_MODELS: Final[
    Mapping[str, Gaussian | Gblup | KernelModel | KernelMixture | SubgenomeModel | CrossFitModel]
] = MappingProxyType(
    {
        "gblup": GBLUP_OF_ANY_SIZE,
        "gaussian": GAUSSIAN_OF_ANY_SIZE,
        "gblup+dna": GBLUP_AND_DNA_MODEL,
        "multi-kernel": MULTI_KERNEL,
        "major-loci": MAJOR_LOCI,
        "elastic-net": ELASTIC_NET,
        "bayes-c": BAYES_C,
        "random-forest": RANDOM_FOREST,
        "lightgbm": LIGHTGBM,
        "auto": AUTO,
        "subgenomes": SUBGENOMES,
    }
)

#: What :func:`model_named` knows; ``gblup+dna`` needs the embedding kernel among the predictors.
MODEL_NAMES: Final = tuple(_MODELS)


#: Ending of a name that keeps the interval of the model's own assumptions.
_OWN: Final = ":own"


def model_named(name: str, *, seed: int = 0) -> Estimator:
    """The trait model of a name, with intervals that its held-out errors have set (:class:`Calibrated`).

    ``NAME:own`` is a kernel model with the interval of its own assumptions; other models have none.

    Parameters
    ----------
    name
        Of :data:`MODEL_NAMES`.
    seed
        Of everything that the model draws: folds, records, markers.

    Returns
    -------
    Estimator
        The model, not yet fitted.

    Raises
    ------
    BudwoodError
        If there is none.

    Examples
    --------
    >>> model_named("gblup").name, model_named("gblup:own").name
    ('GBLUP', 'GBLUP, own interval')
    """
    plain = name.removesuffix(_OWN)
    model = _MODELS.get(plain)
    if model is None or (plain != name and isinstance(model, CrossFitModel)):
        raise BudwoodError(f"there is no trait model {name!r}", mend=suggestion(plain, MODEL_NAMES))
    if plain != name:
        return replace(model, name=f"{model.name}, own interval")
    whole = model if isinstance(model, CrossFitModel) else Calibrated(model)
    return _seeded(whole, seed) if seed else whole


def check_seed(seed: object) -> None:
    """Refuse a seed that nothing can be drawn with.

    Parameters
    ----------
    seed
        A whole number, not negative.

    Raises
    ------
    BudwoodError
        If it is something else.
    """
    if isinstance(seed, bool) or not isinstance(seed, Integral) or seed < 0:
        raise BudwoodError(f"{shown(seed)} is no seed", mend="give a whole number from 0")


def _seeded(described: T, seed: int) -> T:
    """A description with ``seed`` in the place of every seed in it."""
    changed: dict[str, Any] = {}
    for each in fields(described):
        value = getattr(described, each.name)
        if each.name == "seed":
            changed["seed"] = seed
        elif isinstance(value, tuple) and value and all(map(is_dataclass, value)):
            changed[each.name] = tuple(_seeded(member, seed) for member in value)
        elif is_dataclass(value) and not isinstance(value, type):
            changed[each.name] = _seeded(value, seed)
    return replace(described, **changed)
