"""Sequences longer than a window: how they are cut into tiles, and how the tiles' vectors are joined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.config import WINDOW
from budwood.errors import BudwoodError
from budwood.genomics.sequence import PAD

#: Bases that neighbouring tiles share at least, unless another number is given.
OVERLAP: Final = 128


@dataclass(frozen=True, kw_only=True)
class Tiles:
    """Tiles of several sequences.

    Attributes
    ----------
    codes
        (tiles, 512) bases, padded on the right.
    sequence
        (tiles,) number of the sequence that a tile is cut from; tiles of a sequence stand together, in order.
    start, end
        (tiles,) 0-based half-open place in that sequence.
    share
        (tiles,) weight in the vector of the whole sequence; those of a sequence sum to 1.
    """

    codes: NDArray[np.uint8]
    sequence: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    share: NDArray[np.float64]

    def pooled(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Vectors of whole sequences from those of their tiles.

        Parameters
        ----------
        vectors
            (tiles, size).

        Returns
        -------
        ndarray
            (sequences, size) ``float32``: means weighted by :attr:`share`. A sequence of one tile has its
            tile's vector to the bit.
        """
        first = np.flatnonzero(np.diff(self.sequence, prepend=-1))
        if not len(first):
            return vectors
        summed = np.add.reduceat(vectors * self.share[:, None], first, axis=0)
        return summed.astype(np.float32)


def tile_bounds(length: int, overlap: int = OVERLAP) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Starts and ends of the tiles of a sequence.

    The tiles of the reverse complement are the same ones seen from the other end: that of base i from the
    left is that of base i from the right. They are spread evenly, have 512 or 511 bases, and neighbours
    share at least ``overlap`` bases.

    Parameters
    ----------
    length
        Bases of the sequence, at least 1.
    overlap
        0 to 510.

    Returns
    -------
    tuple
        (tiles,) starts, and ends, 0-based and half-open.

    Raises
    ------
    BudwoodError
        If the overlap is out of range.

    Examples
    --------
    >>> starts, ends = tile_bounds(1000, 100)
    >>> starts.tolist(), ends.tolist()
    ([0, 244, 488], [512, 756, 1000])
    """
    if not 0 <= overlap < WINDOW - 1:
        raise BudwoodError(
            f"an overlap of {overlap} bases is impossible", where="overlap", mend=f"give 0 to {WINDOW - 2}"
        )
    if length <= WINDOW:
        return np.array([0]), np.array([length])
    rest = length - WINDOW
    # A step is one base shorter than the overlap allows, since rounding takes up to one base away.
    steps = -(-rest // (WINDOW - 1 - overlap))
    number = np.arange(steps + 1)
    # Rounding up from either end keeps the tiles symmetric about the middle.
    starts = -(-number * rest // steps)
    ends = length - starts[::-1]
    return starts, ends


def cut_tiles(sequences: Sequence[NDArray[np.uint8]], overlap: int = OVERLAP) -> Tiles:
    """Cut sequences of any length into tiles.

    A base counts the same wherever it stands: one that two tiles cover counts half in each of them.

    Parameters
    ----------
    sequences
        Bases of :mod:`budwood.genomics.sequence`, without padding.
    overlap
        As for :func:`tile_bounds`.

    Returns
    -------
    Tiles
        All tiles, in the order of the sequences; none where there is no sequence.

    Raises
    ------
    BudwoodError
        If a sequence is empty or holds padding, with its number.

    Examples
    --------
    >>> tiles = cut_tiles([np.zeros(1000, dtype=np.uint8), np.zeros(3, dtype=np.uint8)], 100)
    >>> tiles.sequence.tolist(), tiles.end.tolist()
    ([0, 0, 0, 1], [512, 756, 1000, 3])
    """
    codes, owner, starts, ends, shares = [], [], [], [], []
    for number, sequence in enumerate(sequences):
        if sequence.ndim != 1 or not len(sequence) or np.any((sequence < 0) | (sequence >= PAD)):
            raise BudwoodError(
                "the sequence is empty or holds symbols that are no bases",
                where=f"sequence {number + 1}",
                mend="give one or more bases",
            )
        begin, end = tile_bounds(len(sequence), overlap)
        rows = np.full((len(begin), WINDOW), PAD, dtype=np.uint8)
        for row, first, last in zip(rows, begin, end, strict=True):
            row[: last - first] = sequence[first:last]
        codes.append(rows)
        owner.append(np.full(len(begin), number))
        starts.append(begin)
        ends.append(end)
        shares.append(_shares(begin, end))
    if not codes:
        none = np.empty(0, dtype=np.int64)
        return Tiles(
            codes=np.empty((0, WINDOW), np.uint8),
            sequence=none,
            start=none,
            end=none,
            share=none.astype(float),
        )
    return Tiles(
        codes=np.concatenate(codes),
        sequence=np.concatenate(owner),
        start=np.concatenate(starts),
        end=np.concatenate(ends),
        share=np.concatenate(shares),
    )


def _shares(starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.float64]:
    """Share of a sequence's bases that each tile stands for."""
    length = int(ends[-1])
    change = np.zeros(length + 1, dtype=np.int64)
    np.add.at(change, starts, 1)
    np.add.at(change, ends, -1)
    until = np.concatenate([[0.0], np.cumsum(1 / np.cumsum(change)[:-1])])
    shares: NDArray[np.float64] = (until[ends] - until[starts]) / length
    return shares
