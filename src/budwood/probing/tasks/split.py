"""Splits of examples that keep relatives on one side: by contig and by homology cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.corpus.similarity.homology import homology_clusters, links_between
from budwood.errors import BudwoodError
from budwood.genomics.sequence import N

#: Share of the examples, or of the annotated bases, that is held out for the test.
TEST_SHARE: Final = 0.25


class ExampleSplit(StrEnum):
    """How training and test part.

    ``CHROMOSOME``: contigs of the test hold no training example. ``HOMOLOGY``: no homology cluster stands on
    both sides. ``SPECIES``: the test is another genome or table.
    """

    CHROMOSOME = "chromosome"
    HOMOLOGY = "homology"
    SPECIES = "species"


def split_contigs(
    lengths: Mapping[str, int], test: Sequence[str] = ()
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Contigs for training and for the test.

    Parameters
    ----------
    lengths
        Annotated contigs and their lengths.
    test
        Contigs for the test; where empty, contigs from the shortest on until a quarter of the bases would be
        exceeded, one at least.

    Returns
    -------
    tuple
        Training and test contigs.

    Raises
    ------
    BudwoodError
        If there is a single contig, a contig of ``test`` is not among them, or none is left for training.

    Examples
    --------
    >>> split_contigs({"Chr1": 30, "Chr2": 20, "Chr3": 10})
    (('Chr1', 'Chr2'), ('Chr3',))
    """
    unknown = [contig for contig in test if contig not in lengths]
    if unknown:
        raise BudwoodError(
            f"the annotated genome has no contig {unknown[0]!r}",
            where="--test-contigs",
            mend=f"choose from {', '.join(list(lengths)[:8])}",
        )
    chosen = list(dict.fromkeys(test))
    if not chosen:
        total, held = sum(lengths.values()), 0
        for contig in sorted(lengths, key=lambda name: (lengths[name], name)):
            if chosen and held + lengths[contig] > TEST_SHARE * total:
                break
            chosen.append(contig)
            held += lengths[contig]
    training = tuple(contig for contig in lengths if contig not in chosen)
    if not training or not chosen:
        raise BudwoodError(
            "no contig is left for training: a single one carries the annotation",
            where="--split chromosome",
            mend="choose --split homology, or give --test-reference",
        )
    return training, tuple(chosen)


def split_by_homology(windows: NDArray[np.uint8], *, seed: int = 0) -> NDArray[np.bool_]:
    """Hold out whole homology clusters, a quarter of the windows; the largest clusters are for training.

    Parameters
    ----------
    windows
        (k, width) codes.
    seed
        Seed of the choice.

    Returns
    -------
    numpy.ndarray
        (k,) which windows are for the test.
    """
    clusters = homology_clusters(np.minimum(windows, N))
    sizes = np.bincount(clusters)
    test = np.zeros(len(windows), dtype=np.bool_)
    for cluster in np.random.default_rng(seed).permutation(len(sizes)):
        if sizes[cluster] > max(1, 0.05 * len(windows)):
            continue
        if test.sum() >= TEST_SHARE * len(windows):
            break
        test |= clusters == cluster
    return test


def like_training(training: NDArray[np.uint8], test: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which test windows resemble a training window, as homology clusters are linked.

    Parameters
    ----------
    training, test
        (n, width) and (m, width) codes.

    Returns
    -------
    numpy.ndarray
        (m,) whether a window has an identity of .75 or more over .3 of its length with a training window.
    """
    found = np.zeros(len(test), dtype=np.bool_)
    if training.shape[1] == test.shape[1]:
        found[links_between(np.minimum(training, N), np.minimum(test, N)).second] = True
    return found
