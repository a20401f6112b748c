"""k-mer counts of a genome, and the excess of k-mers over chance at every base.

The excess of a k-mer is log2 of its count (both strands) over the count expected in a random sequence with
the genome's share of G and C. The excess of a base is the mean over the k-mers around it. It does not depend
on the size of the genome or on how much of it was given, so it measures repeats on one scale for all species
(WindowMasker, Morgulis et al. 2006, Bioinformatics 22:134, masks by counts alone).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from budwood.genomics.sequence import C, G, N

#: Number of bases over which the excess of k-mers is averaged.
SMOOTHING: Final = 48

#: Excess is stored as ``round(bits * STEPS) + ZERO`` in one byte; 0 marks N.
STEPS: Final = 16
ZERO: Final = 64

_PIECE: Final = 1 << 22
_SHORTEST, _LONGEST = 8, 13
Number = TypeVar("Number", bound=np.number)


@dataclass(frozen=True)
class KmerSpectrum:
    """Counts of all k-mers.

    Attributes
    ----------
    k
        Length of the k-mers.
    counts
        (4**k,) ``uint32`` counts; the index is the k-mer read as a number in base 4, first base highest.
    """

    k: int
    counts: NDArray[np.uint32]

    @property
    def total(self) -> int:
        """Number of counted k-mers."""
        return int(self.counts.sum(dtype=np.int64))


def kmer_length(bases: int) -> int:
    """Choose the shortest k for which a random genome has fewer than five of each k-mer (WindowMasker).

    The result is limited to 8 to 13; the counts for 13 take 268 MB.

    Parameters
    ----------
    bases
        Bases of the genome.

    Returns
    -------
    int
        The k-mer length.

    Examples
    --------
    >>> kmer_length(20_000), kmer_length(80_000_000), kmer_length(700_000_000)
    (8, 12, 13)
    """
    k = _SHORTEST
    while k < _LONGEST and bases >= 5 * 4**k:
        k += 1
    return k


def kmer_indices(codes: NDArray[np.uint8], k: int) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Index the k-mer that begins at each base, and mark those free of N.

    Parameters
    ----------
    codes
        (length,) base codes.
    k
        Length of the k-mers, at most 15.

    Returns
    -------
    tuple of ndarray
        ``int32`` indices and ``bool`` marks, each of ``length - k + 1`` (empty for shorter sequences).

    Examples
    --------
    >>> kmer_indices(np.array([0, 1, 3, 4], dtype=np.uint8), 2)
    (array([ 1,  7, 12], dtype=int32), array([ True,  True, False]))
    """
    count = max(0, len(codes) - k + 1)
    numbers = np.zeros(count, dtype=np.int32)
    known = codes & 3
    for offset in range(k):
        numbers <<= 2
        numbers += known[offset : offset + count]
    unknown = np.concatenate([[0], np.cumsum(codes >= N)])
    return numbers, unknown[k : k + count] == unknown[:count] if count else np.zeros(0, dtype=np.bool_)


def count_kmers(sequences: Iterable[NDArray[np.uint8]], k: int) -> KmerSpectrum:
    """Count the k-mers of sequences on the given strand, leaving out those with N.

    Parameters
    ----------
    sequences
        Base codes of each sequence.
    k
        Length of the k-mers.

    Returns
    -------
    KmerSpectrum
        The counts.

    Examples
    --------
    >>> count_kmers([np.array([0, 0, 0, 1], dtype=np.uint8)], 1).counts
    array([3, 1, 0, 0], dtype=uint32)
    """
    counts = np.zeros(4**k, dtype=np.uint32)
    for codes in sequences:
        for start in range(0, len(codes), _PIECE):
            numbers, whole = kmer_indices(codes[start : start + _PIECE + k - 1], k)
            found = np.sort(numbers[whole])
            if not len(found):
                continue
            ends = np.flatnonzero(np.append(found[1:] != found[:-1], True))
            counts[found[ends]] += np.diff(ends, prepend=-1).astype(np.uint32)
    return KmerSpectrum(k, counts)


