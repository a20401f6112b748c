"""The distinct sequences of one window and who carries which.

Every reference position owns the bases inserted just before it and its own base, unless that base is
deleted or replaced. A haplotype of a window is what its copy owns from the window's first position on, in
order, until the window is full; past the contig's end it is PAD. Where a deletion spans the window's start,
it therefore begins with the first retained base after the start.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from budwood.genomics.haplotypes.contig_reader import ContigReader
from budwood.genomics.haplotypes.edits import Edit
from budwood.genomics.sequence import PAD

#: Combinations of up to this many edits are counted in a table of their own size rather than sorted.
_TABLE_BITS = 12


@dataclass(frozen=True)
class WindowHaplotypes:
    """Haplotypes of one window.

    Attributes
    ----------
    sequences
        (h, window) ``uint8`` codes, the reference first.
    rows
        (n, ploidy) ``int64`` row of each copy, -1 where the accession has no such copy.
    phase_assumed
        ``bool`` (n,): the accession's sequences rest on the assumed order of its unphased calls.
    """

    sequences: NDArray[np.uint8]
    rows: NDArray[np.int64]
    phase_assumed: NDArray[np.bool_]


def window_haplotypes(start: int, window: int, edits: list[Edit], reader: ContigReader) -> WindowHaplotypes:
    """Haplotypes of the window at ``start`` from the edits that may show in it (at least one, in order).

    Sequences are written only for the distinct combinations of edits, never per accession.

    Parameters
    ----------
    start
        0-based start of the window.
    window
        Bases per window.
    edits
        Edits in order, at least one.
    reader
        Reads the contig of the reference.

    Returns
    -------
    WindowHaplotypes
        Distinct sequences, the row of each copy, and where phase was assumed.
    """
    if any(edit.lengthening for edit in edits):
        edits, carriers, seen, reach = _in_view(start, window, edits)
    else:
        carriers, reach = [edit.carriers for edit in edits], start + window
        seen = [np.ones(1, dtype=np.bool_)] * len(edits)
    combinations, combination_of = _distinct_rows(np.stack([c.reshape(-1) for c in carriers]))
    reference = reader.codes(start, reach)
    sequences, row_of = _distinct_sequences(start, window, edits, combinations, reference)
    rows = row_of[combination_of].reshape(carriers[0].shape)
    present = np.logical_or.reduce([edit.site.present for edit in edits])
    return WindowHaplotypes(sequences, np.where(present, rows, -1), _phase_assumed(edits, seen))


def _in_view(
    start: int, window: int, edits: list[Edit]
) -> tuple[list[Edit], list[NDArray[np.bool_]], list[NDArray[np.bool_]], int]:
    """What each copy shows when lengths change.

    Returns the edits in view, their carriers among the copies that show them (n, ploidy), the accessions of
    which any copy reaches the edit (n,), and a reference position that no copy reaches past.
    """
    reach = np.full(edits[0].carriers.shape, start + window, dtype=np.int64)
    kept: list[Edit] = []
    carriers: list[NDArray[np.bool_]] = []
    seen: list[NDArray[np.bool_]] = []
    furthest = start + window
    for edit in edits:
        within = edit.start < reach
        if not within.any():
            break
        shown = edit.carriers & within
        kept.append(edit)
        carriers.append(shown)
        seen.append(np.logical_or.reduce(within, axis=1))
        reach[shown] += edit.brings_into_view(start)
        # A later insertion shortens the reach again, but not what the copy shows before it.
        furthest = max(furthest, int(reach.max()))
    return kept, carriers, seen, furthest


def _distinct_rows(bits: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
    """Distinct columns of (k, m) bits as rows (c, k), and for each column its row; in a fixed order."""
    group = np.zeros(bits.shape[1], dtype=np.int64)
    groups = 1
    for first in range(0, len(bits), _TABLE_BITS):
        part = bits[first : first + _TABLE_BITS]
        weights = groups * (1 << np.arange(len(part), dtype=np.int64))
        for weight, row in zip(weights, part, strict=True):
            group += row * weight
        group, groups = _renumber(group, groups << len(part))
    example = np.empty(groups, dtype=np.intp)
    example[group] = np.arange(bits.shape[1])
    return bits[:, example].T, group


def _renumber(group: NDArray[np.int64], bound: int) -> tuple[NDArray[np.int64], int]:
    """Number the distinct values (all below ``bound``) from 0 in ascending order."""
    if bound > 64 * len(group):
        values, inverse = np.unique(group, return_inverse=True)
        return inverse.astype(np.int64), len(values)
    used = np.zeros(bound, dtype=np.int64)
    used[group] = 1
    number = np.cumsum(used) - 1
    return number[group], int(number[-1]) + 1


def _distinct_sequences(
    start: int,
    window: int,
    edits: list[Edit],
    combinations: NDArray[np.bool_],
    reference: NDArray[np.uint8],
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Distinct sequences with the reference first, and the row of each combination (c, k) of edits."""
    unchanged = np.full(window, PAD, dtype=np.uint8)
    unchanged[: len(reference)] = reference[:window]
    if any(edit.lengthening for edit in edits):
        written = [_write(start, window, edits, chosen, reference) for chosen in combinations]
    else:
        written = list(_substitute(start, edits, combinations, unchanged))
    number = {unchanged.tobytes(): 0}
    row_of = np.array([number.setdefault(s.tobytes(), len(number)) for s in written], dtype=np.int64)
    return np.frombuffer(b"".join(number), dtype=np.uint8).reshape(len(number), window), row_of


def _substitute(
    start: int, edits: list[Edit], combinations: NDArray[np.bool_], unchanged: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Sequences (c, window) of combinations of edits that keep the length."""
    sequences = np.repeat(unchanged[None], len(combinations), axis=0)
    for edit, chosen in zip(edits, combinations.T, strict=True):
        first, stop = max(edit.start, start), min(edit.end, start + len(unchanged))
        sequences[chosen, first - start : stop - start] = edit.bases[first - edit.start : stop - edit.start]
    return sequences


def _write(
    start: int,
    window: int,
    edits: list[Edit],
    chosen: NDArray[np.bool_],
    reference: NDArray[np.uint8],
) -> NDArray[np.uint8]:
    """Sequence of one combination; ``reference`` begins at ``start`` and reaches as far as any copy needs."""
    pieces: list[NDArray[np.uint8]] = []
    position = start
    for index in np.flatnonzero(chosen):
        edit = edits[index]
        if edit.start > position:
            pieces.append(reference[position - start : edit.start - start])
        pieces.append(edit.bases[max(0, start - edit.start) :])
        position = edit.end
    pieces.append(reference[position - start :])
    sequence = np.full(window, PAD, dtype=np.uint8)
    joined = np.concatenate(pieces)[:window]
    sequence[: len(joined)] = joined
    return sequence


def _phase_assumed(edits: list[Edit], seen: list[NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """Accessions (n,) with an unphased heterozygous site in view beside another heterozygous one."""
    n = len(edits[0].site.heterozygous)
    if not any(edit.site.phase_matters for edit in edits):
        return np.zeros(n, dtype=np.bool_)
    sites = {id(edit.site): edit.site for edit in edits}
    in_view = {key: np.zeros(n, dtype=np.bool_) for key in sites}
    for edit, accessions in zip(edits, seen, strict=True):
        in_view[id(edit.site)] |= accessions
    count = np.zeros(n, dtype=np.int64)
    unphased = np.zeros(n, dtype=np.bool_)
    for key, site in sites.items():
        count += site.heterozygous & in_view[key]
        unphased |= site.unphased & in_view[key]
    return (count > 1) & unphased
