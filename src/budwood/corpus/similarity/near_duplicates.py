"""Near-duplicate windows: within or across species, on either strand, shifted or edited.

Greedy and incremental, as in CD-HIT (Li and Godzik 2006, doi:10.1093/bioinformatics/btl158): windows are
processed in order, and a window is dropped if it resembles one that was kept before it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.corpus.similarity.minhash import check_windows, content_order
from budwood.corpus.similarity.seed_index import Candidates, Keys, SeedIndex
from budwood.corpus.similarity.window_search import SearchConfig, WindowSearch, check_shares, stretch_bases

_BLOCK: Final = 2048
_STAGES: Final = (0, 1, 4)


@dataclass(frozen=True)
class NearDuplicateConfig:
    """When a window counts as a near-duplicate of another.

    Attributes
    ----------
    min_identity, min_coverage
        Smallest identity over the best stretch of this share of the window, by
        :func:`budwood.corpus.similarity.window_alignment.stretch_identity`.
    search
        Settings of the search for candidate pairs.
    """

    min_identity: float = 0.85
    min_coverage: float = 0.4
    search: SearchConfig = field(default_factory=SearchConfig)

    def __post_init__(self) -> None:
        check_shares("min_identity", [self.min_identity])
        check_shares("min_coverage", [self.min_coverage])


@dataclass(frozen=True)
class NearDuplicates:
    """Which windows to keep.

    Attributes
    ----------
    keep
        (n,) whether a window has no near-duplicate among the windows kept before it.
    partner
        (n,) the kept window that a dropped one resembles, -1 for kept ones.
    identity
        (n,) identity with that window, 0 for kept ones.
    """

    keep: NDArray[np.bool_]
    partner: NDArray[np.int64]
    identity: NDArray[np.float32]


def near_duplicates(
    windows: NDArray[np.uint8],
    config: NearDuplicateConfig | None = None,
    *,
    priority: NDArray[np.integer] | None = None,
) -> NearDuplicates:
    """Find the windows that are near-duplicates of an earlier one.

    A window without a drawn k-mer (for example one of N only) has no near-duplicate. Every dropped window has
    a kept partner, so no window is dropped through a chain of decreasing similarity. The result does not
    depend on the strand of a window. Without ``priority`` the earlier of two windows is kept. With it, the
    one with the lower priority number is kept; ties are broken by a digest of the bases, so that the kept
    sequences do not depend on the order of the windows.

    Memory beyond the windows, with the default configuration: about 0.5 kB for each kept window, twice that
    while seeds are merged, and 100 MB of working space.

    Parameters
    ----------
    windows
        (n, window) codes A C G T N; a memory map is read block by block.
    config
        Thresholds.
    priority
        (n,) integers, lower is kept first.

    Returns
    -------
    NearDuplicates
        Which windows to keep, and the partners of the others.

    Raises
    ------
    BudwoodError
        If the windows are not base codes, or there are too many for one index.

    Examples
    --------
    >>> from budwood.genomics.sequence import reverse_complement
    >>> windows = np.random.default_rng(1).integers(0, 4, (3, 512), dtype=np.uint8)
    >>> windows[2, 100:] = reverse_complement(windows[0])[:412]
    >>> near_duplicates(windows).partner
    array([-1, -1,  0])
    """
    config = config or NearDuplicateConfig()
    check_windows(windows)
    order = content_order(windows, priority)
    greedy = _Greedy(WindowSearch(windows, order, config.search), config)
    for start in range(0, len(windows), _BLOCK):
        greedy.decide(start, min(start + _BLOCK, len(windows)))
    partner = np.full(len(windows), -1, np.int64)
    dropped = greedy.partner >= 0
    partner[order[dropped]] = order[greedy.partner[dropped]]
    identity = np.zeros(len(windows), np.float32)
    identity[order] = greedy.identity
    return NearDuplicates(partner < 0, partner, identity)


def near_duplicates_of(
    earlier: NDArray[np.uint8], later: NDArray[np.uint8], config: NearDuplicateConfig | None = None
) -> NDArray[np.int64]:
    """Find for each later window an earlier one that it is a near-duplicate of.

    Earlier windows are not compared with one another, and neither are later ones.

    Parameters
    ----------
    earlier, later
        (n, window) and (m, window) codes A C G T N.
    config
        Thresholds.

    Returns
    -------
    numpy.ndarray
        (m,) index of the earlier window, -1 for none.

    Examples
    --------
    >>> windows = np.random.default_rng(1).integers(0, 4, (4, 512), dtype=np.uint8)
    >>> windows[3, 100:] = windows[1, :412]
    >>> near_duplicates_of(windows[:2], windows[2:])
    array([-1,  1])
    """
    config = config or NearDuplicateConfig()
    windows = np.concatenate([earlier, later])
    check_windows(windows)
    greedy = _Greedy(WindowSearch(windows, np.arange(len(windows)), config.search), config)
    first, search = len(earlier), greedy.search
    for start in range(0, first, _BLOCK):
        greedy.index.add(search.seeds(start, min(start + _BLOCK, first)))
    for start in range(first, len(windows), _BLOCK):
        keys = search.seeds(start, min(start + _BLOCK, len(windows)))
        greedy.drop_likeliest_first(search.candidates(keys, greedy.index))
    return greedy.partner[first:]


class _Greedy:
    """Decisions so far, by place in the order."""

    def __init__(self, search: WindowSearch, config: NearDuplicateConfig) -> None:
        count, width = search.windows.count, search.windows.width
        self.search, self.config = search, config
        self.index = search.index()
        self.stretch = stretch_bases(config.min_coverage, width)
        self.partner = np.full(count, -1, np.int64)
        self.identity = np.zeros(count, np.float32)

    def decide(self, start: int, stop: int) -> None:
        """Keep or drop a block of windows: first against those kept before, then among themselves."""
        keys = self.search.seeds(start, stop)
        self.drop_likeliest_first(self.search.candidates(keys, self.index))
        keys = self.of_kept(keys)
        self.deduplicate(keys, self.search.index())
        self.index.add(self.of_kept(keys))

    def deduplicate(self, keys: Keys, kept_index: SeedIndex) -> None:
        """Keep or drop windows by comparing them with one another; ``kept_index`` receives those kept.

        Where a window has too many candidates to align them all, the kept ones may not be among the
        likeliest. Then the earlier half is decided first and the later half is compared with what is left of
        it.
        """
        pairs = self.search.candidates_within(keys)
        most = self.config.search.max_candidates
        if np.bincount(pairs.query - pairs.query.min(initial=0), minlength=1).max() >= most:
            places = self.search.layout.rows(keys)
            later = places >= np.median(np.unique(places))
            self.deduplicate(keys[~later], kept_index)
            keys = keys[later]
            self.drop_likeliest_first(self.search.candidates(keys, kept_index))
            self.deduplicate(self.of_kept(keys), kept_index)
        else:
            self.drop(pairs)
            kept_index.add(self.of_kept(keys))

    def drop_likeliest_first(self, pairs: Candidates) -> None:
        """Align the likeliest pair of each window first: most windows of a repeat need no other."""
        rank, most = pairs.rank, self.config.search.max_candidates
        for first, last in zip(_STAGES, (*_STAGES[1:], most), strict=True):
            self.drop(pairs.select((rank >= first) & (rank < last) & (self.partner[pairs.query] < 0)))

    def drop(self, pairs: Candidates) -> None:
        """Drop windows by their pairs.

        Pairs are ordered by query, so a target is decided before a query that refers to it.
        """
        identity = self.search.identities(pairs, self.stretch)
        for pair in np.flatnonzero(identity >= self.config.min_identity):
            query, target = pairs.query[pair], pairs.target[pair]
            if self.partner[query] < 0 and self.partner[target] < 0:
                self.partner[query], self.identity[query] = target, identity[pair]

    def of_kept(self, keys: Keys) -> Keys:
        return keys[self.partner[self.search.layout.rows(keys)] < 0]
