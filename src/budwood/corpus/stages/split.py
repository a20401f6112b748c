"""Split windows into training and validation by homology cluster, so that relatives stay together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from budwood.corpus.recipe.recipe import SplitConfig


def split_clusters(
    cluster: NDArray[np.integer], species: NDArray[np.integer], config: SplitConfig, seed: int
) -> NDArray[np.bool_]:
    """Choose the windows for validation.

    Clusters are processed in random order. A cluster goes to validation as a whole if no species then exceeds
    its share. Clusters larger than ``largest_cluster`` (a share of all windows, but at least one window) are
    used for training.

    Parameters
    ----------
    cluster, species
        (windows,) labels.
    config
        Share of validation, and the largest cluster.
    seed
        Determines the order of the clusters.

    Returns
    -------
    numpy.ndarray
        (windows,) ``bool``: whether a window is for validation.

    Examples
    --------
    >>> config = SplitConfig(validation=0.5, largest_cluster=0.5)
    >>> kept = split_clusters(np.array([7, 7, 7, 1, 1, 2]), np.zeros(6, dtype=int), config, seed=0)
    >>> int(kept.sum()), bool(kept[0] == kept[1] == kept[2])
    (3, True)
    """
    _, label, size = np.unique(cluster, return_inverse=True, return_counts=True)
    sorted_rows = np.argsort(label, kind="stable")
    bounds = np.concatenate([[0], np.cumsum(size)])
    _, kind = np.unique(species, return_inverse=True)
    quota = np.floor(config.validation * np.bincount(kind))
    taken = np.zeros(len(quota), dtype=np.int64)
    kept = np.zeros(len(cluster), dtype=np.bool_)
    largest = max(1, int(config.largest_cluster * len(cluster)))
    for number in np.random.default_rng((seed, 3)).permutation(len(size)):
        if size[number] > largest:
            continue
        rows = sorted_rows[bounds[number] : bounds[number + 1]]
        found, count = np.unique(kind[rows], return_counts=True)
        if np.all(taken[found] + count <= quota[found]):
            taken[found] += count
            kept[rows] = True
    return kept
