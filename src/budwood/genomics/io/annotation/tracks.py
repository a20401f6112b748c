"""Tracks along a genome: intervals of BED, or intervals with a value of bedGraph."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.genomics.io.annotation.bed import read_bed
from budwood.genomics.io.text.delimited import text_lines
from budwood.genomics.io.text.whole_number import whole_number

_VALUED: Final = (".bedgraph", ".bg", ".bdg")
_PACKED: Final = (".gz", ".xz", ".bz2", ".zst")
_HEADERS: Final = ("#", "track", "browser")
_PREDICTED: Final = re.compile(r'description="predicted by ([^"]+), not measured"')
# Sums of values over a contig of any length stay far below the largest number.
_MOST: Final = 1e200


@dataclass(frozen=True, eq=False)
class Steps:
    """A function of the places of one contig that is constant between them, and 0 outside.

    Attributes
    ----------
    start, end
        (k,) sorted places, 0-based and half-open; no two intervals overlap.
    value
        (k,) values, none negative.
    """

    start: NDArray[np.int64]
    end: NDArray[np.int64]
    value: NDArray[np.float64]

    def mean(self, centre: NDArray[np.int64], reach: int) -> NDArray[np.float64]:
        """Mean over the bases around places.

        Parameters
        ----------
        centre
            (m,) places, from 0.
        reach
            Bases on either side; those before the first base of the contig do not count.

        Returns
        -------
        ndarray
            (m,) means over 2 reach + 1 bases, fewer at the start of the contig.

        Examples
        --------
        >>> steps = Steps(np.array([10]), np.array([20]), np.array([2.0]))
        >>> steps.mean(np.array([9, 15, 40]), 1)
        array([0.66666667, 2.        , 0.        ])
        >>> Steps(np.array([0]), np.array([9]), np.array([2.0])).mean(np.array([0, 5]), 1)
        array([2., 2.])
        """
        bounds = np.stack([self.start, self.end], axis=1).ravel()
        sums = np.stack([np.zeros(len(self.value)), self.value * (self.end - self.start)], axis=1).ravel()
        total = sums.cumsum()
        first, last = np.maximum(centre - reach, 0), centre + reach + 1
        upper, lower = (np.interp(at, bounds, total) for at in (last, first))
        # Rounding of the sums may leave a trifle below 0 where the track is 0.
        return np.asarray(np.maximum(upper - lower, 0.0) / (last - first), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Track:
    """What was measured along a genome, or is predicted of it.

    Attributes
    ----------
    name
        Name of the file.
    contigs
        The track by contig.
    valued
        Whether intervals have values; otherwise they count 1.
    predicted_by
        The checkpoint that predicted it, None for what was measured.
    """

    name: str
    contigs: Mapping[str, Steps]
    valued: bool
    predicted_by: str | None = None


def read_track(path: Path) -> Track:
    """Read a track: bedGraph by the name's end or the track line, BED otherwise.

    Parameters
    ----------
    path
        The file. bedGraph ends in .bedgraph, .bdg or .bg (.gz, .xz), or says ``type=bedGraph``; its fourth
        column is the value. Intervals of BED count 1, overlapping ones are joined. A track line tells whether
        ``budwood tracks`` predicted the values.

    Returns
    -------
    Track
        By contig.

    Raises
    ------
    BudwoodError
        If the file cannot be read, a value is negative, above 1e200 or no number, or intervals with values
        overlap.
    """
    path = Path(path)
    line = next((each for each in text_lines(path) if each.strip() and not each.startswith("#")), "")
    valued = _is_bedgraph(path, line)
    predicted = _PREDICTED.search(line) if valued and line.startswith("track") else None
    found: dict[str, list[tuple[int, int, float]]] = defaultdict(list)
    if valued:
        for number, line in enumerate(text_lines(path), start=1):
            if line.strip() and not line.startswith(_HEADERS):
                contig, start, end, value = _valued(line.split(), f"{path}, line {number}")
                found[contig].append((start, end, value))
    else:
        for record in read_bed(path):
            place = record.interval
            found[place.contig].append((place.start, place.end, 1.0))
    if not found:
        raise BudwoodError("the track holds no interval", where=str(path), mend="check the file")
    make = _apart if valued else _joined
    contigs = {contig: make(sorted(rows), f"{path}, {contig}") for contig, rows in found.items()}
    return Track(path.name, contigs, valued, None if predicted is None else predicted[1])


def _is_bedgraph(path: Path, first: str) -> bool:
    kinds = [suffix.lower() for suffix in path.suffixes if suffix.lower() not in _PACKED]
    if kinds and kinds[-1] in _VALUED:
        return True
    return first.startswith("track") and "type=bedgraph" in first.lower().replace('"', "")


def _valued(cells: list[str], where: str) -> tuple[str, int, int, float]:
    numbers = [whole_number(text) for text in cells[1:3]]
    start, end = numbers if len(numbers) == 2 else (None, None)
    try:
        value = float(cells[3])
    except (IndexError, ValueError):
        value = float("nan")
    if start is None or end is None or end < start or not isfinite(value):
        raise BudwoodError(
            "this is no line of bedGraph", where=where, mend="write contig, start (from 0), end and a number"
        )
    if value < 0:
        raise BudwoodError(
            f"the value {value:g} is negative", where=where, mend="give a track of values of 0 or more"
        )
    if value > _MOST:
        raise BudwoodError(
            f"the value {value:g} is too large to compute with",
            where=where,
            mend=f"give values of at most {_MOST:g}",
        )
    return cells[0], start, end, value


def _apart(rows: list[tuple[int, int, float]], where: str) -> Steps:
    start, end, value = (np.array(column) for column in zip(*rows, strict=True))
    late = np.flatnonzero(start[1:] < end[:-1])
    if len(late):
        raise BudwoodError(
            f"two intervals overlap at base {int(start[late[0] + 1]) + 1:,}",
            where=where,
            mend="give each base one value",
        )
    return Steps(start, end, value.astype(np.float64))


def _joined(rows: list[tuple[int, int, float]], where: str) -> Steps:
    del where
    spans: list[list[int]] = []
    for start, end, _ in rows:
        if spans and start <= spans[-1][1]:
            spans[-1][1] = max(spans[-1][1], end)
        else:
            spans.append([start, end])
    bounds = np.array(spans, dtype=np.int64)
    return Steps(bounds[:, 0], bounds[:, 1], np.ones(len(spans)))
