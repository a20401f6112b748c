"""What a checkpoint predicts of interval tracks along a genome: open chromatin, transposons, states.

Contigs are read in the tiles that embedding cuts (:func:`budwood.inference.tiles.tile_bounds`), and each
step of 8 bases takes its probabilities from the tile in which it lies farthest from the ends. The tiles of a
contig are the same whether all of it is read or some places: so are the probabilities, up to rounding.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby, islice
from operator import itemgetter
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from budwood.config import CENTRE_BASES, WINDOW
from budwood.errors import BudwoodError
from budwood.genomics.assembly import Assembly
from budwood.genomics.interval import Interval
from budwood.genomics.sequence import PAD, N
from budwood.inference.threads import OrderedThreads, one_core_each
from budwood.inference.tiles import tile_bounds
from budwood.model.checkpoint import Checkpoint
from budwood.progress import Advance

#: Bases of a step: the head of a checkpoint reads the mean vector of so many.
STEP: Final = CENTRE_BASES
_BATCH: Final = 16

Run = tuple[int, int]


@dataclass(frozen=True, eq=False)
class TrackStretch:
    """Probabilities of tracks at consecutive steps of a contig.

    Attributes
    ----------
    contig
        Its name.
    start, end
        0-based half-open place; the start is a multiple of 8, and so is the end unless the contig ends there.
    probability
        (steps, tracks) ``float32``; NaN where a step holds no known base.
    """

    contig: str
    start: int
    end: int
    probability: NDArray[np.float32]


@dataclass(frozen=True)
class _Tile:
    """A tile to read, and the runs of steps (first, end) that are taken from it."""

    contig: str
    start: int
    end: int
    runs: tuple[Run, ...]


def predict_tracks(
    assembly: Assembly,
    checkpoint: Checkpoint,
    *,
    names: Sequence[str] = (),
    places: Iterable[Interval] | None = None,
    batch_size: int | None = None,
    threads: int | None = None,
    advance: Advance | None = None,
) -> Iterator[TrackStretch]:
    """Probabilities of tracks for every 8 bases of a genome or of some places, both strands averaged.

    The logits of the two strands are averaged. Where a contig has a multiple of 8 bases, those of its
    reverse complement are the same in the other order.

    Parameters
    ----------
    assembly
        The genome.
    checkpoint
        An encoder with a head of tracks.
    names
        Tracks to predict; all where there is none.
    places
        Places to predict for, in any order, on any strand; all of the genome where None. Every step that a
        place touches is read.
    batch_size
        Tiles that are read at once, 16 where None.
    threads
        Threads that read tiles, each on one core; as many as there are cores where None.
    advance
        Called with the number of tiles just read.

    Yields
    ------
    TrackStretch
        In the order of the contigs and along each, no base twice.

    Raises
    ------
    BudwoodError
        If the checkpoint has no head of tracks or none of a name, a place leaves its contig, or the model
        gives numbers that are not finite.

    Examples
    --------
    >>> from budwood.model.checkpoint import load_checkpoint, packaged_checkpoint
    >>> small = load_checkpoint(packaged_checkpoint("small"), device="cpu")
    >>> from budwood.genomics.assembly import InMemoryAssembly
    >>> next(predict_tracks(InMemoryAssembly({"1": "ACGT"}), small))
    Traceback (most recent call last):
    budwood.errors.BudwoodError: the checkpoint 'small' predicts no tracks: it was not trained on any: give a
    checkpoint that holds tracks.safetensors.
    """
    size = _BATCH if batch_size is None else batch_size
    if size < 1:
        raise BudwoodError(f"the batch size is {size}", where="--batch-size", mend="give 1 or more")
    checkpoint.head.rows(names)
    tiles = _tiles(assembly.contigs, places)
    read = partial(_read, assembly=assembly, checkpoint=checkpoint, names=names, advance=advance)
    with one_core_each(threads, checkpoint.device.type) as count, OrderedThreads(count) as workers:
        for stretches in workers.map(read, iter(lambda: list(islice(tiles, size)), [])):
            yield from stretches


def count_tiles(contigs: Mapping[str, int], places: Iterable[Interval] | None = None) -> int:
    """Number of tiles that :func:`predict_tracks` reads.

    Parameters
    ----------
    contigs
        Length of each contig.
    places
        As for :func:`predict_tracks`.

    Returns
    -------
    int
        The number.

    Examples
    --------
    >>> count_tiles({"1": 1000, "2": 40}), count_tiles({"1": 1000}, [Interval("1", 10, 20)])
    (4, 1)
    """
    if places is None:
        return sum(len(tile_bounds(length)[0]) for length in contigs.values() if length)
    return sum(1 for _ in _tiles(contigs, places))


def _tiles(contigs: Mapping[str, int], places: Iterable[Interval] | None) -> Iterator[_Tile]:
    wanted = None if places is None else _wanted(contigs, places)
    for contig, length in contigs.items():
        if not length or (wanted is not None and contig not in wanted):
            continue
        starts, ends = tile_bounds(length)
        first = _first_steps(starts, ends, length)
        runs = [(0, int(first[-1]))] if wanted is None else wanted[contig]
        for tile, found in groupby(_runs_of_tiles(first, runs), key=itemgetter(0)):
            yield _Tile(contig, int(starts[tile]), int(ends[tile]), tuple(run for _, run in found))


def _runs_of_tiles(first: NDArray[np.int64], runs: Sequence[Run]) -> Iterator[tuple[int, Run]]:
    """Runs of steps cut where another tile begins, with the number of each one's tile."""
    for low, high in runs:
        tile = int(np.searchsorted(first, low, side="right")) - 1
        while low < high:
            cut = min(high, int(first[tile + 1]))
            yield tile, (low, cut)
            low, tile = cut, tile + 1


