"""A few markers of large effect on a polygenic background."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.prediction.uncertainty.bagging import Bagging
from budwood.prediction.uncertainty.cross_fit import CrossFit, TrainingSet
from budwood.prediction.uncertainty.cross_fit_model import CrossFitModel
from budwood.stats.mixed_model.blup import blup
from budwood.stats.mixed_model.reml import reml
from budwood.stats.relationship.forward_loci import forward_loci
from budwood.stats.relationship.gaussian import gaussian_kernel
from budwood.stats.relationship.kernel_scaling import kernel_spread
from budwood.stats.relationship.linkage import linkage_weights
from budwood.stats.relationship.relationship import Rows

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]

#: Fewest records to learn from.
_FEWEST: Final = 4


@dataclass(frozen=True)
class MajorLoci:
    """Loci chosen forward on a background kernel, with a variance of their own; bagged.

    One kernel spreads every effect over the whole genome; trees find loci but blur the background. The choice
    of loci is unstable, so it is made many times and the mean of those fits predicts.

    The background is the equal mixture of the relationship and of a Gaussian kernel of short and of long
    bandwidth, of all markers alike and of markers weighted against linkage.

    Attributes
    ----------
    threshold, most
        Smallest chi-square of a locus, and most loci of a fit.
    bandwidths
        Of the Gaussian kernels.
    bagging
        How often a choice is made anew.
    """

    threshold: float = 12.0
    most: int = 8
    bandwidths: tuple[float, ...] = (0.25, 1.0)
    bagging: Bagging = field(default_factory=lambda: Bagging(repeats=8))

    def cross_fit(self, training: TrainingSet) -> CrossFit:
        """Make the background once, and choose loci in every fit."""
        kernel = self._background(training.predictors.markers(training.rows), training.rows)
        return self.bagging.cross_fit(
            training, lambda rows, markers: self._fit(training, rows, kernel, markers)
        )

    def _background(self, markers: Matrix, training: Rows) -> Matrix:
        """(panel, panel) sum of kernels of equal spread between the training rows."""
        square = np.ix_(training, training)
        total = np.zeros((len(markers), len(markers)))
        for weights in (None, linkage_weights(markers[training])):
            products = markers @ markers.T if weights is None else (markers * weights) @ markers.T
            own = np.diagonal(products)
            squared = np.maximum(own[:, None] + own - 2.0 * products, 0.0)
            np.fill_diagonal(squared, 0.0)
            for kernel in (products, *(gaussian_kernel(squared, b, training) for b in self.bandwidths)):
                total += kernel / (kernel_spread(kernel[square]) or 1.0)
        return total

    def _fit(self, training: TrainingSet, inner: Rows, kernel: Matrix, markers: Matrix) -> Vector:
        """Values of the whole panel, learnt from some of the training records."""
        y, weights, rows = training.y[inner], training.weights_of(inner), training.rows[inner]
        if len(inner) < _FEWEST or np.ptp(y) == 0.0:
            return np.full(len(kernel), y.mean() if len(inner) else training.y.mean())
        own = kernel[np.ix_(rows, rows)]
        found = reml(y, [own], weights=weights)
        noise = found.residual / (np.ones(len(y)) if weights is None else weights)
        covariance = found.kernels[0] * own + np.diag(noise)
        chosen = forward_loci(markers[rows], y, covariance, threshold=self.threshold, most=self.most)
        between = [kernel[:, rows]]
        if chosen:
            loci = markers[:, chosen] / markers[rows][:, chosen].std(axis=0)
            between.append(loci @ loci[rows].T)
            found = reml(y, [each[rows] for each in between], weights=weights)
        solved = blup(y, [each[rows] for each in between], found, weights=weights)
        value = np.full(len(kernel), solved.fixed_effects[0])
        for variance, each in zip(found.kernels, between, strict=True):
            value += variance * (each @ solved.projected)
        return value


MAJOR_LOCI = CrossFitModel("Major loci", MajorLoci())
