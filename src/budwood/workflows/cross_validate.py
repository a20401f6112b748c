"""Cross-validate: accuracy of models of a panel in memory, on the same folds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from budwood.errors import BudwoodError, shown
from budwood.genomics.genotypes import Genotypes
from budwood.panel.accession_means import AccessionMeans
from budwood.panel.panel import Panel
from budwood.workflows.setup.threads import blas_threads

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from budwood.prediction.compare import Design
    from budwood.prediction.evaluation.results import Evaluation
    from budwood.prediction.trait_model import TraitModel


@dataclass(frozen=True)
class RandomKFold:
    """Folds of accessions drawn at random, drawn again in each repeat.

    Attributes
    ----------
    n_splits
        Folds.
    n_repeats
        Divisions.
    random_state
        Seed of the first division.
    """

    n_splits: int = 5
    n_repeats: int = 5
    random_state: int = 0

    def __post_init__(self) -> None:
        _check_count("n_splits", self.n_splits, 2)
        _check_count("n_repeats", self.n_repeats, 1)
        _check_count("random_state", self.random_state, 0)


@dataclass(frozen=True)
class ClusterKFold:
    """Folds of whole clusters of related accessions, as candidates of new populations are.

    Attributes
    ----------
    n_splits
        Folds.
    random_state
        Seed of permutation test and bootstrap; the clusters are not drawn.
    """

    n_splits: int = 5
    random_state: int = 0

    def __post_init__(self) -> None:
        _check_count("n_splits", self.n_splits, 2)
        _check_count("random_state", self.random_state, 0)


@dataclass(frozen=True)
class GroupKFold:
    """Folds of whole groups that the user names, such as families.

    Attributes
    ----------
    groups
        Group by accession.
    n_splits
        Folds; one for each group of at least 10 lines where None.
    random_state
        Seed of permutation test and bootstrap.
    """

    groups: Mapping[str, str]
    n_splits: int | None = None
    random_state: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.groups, Mapping) or not self.groups:
            raise BudwoodError("no accession has a group", mend="give the group of each accession by its id")
        if self.n_splits is not None:
            _check_count("n_splits", self.n_splits, 2)
        _check_count("random_state", self.random_state, 0)


def _check_count(name: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise BudwoodError(f"{name} is {shown(value)}", mend=f"give a whole number from {least}")


Splitter = RandomKFold | ClusterKFold | GroupKFold


def cross_validate(
    models: str | TraitModel | Sequence[str | TraitModel],
    panel: Panel | Genotypes,
    y: str | Mapping[str, float] | ArrayLike,
    *,
    cv: Splitter | None = None,
    lower_is_better: bool = False,
) -> Evaluation:
    """Compare models on the same folds of the phenotyped lines.

    Parameters
    ----------
    models
        Names of models, or :class:`~budwood.prediction.trait_model.TraitModel`; the first is the baseline,
        the last has the permutation test. A
        TraitModel draws from its own seed, a model given by name from that of ``cv``.
    panel
        Genotypes and, for models that read sequence, haplotypes with their vectors.
    y
        A trait of the panel, values by accession (a mapping, or a pandas Series with ids as its index), or
        one value for each accession in the panel's order, NaN where it is not phenotyped.
    cv
        How lines are held out; :class:`RandomKFold` by default.
    lower_is_better
        Whether the best lines are those with the smallest values.

    Returns
    -------
    Evaluation
        Accuracy, calibration and selection gain by model, paired differences, permutation test.

    Raises
    ------
    BudwoodError
        If a model is unknown or needs what the panel lacks, or folds are too small to be judged.

    Examples
    --------
    >>> from budwood.panel.example import example_panel
    >>> found = cross_validate(["gblup", "gaussian"], example_panel(), "height", cv=RandomKFold(5, 1))
    >>> [score.name for score in found.scores]
    ['GBLUP', 'Gaussian kernel']
    """
    from budwood.prediction.compare import compare_models

    given = panel if isinstance(panel, Panel) else Panel(genotypes=panel)
    if isinstance(models, Sequence) and not models:
        raise BudwoodError("no model is named", mend="give the name of one model or more, such as gblup")
    listed = [models] if isinstance(models, str) or not isinstance(models, Sequence) else list(models)
    for each in listed:
        if not isinstance(each, str) and not hasattr(each, "model"):
            raise BudwoodError(
                f"{shown(each)} is no model", mend="give names of models, or TraitModel objects"
            )
    if cv is not None and not isinstance(cv, Splitter):
        raise BudwoodError(
            f"{shown(cv)} does not say how lines are held out",
            mend="give RandomKFold, ClusterKFold or GroupKFold",
        )
    names = tuple(each if isinstance(each, str) else each.model for each in listed)
    splitter = RandomKFold() if cv is None else cv
    seeds = tuple(splitter.random_state if isinstance(each, str) else each.seed for each in listed)
    with blas_threads(len(given)):
        return compare_models(
            given.genotypes,
            _values(given, y),
            y if isinstance(y, str) else "the trait",
            _design(names, seeds, splitter, lower_is_better),
            haplotypes=given.haplotypes if given.vectors else None,
            vectors=given.vectors.values if given.vectors else None,
            weights=given.weights,
            kinship=given.kinship,
            groups=splitter.groups if isinstance(splitter, GroupKFold) else None,
        )


def _design(models: tuple[str, ...], seeds: tuple[int, ...], cv: Splitter, lower_is_better: bool) -> Design:
    from budwood.prediction.compare import Design

    scheme = {RandomKFold: "random", ClusterKFold: "clusters", GroupKFold: "families"}[type(cv)]
    return Design(
        models=models,
        scheme=scheme,
        folds=cv.n_splits,
        repeats=cv.n_repeats if isinstance(cv, RandomKFold) else 1,
        seed=cv.random_state,
        lower_is_better=lower_is_better,
        model_seeds=seeds,
    )


def _values(panel: Panel, y: str | Mapping[str, float] | ArrayLike) -> Mapping[str, float] | AccessionMeans:
    """Trait values by accession."""
    if isinstance(y, str):
        return panel.accession_means(y)
    return AccessionMeans.given(y, panel.accessions)
