"""Validation windows, split off by homology cluster so that no relative of theirs is trained on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from budwood.corpus.recipe.recipe import SplitConfig


def split_clusters(
    cluster: NDArray[np.integer], species: NDArray[np.integer], config: SplitConfig, seed: int
) -> NDArray[np.bool_]:
    """Which windows are kept for validation.

    Clusters come up in random order; each goes to validation whole as long as no species in it then has
    more than its share there. Clusters larger than ``largest_cluster`` (as a share of all windows, but at
    least one window) are trained on.

    Parameters
    ----------
    cluster, species
        (windows,) labels.

    Returns
    -------
    ndarray
        (windows,) bool.

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
