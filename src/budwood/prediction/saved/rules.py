"""Shapes and ranges of what a saved model holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from math import inf
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from budwood.genomics.environments import Environments
from budwood.genomics.genotypes import Markers
from budwood.prediction.environments.fitted import FittedKroneckerModel
from budwood.prediction.environments.scaling import EnvironmentScales
from budwood.prediction.environments.trials import Trials
from budwood.prediction.kernels.kernel_model import FittedKernelModel, KernelEffects
from budwood.prediction.kernels.landmark_model import FittedLandmarkModel
from budwood.prediction.kernels.marker_model import FittedMarkerModel
from budwood.prediction.kernels.training_haplotypes import TrainingHaplotypes
from budwood.prediction.kernels.training_lines import TrainingLines
from budwood.prediction.models.bayes_c import SampledEffects
from budwood.prediction.models.boosted_trees import FittedBooster, FittedBoosters
from budwood.prediction.models.elastic_net import MarkerEffects
from budwood.prediction.models.major_loci import Background, FittedMajorLoci
from budwood.prediction.models.random_forest import FittedForest
from budwood.prediction.models.stack import FittedStack
from budwood.prediction.saved.booster_text import booster_problem
from budwood.prediction.saved.record import damaged
from budwood.prediction.uncertainty.cross_fit_model import FittedCrossFitModel, FittedLargeModel
from budwood.prediction.uncertainty.interval_scale import IntervalScale
from budwood.stats.evaluation.conformal import Widening
from budwood.stats.evaluation.stacking import StackingWeights
from budwood.stats.matrix_free.marker_blup import MarkerBlup
from budwood.stats.mixed_model.blup import Blup
from budwood.stats.mixed_model.column_covariance import FactorAnalytic, SumOfKernels
from budwood.stats.mixed_model.kronecker_grid import KroneckerGrid, SolvedGrid
from budwood.stats.mixed_model.kronecker_model import KroneckerFit
from budwood.stats.mixed_model.kronecker_scattered import KroneckerScattered, SolvedCells
from budwood.stats.mixed_model.landmark_blup import LandmarkBlup
from budwood.stats.mixed_model.variance_components import VarianceComponents

#: Rounding errors of shares and of calls in float32.
_SLACK: Final = 1e-6


@dataclass(frozen=True)
class Rule:
    """What the values of a field are.

    Attributes
    ----------
    shape
        Lengths of an array or a list, by name: equal names are equal lengths within one object, and
        ``lines``, ``markers``, ``environments``, ``seen`` and ``records`` within the whole model.
    least, most
        Smallest and largest value.
    below
        Name of a length that all values are under: they are positions.
    unknown
        Whether NaN may stand in it.
    """

    shape: tuple[str, ...] = ()
    least: float = -inf
    most: float = inf
    below: str = ""
    unknown: bool = False


def _of(*shape: str) -> Rule:
    return Rule(shape)


_SHARE: Final = Rule(least=0.0, most=1.0)
_NOT_NEGATIVE: Final = Rule(least=0.0)
_POSITIVE: Final = Rule(least=1e-300)


def _position(shape: str, below: str) -> Rule:
    return Rule((shape,), least=0, below=below)


#: Rules by class and field. Fields that are not named hold finite numbers of any size.
RULES: Final[Mapping[type, Mapping[str, Rule]]] = MappingProxyType(
    {
        Background: {
            "linkage": Rule(("markers",), least=0.0),
            "bandwidths": Rule(("bandwidths",), least=1e-300),
            "distances": Rule(("2",), least=0.0),
            "spreads": Rule(("2",)),
        },
        Blup: {
            "fixed_effects": _of("effects"),
            "fixed_covariance": _of("effects", "effects"),
            "projected": _of("lines"),
            "_factor": _of("lines", "lines"),
            "_solved_fixed": _of("lines", "effects"),
            "_records": _of("lines"),
        },
        EnvironmentScales: {
            "seen": _position("seen", "environments"),
            "centre": _of("environments"),
            "scale": Rule(("environments",), least=1e-300),
            "centre_variance": Rule(("environments",), least=0.0),
            "settings": _of("environments"),
        },
        Environments: {
            **{name: _of("environments") for name in ("names", "year", "location", "treatment")},
            "provenance": _of("environments"),
            "covariates": _of("environments"),
        },
        FactorAnalytic: {"order": Rule(least=0, most=50), "seen": _position("seen", "environments")},
        FittedBooster: {"columns": _position("features", "markers")},
        FittedBoosters: {"members": _of("members")},
        FittedCrossFitModel: {"error_factor": _NOT_NEGATIVE, "reliability": _SHARE},
        FittedForest: {
            "columns": _position("features", "markers"),
            "roots": _position("trees", "nodes"),
            "left": Rule(("nodes",), least=-1, below="nodes"),
            "right": Rule(("nodes",), least=-1, below="nodes"),
            "feature": _position("nodes", "features"),
            "threshold": _of("nodes"),
            "leaf_value": _of("nodes"),
        },
        FittedKernelModel: {"names": _of("kernels"), "variance_shares": _SHARE},
        FittedKroneckerModel: {"spread": _POSITIVE},
        FittedLandmarkModel: {
            "names": _of("1"),
            "landmarks": _position("landmarks", "lines"),
            "variance_shares": _SHARE,
            "records": Rule(least=2),
            "interval_factor": _NOT_NEGATIVE,
        },
        FittedLargeModel: {
            "half_factor": _NOT_NEGATIVE,
            "error_factor": _NOT_NEGATIVE,
            "reliability": _SHARE,
        },
        FittedMajorLoci: {
            "line_effects": _of("lines"),
            "loci": _position("loci", "markers"),
            "locus_effects": _of("loci"),
        },
        FittedMarkerModel: {
            "names": _of("1"),
            "variance_shares": _SHARE,
            "records": Rule(least=2),
            "hidden_variance": _NOT_NEGATIVE,
            "interval_factor": _NOT_NEGATIVE,
        },
        IntervalScale: {
            "own": _of("lines"),
            "judged": _of("lines"),
            "scores": Rule(("judged",), least=0.0),
            "near": _NOT_NEGATIVE,
        },
        KernelEffects: {
            "names": _of("kernels"),
            "variances": Rule(("kernels",), least=0.0),
            "projected": _of("lines"),
        },
        KroneckerFit: {"log_likelihood": Rule(unknown=True)},
        KroneckerGrid: {
            "values": _of("lines"),
            "vectors": _of("lines", "lines"),
            "records": _of("lines", "seen"),
            "dummies": _of("seen"),
            "count": Rule(least=1),
        },
        KroneckerScattered: {
            "kernel": _of("lines", "lines"),
            "rows": Rule(("seen",), least=0, below="lines"),
            "records": _of("records"),
            "weights": Rule(("records",), least=1e-300),
        },
        LandmarkBlup: {
            "mean_variance": _NOT_NEGATIVE,
            "to_features": _of("landmarks", "directions"),
            "centre": _of("directions"),
            "effects": _of("directions"),
            "error_variances": Rule(("directions",), least=0.0),
            "own_variance": _NOT_NEGATIVE,
        },
        MarkerBlup: {
            "fixed_effects": _of("effects"),
            "fixed_covariance": _of("effects", "effects"),
            "effects": _of("markers"),
            "fixed_shift": _of("markers", "effects"),
            "sampled_effects": _of("markers", "samples"),
            "sampled_errors": _of("markers", "error samples"),
            "unknown_weight": _SHARE,
            "unit": _POSITIVE,
            "training_effect": _of("lines"),
            "training_shift": _of("lines", "effects"),
            "training_pev": Rule(("lines",), least=0.0),
            "monte_carlo_error": _NOT_NEGATIVE,
            "residual": _NOT_NEGATIVE,
            "passes": _NOT_NEGATIVE,
        },
        MarkerEffects: {
            "columns": _position("features", "markers"),
            "centre": _of("features"),
            "effects": _of("features"),
        },
        Markers: {
            **{name: _of("markers") for name in ("identifier", "contig", "counted", "other")},
            "position": Rule(("markers",), least=-1),
        },
        SampledEffects: {
            "inclusion": Rule(("features",), least=0.0, most=1.0),
            "share": _SHARE,
            "iterations": Rule(least=1),
            "burn_in": _NOT_NEGATIVE,
            "monte_carlo_error": Rule(least=0.0, unknown=True),
        },
        SolvedCells: {
            "factor": _of("records", "records"),
            "means": _of("seen"),
            "mean_covariance": _of("seen", "seen"),
            "solved_means": _of("records", "seen"),
            "projected": _of("records"),
        },
        SolvedGrid: {
            "inverses": _of("lines", "seen", "seen"),
            "factor": _of("effects", "effects"),
            "effects": _of("effects"),
            "projected": _of("lines", "seen"),
            "log_determinant": Rule(unknown=True),
        },
        StackingWeights: {"weights": Rule(("members",), least=0.0)},
        SumOfKernels: {
            "kernels": _of("environments", "environments"),
            "seen": _position("seen", "environments"),
        },
        TrainingHaplotypes: {
            "contigs": _of("windows"),
            "starts": Rule(("windows",), least=0),
            "ends": Rule(("windows",), least=1),
            "sequences": _of("sequences", "bases"),
            "vectors": _of("sequences", "numbers"),
            "offsets": Rule(("windows + 1",), least=0),
            "codes": _of("lines", "windows", "copies"),
            "row_mean": _of("lines"),
            "unit": _POSITIVE,
        },
        TrainingLines: {
            "accessions": _of("lines"),
            "dosage": Rule(("lines", "markers"), least=-1, most=127, unknown=True),
            "ploidy": Rule(("lines",), least=1),
            "frequency": Rule(("markers",), least=0.0, most=1.0),
            "variance": Rule(("markers",), least=0.0),
            "mean_ploidy": Rule(least=1.0, most=127.0),
            "weights": Rule(("markers",), least=0.0),
            "mean_distance": _NOT_NEGATIVE,
        },
        Trials: {
            "line": Rule(("records",), least=0),
            "environment": _position("records", "environments"),
            "value": _of("records"),
            "standard_error": Rule(("records",), least=0.0, unknown=True),
        },
        VarianceComponents: {
            "kernels": _NOT_NEGATIVE,
            "residual": _NOT_NEGATIVE,
            "log_likelihood": Rule(unknown=True),
        },
        Widening: {"excess": _NOT_NEGATIVE},
    }
)

_WHOLE_MODEL: Final = ("lines", "markers", "environments", "seen", "records")


def check_rules(
    model: object, lengths: Mapping[str, int], own: Mapping[str, Rule], *, where: str = ""
) -> None:
    """Refuse a model with an array of a shape or a value outside the range that it has to have.

    Parameters
    ----------
    model
        What was read.
    lengths
        Lengths that hold in the whole model: ``lines``, ``markers``, and with several environments also
        ``environments``, ``seen`` and ``records``.
    own
        Rules of the fields of the model itself.
    where
        The file, for the message.

    Raises
    ------
    BudwoodError
        If a field breaks a rule; it is named.
    """
    _check(model, "", dict(lengths), own, where)


def _check(thing: Any, path: str, lengths: Mapping[str, int], rules: Mapping[str, Rule], where: str) -> None:
    local = {name: lengths[name] for name in _WHOLE_MODEL if name in lengths}
    values = {each.name: getattr(thing, each.name) for each in fields(thing) if each.init}
    for name, value in values.items():
        inside = f"{path}.{name}" if path else name
        problem = _learn_lengths(value, rules.get(name, Rule()), local)
        if problem:
            raise damaged(problem, inside, where)
    for name, value in values.items():
        inside = f"{path}.{name}" if path else name
        _check_value(value, inside, rules.get(name, Rule()), local, where)
    special = _SPECIAL.get(type(thing))
    problem = special(thing) if special else ""
    if problem:
        raise damaged(problem, path or "model", where)


def _learn_lengths(value: Any, rule: Rule, local: dict[str, int]) -> str:
    """Compare lengths with those known of the object, and learn the others."""
    if not rule.shape:
        return ""
    if isinstance(value, Mapping):
        return next((found for each in value.values() if (found := _learn_lengths(each, rule, local))), "")
    shape = value.shape if isinstance(value, np.ndarray) else (len(value),)
    if len(shape) != len(rule.shape):
        return f"has {len(shape)} dimensions, not {len(rule.shape)}"
    for name, length in zip(rule.shape, shape, strict=True):
        expected = int(name) if name.isdigit() else local.setdefault(name, length)
        if length != expected:
            return f"has the shape {shape}; its number of {name} is not {expected}"
    return ""


def _check_value(value: Any, path: str, rule: Rule, local: Mapping[str, int], where: str) -> None:
    if is_dataclass(value):
        _check(value, path, local, RULES.get(type(value), {}), where)
    elif isinstance(value, tuple | list):
        for place, each in enumerate(value):
            _check_value(each, f"{path}[{place}]", rule, local, where)
    elif isinstance(value, Mapping):
        for key, each in value.items():
            _check_value(each, f"{path}[{key!r}]", rule, local, where)
    elif isinstance(value, int | float | np.ndarray) and not isinstance(value, bool):
        problem = _outside(np.asarray(value), rule, local)
        if problem:
            raise damaged(problem, path, where)


def _outside(array: Any, rule: Rule, local: Mapping[str, int]) -> str:
    if array.dtype.kind not in "fiu":
        return ""
    known = array
    if array.dtype.kind == "f":
        unknown = np.isnan(array)
        if unknown.any() and not rule.unknown:
            return "has values that are no numbers"
        known = array[~unknown]
        if not np.isfinite(known).all() and not rule.unknown:
            return "has infinite values"
    if not known.size:
        return ""
    least, most = float(known.min()), float(known.max())
    if least < rule.least - _SLACK * (0.0 < abs(rule.least) < inf and rule.least >= 1e-6):
        return f"has the value {least:g}, under {rule.least:g}"
    if most > rule.most + _SLACK:
        return f"has the value {most:g}, over {rule.most:g}"
    if rule.below and most >= local[rule.below]:
        return f"has the position {most:g}, and there are {local[rule.below]} {rule.below}"
    return ""


def _forest(forest: FittedForest) -> str:
    place = np.arange(len(forest.left))
    inner = forest.left >= 0
    if not len(forest.roots) or np.any(inner != (forest.right >= 0)):
        return "has no trees, or nodes with one child"
    # Children come after their parents, so that every path ends.
    if np.any(forest.left[inner] <= place[inner]) or np.any(forest.right[inner] <= place[inner]):
        return "has a node that stands after its children"
    return ""


def _booster(booster: FittedBooster) -> str:
    return booster_problem(booster.text, len(booster.columns))


def _haplotypes(found: TrainingHaplotypes) -> str:
    sizes = np.diff(found.offsets)
    if len(found.offsets) != len(found.contigs) + 1 or np.any(sizes < 1):
        return "has offsets that do not fit its windows"
    if found.offsets[0] != 0 or found.offsets[-1] != len(found.sequences):
        return "has offsets that do not fit its sequences"
    absent = np.iinfo(found.codes.dtype).max
    if np.any((found.codes >= sizes[None, :, None]) & (found.codes != absent)):
        return "has codes without a sequence"
    if np.any(found.ends <= found.starts):
        return "has windows without bases"
    return "" if not np.isnan(found.mean) else "has no mean"


def _training(lines: TrainingLines) -> str:
    if len(set(lines.accessions)) < len(lines.accessions) or not lines.accessions:
        return "has no accessions, or one twice"
    if np.any(lines.dosage > lines.ploidy[:, None]):
        return "has dosages above the ploidy"
    if lines.haplotypes is not None and len(lines.haplotypes.codes) != len(lines.accessions):
        return "has sequences of other lines"
    return ""


def _positive_diagonal(name: str) -> Callable[[Any], str]:
    def check(thing: Any) -> str:
        diagonal = np.diagonal(getattr(thing, name))
        return "" if np.all(diagonal > 0.0) else "is not solved: a variance in its factor is not positive"

    return check


def _judged(scale: IntervalScale) -> str:
    return "" if len(scale.scores) == scale.judged.sum() else "has other scores than judged lines"


def _kernels(model: FittedKernelModel) -> str:
    components = (model.solved.components, *((model.average,) if model.average else ()))
    fits = model.names and all(len(each.kernels) == len(model.names) for each in components)
    return "" if fits else "has other variances than kernels"


def _stack(stack: FittedStack) -> str:
    fits = len(stack.members) == len(stack.weights.weights)
    return "" if fits else "has other weights than members"


def _background(background: Background) -> str:
    size = 1 + len(background.bandwidths)
    spreads = background.spreads
    fits = all(len(each) == size and min(each) > 0.0 for each in spreads)
    return "" if fits else "has spreads that do not fit its kernels"


def _structure(structure: FactorAnalytic) -> str:
    return "" if 0 < len(structure.seen) <= structure.columns else "has other columns than environments"


def _sampled(sampled: SampledEffects) -> str:
    fits = len(sampled.inclusion) == len(sampled.effects.columns)
    return "" if fits else "has other shares than markers"


def _members(boosters: FittedBoosters) -> str:
    return "" if boosters.members else "has no trees"


#: What several fields of a class have to do with one another.
_SPECIAL: Final[Mapping[type, Callable[[Any], str]]] = MappingProxyType(
    {
        Background: _background,
        Blup: _positive_diagonal("_factor"),
        FactorAnalytic: _structure,
        FittedBooster: _booster,
        FittedBoosters: _members,
        FittedForest: _forest,
        FittedKernelModel: _kernels,
        FittedStack: _stack,
        IntervalScale: _judged,
        SampledEffects: _sampled,
        SolvedCells: _positive_diagonal("factor"),
        SolvedGrid: _positive_diagonal("factor"),
        TrainingHaplotypes: _haplotypes,
        TrainingLines: _training,
    }
)
