"""Draws of records and markers for a predictor that is learnt many times and averaged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from budwood.prediction.uncertainty.inner_folds import inner_splits
from budwood.stats.relationship.relationship import Rows


@dataclass(frozen=True)
class Draw:
    """Records and markers of one fit.

    Attributes
    ----------
    rows, held_out
        Positions in the training set that the fit learns from, and those that it does not see.
    columns
        Markers of the fit.
    """

    rows: Rows
    held_out: Rows
    columns: NDArray[np.intp]


@dataclass(frozen=True)
class Bagging:
    """Bagging (Breiman 1996, Machine Learning 24:123) with every record left out equally often.

    Averaging stabilises unstable predictors: a choice of loci, boosted trees. As in a forest, the fits that
    did not see a record give its held-out prediction; the mean of all fits predicts.

    Attributes
    ----------
    folds, repeats
        Each of this many times, records are split at random into this many folds, and there is one fit
        without each fold.
    markers
        Most markers of a fit: every k-th, from a random start. Neighbours nearly repeat one another.
    records
        Most records of a fit, drawn at random from those of the other folds; all of them where None.
    seed
        Of the folds and starts.
    """

    folds: int = 3
    repeats: int = 4
    markers: int = 2000
    records: int | None = None
    seed: int = 0

    def draws(self, records: int, markers: int) -> Iterator[Draw]:
        """Every fit's records and markers.

        Parameters
        ----------
        records, markers
            Numbers of training records and of markers.

        Yields
        ------
        Draw
            Records and markers of one fit.

        Examples
        --------
        >>> sum(len(draw.held_out) for draw in Bagging(repeats=2).draws(10, 50))
        20
        """
        generator, chooser = np.random.default_rng(self.seed), np.random.default_rng([self.seed, 1])
        step = -(-markers // self.markers)
        for _ in range(self.repeats):
            for rows, held_out in inner_splits(generator.permutation(records) % min(self.folds, records)):
                if self.records is not None and len(rows) > self.records:
                    rows = np.sort(chooser.choice(rows, self.records, replace=False))
                yield Draw(rows, held_out, np.arange(generator.integers(step), markers, step))
