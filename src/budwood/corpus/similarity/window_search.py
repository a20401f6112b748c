"""Search for similar windows: shared k-mers propose pairs, alignment measures them."""

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
# Of 32 bases, unrelated windows agree at 8, windows of 70 % identity at 22.
MIN_FLANKING_MATCHES: Final = 13
# Number of pairs compared beside their seed for each pair that is aligned.
_EXTENDED: Final = 4
_PAIRS: Final = 1 << 14


@dataclass(frozen=True)
class SearchConfig:
    """Settings of the search for candidate pairs.

    Attributes
    ----------
    sketch
        Which k-mers propose pairs.
    min_seeds
        Smallest number of shared k-mers of a pair, in order and near one diagonal.
    max_windows_per_seed
        Of a k-mer that more windows contain, only this many are used, so that the cost of a repeat family is
        linear.
    max_candidates
        Largest number of pairs aligned for each window, those with the most shared k-mers first.
    """

    sketch: SketchConfig = field(default_factory=SketchConfig)
    min_seeds: int = 1
    max_windows_per_seed: int = 64
    max_candidates: int = 16


class WindowSearch:
    """Search among windows that are numbered by their place in an order.

    Every window is read on its canonical strand, so results do not depend on the given strand.

    Parameters
    ----------
    windows
        (n, window) base codes, already checked.
    order
        (n,) indices of the windows.
    config
        Settings of the search.
    """

    def __init__(self, windows: NDArray[np.uint8], order: NDArray[np.int64], config: SearchConfig) -> None:
        self.windows = CanonicalWindows(windows, order)
        self.config = config
        self.layout = SeedLayout.of(
            self.windows.count, self.windows.width, config.sketch.length, config.sketch.scale
        )

    def seeds(self, start: int, stop: int) -> Keys:
        """Draw and pack the seeds of consecutive windows.

        Parameters
        ----------
        start, stop
            First place in the order, and the place after the last.

        Returns
        -------
        numpy.ndarray
            Sorted packed seeds.
        """
        places = np.arange(start, stop)
        return self.layout.pack(sketch(self.windows.codes(places), self.config.sketch), places)

    def index(self, *keys: Keys) -> SeedIndex:
        """Build an index of seeds.

        Parameters
        ----------
        *keys
            Sorted packed seeds.

        Returns
        -------
        SeedIndex
            The index.
        """
        index = SeedIndex(self.layout, self.config.max_windows_per_seed)
        for part in keys:
            index.add(part)
        return index

    def candidates(self, keys: Keys, index: SeedIndex) -> Candidates:
        """Find the likeliest pairs of query windows with indexed ones.

        Parameters
        ----------
        keys
            Packed seeds of the queries.
        index
            Index of the targets.

        Returns
        -------
        Candidates
            The pairs.
        """
        return self._candidates(index.hits(keys))

    def candidates_within(self, keys: Keys) -> Candidates:
        """Find the likeliest pairs of query windows with earlier ones among them.

        Parameters
        ----------
        keys
            Packed seeds of the queries.

        Returns
        -------
        Candidates
            The pairs.
        """
        return self._candidates(self.layout.earlier_targets(self.index(keys).hits(keys)))

    def identities(self, pairs: Candidates, stretch: int) -> NDArray[np.float32]:
        """Identity of each pair over its best stretch.

        Parameters
        ----------
        pairs
            Candidate pairs.
        stretch
            Length of the stretch in bases.

        Returns
        -------
        numpy.ndarray
            (pairs,) ``float32``.
        """
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
    """Identity of each pair over its best stretch, for several lengths.

    Parameters
    ----------
    pairs
        Candidate pairs.
    queries, targets
        Their windows.
    stretches
        Lengths in bases.

    Returns
    -------
    numpy.ndarray
        (pairs, stretches) ``float32``.
    """
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
    """Count equal bases among the 32 before the seed and among the 32 after it.

    Parameters
    ----------
    pairs
        Candidate pairs.
    queries, targets
        Their windows.
    length
        Bases of a seed.

    Returns
    -------
    numpy.ndarray
        (pairs, 2) counts.
    """
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
    """Number of bases in a share of a window, at least one.

    Parameters
    ----------
    coverage
        Share of the window.
    width
        Bases of the window.

    Returns
    -------
    int
        The number of bases.

    Examples
    --------
    >>> stretch_bases(0.4, 512)
    205
    """
    return max(1, round(coverage * width))


def check_shares(what: str, shares: Sequence[float]) -> None:
    """Refuse shares that do not lie above 0 and at or below 1.

    Parameters
    ----------
    what
        Name of the setting, for the message.
    shares
        The values.

    Raises
    ------
    BudwoodError
        If there is no value, or one is out of range.
    """
    if not shares or not all(0 < share <= 1 for share in shares):
        raise BudwoodError(f"{what} {shares} is not above 0 and at most 1", where=what)
