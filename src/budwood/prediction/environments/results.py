"""What multi-environment models and their evaluation say: the results that are written and shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from budwood.prediction.evaluation.results import PairedDifference, PermutationTest

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class EnvironmentScore:
    """One model's accuracy; every model of an evaluation saw the same splits.

    Attributes
    ----------
    name
        Model as shown to people.
    fold_r
        For each split, the mean over its environments of r within the environment.
    environment_r
        For each environment, the mean of r within it over the splits. Environments are never pooled.
    mean_r
        Mean of ``environment_r``.
    coverage_90
        Share of held-out values in their 90 % interval.
    rmse
        Root mean squared error, in units of the trait.
    slope
        Slope of observed on predicted within environments, mean over them; 1 is right.
    seconds
        Wall-clock time of fits and predictions.
    """

    name: str
    fold_r: tuple[float, ...]
    environment_r: Mapping[str, float]
    mean_r: float
    coverage_90: float
    rmse: float
    slope: float
    seconds: float


@dataclass(frozen=True)
class EnvironmentEvaluation:
    """Held-out accuracy of multi-environment models of one trait.

    Attributes
    ----------
    trait, scheme, folds, repeats
        Trait, the scheme's name, and how often lines or environments were divided into how many parts.
    scores
        One for each model, the baseline first.
    paired
        Every other model against the baseline, and a model with covariates against the one without.
    interval_over
        What the intervals of ``paired`` are over: ``"folds"`` (new lines, these environments; Nadeau and
        Bengio 2003), ``"environments"`` (Student's t, one
        degree of freedom fewer than places and years) or ``"lines"`` (bootstrap, these environments).
    permutation
        The last model on values shuffled within environments.
    notes
        Sentences about what was averaged, left out or not judged.
    conclusion
        Whether covariates add accuracy; empty where no pair of models shows it.
    """

    trait: str
    scheme: str
    folds: int
    repeats: int
    scores: tuple[EnvironmentScore, ...]
    paired: tuple[PairedDifference, ...]
    interval_over: str
    permutation: PermutationTest
    notes: tuple[str, ...]
    conclusion: str


@dataclass(frozen=True)
class EnvironmentPrediction:
    """Predictions of a trait for every accession in every environment.

    Attributes
    ----------
    trait, model
        What was predicted with what.
    accessions, environments
        n ids in the order of the genotypes and a names in the order of the table.
    observed
        (n, a) mean used for training, NaN where there is none.
    value, standard_error, lower_90, upper_90
        (n, a) genetic value, its standard error, and the 90 % interval of one new record there.
    trained
        (a,) whether the environment has records.
    spread
        (a,) standard deviation of the predictions in each environment.
    mean, mean_standard_error
        (n,) predicted mean over the target environments, and its standard error.
    slope, deviation
        (n,) Finlay and Wilkinson's slope of the predictions on the environments' means, and the standard
        deviation around it; NaN where stability cannot be judged (under three environments).
    variance_shares
        Share of the variance within environments by source.
    notes
        Sentences, warnings about provenance first.
    """

    trait: str
    model: str
    accessions: tuple[str, ...]
    environments: tuple[str, ...]
    observed: Matrix
    value: Matrix
    standard_error: Matrix
    lower_90: Matrix
    upper_90: Matrix
    trained: NDArray[np.bool_]
    spread: Vector
    mean: Vector
    mean_standard_error: Vector
    slope: Vector
    deviation: Vector
    variance_shares: Mapping[str, float]
    notes: tuple[str, ...]

    def in_order_of(self, accessions: Sequence[str]) -> EnvironmentPrediction:
        """The same with the accessions in another order.

        Parameters
        ----------
        accessions
            The n ids.

        Returns
        -------
        EnvironmentPrediction
            The same values by accession.
        """
        place = {name: row for row, name in enumerate(self.accessions)}
        rows = np.array([place[name] for name in accessions], dtype=np.intp)
        by_line = (
            *("observed", "value", "standard_error", "lower_90", "upper_90"),
            *("mean", "mean_standard_error", "slope", "deviation"),
        )
        moved: dict[str, Any] = {name: getattr(self, name)[rows] for name in by_line}
        return replace(self, accessions=tuple(accessions), **moved)
