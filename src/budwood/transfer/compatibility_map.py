"""Which source helps which target: measured cells, their gains, and what nobody has measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from budwood.genomics.phylogeny import Clade, path_lengths
from budwood.stats.evaluation.paired_difference import ConfidenceInterval

#: Outcome of a pair that nobody has measured.
UNTESTED: Final = "untested"
#: Numbers of phenotyped lines whose gains the map shows; 0 is r of the source's score itself.
GAIN_SIZES: Final = (0, 50, 150)
#: Fewest measured pairs with a distance from which gains of others are predicted.
FEWEST_PAIRS: Final = 6


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One source, target and trait.

    Attributes
    ----------
    source, target, trait
        Names.
    outcome
        What the source does for the target, or ``"untested"``.
    gain
        By number of phenotyped lines: r of the source's score at 0, and the difference from the target
        alone above; empty where untested.
    distance
        Length of the path between the two species in the tree; NaN where it is not known.
    predicted
        Predicted r of the source's score, where a predictor beats the mean; NaN elsewhere.
    sources
        Names of several sources that were joined; ``source`` is then their common name. Empty for one.
    """

    source: str
    target: str
    trait: str
    outcome: str = UNTESTED
    gain: Mapping[int, ConfidenceInterval] = field(default_factory=dict)
    distance: float = np.nan
    predicted: float = np.nan
    sources: tuple[str, ...] = ()

    @property
    def is_tested(self) -> bool:
        """Whether somebody has measured it."""
        return self.outcome != UNTESTED


@dataclass(frozen=True, kw_only=True)
class MappedModel:
    """A trait model of a library: a source for every other one, and a target.

    Attributes
    ----------
    name
        Of the entry.
    trait
        Of the model.
    term
        Its term in an ontology; empty where none is given.
    species
        Name in the tree; empty where it is not known.
    """

    name: str
    trait: str
    term: str = ""
    species: str = ""

    def trait_with(self, target: MappedModel) -> str:
        """What a pair of models is about: one trait where both have the same term or name, else both.

        Examples
        --------
        >>> height = MappedModel(name="rice", trait="PH", term="TO:0000207")
        >>> height.trait_with(MappedModel(name="maize", trait="height", term="TO:0000207"))
        'height'
        >>> height.trait_with(MappedModel(name="maize", trait="yield"))
        'PH to yield'
        """
        same_term = bool(self.term) and self.term == target.term
        if same_term or self.trait.casefold() == target.trait.casefold():
            return target.trait
        return f"{self.trait} to {target.trait}"


@dataclass(frozen=True, kw_only=True)
class GainPredictor:
    """r of the source's score as a straight line of distance.

    Attributes
    ----------
    intercept, slope
        Of the line; 0 and NaN where nothing could be fitted.
    error, mean_error
        Root mean squared error on left-out pairs, of the line and of the mean of the other pairs.
    pairs
        Measured pairs with a distance.
    """

    intercept: float
    slope: float
    error: float
    mean_error: float
    pairs: int

    @property
    def beats_mean(self) -> bool:
        """Whether the line predicts left-out pairs better than their mean does."""
        return self.pairs >= FEWEST_PAIRS and self.error < self.mean_error


@dataclass(frozen=True, kw_only=True)
class CompatibilityMap:
    """All pairs of the sources and targets that are known.

    Attributes
    ----------
    cells
        Sorted by trait, source and target; untested ones included.
    predictor
        None with too few measured pairs of known distance.
    """

    cells: tuple[Cell, ...]
    predictor: GainPredictor | None


