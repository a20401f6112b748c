"""Windows drawn from a genome, on which tables and checks of the genome are computed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.genomics.assembly import Assembly
from budwood.genomics.interval import Interval, by_contig
from budwood.genomics.sequence import PAD, N
from budwood.inference.threads import OrderedThreads
from budwood.inference.variants.alternative_pass import masked_log_probabilities
from budwood.inference.variants.reference_pass import Key, ReferencePass

#: Windows that are drawn, of 1,024 and of 512 bases.
LONG_WINDOWS: Final = 64
SHORT_WINDOWS: Final = 128
#: Distance of masked bases.
MASKED_SPACING: Final = 8
_MOST_UNKNOWN: Final = 0.1
_TRIES: Final = 8
_PIECE: Final = 65_536


@dataclass(frozen=True, eq=False)
class GenomeSample:
    """Windows drawn from a genome, and masked bases of them as the encoder predicts them.

    Attributes
    ----------
    long, short
        Windows of the reference pass and of alternative alleles.
    masked
        Some of the short windows with the positions that were masked.
    logs
        (positions, 4) log probabilities of the bases at them, for each window.
    truth
        (positions,) codes of the bases, for each window.
    """

    long: list[Key]
    short: list[Key]
    masked: list[tuple[Key, list[int]]]
    logs: list[NDArray[np.float64]]
    truth: list[NDArray[np.uint8]]


def draw_sample(
    reference: ReferencePass,
    alternative: ReferencePass,
    *,
    long: int = LONG_WINDOWS,
    short: int = SHORT_WINDOWS,
    seed: int = 0,
    advance: Callable[[int], None] | None = None,
    threads: OrderedThreads | None = None,
) -> GenomeSample:
    """Draw windows and mask one base in every eight of the short ones.

    Parameters
    ----------
    reference, alternative
        Readers of long and of short windows.
    long, short
        How many windows to draw.
    seed
        Seed of the draw.
    advance
        Called with the number of windows just read.
    threads
        Read batches; the caller's own where None.

    Returns
    -------
    GenomeSample
        The windows.
    """
    keys = draw_windows(alternative, short, seed=seed)
    starts, codes = alternative.codes_of(keys)
    random = np.random.default_rng(seed)
    masked, truth = [], []
    for key, start, row in zip(keys, starts.tolist(), codes, strict=True):
        place = Interval(key[0], start, start + int(np.count_nonzero(row != PAD)))
        good = row[: place.length] < N
        good &= ~alternative.assembly.soft_mask(place)
        columns = np.arange(int(random.integers(MASKED_SPACING)), place.length, MASKED_SPACING)
        columns = columns[good[columns]]
        if len(columns):
            masked.append((key, (columns + start).tolist()))
            truth.append(row[columns])
    logs = masked_log_probabilities(alternative, masked, advance, threads)
    return GenomeSample(draw_windows(reference, long, seed=seed), keys, masked, logs, truth)


def draw_windows(reader: ReferencePass, count: int, *, seed: int = 0) -> list[Key]:
    """Windows of a genome at random, each place of it with the same chance.

    Parameters
    ----------
    reader
        Knows the windows.
    count
        How many to draw; fewer where the genome has fewer.
    seed
        Seed of the draw.

    Returns
    -------
    list of tuple
        Contigs and numbers, sorted, none of them with more than a tenth of unknown bases.
    """
    names = list(reader.assembly.contigs)
    ends = np.cumsum(reader.counts)
    random = np.random.default_rng(seed)
    drawn = (
        random.permutation(int(ends[-1]))
        if ends[-1] < 10**6
        else random.integers(0, ends[-1], _TRIES * count)
    )
    found: set[tuple[int, int]] = set()
    for number in drawn[: _TRIES * count].tolist():
        contig = int(np.searchsorted(ends, number, side="right"))
        place = (contig, number - int(ends[contig] - reader.counts[contig]))
        _, codes = reader.codes_of([(names[contig], place[1])])
        if (codes >= N).mean() <= _MOST_UNKNOWN:
            found.add(place)
        if len(found) == count:
            break
    return [(names[contig], number) for contig, number in sorted(found)]


def sample_sequence(
    assembly: Assembly, without: Sequence[Interval] = (), *, most: int = 1 << 25, seed: int = 0
) -> list[NDArray[np.uint8]]:
    """Pieces of a genome for counting k-mers, without some intervals.

    Parameters
    ----------
    assembly
        The genome.
    without
        Intervals that become N.
    most
        Most bases of the pieces together.
    seed
        Seed of the draw.

    Returns
    -------
    list of ndarray
        Codes of each piece.
    """
    pieces = [
        Interval(name, start, min(start + _PIECE, length))
        for name, length in assembly.contigs.items()
        for start in range(0, length, _PIECE)
    ]
    if sum(piece.length for piece in pieces) > most:
        chosen = np.random.default_rng(seed).permutation(len(pieces))[: most // _PIECE]
        pieces = [pieces[i] for i in sorted(chosen)]
    hidden = by_contig(without)
    return [_without(assembly, piece, hidden) for piece in pieces]


def _without(
    assembly: Assembly, piece: Interval, hidden: Mapping[str, Sequence[Interval]]
) -> NDArray[np.uint8]:
    codes = assembly.sequence(piece)
    for each in hidden.get(piece.contig, ()):
        codes[max(0, each.start - piece.start) : max(0, each.end - piece.start)] = N
    return codes
