"""Splits of examples that keep relatives on one side: by contig and by homology cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

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


def split_by_homology(
    windows: NDArray[np.uint8], *, groups: NDArray[np.int64] | None = None, seed: int = 0
) -> NDArray[np.bool_]:
    """Hold out whole homology clusters, a quarter of the windows; the largest clusters are for training.

    Parameters
    ----------
    windows
        (k, width) codes.
    groups
        (k,) numbers of groups that must not be split either, joined with the clusters; None without any.
    seed
        Seed of the choice.

    Returns
    -------
    numpy.ndarray
        (k,) which windows are for the test.
    """
    clusters = homology_clusters(np.minimum(windows, N))
    largest = max(1.0, 0.05 * len(windows))
    if groups is not None:
        clusters = _joined(clusters, groups)
        # Groups may be few and large, such as families; the test still has less than half of the windows.
        largest = max(1.0, TEST_SHARE * len(windows))
    sizes = np.bincount(clusters)
    test = np.zeros(len(windows), dtype=np.bool_)
    for cluster in np.random.default_rng(seed).permutation(len(sizes)):
        if sizes[cluster] > largest:
            continue
        if test.sum() >= TEST_SHARE * len(windows):
            break
        test |= clusters == cluster
    return test


def _joined(clusters: NDArray[np.int64], groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """(k,) numbers of what is connected by clusters and groups."""
    _, named = np.unique(groups, return_inverse=True)
    count = int(clusters.max()) + 1
    size = count + int(named.max()) + 1
    graph = coo_array((np.ones(len(clusters)), (clusters, count + named)), shape=(size, size))
    _, numbers = connected_components(graph, directed=False)
    return np.unique(numbers[clusters], return_inverse=True)[1].astype(np.int64)


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
