"""What the encoder reads differently around a variant: one reading of the window for each allele."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from budwood.genomics.annotation.base_class import BaseClass
from budwood.genomics.sequence import MASK, PAD
from budwood.inference.threads import OrderedThreads
from budwood.inference.variants.reference_pass import Key, ReferencePass, WindowReading
from budwood.model.encoder import EncoderOutput

#: Bases on either side of a variant within which readings are compared.
NEAR: Final = 16
# Batches that one thread reads one after the other, so that the reference of a window is read once for them.
_BATCHES: Final = 4
_SPLICE: Final = slice(BaseClass.DONOR_FORWARD, BaseClass.ACCEPTOR_REVERSE + 1)


@dataclass(frozen=True, eq=False)
class Replacement:
    """A replacement in one window of the reference.

    Attributes
    ----------
    key
        The window.
    start, end
        Replaced bases of the contig, 0-based and half-open.
    letters
        Codes of what replaces them.
    """

    key: Key
    start: int
    end: int
    letters: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Differences:
    """How readings of windows with an alternative allele differ from the reference's.

    Attributes
    ----------
    divergence
        (n,) Kullback-Leibler divergence in nats of the region probabilities, reference from alternative,
        summed over the bases within :data:`NEAR` bases.
    shift
        (n,) Euclidean distance of the mean vectors of the same bases.
    splice_gained
        (n,) largest rise of the probability of a splice site at one of them.
    """

    divergence: NDArray[np.float64]
    shift: NDArray[np.float64]
    splice_gained: NDArray[np.float64]


def compare_readings(
    reader: ReferencePass,
    groups: Sequence[Sequence[Replacement]],
    advance: Callable[[int], None] | None = None,
    threads: OrderedThreads | None = None,
) -> Differences:
    """Read windows again with their alternative alleles.

    Parameters
    ----------
    reader
        Reads the reference; its readings keep their vectors.
    groups
        Replacements that are read together, those of one window; usually one alone. Several must be
        single-base changes. Sorted by window, so that the reference is read once.
    advance
        Called with the number of windows just read.
    threads
        Read batches; the caller's own where None.

    Returns
    -------
    Differences
        One value for each replacement, group by group.
    """
    size = _BATCHES * reader.batch_size

    def compared(begin: int) -> list[tuple[float, float, float]]:
        own, found = reader.fresh(), []
        if begin and groups[begin][0].key == groups[begin - 1][0].key:
            own.read([groups[begin][0].key])  # the task before counts it
        for first in range(begin, min(begin + size, len(groups)), own.batch_size):
            part = groups[first : first + own.batch_size]
            keys = list(dict.fromkeys(group[0].key for group in part))
            readings = dict(zip(keys, own.read(keys, advance), strict=True))
            codes = np.stack([_changed(own, readings[group[0].key], group) for group in part])
            regions, vectors = _arrays(own.encode(_without_padding(codes)))
            for row, group in enumerate(part):
                reading = readings[group[0].key]
                found += [_difference(reading, each, regions[row], vectors[row]) for each in group]
            if advance is not None:
                advance(len(part))
        return found

    every = [
        row
        for rows in (threads or OrderedThreads()).map(compared, range(0, len(groups), size))
        for row in rows
    ]
    return Differences(*np.array(every, dtype=np.float64).reshape(-1, 3).T)


def masked_log_probabilities(
    reader: ReferencePass,
    places: Sequence[tuple[Key, Sequence[int]]],
    advance: Callable[[int], None] | None = None,
    threads: OrderedThreads | None = None,
) -> list[NDArray[np.float64]]:
    """Log probabilities of the four bases where bases of the reference are masked.

    Parameters
    ----------
    reader
        Reads the reference.
    places
        Windows, and the positions on the contig, 0-based, that are masked together in each.
    advance
        Called with the number of windows just read.
    threads
        Read batches; the caller's own where None.

    Returns
    -------
    list of ndarray
        (positions, 4) natural logarithms for each window.
    """

    def masked(begin: int) -> list[NDArray[np.float64]]:
        part = places[begin : begin + reader.batch_size]
        starts, codes = reader.codes_of([key for key, _ in part])
        columns = [np.array(each) - start for (_, each), start in zip(part, starts, strict=True)]
        for row, at in zip(codes, columns, strict=True):
            row[at] = MASK
        bases = reader.encode(_without_padding(codes)).bases
        assert bases is not None
        logs = bases.float().log_softmax(-1).double().cpu().numpy()
        if advance is not None:
            advance(len(part))
        return [row[at] for row, at in zip(logs, columns, strict=True)]

    begins = range(0, len(places), reader.batch_size)
    return [row for rows in (threads or OrderedThreads()).map(masked, begins) for row in rows]


def _without_padding(codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Windows without the columns that hold padding alone, as those of short contigs have."""
    return codes[:, : max(1, int((codes != PAD).any(0).sum()))]