def compatibility_map(
    measured: Sequence[Cell],
    tree: Clade | None = None,
    further: Sequence[str] = (),
    models: Sequence[MappedModel] = (),
) -> CompatibilityMap:
    """Lay measured cells out with the untested ones between them.

    Parameters
    ----------
    measured
        Measured cells.
    tree
        Tree of the species; populations of one species, and names that are not in it, have no distance.
    further
        Names of species or populations that nobody has measured with.
    models
        Trait models of a library; a measured cell of two of them bears their names and what the pair is
        about (:meth:`MappedModel.trait_with`).

    Returns
    -------
    CompatibilityMap
        Every ordered pair of different names, for each measured trait, and every ordered pair of different
        models. Sources that were joined have their measured cells alone: they are no target, and any others
        could be joined as well.

    Examples
    --------
    >>> found = compatibility_map([Cell(source="rice", target="maize", trait="height", outcome="useful")])
    >>> [(cell.source, cell.outcome) for cell in found.cells]
    [('maize', 'untested'), ('rice', 'useful')]
    """
    known_models = {each.name: each for each in models}
    between = [
        c
        for c in measured
        if len(c.sources) < 2
        and c.source in known_models
        and c.target in known_models
        and c.trait == known_models[c.source].trait_with(known_models[c.target])
    ]
    joined = [c for c in measured if len(c.sources) > 1]
    others = [c for c in measured if c not in between and c not in joined]
    apart = [name for c in others for name in (c.source, c.target)]
    apart += [name for c in joined for name in (*c.sources, c.target) if name not in known_models]
    names = sorted({*further, *apart})
    distance = _distances(sorted({*names, *known_models}), tree, known_models)
    cells = [*joined, *_between_models(between, models, distance)]
    for trait in sorted({cell.trait for cell in (*others, *joined)} if names else ()):
        known: dict[tuple[str, str], list[Cell]] = {}
        for cell in others:
            if cell.trait == trait:
                known.setdefault((cell.source, cell.target), []).append(cell)
        for source in names:
            for target in names:
                here = known.get((source, target), [])
                if not here and source != target:
                    here = [Cell(source=source, target=target, trait=trait)]
                cells += [replace(c, distance=distance.get((source, target), np.nan)) for c in here]
    cells.sort(key=lambda c: (c.trait, c.source, c.target))
    predictor = gain_predictor(cells)
    if predictor is not None and predictor.beats_mean:
        cells = [
            c
            if c.is_tested or not np.isfinite(c.distance)
            else replace(c, predicted=predictor.intercept + predictor.slope * c.distance)
            for c in cells
        ]
    return CompatibilityMap(cells=tuple(cells), predictor=predictor)


def _between_models(
    measured: Sequence[Cell], models: Sequence[MappedModel], distance: Mapping[tuple[str, str], float]
) -> list[Cell]:
    """A cell or more for every ordered pair of different models."""
    known: dict[tuple[str, str], list[Cell]] = {}
    for cell in measured:
        known.setdefault((cell.source, cell.target), []).append(cell)
    cells = []
    for source in models:
        for target in models:
            if source.name == target.name:
                continue
            pair = (source.name, target.name)
            trait = source.trait_with(target)
            here = known.get(pair) or [Cell(source=pair[0], target=pair[1], trait=trait)]
            cells += [replace(c, distance=distance.get(pair, np.nan)) for c in here]
    return cells


def gain_predictor(cells: Sequence[Cell]) -> GainPredictor | None:
    """Fit r of the source's score to distance, and judge it on pairs that are left out.

    A pair is left out in both directions and with all its traits.

    Parameters
    ----------
    cells
        Measured and untested cells.

    Returns
    -------
    GainPredictor or None
        None with fewer than six measured pairs of known distance, or where all are equally far apart.
    """
    used = [c for c in cells if 0 in c.gain and np.isfinite(c.distance)]
    pairs = [tuple(sorted((c.source, c.target))) for c in used]
    if len(set(pairs)) < FEWEST_PAIRS:
        return None
    x, y = np.array([c.distance for c in used]), np.array([c.gain[0].mean for c in used])
    if np.ptp(x) == 0.0:
        return None
    errors, mean_errors = [], []
    for pair in sorted(set(pairs)):
        left = np.array([each == pair for each in pairs])
        if np.ptp(x[~left]) == 0.0:
            return None
        slope, intercept = np.polyfit(x[~left], y[~left], 1)
        errors.append(float(np.mean((y[left] - intercept - slope * x[left]) ** 2)))
        mean_errors.append(float(np.mean((y[left] - y[~left].mean()) ** 2)))
    slope, intercept = np.polyfit(x, y, 1)
    return GainPredictor(
        intercept=float(intercept),
        slope=float(slope),
        error=float(np.mean(errors)) ** 0.5,
        mean_error=float(np.mean(mean_errors)) ** 0.5,
        pairs=len(set(pairs)),
    )


def _distances(
    names: Sequence[str], tree: Clade | None, models: Mapping[str, MappedModel]
) -> dict[tuple[str, str], float]:
    """Distance of any two names that the tree has; names are compared without case and underscores.

    A model stands where its species does; models of one species have distance 0.
    """
    if tree is None:
        return {}
    leaves = {_plain(leaf.name): leaf.name for leaf in tree.leaves()}
    called = {name: _plain(models[name].species or name if name in models else name) for name in names}
    placed = [name for name in names if called[name] in leaves]
    species = sorted({leaves[called[name]] for name in placed})
    lengths = path_lengths(tree, species)
    at = {name: species.index(leaves[called[name]]) for name in placed}
    return {(one, other): float(lengths[at[one], at[other]]) for one in placed for other in placed}


def _plain(name: str) -> str:
    return name.lower().replace("_", " ").strip()
