"""A genome with what is known of it, and random windows of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.config import WINDOW
from budwood.genomics.annotation.base_class_track import base_class_track
from budwood.genomics.annotation.genes import Annotation
from budwood.genomics.assembly import Assembly
from budwood.genomics.interval import Interval, by_contig
from budwood.genomics.io.annotation.labelled_intervals import LabelledInterval
from budwood.genomics.sequence import N

_MOST_N: Final = 0.1


@dataclass(frozen=True, kw_only=True, eq=False)
class AnnotatedGenome:
    """A genome, its genes and repeats, and labelled intervals.

    Attributes
    ----------
    assembly
        The genome.
    annotation
        Genes and repeats; None where none was given.
    intervals
        Labelled intervals of a table; the repeats of the annotation where none was given.
    """

    assembly: Assembly
    annotation: Annotation | None = None
    intervals: tuple[LabelledInterval, ...] = ()

    @cached_property
    def labelled_intervals(self) -> tuple[LabelledInterval, ...]:
        """The intervals, or the annotation's repeats with their class."""
        if self.intervals or self.annotation is None:
            return self.intervals
        return tuple(
            LabelledInterval(each.contig, each.start, each.end, each.repeat_class)
            for each in self.annotation.repeats
        )

    @cached_property
    def _by_contig(self) -> dict[str, list[LabelledInterval]]:
        return by_contig(self.labelled_intervals)

    @property
    def annotated_contigs(self) -> tuple[str, ...]:
        """Contigs that carry anything of the annotation or the intervals, in the genome's order."""
        carrying = {each.contig for each in self.labelled_intervals}
        if self.annotation is not None and not self.intervals:
            carrying |= set(self.annotation.contigs)
        return tuple(contig for contig in self.assembly.contigs if contig in carrying)

    def base_classes(self, contig: str) -> NDArray[np.uint8]:
        """Class of every base of a contig.

        Parameters
        ----------
        contig
            Name of the contig.

        Returns
        -------
        numpy.ndarray
            (length,) of :class:`~budwood.genomics.annotation.base_class.BaseClass`.
        """
        assert self.annotation is not None, "checked with the options"
        return base_class_track(self.annotation, contig, self.assembly.contigs[contig])

    def covered(self, contig: str) -> NDArray[np.int64]:
        """Running number of bases of a contig that lie in an interval.

        Parameters
        ----------
        contig
            Name of the contig.

        Returns
        -------
        numpy.ndarray
            (length + 1,) so that ``covered[end] - covered[start]`` counts those of a stretch.
        """
        inside = np.zeros(self.assembly.contigs[contig], dtype=np.bool_)
        for each in self._by_contig.get(contig, ()):
            inside[each.start : each.end] = True
        return np.concatenate([[0], np.cumsum(inside)])

    def window(self, contig: str, middle: int) -> NDArray[np.uint8] | None:
        """The 512 bases around a position; None past a contig's end and where over a tenth are N.

        Parameters
        ----------
        contig, middle
            Position that becomes the window's base number 256.

        Returns
        -------
        numpy.ndarray or None
            (512,) codes of the forward strand.
        """
        start = middle - WINDOW // 2
        if start < 0 or start + WINDOW > self.assembly.contigs[contig]:
            return None
        codes = self.assembly.sequence(Interval(contig, start, start + WINDOW))
        return None if (codes >= N).mean() > _MOST_N else codes


def random_positions(
    lengths: Sequence[tuple[str, int]], count: int, random: np.random.Generator
) -> Iterator[tuple[str, int]]:
    """Positions drawn uniformly over contigs.

    Parameters
    ----------
    lengths
        Contigs and their lengths in bases.
    count
        Number of draws.
    random
        Source of the draws.

    Yields
    ------
    tuple
        Contig and position, contig by contig so that a caller holds what it needs of one at a time only.
    """
    sizes = np.array([length for _, length in lengths], dtype=np.int64)
    ends = np.cumsum(sizes)
    drawn = np.sort(random.integers(0, int(ends[-1]), count))
    own = np.searchsorted(ends, drawn, side="right")
    for number, (contig, length) in enumerate(lengths):
        positions = drawn[own == number] - (ends[number] - length)
        for position in random.permutation(positions).tolist():
            yield contig, position