def _arrays(output: EncoderOutput) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    assert output.regions is not None
    assert output.last_hidden_state is not None
    regions = output.regions.float().softmax(-1)
    return regions.cpu().numpy(), output.last_hidden_state.to(torch.float32).cpu().numpy()


def _changed(
    reader: ReferencePass, reading: WindowReading, group: Sequence[Replacement]
) -> NDArray[np.uint8]:
    """The window with the replacements, filled up from the contig or cut at its end."""
    if len(group) > 1:
        row = reading.codes.copy()
        for each in group:
            row[each.start - reading.start] = each.letters[0]
        return row
    (each,) = group
    before = reading.codes[: each.start - reading.start]
    joined = np.concatenate([before, each.letters, reader.bases(each.key[0], each.end)])
    joined = joined[_cut(reading, each) :][: reader.window]
    row = np.full(reader.window, PAD, dtype=np.uint8)
    row[: len(joined)] = joined
    return row


def _cut(reading: WindowReading, each: Replacement) -> int:
    """Bases of the window that make room on the left for an insertion near its end."""
    start, end = each.start - reading.start, each.end - reading.start
    known = int(np.count_nonzero(reading.codes != PAD))
    beyond = start + len(each.letters) + min(NEAR, known - end) - len(reading.codes)
    return max(0, min(beyond, start - NEAR))


def _difference(
    reading: WindowReading, each: Replacement, regions: NDArray[np.float32], vectors: NDArray[np.float32]
) -> tuple[float, float, float]:
    """Divergence, shift and gain of splice sites around one replacement."""
    assert reading.vectors is not None
    start, end = each.start - reading.start, each.end - reading.start
    moved = len(each.letters) - (end - start)
    known = int(np.count_nonzero(reading.codes != PAD))
    cut = _cut(reading, each)
    left = np.arange(max(0, start - NEAR), start)
    right = np.arange(end, min(end + NEAR, known, len(regions) - max(moved, 0) + cut))
    if moved == 0:  # each base has its counterpart, the replaced ones too
        right = np.arange(start, min(end + NEAR, known))
    was = np.concatenate([left, right])
    becomes = np.concatenate([left, right + moved]) - cut
    if not len(was):
        return 0.0, 0.0, 0.0
    old, new = reading.regions[was].astype(np.float64), regions[becomes].astype(np.float64)
    tiny = 1e-12
    divergence = float((old * (np.log(old + tiny) - np.log(new + tiny))).sum())
    shift = float(np.linalg.norm((vectors[becomes] - reading.vectors[was]).mean(0, dtype=np.float64)))
    inserted = (
        np.arange(start - cut, min(start - cut + len(each.letters), len(regions))) if moved > 0 else was[:0]
    )
    gained = float((new[:, _SPLICE] - old[:, _SPLICE]).max())
    if len(inserted):
        gained = max(gained, float(regions[inserted, _SPLICE].max()))
    return max(divergence, 0.0), shift, max(gained, 0.0)