def both_strands(spectrum: KmerSpectrum) -> KmerSpectrum:
    """Add to the count of each k-mer the count of its reverse complement.

    Parameters
    ----------
    spectrum
        Counts on one strand.

    Returns
    -------
    KmerSpectrum
        Counts on both strands.

    Examples
    --------
    >>> both_strands(KmerSpectrum(1, np.array([5, 1, 0, 2], dtype=np.uint32))).counts
    array([7, 1, 1, 7], dtype=uint32)
    """
    return KmerSpectrum(spectrum.k, spectrum.counts + of_reverse_complements(spectrum.counts, spectrum.k))


def of_reverse_complements(values: NDArray[Number], k: int) -> NDArray[Number]:
    """For each k-mer, the value of its reverse complement.

    Parameters
    ----------
    values
        (4**k,) values by the k-mer's index.
    k
        Length of the k-mers.

    Returns
    -------
    ndarray
        (4**k,) values in the order of the reverse complements.

    Examples
    --------
    >>> of_reverse_complements(np.array([5, 1, 0, 2]), 1)
    array([2, 0, 1, 5])
    """
    # Reading the digits backwards is a transposition of a 4 x 4 x ... array, and the complement of
    # every digit is the whole array backwards.
    return values.reshape((4,) * k).transpose().ravel()[::-1]


def excess(codes: NDArray[np.uint8], spectrum: KmerSpectrum, gc_share: float) -> NDArray[np.uint8]:
    """Compute the k-mer excess of every base of a sequence.

    Parameters
    ----------
    codes
        (length,) base codes.
    spectrum
        Counts on both strands of the whole species.
    gc_share
        Share of G and C among the known bases of the species.

    Returns
    -------
    numpy.ndarray
        (length,) ``uint8``: ``round(bits * STEPS) + ZERO``, at least 1; 0 for N.

    Examples
    --------
    >>> codes = np.tile(np.array([0, 1, 2, 3, 3, 1], dtype=np.uint8), 40)
    >>> spectrum = both_strands(count_kmers([codes], 8))
    >>> bool((excess(codes, spectrum, 0.5) > ZERO).all())
    True
    """
    track = np.zeros(len(codes), dtype=np.uint8)
    margin = SMOOTHING + spectrum.k
    for start in range(0, len(codes), _PIECE):
        left = max(0, start - margin)
        bits = _smoothed(codes[left : start + _PIECE + margin], spectrum, gc_share)
        here = bits[start - left : start - left + _PIECE]
        track[start : start + _PIECE] = np.clip(np.round(here * STEPS) + ZERO, 1, 255)
    track[codes >= N] = 0
    return track


def _smoothed(codes: NDArray[np.uint8], spectrum: KmerSpectrum, gc_share: float) -> NDArray[np.float32]:
    """Mean excess in bits of the k-mers within half of SMOOTHING around each base; 0 where there are none."""
    k = spectrum.k
    numbers, whole = kmer_indices(codes, k)
    if not len(numbers):
        return np.zeros(len(codes), dtype=np.float32)
    strong = np.cumsum(np.concatenate([[0], (codes == C) | (codes == G)]), dtype=np.int32)
    by_gc = _expected_bits(spectrum, gc_share)
    bits = np.log2(np.maximum(spectrum.counts[numbers], 1)).astype(np.float32)
    bits -= by_gc[strong[k:] - strong[:-k]]
    bits[~whole] = 0.0
    # The centre of a k-mer lies k // 2 bases behind its start.
    placed = np.zeros((2, len(codes)), dtype=np.float32)
    placed[0, k // 2 : k // 2 + len(bits)] = bits
    placed[1, k // 2 : k // 2 + len(bits)] = whole
    means = uniform_filter1d(placed, SMOOTHING, axis=1, mode="constant")
    return np.divide(means[0], means[1], out=np.zeros_like(means[0]), where=means[1] > 1e-6)


def _expected_bits(spectrum: KmerSpectrum, gc_share: float) -> NDArray[np.float32]:
    """log2 of the expected count of a k-mer, by its number of G and C."""
    share = min(max(gc_share, 1e-3), 1 - 1e-3)
    strong = np.arange(spectrum.k + 1)
    bits = strong * np.log2(share / 2) + (spectrum.k - strong) * np.log2((1 - share) / 2)
    return (bits + np.log2(max(spectrum.total, 1))).astype(np.float32)
