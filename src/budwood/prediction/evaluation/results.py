"""What a prediction and its evaluation say: the results that reports and the command line show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite, nan
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import counted
from budwood.prediction.data_frame import data_frame
from budwood.stats.evaluation.paired_difference import side_of_zero

if TYPE_CHECKING:
    import pandas

#: Columns of every accession, in the order of ``predictions.csv``: a contract that scripts rely on.
PREDICTION_COLUMNS: Final = (
    "accession",
    "trait",
    "observed",
    "prediction",
    "standard_error",
    "reliability",
    "lower_90",
    "upper_90",
    "rank",
    "nearest_training_accession",
    "relatedness",
    "extrapolation",
    "candidate_rank",
)

#: What a prediction holds for every line.
_BY_LINE: Final = (
    "accessions",
    "observed",
    "prediction",
    "standard_error",
    "reliability",
    "lower_90",
    "upper_90",
    "rank",
    "nearest_training_accession",
    "relatedness",
    "extrapolation",
    "structure",
)
#: Fewest disjoint held-out sets from which coverage is promised: if sets and candidates are exchangeable, the
#: candidates have the lowest coverage of all with a probability of 1 in 10.
_FEWEST_SETS: Final = 9
#: What is said of predictions that are all equal.
NOTHING_RANKED: Final = (
    "Nothing can be ranked: the model finds no heritability in these values and predicts the same for every "
    "candidate."
)
#: Relative difference of predictions under which they differ by rounding only.
_ROUNDING: Final = 1e-12


@dataclass(frozen=True)
class ModelScore:
    """One model's accuracy over the folds of one evaluation; every model of it saw the same folds.

    Attributes
    ----------
    name
        Model as shown to people, for example ``"GBLUP"``.
    fold_r
        Pearson correlation of predicted and observed values within each fold, repeat after repeat.
    mean_r
        Mean of ``fold_r``: the predictive ability (not divided by the square root of heritability).
    coverage_90
        Share of held-out observations inside their 90 % interval; 0.9 is right.
    rmse
        Root mean squared difference of held-out observations and predictions, in units of the trait.
    slope
        Slope of observed on predicted values; 1 is right, under 1 means that predictions spread too far.
    seconds
        Wall-clock time of the fits and predictions of all folds.
    accuracy
        ``mean_r`` divided by the square root of the heritability: the correlation with genetic values. NaN
        where there is no heritability to speak of.
    intercept
        Intercept of the regression of observed on predicted values; 0 is right.
    bias
        Mean of predicted minus observed values, in units of the trait.
    interval_width
        Mean width of the 90 % intervals, in units of the trait.
    top_quarter
        Share of the truly best quarter of the held-out lines that stands in the predicted best quarter, mean
        over folds.
    gain
        Mean observation of the predicted best quarter minus that of all held-out lines of a fold, mean over
        folds, in units of the trait; positive is the wanted direction.
    gain_sd
        ``gain`` in standard deviations of the phenotyped lines' values.
    auroc
        For a trait with two values: share of pairs of a line with the higher and one with the lower value
        that the predictions put in order, mean over folds; 0.5 is chance. NaN for other traits.
    family_r
        Correlation within each family of :attr:`Evaluation.families`, NaN where it has no meaning.

    The last eight are NaN (or empty) where they were not measured.
    """

    name: str
    fold_r: tuple[float, ...]
    mean_r: float
    coverage_90: float
    rmse: float
    slope: float
    seconds: float
    accuracy: float = nan
    intercept: float = nan
    bias: float = nan
    interval_width: float = nan
    top_quarter: float = nan
    gain: float = nan
    gain_sd: float = nan
    auroc: float = nan
    family_r: tuple[float, ...] = ()

    @property
    def mean_family_r(self) -> float:
        """Mean of the correlations within families, NaN where there is none."""
        known = [r for r in self.family_r if isfinite(r)]
        return sum(known) / len(known) if known else nan


@dataclass(frozen=True)
class PairedDifference:
    """Mean over folds of r(model) - r(baseline), with two 95 % intervals.

    Attributes
    ----------
    lower, upper
        From the differences between folds (Nadeau and Bengio 2003). Conclusions follow this one.
    bootstrap_lower, bootstrap_upper
        From redrawn accessions, stretched for the overlap of training sets: of use where folds are few. NaN
        where it was not computed.
    model
        Name of the model.
    baseline
        Name of the baseline.
    mean
        Mean difference.
    """

    model: str
    baseline: str
    mean: float
    lower: float
    upper: float
    bootstrap_lower: float = nan
    bootstrap_upper: float = nan


@dataclass(frozen=True)
class Heritability:
    """Share of the variance of the trait values that is genetic, 0 to 1, and where the figure comes from.

    Attributes
    ----------
    value
        0 to 1.
    source
        A phrase.
    """

    value: float
    source: str


@dataclass(frozen=True)
class Family:
    """A group of lines that was held out whole: its name, its phenotyped lines and its fold, from 0.

    Attributes
    ----------
    name
        Of the group.
    lines
        Its phenotyped lines.
    fold
        Its fold, from 0.
    """

    name: str
    lines: int
    fold: int


@dataclass(frozen=True)
class PermutationTest:
    """Accuracy of the same model and folds on shuffled trait values.

    Attributes
    ----------
    model
        Name of the model.
    mean_r, lower, upper
        Mean over the shuffles, and their central 95 %.
    shuffles, held_out
        How many shuffles were run, and on how many held-out lines each was judged; 0 where it is not known.
    """

    model: str
    mean_r: float
    lower: float
    upper: float
    shuffles: int = 0
    held_out: int = 0

    @property
    def leaks(self) -> bool:
        """Whether the interval lies above 0: what was measured finds accuracy where there is none.

        Examples
        --------
        >>> PermutationTest("GBLUP", 0.3, 0.2, 0.4).leaks
        True
        """
        return side_of_zero(self.lower, self.upper) > 0


@dataclass(frozen=True)
class CandidateSet:
    """Candidates that are alike in how far they are from the phenotyped lines, and what to expect of them.

    Attributes
    ----------
    kind
        ``"near"``: mixed among the phenotyped lines and as near to them as these are to one another, so the
        figures are those of the folds. ``"near group"``: as near, but a group of its own, with few phenotyped
        lines among its nearest lines; ``"far"``: a cluster further away. The figures of both are of clusters
        of phenotyped lines, as far from the rest, that were held out whole. ``"not judged"``: no such cluster
        could be held out.
    accessions
        Ids.
    distance
        Median squared distance from the nearest phenotyped line, in units of the relationship.
    mean_r
        Mean correlation in the held-out sets, NaN where not judged.
    lowest_coverage, mean_coverage
        Of the 90 % intervals in the held-out sets, NaN where not judged.
    held_out_sets, disjoint_sets
        How many sets stand for these candidates, and how many of them have no line in common.
    lower_r, upper_r
        80 % prediction interval of r in one cluster, from how much the held-out sets differ; NaN where under
        three stand for it, and for candidates of the kind ``"near"``.
    """

    kind: str
    accessions: tuple[str, ...]
    distance: float
    mean_r: float
    lowest_coverage: float
    mean_coverage: float
    held_out_sets: int
    disjoint_sets: int = 0
    lower_r: float = float("nan")
    upper_r: float = float("nan")

    @property
    def promised(self) -> bool:
        """Whether the coverage of the 90 % intervals can be promised.

        It can where random folds stand for the candidates, or where the intervals held at least 80 % in every
        held-out set and nine of these have no line in common.
        """
        return self.kind == "near" or (self.disjoint_sets >= _FEWEST_SETS and self.lowest_coverage >= 0.8)


@dataclass(frozen=True)
class Evaluation:
    """Held-out accuracy of several models of one trait.

    Attributes
    ----------
    trait, scheme, folds, repeats
        Trait; how folds were drawn (``"random"``, ``"clusters"``, ``"families"``); folds in each repeat; and
        repeats.
    scores
        One entry per model; the baseline (GBLUP) first.
    paired
        Differences of every other model against the baseline on the same folds.
    permutation
        Control on shuffled values for the model that the predictions come from.
    held_out_prediction, held_out_observed, held_out_accessions
        For each of the n phenotyped accessions: the value that the reported model predicted in the first
        repeat when the accession was held out, the observed value, and the id.
    conclusion
        One or two sentences: whether the DNA model adds anything, from the paired interval.
    heritability
        What ``accuracy`` divides by; None where nothing was estimated or given.
    lower_is_better
        Whether the best lines are those with the smallest values.
    possible_gain
        ``gain`` of predictions that order the lines of every fold perfectly.
    top_quarter_chance
        ``top_quarter`` of predictions that say nothing, a quarter up to rounding.
    held_out_fold
        (n,) fold of each labelled accession in the first repeat, from 0.
    families
        For the scheme ``"families"``, every family.
    candidates
        What to expect of the candidates of the prediction, near ones first; empty where there are none.
    notes
        Sentences of caution for readers of the figures.
    """

    trait: str
    scheme: str
    folds: int
    repeats: int
    scores: tuple[ModelScore, ...]
    paired: tuple[PairedDifference, ...]
    permutation: PermutationTest
    held_out_prediction: NDArray[np.float64]
    held_out_observed: NDArray[np.float64]
    held_out_accessions: tuple[str, ...]
    conclusion: str
    heritability: Heritability | None = None
    lower_is_better: bool = False
    possible_gain: float = nan
    top_quarter_chance: float = nan
    held_out_fold: NDArray[np.int64] | None = None
    families: tuple[Family, ...] = ()
    notes: tuple[str, ...] = ()
    candidates: tuple[CandidateSet, ...] = ()

    def __repr__(self) -> str:
        models = ", ".join(f"{score.name} r {score.mean_r:.2f}" for score in self.scores)
        folds = f"{self.folds} folds ({self.scheme}) x {self.repeats}"
        return f"Evaluation({self.trait}, {len(self.held_out_observed):,} lines, {folds}: {models})"

    def to_frame(self) -> pandas.DataFrame:
        """A row for each model with its accuracy, calibration and gain; needs pandas.

        Returns
        -------
        pandas.DataFrame
            The table.
        """
        names = [name for name in ModelScore.__dataclass_fields__ if name not in ("fold_r", "family_r")]
        return data_frame({name: [getattr(score, name) for score in self.scores] for name in names})


@dataclass(frozen=True)
class TraitPrediction:
    """Predictions of one trait for every genotyped accession, phenotyped ones included.

    Attributes
    ----------
    trait
        Name of the trait.
    accessions
        n ids in the order of the genotypes.
    observed
        (n,) the phenotype used for training, NaN where the accession has none.
    prediction
        (n,) predicted genetic value on the scale of the trait (mean + genetic effect). For a labelled
        accession its own record took part.
    standard_error
        (n,) standard error of ``prediction`` as an estimate of the genetic value: the square root of the
        prediction-error variance of mean + genetic effect, uncertainty of the mean included.
    reliability
        (n,) ``1 - PEV(u) / Var(u)``: squared correlation of predicted and true genetic effect, 0 to 1.
    lower_90, upper_90
        (n,) 90 % interval for one *phenotype observed* as the training phenotypes were (genetic value plus
        a new residual). It is wider than ``prediction +- 1.645 standard_error``, the interval of the genetic
        value.
    rank
        (n,) ``int64``, 1 = best prediction, among all n accessions; equal predictions share a rank.
    nearest_training_accession, relatedness
        (n,) the labelled accession with the largest genomic correlation (never the accession itself), and
        that correlation, -1 to 1.
    extrapolation
        (n,) ``bool``: further from its nearest training accession than 95 % of the training accessions around
        that one are from theirs, or in a cluster of candidates that is; never for phenotyped accessions.
    variance_shares
        Share of the phenotypic variance of each kernel and of ``"residual"``; they add up to 1.
    structure
        (n, 2) first two principal components of the relationship matrix.
    structure_explained
        (2,) share of the relationship matrix's variance in each component.
    notes
        Sentences: what was dropped, imputed, assumed.
    lower_is_better
        Whether the best prediction is the smallest one; otherwise it is the largest.
    """

    trait: str
    accessions: tuple[str, ...]
    observed: NDArray[np.float64]
    prediction: NDArray[np.float64]
    standard_error: NDArray[np.float64]
    reliability: NDArray[np.float64]
    lower_90: NDArray[np.float64]
    upper_90: NDArray[np.float64]
    rank: NDArray[np.int64]
    nearest_training_accession: tuple[str, ...]
    relatedness: NDArray[np.float64]
    extrapolation: NDArray[np.bool_]
    variance_shares: Mapping[str, float]
    structure: NDArray[np.float64]
    structure_explained: NDArray[np.float64]
    notes: tuple[str, ...]
    lower_is_better: bool = False

    def __repr__(self) -> str:
        candidates = counted(int(np.isnan(self.observed).sum()), "candidate")
        lines = counted(len(self.accessions), "accession")
        return f"TraitPrediction({self.trait or 'one trait'}, {lines}, {candidates} among them)"

    @property
    def candidate_rank(self) -> NDArray[np.float64]:
        """(n,) rank among the candidates only, NaN for phenotyped accessions; equal ranks stay equal."""
        candidates = np.isnan(self.observed)
        own = self.rank[candidates]
        found = np.full(len(self.accessions), np.nan)
        found[candidates] = 1 + np.searchsorted(np.sort(own), own, side="left")
        return found

    def with_lowest_best(self) -> TraitPrediction:
        """The same predictions, ranked so that the smallest is the best.

        Returns
        -------
        TraitPrediction
            With rank 1 for the smallest prediction; equal predictions share a rank.
        """
        ascending = 1 + np.searchsorted(np.sort(self.prediction), self.prediction, side="left")
        return replace(self, rank=ascending.astype(np.int64), lower_is_better=True)

    def to_frame(self) -> pandas.DataFrame:
        """A row for each accession, in the columns of ``predictions.csv``; needs pandas.

        Returns
        -------
        pandas.DataFrame
            The table.
        """
        n = len(self.accessions)
        columns = {
            name: getattr(self, name) for name in PREDICTION_COLUMNS if name not in ("accession", "trait")
        }
        frame = data_frame({"accession": self.accessions, "trait": [self.trait] * n, **columns})
        return frame.sort_values(["rank", "accession"], ignore_index=True)

    @property
    def ranks_nothing(self) -> bool:
        """Whether all candidates (all lines where each has a value) have the same prediction.

        A model that finds no heritability predicts the mean for everybody.
        """
        candidates = np.isnan(self.observed)
        chosen = self.prediction[candidates] if candidates.any() else self.prediction
        spread = float(np.ptp(chosen)) if len(chosen) > 1 else np.inf
        return spread <= _ROUNDING * float(np.abs(chosen).max(initial=0.0))

    def with_ranking_note(self) -> TraitPrediction:
        """The same predictions, with a sentence where they rank nothing.

        Returns
        -------
        TraitPrediction
            Predictions of all lines.
        """
        return replace(self, notes=(NOTHING_RANKED, *self.notes)) if self.ranks_nothing else self

    def in_order_of(self, accessions: Sequence[str]) -> TraitPrediction:
        """The same predictions with the lines in another order.

        Parameters
        ----------
        accessions
            The n ids in the order wanted.

        Returns
        -------
        TraitPrediction
            Predictions of all lines.
        """
        place = {name: row for row, name in enumerate(self.accessions)}
        rows = np.array([place[name] for name in accessions], dtype=np.intp)
        changed: dict[str, Any] = {}
        for each in _BY_LINE:
            value = getattr(self, each)
            changed[each] = tuple(value[row] for row in rows) if isinstance(value, tuple) else value[rows]
        return replace(self, **changed)
