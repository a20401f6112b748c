"""From genotypes and some trait values to a prediction for every accession and an honest evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError, counted
from budwood.genomics.genotypes import Genotypes
from budwood.genomics.haplotypes.assumptions import describe_assumptions
from budwood.genomics.haplotypes.table import HaplotypeTable
from budwood.genomics.kinship import Kinship
from budwood.panel.accession_means import AccessionMeans
from budwood.panel.marker_weights import FUNCTION, SUBGENOME, MarkerWeights
from budwood.prediction.contract import Estimator, FittedEstimator, fit_notes, fit_several
from budwood.prediction.evaluation.candidate_accuracy import CandidateAccuracy
from budwood.prediction.evaluation.evaluate import Comparison, FoldForecasts, evaluate, fold_forecasts
from budwood.prediction.evaluation.results import CandidateSet, Evaluation, TraitPrediction
from budwood.prediction.evaluation.splitting import Scheme
from budwood.prediction.fitted_trait_model import ranks
from budwood.prediction.kernels.dense_limit import is_large
from budwood.prediction.kernels.kernel_model import GBLUP_AND_DNA_MODEL
from budwood.prediction.kernels.nearest_relatives import nearest_relatives
from budwood.prediction.kernels.panel_kernels import (
    EMBEDDING_KERNEL,
    RELATIONSHIP,
    KernelName,
    PanelKernels,
)
from budwood.prediction.kernels.panel_relatives import SEARCHED, PanelRelatives, panel_relatives
from budwood.prediction.kernels.weights_ratio import weights_ratio
from budwood.prediction.missing_calls import grouped_notes, uncalled_notes
from budwood.prediction.models.registry import model_named
from budwood.prediction.phenotyped import PhenotypedLines, match_phenotyped
from budwood.stats.evaluation.metrics import MINIMUM_PAIRS
from budwood.stats.evaluation.splitters import random_folds
from budwood.stats.relationship.haplotype_kernel import haplotype_kernel
from budwood.stats.relationship.principal_components import principal_components
from budwood.stats.relationship.relationship import MarkerFilter, Rows

#: Labelled accessions above which held-out r hardly depends on how they are divided.
_MANY: Final = 1500

#: What differs where matrices of lines by lines are not made.
_LARGE_NOTE: Final = (
    f"The panel is large: nearest relatives are looked up at {SEARCHED:,} markers evenly spaced along the "
    "genome, candidates are not judged by cluster, and the Gaussian kernel is left out of the evaluation."
)


def predict_trait(
    genotypes: Genotypes,
    values: Mapping[str, float] | AccessionMeans,
    trait: str,
    *,
    haplotypes: HaplotypeTable | None = None,
    vectors: NDArray[np.float32] | None = None,
    weights: MarkerWeights | None = None,
    kinship: Kinship | None = None,
    model: str | None = None,
    lower_is_better: bool = False,
    seed: int = 0,
    folds: int = 5,
    repeats: int | None = None,
) -> tuple[TraitPrediction, Evaluation]:
    """Predict a trait for every genotyped accession, and evaluate the models on the phenotyped ones.

    Lines are taken in the order of their ids and markers in the order of their places, so the results do not
    depend on the order of the files.

    Parameters
    ----------
    genotypes
        n accessions.
    values
        Trait value by accession id; NaN counts as no value. At least 10 must be genotyped. Values with
        weights are those of :meth:`~budwood.panel.panel.Panel.accession_means`.
    trait
        Name of the trait.
    haplotypes, vectors
        Haplotypes of the same accessions and the (H, 512) embeddings of their sequences. With them the
        embedding kernel joins the relationship; without them the markers predict alone.
    weights
        Marker weights of further relationships: by function, by subgenome.
    kinship
        Relationship in the place of the markers', of every accession.
    model
        Name of the model that predicts, of :data:`~budwood.prediction.models.registry.MODEL_NAMES`;
        :func:`usual_model` by default. GBLUP and the Gaussian kernel stand beside it in the evaluation.
    lower_is_better
        Whether the best lines are those with the smallest values.
    seed
        First seed of the folds (repeat r uses seed + r), and seed of the permutations and of everything that
        the models draw.
    folds, repeats
        Of the cross-validation; fewer folds are used when the phenotyped accessions are few. Five repeats by
        default, one where over 1,500 phenotyped accessions make one enough.

    Returns
    -------
    tuple[TraitPrediction, Evaluation]
        Predictions of all lines, and the accuracy of the models.

    Raises
    ------
    BudwoodError
        If no accession has both genotypes and a value, under 10 have, the trait does not vary, haplotypes are
        of other accessions, there are fewer phenotyped accessions than folds, or the model is unknown or
        lacks its kernel.
    """
    options = PredictionOptions(
        haplotypes=haplotypes,
        vectors=vectors,
        weights=weights or MarkerWeights(),
        kinship=kinship,
        model=model,
        lower_is_better=lower_is_better,
        seed=seed,
        folds=folds,
        repeats=repeats,
    )
    prepared = _Prepared.of(genotypes, values, trait, options)
    kernels, labels = prepared.kernels(), prepared.labels
    evaluation = prepared.evaluation(kernels)
    fitted = prepared.comparison.reported_model.fit(kernels, labels.rows, labels.y, labels.weights)
    return prepared.outcome(kernels, evaluation, fitted)


def predict_traits_together(
    genotypes: Genotypes,
    values: Mapping[str, Mapping[str, float] | AccessionMeans],
    options: PredictionOptions,
) -> dict[str, tuple[TraitPrediction, Evaluation]]:
    """:func:`predict_trait` of those traits that share their lines, and these are many.

    Above 6,000 lines, traits with the same phenotyped lines, weights, covariates and folds share the passes
    over the markers in every fold and in the fit to all. Traits of other lines are left to
    :func:`predict_trait`.

    Parameters
    ----------
    genotypes
        n accessions.
    values
        Trait values by trait and accession.
    options
        The other parameters of :func:`predict_trait`.

    Returns
    -------
    dict
        Predictions and evaluation by trait, as each trait alone has them but for the Monte Carlo error of
        variance components; empty where no two traits share many lines.

    Raises
    ------
    BudwoodError
        As :func:`predict_trait`, for any of the traits.
    """
    prepared = [_Prepared.of(genotypes, each, trait, options) for trait, each in values.items()]
    groups: dict[bytes, list[_Prepared]] = {}
    for each in prepared:
        groups.setdefault(each.shared, []).append(each)
    found: dict[str, tuple[TraitPrediction, Evaluation]] = {}
    for group in groups.values():
        first = group[0]
        if len(group) == 1 or not first.large:
            continue
        kernels, rows, weights = first.kernels(), first.labels.rows, first.labels.weights
        y = np.column_stack([each.labels.y for each in group])
        forecasts = fold_forecasts(kernels.take(rows), y, weights, first.comparison, first.scheme)
        evaluations = [each.evaluation(kernels, own) for each, own in zip(group, forecasts, strict=True)]
        fits = fit_several(first.comparison.reported_model, kernels, rows, y, weights)
        for each, evaluation, fitted in zip(group, evaluations, fits, strict=True):
            found[each.trait] = each.outcome(kernels, evaluation, fitted)
    return found


@dataclass(frozen=True, kw_only=True, eq=False)
class PredictionOptions:
    """What a prediction uses beside genotypes and values; see :func:`predict_trait`.

    Attributes
    ----------
    haplotypes, vectors, weights, kinship, model, lower_is_better, seed, folds, repeats
        Its parameters.
    """

    haplotypes: HaplotypeTable | None = None
    vectors: NDArray[np.float32] | None = None
    weights: MarkerWeights = field(default_factory=MarkerWeights)
    kinship: Kinship | None = None
    model: str | None = None
    lower_is_better: bool = False
    seed: int = 0
    folds: int = 5
    repeats: int | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class _Prepared:
    """A trait that can be predicted: lines and markers in order, models and folds."""

    trait: str
    as_given: tuple[str, ...]
    genotypes: Genotypes
    further: MarkerWeights
    means: AccessionMeans
    labels: PhenotypedLines
    options: PredictionOptions
    comparison: Comparison
    scheme: Scheme
    assumed: tuple[str, ...]
    large: bool

    @classmethod
    def of(
        cls,
        genotypes: Genotypes,
        values: Mapping[str, float] | AccessionMeans,
        trait: str,
        options: PredictionOptions,
    ) -> _Prepared:
        embedded = options.vectors is not None
        name = options.model or usual_model(options.weights, embedded=embedded)
        check_model(name, options.weights, embedded=embedded)
        as_given = genotypes.accessions
        rows, columns = genotypes.order()
        genotypes, further = genotypes.take(rows).take_markers(columns), options.weights.take(columns)
        means = AccessionMeans.of(values)
        labels = match_phenotyped(genotypes, means.values, trait, weights=means.weights)
        large = is_large(len(labels.rows)) and options.kinship is None
        dna_model = GBLUP_AND_DNA_MODEL.name if embedded and options.haplotypes is not None else ""
        divisions = options.repeats or (5 if len(labels.rows) <= _MANY else 1)
        scheme, assumed = _scheme(genotypes, labels, options.folds, divisions, options.seed)
        return cls(
            trait=trait,
            as_given=as_given,
            genotypes=genotypes,
            further=further,
            means=means,
            labels=labels,
            options=options,
            comparison=_comparison(name, dna_model, options.seed, large=large),
            scheme=scheme,
            assumed=assumed,
            large=large,
        )

    @property
    def shared(self) -> bytes:
        """The same for traits whose lines are analysed in the same way."""
        weights, design = self.labels.weights, self.means.design(self.genotypes.accessions)
        parts = [self.labels.rows, *self.scheme.repeats, *(x for x in (weights, design) if x is not None)]
        return b"|".join([*(part.tobytes() for part in parts), b"weights" if weights is not None else b""])

    def kernels(self) -> PanelKernels:
        """The panel as models see it."""
        haplotypes, vectors, kinship = self.options.haplotypes, self.options.vectors, self.options.kinship
        grams = {}
        if haplotypes is not None and vectors is not None:
            grams[EMBEDDING_KERNEL] = embedding_gram(self.genotypes, haplotypes, vectors)
        accessions = self.genotypes.accessions
        given = None if kinship is None else kinship.of(accessions)
        design = self.means.design(accessions)
        return PanelKernels(self.genotypes, grams, self.further.by_kernel, given, design)

    def evaluation(
        self, kernels: PanelKernels, forecasts: Sequence[FoldForecasts] | None = None
    ) -> Evaluation:
        """Accuracy of the models on the phenotyped lines."""
        return evaluate(
            kernels.take(self.labels.rows),
            self.labels.y,
            self.comparison,
            self.scheme,
            trait=self.trait,
            weights=self.labels.weights,
            seed=self.options.seed,
            lower_is_better=self.options.lower_is_better,
            forecasts=forecasts,
        )

    def outcome(
        self, kernels: PanelKernels, evaluation: Evaluation, fitted: FittedEstimator
    ) -> tuple[TraitPrediction, Evaluation]:
        """Predictions of all lines, and the evaluation with what to expect of the candidates."""
        labels, trait = self.labels, self.trait
        notes = (
            *self.means.notes,
            *labels.notes,
            *kinship_notes(self.options.kinship),
            *fit_notes(fitted),
            *uncalled_notes(self.genotypes),
            *grouped_notes(self.genotypes),
            *_marker_sentences(kernels, labels.rows),
            *self.further.notes,
            *weights_notes(kernels, labels.rows, labels.y, labels.weights, seed=self.options.seed),
            *self.assumed,
            *_told(self.options.haplotypes),
            *((_LARGE_NOTE,) if self.large else ()),
        )
        candidates: tuple[CandidateSet, ...] = ()
        if self.large:
            found = _prediction(kernels, labels, trait, fitted, notes, panel_relatives(kernels, labels.rows))
            far = found.extrapolation
        else:
            found = _prediction(kernels, labels, trait, fitted, notes, _dense_relatives(kernels, labels.rows))
            candidates, far = _candidates(kernels, labels, self.comparison.reported_model, evaluation)
        if self.options.lower_is_better:
            found = found.with_lowest_best()
        found = replace(found, extrapolation=far).with_ranking_note().in_order_of(self.as_given)
        return found, replace(evaluation, candidates=candidates)


def _candidates(
    kernels: PanelKernels, labels: PhenotypedLines, model: Estimator, evaluation: Evaluation
) -> tuple[tuple[CandidateSet, ...], NDArray[np.bool_]]:
    """What to expect of the candidates, and which lines are far from the phenotyped ones."""
    score = next(score for score in evaluation.scores if score.name == model.name)
    return CandidateAccuracy(
        kernels, labels.rows, labels.y, model, random_r=score.mean_r, random_coverage=score.coverage_90
    ).judge()


def kinship_notes(kinship: Kinship | None) -> tuple[str, ...]:
    """Sentences on what a relationship that the user gave is used for, none where there is none.

    Parameters
    ----------
    kinship
        What the user gave.

    Returns
    -------
    tuple of str
        One fact a sentence.

    Examples
    --------
    >>> kinship_notes(None)
    ()
    """
    if kinship is None:
        return ()
    return (
        "The kinship matrix stands in the place of the markers' relationship: in gblup, gblup+dna, "
        "multi-kernel and auto, in standard errors, clusters, nearest lines and extrapolation. It is centred "
        "by the phenotyped lines and scaled to a mean diagonal of 1. Gaussian kernels, trees and marker "
        "effects use the markers.",
        *kinship.notes,
    )


def weights_notes(
    kernels: PanelKernels,
    training: Rows,
    y: NDArray[np.float64],
    weights: NDArray[np.float64] | None,
    *,
    seed: int,
) -> tuple[str, ...]:
    """A sentence on whether markers weighted by function explain more than all markers do.

    Parameters
    ----------
    kernels
        The panel, its markers in the order of their places.
    training, y, weights
        Rows, trait values and their weights of the phenotyped lines.
    seed
        Of the control.

    Returns
    -------
    tuple of str
        Empty where there is no such kernel, or the panel is large.
    """
    if FUNCTION not in kernels.weights:
        return ()
    found = weights_ratio(kernels, FUNCTION, training, y, weights, seed=seed)
    return () if found is None else (found.sentence,)


def usual_model(weights: MarkerWeights, *, embedded: bool) -> str:
    """Name of the model that predicts when the user names none: the one that uses all that was given.

    Parameters
    ----------
    weights
        Weights of the markers by kernel.
    embedded
        Whether there are embeddings.

    Returns
    -------
    str
        Name of the model.

    Examples
    --------
    >>> usual_model(MarkerWeights(), embedded=False)
    'gblup'
    >>> usual_model(MarkerWeights({"function": np.ones(3)}), embedded=False)
    'multi-kernel'
    """
    kinds = {KernelName.parse(kernel).kind for kernel in weights.by_kernel}
    if FUNCTION in kinds:
        return "multi-kernel"
    if SUBGENOME in kinds:
        return "subgenomes"
    return "gblup+dna" if embedded else "gblup"


def check_model(name: str, weights: MarkerWeights, *, embedded: bool) -> None:
    """Refuse a model that does not exist or lacks its kernel.

    Parameters
    ----------
    name
        Its name.
    weights
        Weights of the markers by kernel.
    embedded
        Whether there are embeddings.

    Raises
    ------
    BudwoodError
        If there is no such model, or it needs what is not there.
    """
    model_named(name)
    plain = name.partition(":")[0]
    if plain == "gblup+dna" and not embedded:
        raise BudwoodError(
            f"model {name!r} reads sequence", mend="give the reference genome, or choose another model"
        )
    if plain == "subgenomes" and not any(
        KernelName.parse(kernel).kind == SUBGENOME for kernel in weights.by_kernel
    ):
        raise BudwoodError(
            "the panel has no subgenomes",
            mend="say which contig belongs to which subgenome with --subgenomes, or choose another model",
        )


def _comparison(name: str, dna_model: str, seed: int, *, large: bool = False) -> Comparison:
    """GBLUP, the Gaussian kernel where the panel is not large, the DNA model, and the model that predicts."""
    models: list[Estimator] = [model_named("gblup", seed=seed)]
    if not large:
        models.append(model_named("gaussian", seed=seed))
    if dna_model:
        models.append(model_named("gblup+dna", seed=seed))
    chosen = model_named(name, seed=seed)
    if chosen.name not in [model.name for model in models]:
        models.append(chosen)
    return Comparison(tuple(models), reported=chosen.name, dna_model=dna_model)


def embedding_gram(
    genotypes: Genotypes, haplotypes: HaplotypeTable, vectors: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Embedding kernel of the genotyped accessions in their order.

    Parameters
    ----------
    genotypes
        Accessions and their markers.
    haplotypes
        Of these accessions, in any order.
    vectors
        (H, D) embeddings of their sequences.

    Returns
    -------
    NDArray[np.float64]
        (n, n) kernel.

    Raises
    ------
    BudwoodError
        If an accession has no haplotypes.
    """
    row = {name: i for i, name in enumerate(haplotypes.accessions)}
    absent = [name for name in genotypes.accessions if name not in row]
    if absent:
        raise BudwoodError(
            f"{len(absent)} of the {len(genotypes.accessions)} genotyped accessions have no haplotypes, "
            f"for example {absent[0]!r}",
            mend="give haplotypes of the same accessions, or leave those accessions out of the genotypes",
        )
    chosen = np.array([row[name] for name in genotypes.accessions], dtype=np.intp)
    return haplotype_kernel(haplotypes.codes[chosen], haplotypes.offsets, vectors)


