"""Clusters of homologous windows, so that a split never separates relatives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from budwood.corpus.similarity.minhash import CODON_LIKE, SketchConfig, check_windows, content_order
from budwood.corpus.similarity.window_search import SearchConfig, WindowSearch, check_shares, stretch_bases

_BLOCK: Final = 2048
_DEMAND: Final = 0.05
_HIGHEST: Final = 0.95


@dataclass(frozen=True)
class HomologyConfig:
    """When two windows are linked, and how large a cluster may become.

    Attributes
    ----------
    min_identity, min_coverage
        Smallest identity over the best stretch of this share of the window, by
        :func:`budwood.corpus.similarity.window_alignment.stretch_identity`.
    max_share
        A cluster with more than this share of the windows is split at higher identities.
    search
        Settings of the search for candidate pairs.
    """

    min_identity: float = 0.75
    min_coverage: float = 0.3
    max_share: float = 0.05
    search: SearchConfig = field(
        default_factory=lambda: SearchConfig(SketchConfig(16, 3, CODON_LIKE), min_seeds=2, max_candidates=8)
    )

    def __post_init__(self) -> None:
        check_shares("min_identity", [self.min_identity])
        check_shares("min_coverage", [self.min_coverage])
        check_shares("max_share", [self.max_share])


@dataclass(frozen=True)
class HomologyLinks:
    """Pairs of similar windows.

    Attributes
    ----------
    first, second
        (links,) indices of the windows.
    identity
        (links,) identity of each pair.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    identity: NDArray[np.float32]

    def select(self, chosen: NDArray[np.bool_]) -> HomologyLinks:
        """Select links.

        Parameters
        ----------
        chosen
            (links,) ``bool`` mask.

        Returns
        -------
        HomologyLinks
            The selected links.
        """
        return HomologyLinks(self.first[chosen], self.second[chosen], self.identity[chosen])


def homology_clusters(windows: NDArray[np.uint8], config: HomologyConfig | None = None) -> NDArray[np.int64]:
    """Cluster windows by homology: connected components of the similar pairs, numbered by first member.

    Repeats and shared domains connect unrelated families. A component with more than ``max_share`` of the
    windows therefore loses its links of lowest identity, in steps of .05 up to .95, until it falls apart;
    only that component does. A component that is still too large at .95 stays whole and should be used for
    training. A window without a similar one is a cluster of its own. Clusters depend neither on the order of
    the windows nor on their strand.

    Parameters
    ----------
    windows
        (n, window) codes A C G T N.
    config
        Thresholds.

    Returns
    -------
    numpy.ndarray
        (n,) cluster numbers.

    Examples
    --------
    >>> windows = np.random.default_rng(1).integers(0, 4, (3, 512), dtype=np.uint8)
    >>> windows[2, 100:] = windows[0, :412]
    >>> homology_clusters(windows)
    array([0, 1, 0])
    """
    config = config or HomologyConfig()
    return link_clusters(homology_links(windows, config), len(windows), config)


def homology_links(windows: NDArray[np.uint8], config: HomologyConfig | None = None) -> HomologyLinks:
    """Find similar pairs: each window with the earlier ones that share the most k-mers with it.

    Parameters
    ----------
    windows
        (n, window) codes A C G T N.
    config
        Thresholds.

    Returns
    -------
    HomologyLinks
        The pairs.
    """
    config = config or HomologyConfig()
    check_windows(windows)
    order = content_order(windows, np.zeros(len(windows), np.int64))
    search = WindowSearch(windows, order, config.search)
    index = search.index()
    stretch = stretch_bases(config.min_coverage, windows.shape[1])
    found = [empty_links()]
    for start in range(0, len(windows), _BLOCK):
        keys = search.seeds(start, min(start + _BLOCK, len(windows)))
        for pairs in (search.candidates(keys, index), search.candidates_within(keys)):
            links = HomologyLinks(order[pairs.query], order[pairs.target], search.identities(pairs, stretch))
            found.append(links.select(links.identity >= config.min_identity))
        index.add(keys)
    return concatenate_links(found)


def links_between(
    earlier: NDArray[np.uint8], later: NDArray[np.uint8], config: HomologyConfig | None = None
) -> HomologyLinks:
    """Find similar pairs of an earlier and a later window.

    Parameters
    ----------
    earlier, later
        (n, window) and (m, window) codes A C G T N.
    config
        Thresholds.

    Returns
    -------
    HomologyLinks
        The pairs; ``first`` numbers the earlier windows, ``second`` the later ones, each from 0.

    Examples
    --------
    >>> windows = np.random.default_rng(1).integers(0, 4, (4, 512), dtype=np.uint8)
    >>> windows[3, 100:] = windows[1, :412]
    >>> links = links_between(windows[:2], windows[2:])
    >>> links.first, links.second
    (array([1]), array([1]))
    """
    config = config or HomologyConfig()
    windows = np.concatenate([earlier, later])
    check_windows(windows)
    search = WindowSearch(windows, np.arange(len(windows)), config.search)
    index, first = search.index(), len(earlier)
    stretch = stretch_bases(config.min_coverage, windows.shape[1])
    for start in range(0, first, _BLOCK):
        index.add(search.seeds(start, min(start + _BLOCK, first)))
    found = [empty_links()]
    for start in range(first, len(windows), _BLOCK):
        pairs = search.candidates(search.seeds(start, min(start + _BLOCK, len(windows))), index)
        links = HomologyLinks(pairs.target, pairs.query - first, search.identities(pairs, stretch))
        found.append(links.select(links.identity >= config.min_identity))
    return concatenate_links(found)


def empty_links() -> HomologyLinks:
    """Make links without a pair.

    Returns
    -------
    HomologyLinks
        No pair.
    """
    none = np.empty(0, np.int64)
    return HomologyLinks(none, none, none.astype(np.float32))


def concatenate_links(found: Sequence[HomologyLinks]) -> HomologyLinks:
    """Concatenate links.

    Parameters
    ----------
    found
        At least one set of links.

    Returns
    -------
    HomologyLinks
        All pairs in the given order.
    """
    tracks = zip(*((part.first, part.second, part.identity) for part in found), strict=True)
    return HomologyLinks(*(np.concatenate(track) for track in tracks))


def link_clusters(links: HomologyLinks, count: int, config: HomologyConfig) -> NDArray[np.int64]:
    """Cluster windows by their links, splitting large clusters as in :func:`homology_clusters`.

    Parameters
    ----------
    links
        Pairs of similar windows.
    count
        Number of windows.
    config
        Thresholds.

    Returns
    -------
    numpy.ndarray
        (count,) cluster numbers.
    """
    demand = config.min_identity
    labels = _components(links, count)
    while demand < _HIGHEST:
        demand = min(demand + _DEMAND, _HIGHEST)
        large = np.bincount(labels, minlength=1) > max(1, config.max_share * count)
        weak = large[labels[links.first]] & (links.identity < demand)
        if not large.any():
            break
        links = links.select(~weak)
        labels = _components(links, count)
    return labels


def _components(links: HomologyLinks, count: int) -> NDArray[np.int64]:
    graph = coo_array((np.ones(len(links.first), np.int8), (links.first, links.second)), shape=(count, count))
    labels = connected_components(graph, directed=False)[1] if count else np.empty(0, np.int64)
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]
