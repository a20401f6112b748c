"""What every trait model is: a description that learns, and a fitted model that predicts any lines.

An :class:`Estimator` learns from training rows of a panel's kernels. What it returns, a
:class:`FittedEstimator`, holds no panel: it predicts :class:`Lines`, which are rows of the panel it was
fitted in (evaluation, fast: kernels are cached) or lines of any other file
(:class:`~budwood.prediction.kernels.training_lines.NewLines`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from budwood.prediction.kernels.panel_kernels import PanelKernels
from budwood.stats.relationship.relationship import Rows

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]

#: Standard errors on either side of a 90 % interval of a genetic value.
NORMAL_90: Final = float(ndtri(0.95))


@dataclass(frozen=True)
class Forecast:
    """Predictions of c lines.

    Attributes
    ----------
    value, standard_error
        (c,) genetic value on the scale of the trait, and the standard error of that estimate.
    reliability
        (c,) squared correlation of predicted and true genetic effect, 0 to 1.
    lower_90, upper_90
        (c,) interval that covers nine in ten observed phenotypes.
    """

    value: Vector
    standard_error: Vector
    reliability: Vector
    lower_90: Vector
    upper_90: Vector


class Lines(Protocol):
    """c lines as a model fitted to n training lines sees them.

    Frequencies, centres, filters and bandwidths are those of the training lines, so a line is seen the same
    way alone, in a batch, inside the panel and in another file.
    """

    def __len__(self) -> int: ...

    def cross(self, kernel: str) -> Matrix:
        """(c, n) kernel of that name between the lines and the training lines.

        Parameters
        ----------
        kernel
            Name of the kernel.
        """

    def own(self, kernel: str) -> Vector:
        """(c,) kernel of each line with itself.

        Parameters
        ----------
        kernel
            Name of the kernel.
        """

    def markers(self) -> Matrix:
        """(c, m) relative allele frequencies minus their training means, missing 0, markers kept."""

    def training_markers(self) -> Matrix:
        """(n, m) the same of the training lines."""

    @property
    def training_position(self) -> Rows:
        """(c,) position of each line among the training lines, -1 for a line that is none of them."""

    @property
    def known_position(self) -> Rows:
        """(c,) the same, -1 also for a training line with other calls than it was fitted with."""

    def marker_products(self, effects: Matrix, *, exact: bool = False) -> Matrix:
        """(c, k) products of :meth:`markers` with columns, made in blocks.

        Parameters
        ----------
        effects
            (m, k) a number for each marker.
        exact
            Whether to multiply in double precision.
        """

    def landmark_kernel(self, kernel: str, landmarks: Rows) -> NDArray[np.float32]:
        """(c, L) Gaussian kernel between the lines and some of the training lines, made in blocks.

        Parameters
        ----------
        kernel
            Name of the kernel.
        landmarks
            (L,) numbers of training lines.
        """

    def unknown_squares(self) -> Vector:
        """(c,) part of ``own("relationship")`` that missing calls have."""


class FittedEstimator(Protocol):
    """A model that has learnt."""

    @property
    def variance_shares(self) -> Mapping[str, float]:
        """Share of the phenotypic variance by source, ``"residual"`` included; they add up to 1."""

    def predict(self, lines: Lines) -> Forecast:
        """Forecast lines; lines do not influence one another.

        Parameters
        ----------
        lines
            c lines as a fitted model sees them.
        """


class Estimator(Protocol):
    """A description of a model."""

    @property
    def name(self) -> str:
        """Name that people read."""

    def fit(
        self, kernels: PanelKernels, training: Rows, y: Vector, weights: Vector | None = None
    ) -> FittedEstimator:
        """Learn from training rows of a panel.

        Parameters
        ----------
        kernels
            The panel.
        training
            (n,) rows of it.
        y, weights
            (n,) trait values and record weights (None for equal ones).
        """


@runtime_checkable
class SeveralTraits(Protocol):
    """An estimator that learns several traits of the same lines for less than one after another."""

    def fit_several(
        self, kernels: PanelKernels, training: Rows, y: Matrix, weights: Vector | None = None
    ) -> tuple[FittedEstimator, ...]:
        """Learn t traits from training rows of a panel.

        Parameters
        ----------
        kernels
            The panel.
        training
            (n,) rows of it.
        y
            (n, t) trait values.
        weights
            (n,) record weights, the same for all traits; None for equal ones.
        """


def fit_several(
    estimator: Estimator, kernels: PanelKernels, training: Rows, y: Matrix, weights: Vector | None = None
) -> tuple[FittedEstimator, ...]:
    """Fit an estimator to several traits of the same lines, together where it can.

    Parameters
    ----------
    estimator
        The model.
    kernels
        The panel.
    training
        (n,) rows of it.
    y
        (n, t) trait values.
    weights
        (n,) record weights, the same for all traits; None for equal ones.

    Returns
    -------
    tuple of FittedEstimator
        One for each trait.
    """
    if isinstance(estimator, SeveralTraits):
        return estimator.fit_several(kernels, training, y, weights)
    return tuple(estimator.fit(kernels, training, np.ascontiguousarray(each), weights) for each in y.T)


def fit_notes(fitted: FittedEstimator) -> tuple[str, ...]:
    """Sentences on what a fit assumed, none for models that have none to say.

    Parameters
    ----------
    fitted
        A fitted model.

    Returns
    -------
    tuple[str, ...]
        Sentences.
    """
    return tuple(getattr(fitted, "notes", ()))


def observation_half(half: Vector, standard_error: Vector) -> Vector:
    """(c,) half-widths of intervals of a new observation, none under that of the genetic value.

    A new observation errs by what the genetic value errs, and by its own residual.

    Parameters
    ----------
    half
        (c,) half-widths that errors on held-out records ask for.
    standard_error
        (c,) of the genetic values.

    Returns
    -------
    Vector
        (c,) one number for each line.
    """
    return np.maximum(half, NORMAL_90 * standard_error)


def scaled_interval(forecast: Forecast, factor: Vector) -> Forecast:
    """The forecast with the half-width of its interval multiplied by ``factor``, (c,); the centre stays.

    It is never narrower than the interval of the genetic value.

    Parameters
    ----------
    forecast
        c lines.
    factor
        (c,) positive factors.

    Returns
    -------
    Forecast
        (c,) values, standard errors and intervals.
    """
    half = 0.5 * (forecast.upper_90 - forecast.lower_90) * factor
    half = observation_half(half, forecast.standard_error)
    return Forecast(
        forecast.value,
        forecast.standard_error,
        forecast.reliability,
        forecast.value - half,
        forecast.value + half,
    )
