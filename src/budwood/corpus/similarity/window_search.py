"""Windows that resemble one another: shared k-mers propose pairs, alignment measures them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.corpus.similarity.canonical_strand import CanonicalWindows
from budwood.corpus.similarity.minhash import SketchConfig, sketch
from budwood.corpus.similarity.seed_index import (
    Candidates,
    Keys,
    SeedIndex,
    SeedLayout,
    best_per_query,
    candidate_pairs,
)
from budwood.corpus.similarity.window_alignment import BAND, stretch_identity
from budwood.errors import BudwoodError
from budwood.genomics.sequence import N

_BESIDE: Final = 32
# Of 32 bases, unrelated ones agree at 8, those of a pair of 70 % identity at 22.
MIN_FLANKING_MATCHES: Final = 13
# Pairs looked at beside their seed, for each that is aligned.
_EXTENDED: Final = 4
_PAIRS: Final = 1 << 14


@dataclass(frozen=True)
class SearchConfig:
    """How hard to look for pairs.

    Attributes
    ----------
    sketch
        Which k-mers propose pairs.
    min_seeds
        K-mers that a pair has in common, in order and near one diagonal.
    max_windows_per_seed
        Of a k-mer that more windows hold, only so many are looked at: the cost of a repeat family is linear.
    max_candidates
        Pairs aligned per window, those with most k-mers in common first.
    """

    sketch: SketchConfig = field(default_factory=SketchConfig)
    min_seeds: int = 1
    max_windows_per_seed: int = 64
    max_candidates: int = 16


class WindowSearch:
    """Windows known by their place in an order.

    Every window is read on its canonical strand, so that results do not depend on the strand given.

    Parameters
    ----------
    windows
        (n, window) codes, checked.
    order
        (n,) indices of the windows.
    config
        How hard to look.
    """

    def __init__(self, windows: NDArray[np.uint8], order: NDArray[np.int64], config: SearchConfig) -> None:
        self.windows = CanonicalWindows(windows, order)
        self.config = config
        self.layout = SeedLayout.of(
            self.windows.count, self.windows.width, config.sketch.length, config.sketch.scale
        )

    def seeds(self, start: int, stop: int) -> Keys:
        """Packed seeds of the windows from ``start`` to ``stop``."""
        places = np.arange(start, stop)
        return self.layout.pack(sketch(self.windows.codes(places), self.config.sketch), places)

    def index(self, *keys: Keys) -> SeedIndex:
        """An index of these seeds."""
        index = SeedIndex(self.layout, self.config.max_windows_per_seed)
        for part in keys:
            index.add(part)
        return index

    def candidates(self, keys: Keys, index: SeedIndex) -> Candidates:
        """Likeliest pairs of the windows whose seeds these are with those of an index."""
        return self._candidates(index.hits(keys))

    def candidates_within(self, keys: Keys) -> Candidates:
        """Likeliest pairs of the windows whose seeds these are with earlier ones among them."""
        return self._candidates(self.layout.earlier_targets(self.index(keys).hits(keys)))

    def identities(self, pairs: Candidates, stretch: int) -> NDArray[np.float32]:
        """Identity of each pair over its best stretch of so many bases."""
        return pair_identities(pairs, self.windows, self.windows, [stretch])[:, 0]

    def _candidates(self, hits: NDArray[np.int64]) -> Candidates:
        pairs = candidate_pairs(hits, self.layout, BAND, self.config.min_seeds)
        pairs = best_per_query(pairs, _EXTENDED * self.config.max_candidates)
        equal = flanking_matches(pairs, self.windows, self.windows, self.layout.length)
        pairs = pairs.select(equal.max(axis=1) >= MIN_FLANKING_MATCHES)
        return best_per_query(pairs, self.config.max_candidates)


def pair_identities(
    pairs: Candidates, queries: CanonicalWindows, targets: CanonicalWindows, stretches: Sequence[int]
) -> NDArray[np.float32]:
    """(pairs, stretches) identity of each pair over its best stretch of so many bases."""
    identity = np.zeros((len(pairs), len(stretches)), np.float32)
    for start in range(0, len(pairs), _PAIRS):
        rows = slice(start, start + _PAIRS)
        part = pairs.select(rows)
        query, target = queries.codes(part.query), targets.codes(part.target, part.reverse)
        identity[rows] = stretch_identity(query, target, part.diagonal, stretches)
    return identity


def flanking_matches(
    pairs: Candidates, queries: CanonicalWindows, targets: CanonicalWindows, length: int
) -> NDArray[np.int64]:
    """(pairs, 2) equal bases among the 32 before the seed and among the 32 after it."""
    beside = np.r_[-_BESIDE:0, length : length + _BESIDE]
    counts = np.zeros((len(pairs), 2), np.int64)
    for start in range(0, len(pairs), _PAIRS):
        rows = slice(start, start + _PAIRS)
        part = pairs.select(rows)
        at = part.position[:, None] + beside
        here = queries.bases(part.query, at)
        there = targets.bases(part.target, at + part.diagonal[:, None], part.reverse)
        equal = (here == there) & (here != N)
        counts[rows] = equal.reshape(len(part), 2, _BESIDE).sum(axis=2)
    return counts


def stretch_bases(coverage: float, width: int) -> int:
    """Bases of a share of a window, at least one."""
    return max(1, round(coverage * width))


def check_shares(what: str, shares: Sequence[float]) -> None:
    """Raise unless all lie above 0 and not above 1."""
    if not shares or not all(0 < share <= 1 for share in shares):
        raise BudwoodError(f"{what} {shares} is not above 0 and at most 1", where=what)
