"""Trait models by the names that people type."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from meristem.errors import MeristemError
from meristem.prediction.boosted_trees import LIGHTGBM
from meristem.prediction.calibrated import Calibrated
from meristem.prediction.elastic_net import ELASTIC_NET
from meristem.prediction.kernel_mixture import MULTI_KERNEL
from meristem.prediction.major_loci import MAJOR_LOCI
from meristem.prediction.random_forest import RANDOM_FOREST
from meristem.prediction.stack import AUTO
from meristem.prediction.subgenomes import SUBGENOMES
from meristem.prediction.trait_model import GAUSSIAN_KERNEL, GBLUP, GBLUP_AND_DNA_MODEL, TraitModel

_MODELS: Final[Mapping[str, TraitModel]] = MappingProxyType(
    {
        "gblup": GBLUP,
        "gaussian": GAUSSIAN_KERNEL,
        "gblup+dna": GBLUP_AND_DNA_MODEL,
        "multi-kernel": MULTI_KERNEL,
        "major-loci": MAJOR_LOCI,
        "elastic-net": ELASTIC_NET,
        "random-forest": RANDOM_FOREST,
        "lightgbm": LIGHTGBM,
        "auto": AUTO,
        "subgenomes": SUBGENOMES,
    }
)

#: What :func:`model_named` knows; ``gblup+dna`` needs the embedding kernel among the predictors.
MODEL_NAMES: Final = tuple(_MODELS)


_CALIBRATED: Final = ":calibrated"


def model_named(name: str) -> TraitModel:
    """The trait model of a name; ``NAME:calibrated`` has intervals by :class:`Calibrated`.

    Calibration fits a model eleven times, so it is meant for kernel models first. ``gblup+dna`` has no
    calibrated name.

    Raises
    ------
    MeristemError
        If there is none.

    Examples
    --------
    >>> model_named("gblup").name, model_named("gblup:calibrated").name
    ('GBLUP', 'GBLUP, calibrated')
    """
    plain = name.removesuffix(_CALIBRATED)
    if plain not in _MODELS or name == f"gblup+dna{_CALIBRATED}":
        raise MeristemError(
            f"there is no trait model {name!r}", mend=f"choose among {', '.join(MODEL_NAMES)}"
        )
    return _MODELS[plain] if plain == name else Calibrated(_MODELS[plain])
