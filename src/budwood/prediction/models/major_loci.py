"""A few markers of large effect on a polygenic background."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from budwood.prediction.contract import Lines
from budwood.prediction.uncertainty.bagging import Bagging, Draw
from budwood.prediction.uncertainty.cross_fit import CrossFit, TrainingSet
from budwood.prediction.uncertainty.cross_fit_model import CrossFitModel
from budwood.stats.mixed_model.band_reml import BandReml, KernelReml, columns_reml, kernel_reml
from budwood.stats.mixed_model.blup import blup
from budwood.stats.mixed_model.fixed_effects import check_kernels, whitened_design
from budwood.stats.mixed_model.reml import reml
from budwood.stats.relationship.forward_loci import forward_loci
from budwood.stats.relationship.kernel_scaling import kernel_spread
from budwood.stats.relationship.linkage import linkage_weights

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]

#: Fewest records to learn from.
_FEWEST: Final = 4
#: Records above which a fit learns from some of them.
_MANY: Final = 3_000


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
    bagging, bagging_of_many
        How often the choice is repeated, and the same for more than 3,000 records.
    """

    threshold: float = 12.0
    most: int = 8
    bandwidths: tuple[float, ...] = (0.25, 1.0)
    bagging: Bagging = field(default_factory=lambda: Bagging(repeats=8))
    bagging_of_many: Bagging = field(default_factory=lambda: Bagging(repeats=4, records=2_000))

    def cross_fit(self, training: TrainingSet) -> CrossFit:
        """Make the background once, and choose loci in every fit.

        Parameters
        ----------
        training
            (n,) rows of the training lines in the panel.

        Returns
        -------
        CrossFit
            The fitted predictor, and its prediction of each training record from inner folds without it.
        """
        markers = training.markers()
        name = f"background {self.bandwidths}"
        background, kernel = training.kernels.recall(
            name, training.rows, lambda: Background.learn(markers, self.bandwidths)
        )
        held_out, fits = np.zeros(len(markers)), 0
        total = _Effects(0.0, np.zeros(len(markers)), np.zeros(markers.shape[1]))
        bagging = self.bagging_of_many if len(markers) > _MANY else self.bagging
        for draw in bagging.draws(*markers.shape):
            found = self._fit(training, draw, kernel, markers, f"{name}, fit {fits} of {bagging}")
            held_out[draw.held_out] += (
                found.predict(kernel[draw.held_out], markers[draw.held_out]) / bagging.repeats
            )
            total, fits = total.plus(found), fits + 1
        loci = np.flatnonzero(total.markers)
        return CrossFit(
            held_out,
            FittedMajorLoci(
                background, total.mean / fits, total.lines / fits, loci, total.markers[loci] / fits
            ),
        )

    def _fit(self, training: TrainingSet, draw: Draw, kernel: Matrix, markers: Matrix, name: str) -> _Effects:
        """Effects learnt from some of the training records; the name is that of their background."""
        inner = draw.rows
        y, weights = training.y[inner], training.weights_of(inner)
        lines, loci_effects = np.zeros(len(markers)), np.zeros(markers.shape[1])
        if len(inner) < _FEWEST or np.ptp(y) == 0.0:
            return _Effects(float(y.mean() if len(inner) else training.y.mean()), lines, loci_effects)
        own = kernel[np.ix_(inner, inner)]

        def decompose() -> KernelReml:
            check_kernels([own], len(y))
            return kernel_reml(own, whitened_design(len(y), weights=weights), single=True)

        # Without weights nothing of it rests on trait values, so that shuffled ones share it.
        kernels, rows = training.kernels, training.rows
        decomposition = decompose() if weights is not None else kernels.recall(name, rows, decompose)
        if isinstance(decomposition, BandReml) and decomposition.unresolved(y):
            decomposition = kernel_reml(own, decomposition.design)
        found = decomposition.fit(y)
        covariance = found.kernels[0] * own
        covariance[np.diag_indices(len(y))] += found.residual / (1.0 if weights is None else weights)
        features = markers[np.ix_(inner, draw.columns)]
        chosen = forward_loci(features, y, covariance, threshold=self.threshold, most=self.most)
        between = [own]
        if chosen:
            loci = features[:, chosen] / features[:, chosen].std(axis=0)
            between.append(loci @ loci.T)
            if isinstance(decomposition, BandReml):
                found = columns_reml(decomposition, y, loci)
            else:
                found = reml(y, between, weights=weights)
        solved = blup(y, between, found, weights=weights)
        lines[inner] = found.kernels[0] * solved.projected
        if chosen:
            spread = features[:, chosen].std(axis=0)
            loci_effects[draw.columns[chosen]] = found.kernels[1] * (loci.T @ solved.projected) / spread
        return _Effects(float(solved.fixed_effects[0]), lines, loci_effects)


