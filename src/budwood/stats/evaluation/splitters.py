"""Division of lines into folds. Lines are divided, never single records of a line."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from budwood.errors import BudwoodError

Folds = NDArray[np.int64]


def random_folds(lines: Sequence[str], folds: int, repeat: int) -> Folds:
    """Fold of each line, equal in size up to one, the same whatever order the lines come in.

    Line ids are sorted as text, and the i-th gets ``default_rng(repeat).permutation(n)[i] % folds``.

    Parameters
    ----------
    lines
        Ids of n lines.
    folds
        Number of folds.
    repeat
        Seed of the division.

    Returns
    -------
    ndarray
        (n,) 0 to folds - 1, in the order of ``lines``.

    Raises
    ------
    BudwoodError
        If there are under two folds or fewer lines than folds.

    Examples
    --------
    >>> random_folds(["b", "a", "d", "c"], 2, repeat=0)
    array([0, 0, 1, 1])
    """
    n = len(lines)
    _check_folds(n, folds)
    labels = np.random.default_rng(repeat).permutation(n) % folds
    order = sorted(range(n), key=lines.__getitem__)
    result = np.empty(n, dtype=np.int64)
    result[order] = labels
    return result


def cluster_folds(kernel: NDArray[np.float64], folds: int, smallest: int = 3) -> Folds:
    """Clusters of related lines, each to be held out as a whole.

    Ward's hierarchical clustering of the distances that the kernel implies, cut into ``folds`` clusters; a
    cluster of under ``smallest`` lines joins the cluster nearest to it on average.

    Parameters
    ----------
    kernel
        (n, n) relationship.
    folds
        Most clusters.
    smallest
        Fewest lines of a cluster.

    Returns
    -------
    ndarray
        (n,) cluster of each line, numbered by size from 0 (the largest). There may be fewer than ``folds``.

    Raises
    ------
    BudwoodError
        If there are under two folds or fewer lines than folds.

    Examples
    --------
    >>> families = np.kron(np.eye(2), np.ones((3, 3))) + np.eye(6)
    >>> cluster_folds(families, 2)
    array([0, 0, 0, 1, 1, 1])
    """
    _check_folds(len(kernel), folds)
    own = np.diagonal(kernel)
    squared = np.maximum(own[:, None] + own[None, :] - 2.0 * kernel, 0.0)
    np.fill_diagonal(squared, 0.0)
    tree = linkage(squareform(np.sqrt(0.5 * (squared + squared.T)), checks=False), method="ward")
    clusters = np.asarray(fcluster(tree, folds, criterion="maxclust"), dtype=np.int64)
    while True:
        names, sizes = np.unique(clusters, return_counts=True)
        if len(names) < 2 or sizes.min() >= smallest:
            break
        small = clusters == names[np.argmin(sizes)]
        others = [name for name in names if name != names[np.argmin(sizes)]]
        nearest = min(others, key=lambda name: float(squared[np.ix_(small, clusters == name)].mean()))
        clusters[small] = nearest
    _, inverse, sizes = np.unique(clusters, return_inverse=True, return_counts=True)
    rank = np.empty(len(sizes), dtype=np.int64)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes))
    return rank[inverse]


def group_folds(groups: Sequence[str], folds: int | None = None, smallest: int = 1) -> Folds:
    """Folds of whole groups (families, subpopulations): a group is never divided.

    Parameters
    ----------
    groups
        (n,) group of each line.
    folds
        That many folds, as equal in lines as whole groups allow (the largest group first, each to the fold
        with the fewest lines); by default a fold for each group.
    smallest
        Without ``folds``: groups of fewer lines are pooled, the smallest first, into folds of at least so
        many.

    Returns
    -------
    ndarray
        (n,) fold of each line, numbered by the sorted names of their first groups.

    Raises
    ------
    BudwoodError
        If there are fewer groups than folds, or fewer than two folds come out.

    Examples
    --------
    >>> group_folds(["NAM03", "NAM02", "NAM03"])
    array([1, 0, 1])
    >>> group_folds(["a", "a", "a", "b", "c", "c"], folds=2)
    array([0, 0, 0, 1, 1, 1])
    >>> group_folds(["a", "a", "b", "c"], smallest=2)
    array([0, 0, 1, 1])
    """
    names, inverse, sizes = np.unique(np.asarray(groups, dtype=str), return_inverse=True, return_counts=True)
    if len(names) < 2:
        raise BudwoodError(
            "all lines are of one group, so no group can be held out", mend="choose another scheme"
        )
    if folds is not None and len(names) < folds:
        raise BudwoodError(
            f"there are fewer groups ({len(names)}) than folds ({folds})", mend="use fewer folds"
        )
    fold = _pooled(sizes, smallest) if folds is None else _levelled(sizes, folds)
    if fold.max() == 0:
        raise BudwoodError(
            f"the groups are too small to hold {smallest} lines out apart from the others",
            mend="choose another scheme, or say how many folds",
        )
    return _numbered(fold)[inverse]


def _levelled(sizes: NDArray[np.int64], folds: int) -> Folds:
    """Fold of each group: the largest first, each to the fold with the fewest lines."""
    filled = np.zeros(folds, dtype=np.int64)
    fold = np.zeros(len(sizes), dtype=np.int64)
    for group in np.argsort(-sizes, kind="stable"):
        fold[group] = np.argmin(filled)
        filled[fold[group]] += sizes[group]
    return fold


def _pooled(sizes: NDArray[np.int64], smallest: int) -> Folds:
    """Fold of each group: its own where it is large enough, else one shared by small groups."""
    fold = np.arange(len(sizes))
    small = [int(group) for group in np.argsort(sizes, kind="stable") if sizes[group] < smallest]
    pools: list[list[int]] = [[]]
    for group in small:
        if sum(sizes[member] for member in pools[-1]) >= smallest:
            pools.append([])
        pools[-1].append(group)
    if sum(sizes[member] for member in pools[-1]) < smallest:
        rest = pools.pop()
        large = [group for group in range(len(sizes)) if sizes[group] >= smallest]
        if pools:
            pools[-1] += rest
        elif large:
            pools.append([*rest, min(large, key=lambda group: int(sizes[group]))])
        else:
            pools.append(rest)
    for members in pools:
        fold[members] = min(members)
    return fold


def _numbered(fold: Folds) -> Folds:
    """The same folds, numbered in order of appearance."""
    _, first, inverse = np.unique(fold, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first, kind="stable")] = np.arange(len(first))
    return rank[inverse]


def _check_folds(n: int, folds: int) -> None:
    if folds < 2:
        raise BudwoodError(f"{folds} folds cannot hold anything out", mend="use at least 2 folds")
    if n < folds:
        raise BudwoodError(f"there are fewer lines ({n}) than folds ({folds})", mend="use fewer folds")