def _scheme(
    genotypes: Genotypes, labels: PhenotypedLines, folds: int, repeats: int, seed: int
) -> tuple[Scheme, tuple[str, ...]]:
    """Random folds of the phenotyped accessions: as many as requested, or as many as can be judged."""
    lines = [genotypes.accessions[row] for row in labels.rows]
    count = len(lines)
    if count < folds:
        raise BudwoodError(
            f"there are fewer phenotyped accessions ({count}) than folds ({folds})", mend="use fewer folds"
        )
    for used in range(min(folds, count // MINIMUM_PAIRS), 1, -1):
        drawn = tuple(random_folds(lines, used, seed + repeat) for repeat in range(repeats))
        if all(np.ptp(labels.y[each == fold]) > 0.0 for each in drawn for fold in range(used)):
            note = (
                f"Cross-validation used {counted(used, 'fold')} instead of {folds}, so that each fold can be "
                "judged."
            )
            return Scheme("random", drawn), () if used == folds else (note,)
    raise BudwoodError(
        f"almost all of the {count} values are the same, so held-out accessions cannot be ranked",
        mend="choose a trait that varies",
    )


def _prediction(
    kernels: PanelKernels,
    labels: PhenotypedLines,
    trait: str,
    fitted: FittedEstimator,
    notes: tuple[str, ...],
    relatives: PanelRelatives,
) -> TraitPrediction:
    genotypes, n = kernels.genotypes, len(kernels)
    forecast = fitted.predict(kernels.lines(np.arange(n), labels.rows))
    observed = np.full(n, np.nan)
    observed[labels.rows] = labels.y
    return TraitPrediction(
        trait=trait,
        accessions=genotypes.accessions,
        observed=observed,
        prediction=forecast.value,
        standard_error=forecast.standard_error,
        reliability=forecast.reliability,
        lower_90=forecast.lower_90,
        upper_90=forecast.upper_90,
        rank=ranks(forecast.value),
        nearest_training_accession=tuple(genotypes.accessions[row] for row in relatives.nearest),
        relatedness=relatives.relatedness,
        extrapolation=relatives.extrapolation,
        variance_shares=fitted.variance_shares,
        structure=relatives.scores,
        structure_explained=relatives.explained,
        notes=notes,
    )


def _dense_relatives(kernels: PanelKernels, training: Rows) -> PanelRelatives:
    """Nearest relatives and structure from the relationship of all lines with one another."""
    relationship = kernels.kernel(RELATIONSHIP, training)
    components = principal_components(relationship)
    return PanelRelatives(
        *nearest_relatives(relationship, training), scores=components.scores, explained=components.explained
    )


def _marker_sentences(kernels: PanelKernels, training: Rows) -> tuple[str, ...]:
    """What happened to the markers."""
    keep, kept = MarkerFilter(), kernels.summary(training).kept
    dosage = kernels.genotypes.dosage
    missing = float(np.mean([np.mean((row < 0) | np.isnan(row)) for row in dosage]))
    dropped = len(kept) - int(kept.sum())
    return (
        f"{int(kept.sum()):,} of {counted(len(kept), 'marker')} took part; left out, {dropped:,}: those that "
        f"among the phenotyped accessions do not vary, have a minor allele frequency under "
        f"{keep.minimum_frequency:g} or miss over {keep.maximum_missing:.0%} of their calls.",
        _missing_sentence(missing),
        "The 90 % interval is for one new phenotype observed as the given ones were, as wide as the errors "
        "made on phenotyped lines that were held out, at random and as clusters of relatives; the standard "
        "error is that of the genetic value.",
    )


def _missing_sentence(missing: float) -> str:
    """What share of the calls is missing, and what that means."""
    frequencies = "allele frequencies come from the phenotyped lines only."
    if missing == 0.0:
        return f"No call was missing; {frequencies}"
    share = f"{missing:.1%}" if missing >= 0.0005 else "Under 0.1 %"
    return (
        f"{share} of calls were missing and count as unknown, with the mean and the variance of the "
        f"phenotyped lines; {frequencies}"
    )


def _told(haplotypes: HaplotypeTable | None) -> tuple[str, ...]:
    """What the haplotype table assumed."""
    if haplotypes is None:
        return ("No sequence was given: the markers predict alone.",)
    windows = counted(len(haplotypes.windows), "sequence window")
    table = f"{windows} with {counted(len(haplotypes.sequences), 'distinct sequence')}."
    return (table, *(f"Sequence: {note}." for note in describe_assumptions(haplotypes.assumptions)))
