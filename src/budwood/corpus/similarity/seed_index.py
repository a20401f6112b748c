"""Candidate pairs of similar windows from an inverted index of drawn k-mers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from budwood.corpus.similarity.minhash import Sketch
from budwood.errors import BudwoodError

Keys = NDArray[np.uint64]


@dataclass(frozen=True)
class Candidates:
    """Pairs of windows that share seeds, grouped by query, best first.

    Attributes
    ----------
    query, target
        Indices of the windows.
    reverse
        Whether the pair matches the target's reverse complement.
    diagonal
        Position in the target (on the matching strand) minus position in the query, at the middle of the
        shared seeds.
    position
        First base of that seed in the query.
    score
        Rank criterion of the pairs: number of shared seeds on or near that diagonal, unless replaced.
    """

    query: NDArray[np.int64]
    target: NDArray[np.int64]
    reverse: NDArray[np.bool_]
    diagonal: NDArray[np.int64]
    position: NDArray[np.int64]
    score: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.query)

    def select(self, chosen: NDArray[np.bool_] | NDArray[np.int64] | slice) -> Candidates:
        """Select pairs.

        Parameters
        ----------
        chosen
            Mask, indices or slice.

        Returns
        -------
        Candidates
            The selected pairs.
        """
        return Candidates(
            self.query[chosen],
            self.target[chosen],
            self.reverse[chosen],
            self.diagonal[chosen],
            self.position[chosen],
            self.score[chosen],
        )

    def concatenate(self, other: Candidates) -> Candidates:
        """Append the pairs of another set.

        Parameters
        ----------
        other
            The pairs to append.

        Returns
        -------
        Candidates
            These pairs, then the others.
        """
        return Candidates(
            np.concatenate([self.query, other.query]),
            np.concatenate([self.target, other.target]),
            np.concatenate([self.reverse, other.reverse]),
            np.concatenate([self.diagonal, other.diagonal]),
            np.concatenate([self.position, other.position]),
            np.concatenate([self.score, other.score]),
        )

    @property
    def rank(self) -> NDArray[np.int64]:
        """Rank of each pair among those of its query, from 0."""
        order = np.arange(len(self))
        first = np.r_[True, self.query[1:] != self.query[:-1]][: len(self)]
        return order - np.maximum.accumulate(np.where(first, order, 0))


@dataclass(frozen=True)
class SeedLayout:
    """How a seed is packed into 64 bits: hash, window, position, strand, from the highest bit down.

    Attributes
    ----------
    width
        Bases of a window.
    length
        Bases of a seed.
    row_bits, position_bits
        Bits for the window and for the position.
    """

    width: int
    length: int
    row_bits: int
    position_bits: int

    @classmethod
    def of(cls, rows: int, width: int, length: int, scale: int) -> SeedLayout:
        """Choose the layout for a number of windows.

        Parameters
        ----------
        rows
            Number of windows.
        width
            Bases of a window.
        length
            Bases of a seed.
        scale
            One k-mer in this many is drawn.

        Returns
        -------
        SeedLayout
            The layout.

        Raises
        ------
        BudwoodError
            If 64 bits are too few (about 2 million windows of 512 bases).

        Examples
        --------
        >>> SeedLayout.of(1000, 512, 16, 8).row_bits
        10
        """
        hash_bits = ((1 << 32) // scale - 1).bit_length()
        row_bits, position_bits = max(1, rows - 1).bit_length(), max(1, width - 1).bit_length()
        if hash_bits + row_bits + position_bits + 1 > 64 or 2 * (row_bits + position_bits) + 3 > 63:
            raise BudwoodError(
                f"{rows:,} windows of {width} bases are too many for one index",
                where="seeds",
                mend="give fewer windows, or draw fewer k-mers",
            )
        return cls(width, length, row_bits, position_bits)

    @property
    def hash_shift(self) -> int:
        """Number of bits below the hash."""
        return self.row_bits + self.position_bits + 1

    def pack(self, drawn: Sketch, rows: NDArray[np.int64]) -> Keys:
        """Pack and sort seeds; of a k-mer that a window contains more than once, only the first is kept.

        Parameters
        ----------
        drawn
            Sketch of some windows.
        rows
            (windows,) numbers of these windows in the index.

        Returns
        -------
        numpy.ndarray
            Sorted ``uint64`` keys.
        """
        keys = drawn.hashes.astype(np.uint64) << self.hash_shift
        keys |= rows[drawn.rows].astype(np.uint64) << (self.position_bits + 1)
        keys |= drawn.positions.astype(np.uint64) << 1
        keys |= drawn.reverse.astype(np.uint64)
        keys.sort()
        holder = keys >> (self.position_bits + 1)
        return keys[np.r_[True, holder[1:] != holder[:-1]][: len(keys)]]

    def rows(self, keys: Keys) -> NDArray[np.int64]:
        """Extract the windows of packed seeds.

        Parameters
        ----------
        keys
            Packed seeds.

        Returns
        -------
        numpy.ndarray
            ``int64`` numbers of the windows.
        """
        kept = (keys >> (self.position_bits + 1)) & ((1 << self.row_bits) - 1)
        return kept.astype(np.int64)

    def hits(self, query: Keys, target: Keys) -> NDArray[np.int64]:
        """Pack seed matches as query, target, whether strands differ, diagonal + width, query position.

        Parameters
        ----------
        query, target
            (hits,) packed seeds with the same hash.

        Returns
        -------
        numpy.ndarray
            (hits,) ``int64`` packed matches.
        """
        strand = ((query ^ target) & 1).astype(np.int64)
        mask = (1 << self.position_bits) - 1
        here = ((query >> 1) & mask).astype(np.int64)
        there = ((target >> 1) & mask).astype(np.int64)
        there = np.where(strand == 1, self.width - self.length - there, there)
        packed = (self.rows(query) << self.row_bits) | self.rows(target)
        packed = (packed << 1) | strand
        packed = (packed << (self.position_bits + 2)) | (there - here + self.width)
        return (packed << self.position_bits) | here

    def earlier_targets(self, hits: NDArray[np.int64]) -> NDArray[np.int64]:
        """Select the seed matches whose target has the lower number.

        Parameters
        ----------
        hits
            Packed matches.

        Returns
        -------
        numpy.ndarray
            The selected matches.
        """
        pair = hits >> (2 * self.position_bits + 3)
        return hits[pair >> self.row_bits > pair & ((1 << self.row_bits) - 1)]


class SeedIndex:
    """Seeds of the windows added so far, in a few sorted runs of increasing size.

    Parameters
    ----------
    layout
        How seeds are packed.
    most
        Of a seed that more windows contain, only the ``most`` lowest-numbered of a run are used, so that the
        cost of a repeat family stays linear.
    """

    def __init__(self, layout: SeedLayout, most: int) -> None:
        self.layout = layout
        self.most = most
        self._runs: list[Keys] = []

    def __len__(self) -> int:
        return sum(len(run) for run in self._runs)

    def add(self, keys: Keys) -> None:
        """Add sorted seeds.

        A run is merged with the one before it unless that one is more than twice as long.

        Parameters
        ----------
        keys
            Sorted packed seeds.
        """
        while self._runs and len(self._runs[-1]) <= 2 * len(keys):
            keys = np.concatenate([self._runs.pop(), keys])
            keys.sort()
        self._runs.append(keys)

    def hits(self, query: Keys) -> NDArray[np.int64]:
        """Match query seeds with every run.

        Parameters
        ----------
        query
            Sorted packed seeds.

        Returns
        -------
        numpy.ndarray
            Packed matches (:meth:`SeedLayout.hits`).
        """
        parts = [self._hits_of_run(query, run) for run in self._runs]
        return np.concatenate(parts) if parts else np.empty(0, np.int64)

    def _hits_of_run(self, query: Keys, run: Keys) -> NDArray[np.int64]:
        shift = self.layout.hash_shift
        lowest = (query >> shift) << shift
        first = np.searchsorted(run, lowest)
        last = np.searchsorted(run, lowest | np.uint64((1 << shift) - 1), side="right")
        counts = np.minimum(last - first, self.most)
        before = np.cumsum(counts) - counts
        found = np.repeat(first - before, counts) + np.arange(counts.sum())
        return self.layout.hits(np.repeat(query, counts), run[found])


def empty_candidates() -> Candidates:
    """Make candidates without a pair.

    Returns
    -------
    Candidates
        No pair.
    """
    none = np.empty(0, np.int64)
    return Candidates(none, none, none.astype(bool), none, none, none)


def best_per_query(pairs: Candidates, most: int) -> Candidates:
    """Select the pairs of each query with the highest scores; ties go to the target with the lower number.

    Parameters
    ----------
    pairs
        Candidate pairs in any order.
    most
        Largest number of pairs of a query.

    Returns
    -------
    Candidates
        The selected pairs, grouped by query, best first.
    """
    pairs = pairs.select(np.lexsort((pairs.target, -pairs.score, pairs.query)))
    return pairs.select(pairs.rank < most)


def candidate_pairs(hits: NDArray[np.int64], layout: SeedLayout, band: int, least: int) -> Candidates:
    """Find the pairs of windows with enough seeds near one diagonal.

    Parameters
    ----------
    hits
        Seed matches as packed by :meth:`SeedLayout.hits`, in any order.
    layout
        How they are packed.
    band
        Width of the band of diagonals in bases.
    least
        Smallest number of seeds within the band.

    Returns
    -------
    Candidates
        The pairs, grouped by query.
    """
    hits = np.sort(hits)
    if not len(hits):
        return empty_candidates()
    low = layout.position_bits
    bits = low + 2
    near = np.searchsorted(hits, hits + (band << low), side="right") - np.arange(len(hits))
    pair = hits >> (low + bits + 1)
    starts = np.flatnonzero(np.r_[True, pair[1:] != pair[:-1]])
    # The band of a pair with the most seeds; by the inverted index in the low bits, the first of several.
    fullest = np.maximum.reduceat((near << 40) | ((1 << 40) - 1 - np.arange(len(hits))), starts)
    at, seeds = (1 << 40) - 1 - (fullest & ((1 << 40) - 1)), fullest >> 40
    middle = hits[at + seeds // 2]
    enough = seeds >= least
    pair, middle, seeds = pair[starts][enough], middle[enough], seeds[enough]
    return Candidates(
        pair >> layout.row_bits,
        pair & ((1 << layout.row_bits) - 1),
        ((middle >> (low + bits)) & 1).astype(bool),
        ((middle >> low) & ((1 << bits) - 1)) - layout.width,
        middle & ((1 << low) - 1),
        seeds,
    )