def _wanted(contigs: Mapping[str, int], places: Iterable[Interval]) -> dict[str, list[Run]]:
    """Runs of steps that places touch, sorted and joined, by contig."""
    runs: dict[str, list[Run]] = defaultdict(list)
    for place in places:
        if not 0 <= place.start <= place.end <= contigs.get(place.contig, -1):
            raise BudwoodError(
                "the place is not on the genome", where=str(place), mend="give places of this genome"
            )
        if place.length:
            runs[place.contig].append((place.start // STEP, -(-place.end // STEP)))
    joined: dict[str, list[Run]] = {}
    for contig, found in runs.items():
        whole: list[Run] = []
        for low, high in sorted(found):
            if whole and low <= whole[-1][1]:
                whole[-1] = whole[-1][0], max(whole[-1][1], high)
            else:
                whole.append((low, high))
        joined[contig] = whole
    return joined


def _first_steps(starts: NDArray[np.int64], ends: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    """(tiles + 1,) first step that is taken from each tile, and the number of steps.

    A step in the very middle of two tiles is taken from the one nearer the middle of the contig, so that the
    other strand takes it from the same.
    """
    between = starts[1:] + ends[:-1]  # twice the middle of what two tiles share
    first = -(-(between - STEP) // (2 * STEP))
    first += (2 * STEP * first + STEP == between) & (between > length)
    return np.concatenate([[0], first, [-(-length // STEP)]])


def _read(
    tiles: Sequence[_Tile],
    assembly: Assembly,
    checkpoint: Checkpoint,
    names: Sequence[str],
    advance: Advance | None,
) -> list[TrackStretch]:
    codes = np.full((len(tiles), WINDOW), PAD, dtype=np.uint8)
    for row, tile in zip(codes, tiles, strict=True):
        row[: tile.end - tile.start] = assembly.sequence(Interval(tile.contig, tile.start, tile.end))
    longest = max(tile.end - tile.start for tile in tiles)
    logits = checkpoint.read_tracks(codes[:, :longest], names)
    if not np.isfinite(logits).all():
        raise BudwoodError(
            "the model gives numbers that are not finite",
            where=checkpoint.name,
            mend="copy its weights again from their source",
        )
    if advance is not None:
        advance(len(tiles))
    return [
        _stretch(tile, run, row, letters)
        for tile, row, letters in zip(tiles, logits, codes, strict=True)
        for run in tile.runs
    ]


def _stretch(tile: _Tile, run: Run, logits: NDArray[np.float32], codes: NDArray[np.uint8]) -> TrackStretch:
    start, end = STEP * run[0], min(STEP * run[1], tile.end)
    inside = slice(start - tile.start, end - tile.start)
    bounds = np.arange(0, end - start, STEP)
    counts = np.diff(bounds, append=end - start)
    means = np.add.reduceat(logits[inside], bounds, axis=0) / counts[:, None]
    known = np.add.reduceat(codes[inside] < N, bounds, dtype=np.int64) > 0
    probability = np.where(known[:, None], expit(means), np.nan).astype(np.float32)
    return TrackStretch(tile.contig, start, end, probability)
