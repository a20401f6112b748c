"""Identity of two windows over their best common stretch, for many pairs at a time.

Each base of the query is aligned with one base of the target, on one of the diagonals of a band. The path
maximises the number of equal bases minus a cost for each change of diagonal, whatever its size. This is
alignment with a constant gap cost. Because each row depends only on the row before, hundreds of pairs are
computed at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.genomics.sequence import N

BAND: Final = 16
GAP: Final = 4
_PAIRS: Final = 256
_SLACK: Final = 4
# A cell holds its score times 64 plus its diagonal, so that one maximum gives both.
_CELL: Final = 64
# Equal one-hot codes share a bit at or above _CELL; N and positions outside the target match nothing.
_ONE_HOT: Final = np.array([64, 128, 256, 512, 0], dtype=np.uint16)


def stretch_identity(
    query: NDArray[np.uint8],
    target: NDArray[np.uint8],
    diagonal: NDArray[np.int64],
    stretches: Sequence[int],
) -> NDArray[np.float32]:
    """Compute the highest identity of each pair over a stretch of the query of a given length.

    Identity is the number of equal bases over the number of alignment columns: bases of the query in the
    stretch plus bases of the target skipped within it. An N equals nothing. The stretch lies within the local
    alignment and up to 4 bases beyond its ends, where a chance match can shift the path. The local alignment
    is the part of the path with the highest score when an equal base counts 2 and any other -3, so that
    unrelated sequence does not count as an extension of a short repeat.

    Parameters
    ----------
    query, target
        (pairs, window) codes, the target on the strand that matches the query.
    diagonal
        (pairs,) position in the target minus position in the query; the path stays within 16 bases of it.
    stretches
        Lengths in bases, each at most the window.

    Returns
    -------
    numpy.ndarray
        (pairs, stretches) between 0 and 1; 0 where the local alignment is shorter than the stretch.

    Examples
    --------
    >>> from budwood.genomics.sequence import encode
    >>> query, target = (encode(s).reshape(1, -1) for s in ("ACGTTGCAACGGTACC", "CGTTGCATCGGTACCA"))
    >>> stretch_identity(query, target, np.array([-1]), [7, 15, 16]).round(3)
    array([[1.   , 0.933, 0.875]], dtype=float32)
    """
    found = np.zeros((len(query), len(stretches)), np.float32)
    for start in range(0, len(query), _PAIRS):
        part = slice(start, start + _PAIRS)
        found[part] = _align(query[part], target[part], diagonal[part], stretches)
    return found


def _align(
    query: NDArray[np.uint8],
    target: NDArray[np.uint8],
    diagonal: NDArray[np.int64],
    stretches: Sequence[int],
) -> NDArray[np.float32]:
    rows = np.ascontiguousarray(_ONE_HOT[query].T)
    facing = _facing(target, diagonal)
    path = _trace(*_fill(rows, facing))
    width, pairs = rows.shape
    reached = facing.reshape(-1)[(np.arange(width)[:, None] + path) * pairs + np.arange(pairs)]
    meets = _once((reached & rows) != 0, path + np.arange(width)[:, None])
    equal = _running(meets)
    first, last = _local(meets)
    skipped = np.zeros((width, pairs), np.int32)
    skipped[1:] = np.maximum(path[1:] - path[:-1], 0)
    # A skip before the first base of a stretch does not belong to it.
    columns = _running(skipped)
    best = np.zeros((pairs, len(stretches)), np.float32)
    for column, length in enumerate(stretches):
        matches = equal[length:] - equal[:-length]
        inside = columns[length:] - columns[1 : len(columns) - length + 1]
        start = np.arange(len(matches))[:, None]
        within = (start >= first) & (start + length <= last)
        best[:, column] = np.where(within, matches / (inside + np.float32(length)), 0).max(axis=0)
    return best


def _once(meets: NDArray[np.bool_], faced: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Count a match on a target base that the path visits twice only once.

    Either the first or the second visit counts, whichever leaves the pair more matches: both are alignments.
    """
    first, second = meets.copy(), meets.copy()
    first[1:] &= faced[1:] > np.maximum.accumulate(faced[:-1], axis=0)
    second[:-1] &= faced[:-1] < np.minimum.accumulate(faced[:0:-1], axis=0)[::-1]
    return np.where(first.sum(axis=0) >= second.sum(axis=0), first, second)


def _local(meets: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First base and end of the highest-scoring run of each column, extended by a few bases."""
    score = _running(np.where(meets, np.int32(2), np.int32(-3)))
    low = np.minimum.accumulate(score, axis=0)
    last = (score - low).argmax(axis=0)
    lowest = low[last, np.arange(len(last))]
    first = (score == lowest).argmax(axis=0)
    return first - _SLACK, last + _SLACK


def _facing(target: NDArray[np.uint8], diagonal: NDArray[np.int64]) -> NDArray[np.uint16]:
    """(window + 2 bands, pairs) one-hot target; row i + j is opposite base i of the query on diagonal j."""
    width = target.shape[1]
    at = np.arange(width + 2 * BAND)[:, None] + (diagonal - BAND)
    inside = (at >= 0) & (at < width)
    codes = target.reshape(-1)[np.clip(at, 0, width - 1) + np.arange(len(target)) * width]
    return _ONE_HOT[np.where(inside, codes, N)]


def _fill(
    query: NDArray[np.uint16], facing: NDArray[np.uint16]
) -> tuple[NDArray[np.bool_], NDArray[np.uint8]]:
    """For each base whether a cell is reached by a change of diagonal, and the best diagonal of each row."""
    (width, pairs), diagonals = query.shape, 2 * BAND + 1
    changed = np.zeros((width, diagonals, pairs), np.bool_)
    leader = np.zeros((width, pairs), np.uint8)
    offsets = np.arange(diagonals, dtype=np.uint16)[:, None]
    cells = np.repeat(offsets, pairs, axis=1) + np.uint16(GAP * _CELL)
    gained, jumped = np.empty_like(cells), np.empty_like(cells)
    for base in range(width):
        if base:
            best = cells.max(axis=0)
            leader[base - 1] = best & (_CELL - 1)
            np.add((best & ~np.uint16(_CELL - 1)) - np.uint16(GAP * _CELL), offsets, out=jumped)
            np.greater(jumped, cells, out=changed[base])
            np.maximum(cells, jumped, out=cells)
        np.bitwise_and(facing[base : base + diagonals], query[base], out=gained)
        np.minimum(gained, _CELL, out=gained)
        cells += gained
    leader[-1] = cells.max(axis=0) & (_CELL - 1)
    return changed, leader


def _trace(changed: NDArray[np.bool_], leader: NDArray[np.uint8]) -> NDArray[np.int64]:
    """(window, pairs) diagonal of the best path at each base."""
    width, _, pairs = changed.shape
    lane = np.arange(pairs)
    path = np.empty((width, pairs), np.int64)
    path[-1] = leader[-1]
    for base in range(width - 1, 0, -1):
        turned = changed[base].reshape(-1)[path[base] * pairs + lane]
        path[base - 1] = np.where(turned, leader[base - 1], path[base])
    return path


def _running(steps: NDArray[np.bool_] | NDArray[np.int32]) -> NDArray[np.int32]:
    sums = np.zeros((len(steps) + 1, steps.shape[1]), np.int32)
    np.cumsum(steps, axis=0, out=sums[1:])
    return sums