@dataclass(frozen=True)
class _Effects:
    """A mean, (n,) effects of the background's training lines and (m,) effects of markers."""

    mean: float
    lines: Vector
    markers: Vector

    def plus(self, other: _Effects) -> _Effects:
        return _Effects(self.mean + other.mean, self.lines + other.lines, self.markers + other.markers)

    def predict(self, kernel: Matrix, markers: Matrix) -> Vector:
        return self.mean + kernel @ self.lines + markers @ self.markers


@dataclass(frozen=True)
class Background:
    """Sum of kernels of equal spread between the training lines.

    Attributes
    ----------
    linkage
        (m,) weights against linkage.
    bandwidths
        Of the Gaussian kernels.
    distances
        Mean squared distance of two training lines, of all markers alike and of weighted ones.
    spreads
        (2, 1 + bandwidths) spread of each kernel between the training lines: linear first.
    """

    linkage: Vector
    bandwidths: tuple[float, ...]
    distances: tuple[float, float]
    spreads: tuple[tuple[float, ...], tuple[float, ...]]

    @classmethod
    def learn(cls, markers: Matrix, bandwidths: tuple[float, ...]) -> tuple[Background, Matrix]:
        """Learn the weights and scales of training markers, and make the kernel between them.

        Parameters
        ----------
        markers
            (n, m) centred markers.
        bandwidths
            Of the Gaussian kernels.

        Returns
        -------
        tuple
            The background, and :meth:`kernel` of the training lines with one another.
        """
        linkage, n = linkage_weights(markers), len(markers)
        distances, spreads, total = [], [], np.zeros((n, n))
        for weights in (None, linkage):
            products, squared = _products(markers, markers, weights)
            np.fill_diagonal(squared, 0.0)
            mean = float(squared.sum()) / (n * (n - 1)) if n > 1 else 0.0
            distances.append(mean)
            own = []
            for kernel in chain([products], (_gaussian(squared, b, mean) for b in bandwidths)):
                own.append(kernel_spread(kernel) or 1.0)
                total += kernel / own[-1]
            spreads.append(tuple(own))
        return cls(linkage, bandwidths, (distances[0], distances[1]), (spreads[0], spreads[1])), total

    def kernel(self, lines: Matrix, training: Matrix) -> Matrix:
        """(c, n) kernel of (c, m) lines with the (n, m) training lines.

        Parameters
        ----------
        lines
            (c, m) centred markers.
        training
            (n, m) centred markers.

        Returns
        -------
        Matrix
            (c, n) kernel.
        """
        total = np.zeros((len(lines), len(training)))
        for weights, mean, spreads in zip((None, self.linkage), self.distances, self.spreads, strict=True):
            products, squared = _products(lines, training, weights)
            kernels = (products, *(_gaussian(squared, b, mean) for b in self.bandwidths))
            for kernel, spread in zip(kernels, spreads, strict=True):
                total += kernel / spread
        return total


def _products(
    lines: NDArray[Any], training: NDArray[Any], weights: Vector | None
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Inner products of lines and training lines, and their squared distances."""
    root = None if weights is None else np.sqrt(weights)
    if len(training) > _MANY:
        # Half the time; the distances keep six digits.
        same = lines is training
        training = training.astype(np.float32)
        lines = training if same else lines.astype(np.float32)
        root = None if root is None else root.astype(np.float32)
    first = lines if root is None else lines * root
    second = first if lines is training else training if root is None else training * root
    # A matrix times its own transpose takes half the operations.
    products = first @ second.T
    own = np.einsum("ij,ij->i", first, first)
    other = own if lines is training else np.einsum("ij,ij->i", second, second)
    squared = own[:, None] + other[None, :]
    squared -= 2.0 * products
    return products, np.maximum(squared, 0.0, out=squared)


def _gaussian(squared: NDArray[Any], bandwidth: float, mean: float) -> Matrix:
    if mean <= 0.0:
        return np.where(squared > 0.0, 0.0, 1.0)
    return np.exp(squared / (-bandwidth * mean))


@dataclass(frozen=True)
class FittedMajorLoci:
    """The mean of all fits.

    Attributes
    ----------
    background
        The kernel of the background.
    mean
        Fixed mean.
    line_effects
        (n,) effect of the background kernel with each training line.
    loci, locus_effects
        Markers chosen in any fit, and their effects.
    """

    background: Background
    mean: float
    line_effects: Vector
    loci: NDArray[np.intp]
    locus_effects: Vector

    def value(self, lines: Lines) -> Vector:
        """(c,) predicted values.

        Parameters
        ----------
        lines
            c lines as a fitted model sees them.

        Returns
        -------
        Vector
            (c,) one number for each line.
        """
        markers = lines.markers()
        kernel = self.background.kernel(markers, lines.training_markers())
        return self.mean + kernel @ self.line_effects + markers[:, self.loci] @ self.locus_effects


MAJOR_LOCI = CrossFitModel("Major loci", MajorLoci())
