"""Sketches of windows: a small, strand-independent, evenly drawn share of their k-mers.

A k-mer is drawn if its hash lies in the lowest ``1 / scale`` of the range, so two windows draw the same of
their shared k-mers, wherever those are (scaled MinHash, FracMinHash: Irber et al. 2022,
doi:10.1101/2022.01.11.475838). A k-mer and its reverse complement count as one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.corpus.similarity.canonical_strand import canonical_windows
from budwood.errors import BudwoodError
from budwood.genomics.sequence import N, T

LONGEST: Final = 16
WIDEST: Final = 1000
#: Positions ignored in a seed of 16. The other 12 are compared, and every third may differ, as in codons:
#: such seeds find more pairs of 70 to 80 % identity than 12 consecutive bases, and no more pairs by chance.
CODON_LIKE: Final = (3, 6, 9, 12)
_CHUNK_BASES: Final = 1 << 15
_DIGEST_ROWS: Final = 1 << 12


@dataclass(frozen=True)
class SketchConfig:
    """Which k-mers are drawn.

    Attributes
    ----------
    length
        Bases of a k-mer, 4 to 16.
    scale
        One k-mer in ``scale`` is drawn.
    skipped
        Positions in the k-mer that are ignored (a spaced seed: Ma, Tromp and Li 2002,
        doi:10.1093/bioinformatics/18.3.440), symmetric about the middle.
    """

    length: int = 16
    scale: int = 8
    skipped: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not 4 <= self.length <= LONGEST:
            raise BudwoodError(f"a seed has 4 to {LONGEST} bases, not {self.length}", where="length")
        if not 1 <= self.scale <= 1 << 16:
            raise BudwoodError(f"one k-mer in {self.scale} cannot be drawn", where="scale")
        if {self.length - 1 - place for place in self.skipped} != set(self.skipped):
            raise BudwoodError(f"skipped positions {self.skipped} are not symmetric", where="skipped")


@dataclass(frozen=True)
class Sketch:
    """Drawn k-mers, ordered by window and position; four arrays of one length.

    Attributes
    ----------
    hashes
        ``uint32``, the same for a k-mer and its reverse complement.
    rows
        ``int64`` index of the window.
    positions
        ``int64`` position of the k-mer's first base in the window.
    reverse
        Whether the reverse complement is the smaller of the two.
    """

    hashes: NDArray[np.uint32]
    rows: NDArray[np.int64]
    positions: NDArray[np.int64]
    reverse: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.hashes)


def content_order(windows: NDArray[np.uint8], priority: NDArray[np.integer] | None) -> NDArray[np.int64]:
    """Order windows by priority, lowest first, and within a priority by content, on either strand alike.

    Parameters
    ----------
    windows
        (n, window) base codes.
    priority
        (n,) integers; None keeps the given order.

    Returns
    -------
    numpy.ndarray
        (n,) indices of the windows in that order.

    Raises
    ------
    BudwoodError
        If there is not one priority for each window.
    """
    if priority is None:
        return np.arange(len(windows))
    if np.shape(priority) != (len(windows),):
        raise BudwoodError(
            f"{np.size(priority)} priorities for {len(windows)} windows",
            where="priority",
            mend="give one each",
        )
    factors = np.random.default_rng(0).integers(1 << 63, size=windows.shape[1], dtype=np.uint64)
    digest = np.empty(len(windows), np.uint64)
    for start in range(0, len(windows), _DIGEST_ROWS):
        part = slice(start, start + _DIGEST_ROWS)
        digest[part] = canonical_windows(windows[part]).astype(np.uint64) @ factors
    return np.lexsort((digest, priority))


def check_windows(windows: NDArray[np.uint8]) -> None:
    """Refuse anything but (n, window) ``uint8`` codes of A C G T N.

    Parameters
    ----------
    windows
        The array to check.

    Raises
    ------
    BudwoodError
        If the shape, the type or a code is wrong, or the windows are longer than 1,000 bases.
    """
    if windows.ndim != 2 or windows.dtype != np.uint8:
        raise BudwoodError(
            f"windows of shape {windows.shape} and type {windows.dtype} are not rows of base codes",
            where="windows",
            mend="give a uint8 array (windows, bases)",
        )
    if windows.shape[1] > WIDEST:
        raise BudwoodError(
            f"windows of {windows.shape[1]} bases are too wide", where="windows", mend=f"cut at most {WIDEST}"
        )
    if windows.size and windows.max() > N:
        raise BudwoodError(
            f"code {windows.max()} is not a base", where="windows", mend="leave only A C G T N (0 to 4)"
        )


def sketch(windows: NDArray[np.uint8], config: SketchConfig | None = None) -> Sketch:
    """Draw k-mers from windows, leaving out those with an N.

    Parameters
    ----------
    windows
        (n, window) base codes.
    config
        Length and share of the k-mers.

    Returns
    -------
    Sketch
        The drawn k-mers.

    Examples
    --------
    >>> from budwood.genomics.sequence import encode, reverse_complement
    >>> codes = encode("ACGGTCAATCGNACGGTCA").reshape(1, -1)
    >>> config = SketchConfig(length=7, scale=1)
    >>> drawn = sketch(codes, config)
    >>> drawn.positions
    array([ 0,  1,  2,  3,  4, 12])
    >>> bool(drawn.hashes[0] == drawn.hashes[-1])
    True
    >>> sorted(drawn.hashes) == sorted(sketch(reverse_complement(codes), config).hashes)
    True
    """
    config = config or SketchConfig()
    count, width = windows.shape
    step = max(1, _CHUNK_BASES // max(width, 1))
    parts = [
        _sketch_chunk(windows[start : start + step], start, config)
        for start in range(0, count, step)
        if width >= config.length
    ]
    if not parts:
        whole = np.empty(0, np.int64)
        return Sketch(np.empty(0, np.uint32), whole, whole, np.empty(0, np.bool_))
    return Sketch(*(np.concatenate(track) for track in zip(*parts, strict=True)))


def _sketch_chunk(
    windows: NDArray[np.uint8], first_row: int, config: SketchConfig
) -> tuple[NDArray[np.uint32], NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """K-mers of a few windows, read as one run of bases; those across two windows are dropped afterwards."""
    width = windows.shape[1]
    bases = np.ascontiguousarray(windows).reshape(-1)
    forward, reverse = _kmers(bases, config.length)
    if config.skipped:
        forward &= _looked_at(config)
        reverse &= _looked_at(config)
    hashes = _mix(np.minimum(forward, reverse))
    drawn = np.flatnonzero(hashes < (1 << 32) // config.scale)
    rows, positions = np.divmod(drawn, width)
    whole = positions <= width - config.length
    unknown = bases == N
    if unknown.any():
        before = np.concatenate([[0], np.cumsum(unknown, dtype=np.int32)])
        whole &= before[drawn + config.length] == before[drawn]
    drawn = drawn[whole]
    return hashes[drawn], rows[whole] + first_row, positions[whole], reverse[drawn] < forward[drawn]


def _looked_at(config: SketchConfig) -> np.uint32:
    return np.uint32(sum(T << 2 * place for place in range(config.length) if place not in config.skipped))


def _kmers(bases: NDArray[np.uint8], length: int) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Every k-mer and its reverse complement with two bits for each base, joined from 1, 2, 4 and 8 bases."""
    forward = (bases & T).astype(np.uint32)
    reverse = forward ^ np.uint32(T)
    joined: tuple[NDArray[np.uint32], NDArray[np.uint32]] | None = None
    have, size, left = 0, 1, length
    while True:
        if left & 1:
            joined = _join(joined, have, (forward, reverse), size) if joined else (forward, reverse)
            have += size
        left >>= 1
        if not left:
            assert joined is not None
            return joined
        forward, reverse = _join((forward, reverse), size, (forward, reverse), size)
        size *= 2


def _join(
    head: tuple[NDArray[np.uint32], NDArray[np.uint32]],
    head_length: int,
    tail: tuple[NDArray[np.uint32], NDArray[np.uint32]],
    tail_length: int,
) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    count = len(tail[0]) - head_length
    forward = head[0][:count] << np.uint32(2 * tail_length)
    forward |= tail[0][head_length:]
    reverse = tail[1][head_length:] << np.uint32(2 * head_length)
    reverse |= head[1][:count]
    return forward, reverse


def _mix(kmers: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """MurmurHash3's finaliser (Appleby, public domain): a bijection, so no two k-mers collide."""
    kmers ^= kmers >> np.uint32(16)
    kmers *= np.uint32(0x85EBCA6B)
    kmers ^= kmers >> np.uint32(13)
    kmers *= np.uint32(0xC2B2AE35)
    kmers ^= kmers >> np.uint32(16)
    return kmers
