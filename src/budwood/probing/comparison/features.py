"""Features of windows: frozen embeddings, and the baselines that every claim needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.corpus.masking.kmer_spectrum import kmer_indices
from budwood.genomics.sequence import PAD, N
from budwood.inference.embed import Pool, embed_windows
from budwood.model.backbone import Backbone
from budwood.model.checkpoint import Checkpoint, random_checkpoint
from budwood.model.encoder import BudwoodConfig
from budwood.probing.centre_features import CentreFeatures, encode_centres
from budwood.probing.kmer_models import canonical_kmers
from budwood.probing.linear import one_hot_middle
from budwood.probing.tasks.examples import ExampleSet, ReadPart

Matrix = NDArray[np.floating]

EMBEDDING: Final = "embedding"
WITH_BASE_CLASSES: Final = "embedding and predicted base classes"
RANDOM_WEIGHTS: Final = "random weights"
COMPOSITION: Final = "GC and length"
THREE_MERS: Final = "3-mers"
SIX_MERS: Final = "6-mers"
ONE_HOT: Final = "one-hot"
CONVOLUTION: Final = "convolution"
#: Bases that one-hot codes and the convolution read on either side of the middle, for questions about it.
REACH: Final = 80

_SHAPE: Final = ("stem_channels", "hidden_size", "layers", "heads", "patch", "kernel", "regions")


@dataclass(frozen=True)
class FeatureSet:
    """A kind of features.

    Attributes
    ----------
    name
        What people call it.
    compute
        (k, d) features of examples.
    baseline
        Whether it uses no trained encoder.
    linear_only
        Whether no non-linear probe is fitted to it.
    """

    name: str
    compute: Callable[[ExampleSet], Matrix]
    baseline: bool
    linear_only: bool = False


def same_shape(checkpoint: Checkpoint, *, seed: int = 0) -> Checkpoint:
    """A checkpoint of the same shape with random weights.

    Parameters
    ----------
    checkpoint
        Gives the shape.
    seed
        Seed of the weights.

    Returns
    -------
    Checkpoint
        The untrained encoder, on the device of the other one and in its precision.
    """
    config = checkpoint.encoder.config
    shape = BudwoodConfig(**{name: getattr(config, name) for name in _SHAPE})
    untrained = random_checkpoint(shape, seed=seed).on(checkpoint.device)
    return untrained.in_precision(checkpoint.precision)


def reach_of(examples: ExampleSet) -> int:
    """Bases on either side of the middle that one-hot codes read: 80 for questions about it, else all.

    Parameters
    ----------
    examples
        Windows and which of their bases the question is about.

    Returns
    -------
    int
        Number of bases.
    """
    half = examples.windows.shape[1] // 2
    return min(REACH, half) if examples.reading is ReadPart.MIDDLE else half


def feature_sets(encoder: Backbone, reading: ReadPart) -> tuple[FeatureSet, ...]:
    """The encoder's features, those of random weights, and the baselines without an encoder.

    Parameters
    ----------
    encoder
        The encoder. One that is not Budwood's own has no predicted base classes and no random twin.
    reading
        Which bases the question is about; base classes are read at the middle alone.

    Returns
    -------
    tuple of FeatureSet
        The encoder's own first.
    """
    sets = [FeatureSet(EMBEDDING, lambda examples: embedding(examples, encoder), baseline=False)]
    if isinstance(encoder, Checkpoint):
        untrained = same_shape(encoder)
        if reading is ReadPart.MIDDLE:
            sets.append(
                FeatureSet(WITH_BASE_CLASSES, lambda e: embedding_and_classes(e, encoder), baseline=False)
            )
        sets.append(FeatureSet(RANDOM_WEIGHTS, lambda e: embedding(e, untrained), baseline=True))
    return (
        *sets,
        FeatureSet(COMPOSITION, composition, baseline=True),
        FeatureSet(THREE_MERS, lambda examples: kmer_counts(examples, 3), baseline=True),
        FeatureSet(SIX_MERS, lambda examples: kmer_counts(examples, 6), baseline=True),
        FeatureSet(
            ONE_HOT, lambda e: one_hot_middle(e.windows, reach_of(e)), baseline=True, linear_only=True
        ),
    )


def embedding(examples: ExampleSet, encoder: Backbone) -> Matrix:
    """Frozen embeddings of windows: of the middle 8 bases or the mean of all; both strands' where known.

    Parameters
    ----------
    examples
        Windows.
    encoder
        The encoder; vectors are kept in the cache.

    Returns
    -------
    numpy.ndarray
        (k, d), or (k, 2 d) where windows are read along a known strand.
    """
    if examples.reading is ReadPart.MIDDLE and isinstance(encoder, Checkpoint):
        found = _centres(examples, encoder)
        return found.oriented if examples.stranded else found.mean
    pool = Pool.CENTRE if examples.reading is ReadPart.MIDDLE else Pool.MEAN
    return embed_windows(examples.windows, encoder, pool=pool, oriented=examples.stranded)


def embedding_and_classes(examples: ExampleSet, encoder: Checkpoint) -> Matrix:
    """Embeddings beside the log probabilities of the base classes at the middle 8 bases.

    Parameters
    ----------
    examples, encoder
        As for :func:`embedding`.

    Returns
    -------
    numpy.ndarray
        (k, d + 8 * regions) for questions about the middle; the embeddings alone for others.
    """
    vectors = embedding(examples, encoder)
    if examples.reading is not ReadPart.MIDDLE:
        return vectors
    return np.concatenate([vectors, _centres(examples, encoder).flat_regions], axis=1)


def _centres(examples: ExampleSet, encoder: Checkpoint) -> CentreFeatures:
    return encode_centres(examples.windows, encoder, half_precision=encoder.precision == "bf16")


def kmer_counts(examples: ExampleSet, k: int) -> Matrix:
    """Square roots of counts of k-mers; of both strands together where the strand is not known.

    Parameters
    ----------
    examples
        Windows.
    k
        Length of the k-mers.

    Returns
    -------
    numpy.ndarray
        (k, kinds) ``float32``.
    """
    classes, count = canonical_kmers(k)
    if examples.stranded:
        classes, count = np.arange(4**k), 4**k
    found = np.zeros((len(examples), count), dtype=np.float32)
    for row, codes in zip(found, examples.windows, strict=True):
        index, whole = kmer_indices(np.minimum(codes, N), k)
        row += np.bincount(classes[index[whole]], minlength=count)
    return np.sqrt(found)


def composition(examples: ExampleSet) -> Matrix:
    """Share of G and C, and number of bases.

    Parameters
    ----------
    examples
        Windows.

    Returns
    -------
    numpy.ndarray
        (k, 2).
    """
    windows = examples.windows
    known = (windows < N).sum(axis=1)
    gc = ((windows == 1) | (windows == 2)).sum(axis=1) / np.maximum(known, 1)
    return np.stack([gc, (windows != PAD).sum(axis=1)], axis=1).astype(np.float64)
