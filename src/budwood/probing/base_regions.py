"""Classify bases as coding, intron or intergenic, by the encoder or by k-mers."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from budwood.config import WINDOW
from budwood.corpus.masking.kmer_spectrum import kmer_indices
from budwood.model.checkpoint import Checkpoint
from budwood.probing.kmer_models import canonical_kmers
from budwood.probing.stretches import BASE_CLASSES, MARGIN, REGIONS_OF_CLASS, STRETCH, UNSCORED
from budwood.progress import progress

#: Spacing in bases of the predicted class probabilities, and of the features.
GRID: Final = 8
FEATURE_GRID: Final = 128

_NEIGHBOURS: Final = (5, 17, 65, 129)
_K: Final = 6
_LEAST: Final = 1e-4


@dataclass(frozen=True)
class StretchPredictions:
    """Output of the encoder along stretches.

    Attributes
    ----------
    probabilities
        (s, STRETCH / GRID, regions) probabilities of the base classes, means over GRID bases. Windows overlap
        by half; where two windows cover a base, their log odds are averaged.
    features
        (s, STRETCH / FEATURE_GRID, embedding_size) features of single bases, both strands combined, from the
        window whose middle is nearest.
    """

    probabilities: NDArray[np.float32]
    features: NDArray[np.float32]


def predict_stretches(
    codes: NDArray[np.uint8],
    checkpoint: Checkpoint,
    *,
    window: int = WINDOW,
    half_precision: bool = False,
    show: bool | None = None,
) -> StretchPredictions:
    """Run the encoder along stretches in windows that overlap by half.

    Parameters
    ----------
    codes
        (s, MARGIN + STRETCH + MARGIN) bases.
    checkpoint
        The encoder.
    window
        Bases of each window.
    half_precision
        Multiply in bfloat16.
    show
        Whether to show progress; by default where the output is a terminal.

    Returns
    -------
    StretchPredictions
        Class probabilities and features.
    """
    config = checkpoint.encoder.config
    probabilities = np.empty((len(codes), STRETCH // GRID, config.regions), dtype=np.float32)
    features = np.empty((len(codes), STRETCH // FEATURE_GRID, config.embedding_size), dtype=np.float32)
    mixed = torch.autocast("cpu", torch.bfloat16) if half_precision else nullcontext()
    with torch.inference_mode(), mixed, progress("reading", total=len(codes), show=show) as advance:
        for number, row in enumerate(codes):
            probabilities[number], features[number] = _read_stretch(row, checkpoint, window)
            advance()
    return StretchPredictions(probabilities, features)


def _read_stretch(
    row: NDArray[np.uint8], checkpoint: Checkpoint, window: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    step = window // 2
    begins = np.arange(max(0, MARGIN - step), min(len(row) - window + 1, MARGIN + STRETCH), step)
    windows = np.stack([row[begin : begin + window] for begin in begins]).astype(np.int64)
    reading = checkpoint.encoder(torch.from_numpy(windows).to(checkpoint.device))
    regions, vectors = reading.regions.float().cpu(), reading.last_hidden_state.float().cpu()
    log_odds = torch.zeros(len(row), regions.shape[-1])
    times = torch.zeros(len(row), 1)
    for begin, read in zip(begins, regions, strict=True):
        log_odds[begin : begin + window] += read
        times[begin : begin + window] += 1
    mean = (log_odds / times)[MARGIN : MARGIN + STRETCH]
    probabilities = mean.softmax(-1).reshape(STRETCH // GRID, GRID, -1).mean(1)
    places = MARGIN + np.arange(FEATURE_GRID // 2, STRETCH, FEATURE_GRID)
    nearest = np.abs(places[:, None] - begins - (window - 1) / 2).argmin(1)
    features = vectors[nearest, places - begins[nearest]]
    return probabilities.numpy(), features.numpy()


def grid_labels(labels: NDArray[np.int8], spacing: int) -> NDArray[np.int8]:
    """Take the class of the base in the middle of every ``spacing`` bases.

    Parameters
    ----------
    labels
        (s, STRETCH) classes.
    spacing
        Distance of the bases.

    Returns
    -------
    numpy.ndarray
        (s, STRETCH / spacing) classes.

    Examples
    --------
    >>> grid_labels(np.array([[0, 1, 2, 0, 1, 2]], dtype=np.int8), 3)
    array([[1, 1]], dtype=int8)
    """
    return labels[:, spacing // 2 :: spacing]


def class_probabilities(probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
    """Sum the probabilities of the encoder's base classes to coding, intron and intergenic; UTR is left out.

    Parameters
    ----------
    probabilities
        (..., regions) probabilities of the base classes.

    Returns
    -------
    numpy.ndarray
        (..., 3) probabilities in the order of :data:`budwood.probing.stretches.BASE_CLASSES`.
    """
    joined = [probabilities[..., list(classes)].sum(-1) for classes in REGIONS_OF_CLASS]
    return np.stack(joined, axis=-1).astype(np.float64)


class BaseClassifier:
    """Correct class probabilities for the prior, with or without the probabilities of neighbouring bases.

    A multinomial logistic regression with balanced class weights. Its features are the logarithms of a base's
    class probabilities and, with ``neighbours``, of their means over 40, 136, 520 and 1,032 bases around it.

    Parameters
    ----------
    neighbours
        Whether to use the means.
    """

    def __init__(self, *, neighbours: bool) -> None:
        self.neighbours = neighbours
        self._regression = LogisticRegression(C=0.1, max_iter=500, class_weight="balanced")

    def fit(self, probabilities: NDArray[np.floating], labels: NDArray[np.int8]) -> BaseClassifier:
        """Fit the regression; UNSCORED bases are left out.

        Parameters
        ----------
        probabilities
            (s, g, 3) class probabilities along stretches.
        labels
            (s, g) classes.

        Returns
        -------
        BaseClassifier
            The fitted classifier itself.
        """
        features = self._features(probabilities)
        scored = labels.ravel() != UNSCORED
        self._regression.fit(features[scored], labels.ravel()[scored])
        return self

    def predict(self, probabilities: NDArray[np.floating]) -> NDArray[np.int8]:
        """Predict classes.

        Parameters
        ----------
        probabilities
            (s, g, 3) class probabilities along stretches.

        Returns
        -------
        numpy.ndarray
            (s, g) classes.
        """
        return self._regression.predict(self._features(probabilities)).reshape(probabilities.shape[:2])

    def _features(self, probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
        widths = _NEIGHBOURS if self.neighbours else ()
        parts = [probabilities, *(_running_mean(probabilities, width) for width in widths)]
        return np.log(np.concatenate(parts, axis=-1) + _LEAST).reshape(
            -1, len(parts) * probabilities.shape[-1]
        )


def _running_mean(values: NDArray[np.floating], width: int) -> NDArray[np.float64]:
    """Means over ``width`` positions along axis 1; the outermost value continues beyond the ends."""
    padded = np.pad(values, ((0, 0), (width // 2 + 1, width // 2), (0, 0)), mode="edge")
    total = padded.astype(np.float64).cumsum(1)
    return (total[:, width:] - total[:, :-width]) / width


class KmerClassifier:
    """A multinomial logistic regression on counts of 6-mers of both strands in a window around a base.

    Features are the square roots of the counts; class weights are balanced.

    Parameters
    ----------
    width
        Bases of the window.
    penalty
        Inverse strength of the L2 penalty, as scikit-learn's ``C``.
    """

    def __init__(self, width: int, *, penalty: float = 1e-3) -> None:
        self.width = width
        self._classes, self._count = canonical_kmers(_K)
        self._regression = LogisticRegression(C=penalty, max_iter=500, class_weight="balanced")

    def features(self, row: NDArray[np.uint8], places: NDArray[np.intp]) -> NDArray[np.float32]:
        """Count the 6-mers around positions of one stretch.

        Parameters
        ----------
        row
            (MARGIN + STRETCH + MARGIN,) bases of the stretch with its margins.
        places
            (p,) positions in the stretch.

        Returns
        -------
        numpy.ndarray
            (p, 2080) square roots of counts.
        """
        index, whole = kmer_indices(row, _K)
        kinds = np.where(whole, self._classes[index], self._count)
        around = MARGIN + places[:, None] - self.width // 2 + np.arange(self.width - _K + 1)
        counts = np.zeros((len(places), self._count + 1), dtype=np.float32)
        np.add.at(counts, (np.arange(len(places))[:, None], kinds[around]), 1)
        return np.sqrt(counts[:, : self._count])

    def fit(self, codes: NDArray[np.uint8], labels: NDArray[np.int8], spacing: int) -> KmerClassifier:
        """Fit on the middle base of every ``spacing`` bases of stretches.

        Parameters
        ----------
        codes
            (s, MARGIN + STRETCH + MARGIN) bases.
        labels
            (s, STRETCH) classes.
        spacing
            Distance of the bases.

        Returns
        -------
        KmerClassifier
            The fitted classifier itself.
        """
        places = np.arange(spacing // 2, STRETCH, spacing)
        wanted = grid_labels(labels, spacing)
        counts = [
            self.features(row, places[known != UNSCORED]) for row, known in zip(codes, wanted, strict=True)
        ]
        self._regression.fit(np.concatenate(counts), wanted[wanted != UNSCORED])
        return self

    def predict_proba(self, codes: NDArray[np.uint8], spacing: int = GRID) -> NDArray[np.float64]:
        """Predict class probabilities of the middle base of every ``spacing`` bases.

        Parameters
        ----------
        codes
            (s, MARGIN + STRETCH + MARGIN) bases.
        spacing
            Distance of the bases.

        Returns
        -------
        numpy.ndarray
            (s, STRETCH / spacing, 3) probabilities.
        """
        places = np.arange(spacing // 2, STRETCH, spacing)
        return np.stack([self._regression.predict_proba(self.features(row, places)) for row in codes])


@dataclass(frozen=True)
class BalancedAccuracy:
    """Mean over classes of the share of correct predictions, with a 95 % bootstrap interval over stretches.

    Attributes
    ----------
    bases
        Number of scored bases.
    balanced_accuracy
        Mean over classes of the share of correct predictions.
    lower, upper
        95 % interval.
    coding, intron, intergenic
        Share of correct predictions in each class.
    """

    bases: int
    balanced_accuracy: float
    lower: float
    upper: float
    coding: float
    intron: float
    intergenic: float


def score_classes(
    predicted: NDArray[np.integer], labels: NDArray[np.int8], *, draws: int = 1000, seed: int = 0
) -> BalancedAccuracy:
    """Score predicted classes.

    Parameters
    ----------
    predicted
        (s, g) predicted classes.
    labels
        (s, g) true classes; UNSCORED ones are left out.
    draws
        Number of bootstrap draws of stretches.
    seed
        Seed of the draws.

    Returns
    -------
    BalancedAccuracy
        The score with its interval.

    Examples
    --------
    >>> labels = np.array([[0, 1, 2], [2, 1, 0]], dtype=np.int8)
    >>> score_classes(labels, labels, draws=10).balanced_accuracy
    1.0
    """
    classes = range(len(BASE_CLASSES))
    counted = np.stack([(labels == k).sum(1) for k in classes], axis=1)
    right = np.stack([((labels == k) & (predicted == k)).sum(1) for k in classes], axis=1)
    random = np.random.default_rng(seed)
    drawn = [
        right[rows].sum(0) / np.maximum(counted[rows].sum(0), 1)
        for rows in random.integers(0, len(labels), (draws, len(labels)))
    ]
    lower, upper = np.percentile(np.mean(drawn, axis=1), [2.5, 97.5])
    shares = right.sum(0) / np.maximum(counted.sum(0), 1)
    return BalancedAccuracy(
        int(counted.sum()), float(shares.mean()), float(lower), float(upper), *map(float, shares)
    )
