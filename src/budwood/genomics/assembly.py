"""A species' contigs with random access by interval, and how good an assembly they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError, counted
from budwood.genomics.interval import Interval
from budwood.genomics.sequence import N, encode, reverse_complement

_CHUNK: Final = 1 << 22
_LOWER_CASE: Final = np.isin(np.arange(256), list(range(ord("a"), ord("z") + 1)))


class Assembly(Protocol):
    """Sequence by interval, without loading the genome.

    :func:`budwood.genomics.io.sequence.fasta.open_fasta` opens a file as one;
    :class:`InMemoryAssembly` wraps arrays.
    """

    @property
    def contigs(self) -> Mapping[str, int]:
        """Contig lengths in file order."""

    def sequence(self, interval: Interval) -> NDArray[np.uint8]:
        """Codes of the interval (reverse complemented on ``-``); BudwoodError past a contig's end.

        Parameters
        ----------
        interval
            Contig, 0-based half-open start and end, strand.
        """

    def soft_mask(self, interval: Interval) -> NDArray[np.bool_]:
        """Whether each base of the interval is lower case in the file (reversed on ``-``).

        Parameters
        ----------
        interval
            Contig, 0-based half-open start and end, strand.
        """


class InMemoryAssembly:
    """An assembly held as arrays.

    Parameters
    ----------
    contigs
        Per contig its letters (lower case is soft-masked) or its ``uint8`` codes (nothing soft-masked).

    Examples
    --------
    >>> genome = InMemoryAssembly({"Chr1": "ACGTnn"})
    >>> genome.contigs
    {'Chr1': 6}
    >>> genome.sequence(Interval("Chr1", 1, 6, "-"))
    array([4, 4, 0, 1, 2], dtype=uint8)
    >>> genome.soft_mask(Interval("Chr1", 3, 6))
    array([False,  True,  True])
    """

    def __init__(self, contigs: Mapping[str, str | NDArray[np.uint8]]) -> None:
        self._codes: dict[str, NDArray[np.uint8]] = {}
        self._masks: dict[str, NDArray[np.bool_]] = {}
        for name, given in contigs.items():
            if isinstance(given, str):
                letters = given.encode("ascii", "replace")
                self._codes[name], self._masks[name] = encode(letters), lower_case(letters)
            else:
                self._codes[name] = np.asarray(given, dtype=np.uint8)
                self._masks[name] = np.zeros(len(given), dtype=np.bool_)

    @property
    def contigs(self) -> Mapping[str, int]:
        """Contig lengths in the order given."""
        return {name: len(codes) for name, codes in self._codes.items()}

    def sequence(self, interval: Interval) -> NDArray[np.uint8]:
        """Codes of the interval, reverse complemented on ``-``.

        Parameters
        ----------
        interval
            Contig, 0-based half-open start and end, strand.

        Returns
        -------
        ndarray
            (length,) ``uint8`` codes.
        """
        check_interval(interval, self.contigs)
        codes = self._codes[interval.contig][interval.start : interval.end]
        return reverse_complement(codes) if interval.strand == "-" else codes.copy()

    def soft_mask(self, interval: Interval) -> NDArray[np.bool_]:
        """Whether each base of the interval is lower case, reversed on ``-``.

        Parameters
        ----------
        interval
            Contig, 0-based half-open start and end, strand.

        Returns
        -------
        ndarray
            (length,) of bool.
        """
        check_interval(interval, self.contigs)
        mask = self._masks[interval.contig][interval.start : interval.end].copy()
        return mask[::-1] if interval.strand == "-" else mask


@dataclass(frozen=True)
class AssemblyQuality:
    """Contiguity and composition of an assembly.

    Attributes
    ----------
    contigs, total
        Number of contigs and their length in bases.
    n50, l50
        The l50 longest contigs, none shorter than n50 bases, hold at least half of the assembly.
    n_share, soft_masked_share
        Share of the bases that are N (or any other ambiguity code), and that are lower case.
    """

    contigs: int
    total: int
    n50: int
    l50: int
    n_share: float
    soft_masked_share: float


def assembly_quality(assembly: Assembly) -> AssemblyQuality:
    """Contiguity and composition, reading the assembly once in pieces of bounded size.

    Parameters
    ----------
    assembly
        The assembly to read.

    Returns
    -------
    AssemblyQuality
        Counts, N50 and L50, shares of N and of soft-masked bases (0 to 1).

    Examples
    --------
    >>> assembly_quality(InMemoryAssembly({"a": "ACGTACGT", "b": "NNnn", "c": "AC", "d": "AA"}))
    AssemblyQuality(contigs=4, total=16, n50=8, l50=1, n_share=0.25, soft_masked_share=0.125)
    """
    lengths = np.sort(np.array(list(assembly.contigs.values()), dtype=np.int64))[::-1]
    total = int(lengths.sum())
    if total == 0:
        return AssemblyQuality(len(lengths), 0, 0, 0, 0.0, 0.0)
    unknown = masked = 0
    for piece in _pieces(assembly.contigs):
        unknown += int(np.count_nonzero(assembly.sequence(piece) == N))
        masked += int(np.count_nonzero(assembly.soft_mask(piece)))
    half = int(np.searchsorted(2 * np.cumsum(lengths), total))
    return AssemblyQuality(len(lengths), total, int(lengths[half]), half + 1, unknown / total, masked / total)


def lower_case(letters: bytes) -> NDArray[np.bool_]:
    """Whether each letter is lower case.

    Parameters
    ----------
    letters
        Letters of a sequence.

    Returns
    -------
    ndarray
        (length,) of bool.
    """
    return _LOWER_CASE[np.frombuffer(letters, dtype=np.uint8)]


def check_interval(interval: Interval, contigs: Mapping[str, int], where: str = "") -> None:
    """Raise BudwoodError when a contig is unknown or an interval runs past its end.

    Parameters
    ----------
    interval
        The interval to check.
    contigs
        Length of each contig in bases.
    where
        File or feature, for the message.

    Raises
    ------
    BudwoodError
        If the contig is unknown or the interval runs past its end.
    """
    length = contigs.get(interval.contig)
    if length is None:
        known = ", ".join(list(contigs)[:6]) + (", ..." if len(contigs) > 6 else "")
        raise BudwoodError(
            f"there is no contig {interval.contig!r} in the assembly",
            where=where,
            mend=f"use one of its names: {known}",
        )
    if interval.end > length:
        raise BudwoodError(
            f"interval {interval} runs past the end of the contig, which has {counted(length, 'base')}",
            where=where,
            mend="check that the coordinates belong to this assembly",
        )


def _pieces(contigs: Mapping[str, int]) -> Iterator[Interval]:
    for name, length in contigs.items():
        for start in range(0, length, _CHUNK):
            yield Interval(name, start, min(start + _CHUNK, length))
