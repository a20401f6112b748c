"""One predictor learnt many times, each time without some records and on other markers, and averaged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from budwood.prediction.uncertainty.cross_fit import CrossFit, TrainingSet
from budwood.prediction.uncertainty.inner_folds import inner_splits
from budwood.stats.relationship.relationship import Rows

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Bagging:
    """Bagging (Breiman 1996, Machine Learning 24:123) with every record left out equally often.

    It steadies what is unstable: a choice of loci, boosted trees. As in a forest, the fits that did not see a
    record give its held-out prediction.

    Attributes
    ----------
    folds, repeats
        Each of this many times, records are parted at random into this many folds, and there is one fit
        without each fold.
    markers
        Most markers of a fit: every k-th, from a random start. Neighbours nearly repeat one another.
    seed
        Of the folds and starts.
    """

    folds: int = 3
    repeats: int = 4
    markers: int = 2000
    seed: int = 0

    def cross_fit(self, training: TrainingSet, learn: Callable[[Rows, Matrix], Vector]) -> CrossFit:
        """The mean of all fits.

        Parameters
        ----------
        learn
            Receives positions in the training set and (panel, markers) features; returns a prediction of
            each row of the panel, learnt from those records.
        """
        generator = np.random.default_rng(self.seed)
        features = training.predictors.markers(training.rows)
        step = -(-features.shape[1] // self.markers)
        n = len(training.y)
        held_out, whole, fits = np.zeros(n), np.zeros(len(features)), 0
        for _ in range(self.repeats):
            for rows, held in inner_splits(generator.permutation(n) % min(self.folds, n)):
                found = learn(rows, features[:, generator.integers(step) :: step])
                held_out[held] += found[training.rows[held]] / self.repeats
                whole, fits = whole + found, fits + 1
        whole /= fits
        return CrossFit(held_out, lambda rows: whole[rows])
