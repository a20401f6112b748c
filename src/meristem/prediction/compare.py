"""Models named by the user, held against one another on the same folds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from meristem.errors import MeristemError
from meristem.genomics.genotypes import Genotypes
from meristem.genomics.haplotypes import HaplotypeTable
from meristem.prediction.evaluate import Comparison, Scheme, evaluate
from meristem.prediction.labels import match_labels
from meristem.prediction.models import MODEL_NAMES, model_named
from meristem.prediction.outcome import Evaluation
from meristem.prediction.predict import embedding_gram
from meristem.prediction.predictors import EMBEDDING, RELATIONSHIP, Predictors
from meristem.stats.metrics import MINIMUM_PAIRS
from meristem.stats.splits import cluster_folds, random_folds

#: The model that needs embeddings.
DNA_MODEL: Final = "gblup+dna"
#: Ways to hold lines out.
SCHEMES: Final = ("random", "clusters")


def compare_models(
    genotypes: Genotypes,
    values: Mapping[str, float],
    trait: str,
    *,
    models: Sequence[str],
    haplotypes: HaplotypeTable | None = None,
    vectors: NDArray[np.float32] | None = None,
    scheme: str = "random",
    folds: int = 5,
    repeats: int = 5,
    seed: int = 0,
) -> Evaluation:
    """Cross-validate models on the labelled accessions.

    Parameters
    ----------
    genotypes, values, trait, haplotypes, vectors
        As for :func:`meristem.prediction.predict.predict_trait`.
    models
        Names in :data:`meristem.prediction.models.MODEL_NAMES`; the first is the baseline, the last the one
        whose control on shuffled values and held-out predictions are reported.
    scheme
        ``"random"``: repeat r uses seed + r. ``"clusters"``: clusters of related lines are held out whole;
        there is one way to do that, so ``repeats`` does not count.
    seed
        Also of the shuffles.

    Raises
    ------
    MeristemError
        If a model or scheme is unknown, a model needs embeddings that are not there, or folds are too small.
    """
    check_models(models, scheme, embedded=vectors is not None)
    chosen = tuple(model_named(name) for name in models)
    labels = match_labels(genotypes, values, trait)
    grams = {}
    if haplotypes is not None and vectors is not None:
        grams[EMBEDDING] = embedding_gram(genotypes, haplotypes, vectors)
    labelled = Predictors(genotypes, grams).take(labels.rows)
    drawn = _scheme(labelled, scheme, folds, repeats, seed)
    dna_model = model_named(DNA_MODEL).name if DNA_MODEL in models else ""
    comparison = Comparison(chosen, reported=chosen[-1].name, dna_model=dna_model)
    return evaluate(labelled, labels.y, comparison, drawn, trait=trait, seed=seed)


def check_models(names: Sequence[str], scheme: str, *, embedded: bool) -> None:
    """Refuse models and schemes that do not exist or cannot run, before anything is read."""
    for name in names:
        model_named(name)
    if not names or len(set(names)) < len(names):
        raise MeristemError("the models are not distinct", mend=f"choose among {', '.join(MODEL_NAMES)}")
    if DNA_MODEL in names and not embedded:
        raise MeristemError(
            f"model {DNA_MODEL!r} reads sequence", mend="give the reference genome, or leave the model out"
        )
    if scheme not in SCHEMES:
        raise MeristemError(f"there is no scheme {scheme!r}", mend=f"choose one of: {', '.join(SCHEMES)}")


def _scheme(labelled: Predictors, name: str, folds: int, repeats: int, seed: int) -> Scheme:
    if name == "clusters":
        kernel = labelled.kernel(RELATIONSHIP, np.arange(len(labelled)))
        return Scheme(name, (cluster_folds(kernel, folds, MINIMUM_PAIRS),))
    lines = labelled.genotypes.accessions
    return Scheme(name, tuple(random_folds(lines, folds, seed + repeat) for repeat in range(repeats)))
