"""Compare models on the same folds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.genomics.genotypes import Genotypes
from budwood.genomics.haplotypes.table import HaplotypeTable
from budwood.genomics.kinship import Kinship
from budwood.panel.accession_means import AccessionMeans
from budwood.panel.marker_weights import MarkerWeights
from budwood.prediction.evaluation.cv_predictions import SMALLEST_FAMILY
from budwood.prediction.evaluation.evaluate import Comparison, evaluate
from budwood.prediction.evaluation.fold_runner import FoldRunner
from budwood.prediction.evaluation.heritability import given_heritability
from budwood.prediction.evaluation.results import Evaluation
from budwood.prediction.evaluation.shuffled_control import STEPS
from budwood.prediction.evaluation.splitting import Scheme
from budwood.prediction.kernels.panel_kernels import EMBEDDING_KERNEL, RELATIONSHIP, PanelKernels
from budwood.prediction.missing_calls import grouped_notes
from budwood.prediction.models.registry import MODEL_NAMES, model_named
from budwood.prediction.models.subgenomes import SUBGENOMES, subgenome_shares
from budwood.prediction.phenotyped import match_phenotyped
from budwood.prediction.predict import embedding_gram, kinship_notes, weights_notes
from budwood.stats.evaluation.metrics import MINIMUM_PAIRS
from budwood.stats.evaluation.splitters import cluster_folds, group_folds, random_folds

#: The model that needs embeddings.
DNA_MODEL: Final = "gblup+dna"
#: Ways to hold lines out.
SCHEMES: Final = ("random", "clusters", "families")

_FOLDS: Final = 5


@dataclass(frozen=True)
class Design:
    """How models are compared.

    Attributes
    ----------
    models
        Names in :data:`budwood.prediction.models.registry.MODEL_NAMES`; the first is the baseline, the last
        the one whose control on shuffled values and held-out predictions are reported.
    scheme
        ``"random"``: repeat r uses seed + r. ``"clusters"``: clusters of related lines are held out whole.
        ``"families"``: the groups given are held out whole. Of the last two there is one division, so
        ``repeats`` does not count.
    folds
        5 by default; with families, a fold for each family of at least 10 lines, smaller ones pooled.
    repeats
        Random divisions.
    seed
        Of folds, shuffles, bootstrap and everything that the models draw.
    h2
        Heritability that r is related to; the genomic one by default.
    lower_is_better
        Whether the best lines are those with the smallest values.
    model_seeds
        Seed of what each model draws, in the order of the models; ``seed`` for all of them where empty.
    """

    models: tuple[str, ...]
    scheme: str = "random"
    folds: int | None = None
    repeats: int = 5
    seed: int = 0
    h2: float | None = None
    lower_is_better: bool = False
    model_seeds: tuple[int, ...] = ()

    @property
    def fits(self) -> dict[str, int]:
        """How often each model is fitted, the first shuffles of the control of the last one included.

        Examples
        --------
        >>> Design(("gblup", "auto")).fits
        {'gblup': 25, 'auto': 50}
        """
        folds = self.folds or _FOLDS
        repeats = self.repeats if self.scheme == "random" else 1
        fits = dict.fromkeys(self.models, folds * repeats)
        fits[self.models[-1]] += folds * STEPS[0]
        return fits

    def check(self, *, embedded: bool, grouped: bool) -> None:
        """Refuse what does not exist or cannot run, before anything is read.

        Parameters
        ----------
        embedded, grouped
            Whether there are embeddings, and groups of accessions.

        Raises
        ------
        BudwoodError
            If a model or scheme does not exist or cannot run.
        """
        for name in self.models:
            model_named(name)
        if not self.models or len(set(self.models)) < len(self.models):
            raise BudwoodError("the models are not distinct", mend=f"choose among {', '.join(MODEL_NAMES)}")
        if DNA_MODEL in self.models and not embedded:
            raise BudwoodError(
                f"model {DNA_MODEL!r} reads sequence",
                mend="give the reference genome, or leave the model out",
            )
        if self.scheme not in SCHEMES:
            raise BudwoodError(
                f"there is no scheme {self.scheme!r}",
                mend=f"choose one of: {', '.join(SCHEMES)}, cv1, cv2, cv0, cv00, forward",
            )
        if grouped != (self.scheme == "families"):
            raise BudwoodError(
                f"scheme {self.scheme!r} {'takes no' if grouped else 'needs a'} table of groups",
                mend="choose scheme families" if grouped else "give --groups",
            )
        if self.h2 is not None:
            given_heritability(self.h2)


def compare_models(
    genotypes: Genotypes,
    values: Mapping[str, float] | AccessionMeans,
    trait: str,
    design: Design,
    *,
    haplotypes: HaplotypeTable | None = None,
    vectors: NDArray[np.float32] | None = None,
    weights: MarkerWeights | None = None,
    kinship: Kinship | None = None,
    groups: Mapping[str, str] | None = None,
    runner: FoldRunner | None = None,
) -> Evaluation:
    """Cross-validate models on the phenotyped accessions.

    Lines are taken in the order of their ids and markers in the order of their places, so the results do not
    depend on the order of the files.

    Parameters
    ----------
    genotypes, values, trait
        As for :func:`budwood.prediction.predict.predict_trait`.
    design
        Models and folds.
    haplotypes, vectors, weights, kinship
        As for :func:`budwood.prediction.predict.predict_trait`.
    groups
        Family or other group by accession, for the scheme ``"families"``; accessions without one take no
        part.
    runner
        Runs folds in processes of their own; one after another in this process where None.

    Returns
    -------
    Evaluation
        Accuracy of each model on the same folds, and differences from the baseline.

    Raises
    ------
    BudwoodError
        If a model or scheme is unknown, a model needs embeddings that are not there, or folds are too small.
    """
    design.check(embedded=vectors is not None, grouped=groups is not None)
    seeds = design.model_seeds or (design.seed,) * len(design.models)
    chosen = tuple(model_named(name, seed=seed) for name, seed in zip(design.models, seeds, strict=True))
    rows, columns = genotypes.order()
    genotypes, further = (
        genotypes.take(rows).take_markers(columns),
        (weights or MarkerWeights()).take(columns),
    )
    means = AccessionMeans.of(values)
    taken = means.values if groups is None else _grouped(means.values, groups)
    labels = match_phenotyped(genotypes, taken, trait, weights=means.weights)
    grams = {}
    if haplotypes is not None and vectors is not None:
        grams[EMBEDDING_KERNEL] = embedding_gram(genotypes, haplotypes, vectors)
    given = None if kinship is None else kinship.of(genotypes.accessions)
    design_of = means.design(genotypes.accessions)
    labelled = PanelKernels(genotypes, grams, further.by_kernel, given, design_of).take(labels.rows)
    subgenomes = any(model.name == SUBGENOMES.name for model in chosen)
    told = weights_notes(labelled, np.arange(len(labelled)), labels.y, labels.weights, seed=design.seed)
    more = (*further.notes, *told, *((subgenome_shares(labelled, labels.y),) if subgenomes else ()))
    scheme = _scheme(labelled, design, groups)
    dna_model = model_named(DNA_MODEL).name if DNA_MODEL in design.models else ""
    left_out = sum(name in genotypes.row and name not in groups for name in means.values) if groups else 0
    sentence = f"{left_out} phenotyped accessions without a group take no part."
    return evaluate(
        labelled,
        labels.y,
        Comparison(chosen, reported=chosen[-1].name, dna_model=dna_model),
        scheme,
        trait=trait,
        weights=labels.weights,
        seed=design.seed,
        heritability=None if design.h2 is None else given_heritability(design.h2),
        lower_is_better=design.lower_is_better,
        runner=runner,
        notes=(
            *means.notes,
            *labels.notes,
            *kinship_notes(kinship),
            *grouped_notes(labelled.genotypes),
            *((sentence,) if left_out else ()),
            *_pooling(scheme),
            *more,
        ),
    )


def _grouped(values: Mapping[str, float], groups: Mapping[str, str]) -> dict[str, float]:
    """Values of the accessions that have a group."""
    kept = {name: value for name, value in values.items() if name in groups}
    if not kept:
        raise BudwoodError(
            f"no accession has both a value and a group: values name {next(iter(values))!r}, groups "
            f"{next(iter(groups))!r}",
            mend="write accession ids the same way in both files",
        )
    return kept


def _scheme(labelled: PanelKernels, design: Design, groups: Mapping[str, str] | None) -> Scheme:
    lines, folds = labelled.genotypes.accessions, design.folds or _FOLDS
    if groups is not None:
        families = tuple(groups[line] for line in lines)
        return Scheme(design.scheme, (group_folds(families, design.folds, SMALLEST_FAMILY),), families)
    if design.scheme == "clusters":
        kernel = labelled.kernel(RELATIONSHIP, np.arange(len(labelled)))
        return Scheme(design.scheme, (cluster_folds(kernel, folds, MINIMUM_PAIRS),))
    drawn = (random_folds(lines, folds, design.seed + repeat) for repeat in range(design.repeats))
    return Scheme(design.scheme, tuple(drawn))


def _pooling(scheme: Scheme) -> tuple[str, ...]:
    """Whether folds hold more than one family."""
    pairs = set(zip(scheme.families, scheme.repeats[0].tolist(), strict=False))
    held = Counter(fold for _, fold in pairs)
    shared = [fold for fold, count in held.items() if count > 1]
    if not shared:
        return ()
    return (
        f"{sum(held[fold] for fold in shared)} of {len(pairs)} families are held out together with others, "
        f"in {len(shared)} of {scheme.folds} folds, where r also counts differences between families; the r "
        "within families stands beside it.",
    )
