"""Alignment columns as training windows: one species' sequence, and what the others have in its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.genomics.alignment import Alignment
from budwood.genomics.sequence import PAD, N, reverse_complement


@dataclass(frozen=True)
class ColumnBatch:
    """Windows cut from alignments.

    Attributes
    ----------
    codes
        (batch, window) bases of one row without its gaps, padded on the right.
    share
        (batch, window, 4) share of A, C, G and T among the other species in the base's column; all zero
        where too few of them have a base.
    """

    codes: NDArray[np.uint8]
    share: NDArray[np.float32]


class ColumnSampler:
    """Draws windows from alignments; a batch is a function of the seed and its number alone.

    The row is one of the species drawn at random, so that species that stand in many rows or clades that
    are sampled densely do not dominate; its column is weighted by position-based weights of the rows
    (:meth:`budwood.genomics.alignment.Alignment.row_weights`), rows of its own species left out.

    Parameters
    ----------
    alignments
        Loci or blocks; drawn in proportion to their columns.
    window
        Bases of a window.
    least_species
        Columns in which fewer rows of other species have a base have no loss.
    seed
        Seed of the draws.

    Raises
    ------
    BudwoodError
        If no alignment has enough species.
    """

    def __init__(
        self, alignments: Sequence[Alignment], *, window: int, least_species: int = 4, seed: int
    ) -> None:
        self.window = window
        self.seed = seed
        self.least_species = least_species
        self._alignments = [a for a in alignments if len(set(a.species)) > least_species]
        if not self._alignments:
            raise BudwoodError(
                f"no alignment has more than {least_species} species",
                where="the alignments of the recipe",
                mend="give others, or lower least_species",
            )
        lengths = np.array([a.codes.shape[1] for a in self._alignments], dtype=np.float64)
        self._shares = lengths / lengths.sum()
        self._weights = [a.row_weights() for a in self._alignments]
        self._species = [sorted(set(a.species)) for a in self._alignments]

    def batch(self, number: int, size: int, *, first: int = 0, step: int = 1) -> ColumnBatch:
        """Draw a batch.

        Parameters
        ----------
        number
            Number of the batch from 0; it always holds the same windows.
        size
            Number of windows.
        first, step
            Every ``step``-th window of the batch, from ``first`` on.

        Returns
        -------
        ColumnBatch
            The windows, each on a random strand.
        """
        rows = range(first, size, step)
        drawn = [self._window(np.random.default_rng((self.seed, number, 2, row))) for row in rows]
        codes = np.full((len(rows), self.window), PAD, dtype=np.uint8)
        share = np.zeros((len(rows), self.window, 4), dtype=np.float32)
        for row, (bases, columns) in enumerate(drawn):
            codes[row, : len(bases)] = bases
            share[row, : len(bases)] = columns
        return ColumnBatch(codes, share)

    def _window(self, random: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
        which = int(random.choice(len(self._shares), p=self._shares))
        alignment = self._alignments[which]
        species = self._species[which][int(random.integers(len(self._species[which])))]
        own = np.array([name == species for name in alignment.species])
        row = int(random.choice(np.flatnonzero(own)))
        columns = np.flatnonzero(alignment.codes[row] <= N)
        start = int(random.integers(max(1, len(columns) - self.window + 1)))
        columns = columns[start : start + self.window]
        bases = alignment.codes[row, columns]
        # Only the window's columns are counted: a locus may be many times longer.
        cut = Alignment(alignment.name, alignment.species, alignment.codes[:, columns])
        others = np.flatnonzero(~own)
        seen = cut.column_bases(others, self._weights[which])
        enough = (cut.codes[others] < N).sum(0) >= self.least_species
        share = seen / np.maximum(seen.sum(1, keepdims=True), 1e-12) * enough[:, None]
        if random.random() < 0.5:
            return bases, share
        return reverse_complement(bases), share[::-1, ::-1]
