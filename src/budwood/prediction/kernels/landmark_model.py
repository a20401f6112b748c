"""The Gaussian kernel of large training sets, through some of the lines: no matrix of lines by lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from budwood.prediction.contract import Forecast, Lines, observation_half
from budwood.prediction.kernels.decomposed import compared_components
from budwood.prediction.kernels.kernel_model import GAUSSIAN_KERNEL
from budwood.prediction.kernels.panel_kernels import GAUSSIAN, PanelKernels
from budwood.stats.evaluation.conformal import conformal_quantile
from budwood.stats.mixed_model.fixed_effects import whitened_design
from budwood.stats.mixed_model.landmark_blup import LandmarkBlup, landmark_blup
from budwood.stats.mixed_model.variance_components import VarianceComponents
from budwood.stats.relationship.relationship import Rows

Vector = NDArray[np.float64]

#: Folds whose held-out errors set the width of intervals.
_FOLDS: Final = 5
#: Landmarks: twice as many take four times as long.
_LANDMARKS: Final = 3_000


@dataclass(frozen=True)
class FittedLandmarkModel:
    """A Gaussian kernel that has learnt the effects of landmarks.

    Attributes
    ----------
    names
        The kernel.
    landmarks
        (L,) numbers of the training lines that are landmarks.
    solved
        Variance components and effects.
    variance_shares
        Share of the phenotypic variance by source.
    records
        Number of training records.
    notes
        Sentences on the approximation and the intervals.
    interval_factor
        What half of the model's 90 % interval is multiplied by.
    """

    names: tuple[str, ...]
    landmarks: Rows
    solved: LandmarkBlup
    variance_shares: Mapping[str, float]
    records: int
    notes: tuple[str, ...]
    interval_factor: float = 1.0

    def predict(self, lines: Lines) -> Forecast:
        """Forecast lines at the mean of the covariates.

        Parameters
        ----------
        lines
            c lines as a fitted model sees them.

        Returns
        -------
        Forecast
            (c,) values, standard errors and intervals.
        """
        found = self.solved.predict(self._cross(lines))
        error = np.sqrt(found.pev_value)
        half = self.interval_factor * half_width(found.pev_record, self.records)
        half = observation_half(half, error)
        return Forecast(found.value, error, found.reliability, found.value - half, found.value + half)

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
        return self.solved.predict(self._cross(lines)).value

    def _cross(self, lines: Lines) -> NDArray[np.float64]:
        return lines.landmark_kernel(self.names[0], self.landmarks).astype(np.float64)


def half_width(variance: Vector, records: int) -> Vector:
    """(c,) half of the model's own 90 % interval.

    Parameters
    ----------
    variance
        (c,) error variances of records.
    records
        Number of training records.

    Returns
    -------
    Vector
        (c,) one number for each line.
    """
    return np.asarray(float(stdtrit(records - 1, 0.95)) * np.sqrt(variance), dtype=np.float64)


def fit_landmark_model(
    kernels: PanelKernels, training: Rows, y: Vector, weights: Vector | None = None
) -> FittedLandmarkModel:
    """Choose a bandwidth on 2,000 of the records, and learn from all of them through 3,000 landmarks.

    Parameters
    ----------
    kernels
        The panel as models see it.
    training
        (n,) rows of the training lines in the panel.
    y
        (n,) trait values of the training lines.
    weights
        (n,) weights of the trait values, None for equal ones.

    Returns
    -------
    FittedLandmarkModel
        The fitted model.
    """
    return fit_landmarks(kernels, training, y, np.arange(len(y)) % _FOLDS, weights)[0]


def fit_landmarks(
    kernels: PanelKernels, training: Rows, y: Vector, folds: NDArray[np.int64], weights: Vector | None = None
) -> tuple[FittedLandmarkModel, Vector]:
    """:func:`fit_landmark_model` with the folds given, and its held-out predictions of the records.

    Parameters
    ----------
    kernels, training, y
        As for :func:`fit_landmark_model`.
    folds
        (n,) fold of each record.
    weights
        (n,) weights of the trait values, None for equal ones.

    Returns
    -------
    tuple
        The fitted model, and (n,) the prediction of each record from the other folds.
    """
    landmarks = landmarks_among(len(y))

    def compared(name: str) -> VarianceComponents:
        make = partial(kernels.training_kernel, name, training)
        return compared_components(kernels, name, make, training, y, weights)

    every = {name: compared(name) for (name,) in GAUSSIAN_KERNEL.alternatives}
    name = max(every, key=lambda each: every[each].log_likelihood)
    cross = kernels.landmark_kernel(name, training, training, landmarks)
    design = whitened_design(len(training), kernels.fixed(training), weights)
    square = cross[landmarks].astype(np.float64)
    found = landmark_blup(cross, square, y, design, folds, residual=_mean_residual(every.values()))
    residual = found.solved.components.residual / (1.0 if weights is None else weights)
    half = half_width(found.held_out_variance + residual, len(y))
    factor = conformal_quantile(np.abs(y - found.held_out) / half)
    genetic = found.solved.components.kernels[0]
    spread = float(1.0 - (cross.mean(axis=0, dtype=np.float64)).mean())
    share = genetic * spread / (genetic * spread + found.solved.components.residual or 1.0)
    return (
        FittedLandmarkModel(
            names=(name,),
            landmarks=landmarks,
            solved=found.solved,
            variance_shares={GAUSSIAN: share, "residual": 1.0 - share},
            records=len(y),
            notes=(_note(len(y), len(landmarks), factor),),
            interval_factor=factor,
        ),
        found.held_out,
    )


def _mean_residual(every: Iterable[VarianceComponents]) -> float:
    """Residual variance over the bandwidths, by their likelihoods: records tell these hardly apart."""
    found = list(every)
    likelihoods = np.array([each.log_likelihood for each in found])
    weights = np.exp(likelihoods - likelihoods.max())
    return float(np.average([each.residual for each in found], weights=weights))


def landmarks_among(records: int) -> Rows:
    """Numbers of the records that are landmarks.

    Parameters
    ----------
    records
        How many there are.

    Returns
    -------
    ndarray
        3,000 of them drawn at random, always the same ones; all where there are fewer.

    Examples
    --------
    >>> len(landmarks_among(9_000)), landmarks_among(2)
    (3000, array([0, 1]))
    """
    drawn = np.random.default_rng(0).permutation(records)[:_LANDMARKS]
    return np.sort(drawn)


def _note(records: int, landmarks: int, factor: float) -> str:
    return (
        f"{records:,} phenotyped lines were analysed by an approximation of the Gaussian kernel through "
        f"{landmarks:,} of them (Nyström), which predicts less well than the kernel itself would; what a "
        "line shares with none of these counts as unexplained. The 90 % intervals are "
        f"{factor:.2f} times as wide as the model's own, as errors in {_FOLDS} folds ask for."
    )
