"""Elastic net on markers."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from budwood.prediction.contract import Lines
from budwood.prediction.uncertainty.cross_fit import CrossFit, TrainingSet
from budwood.prediction.uncertainty.cross_fit_model import CrossFitModel
from budwood.prediction.uncertainty.inner_folds import inner_splits

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]


@dataclass(frozen=True)
class ElasticNet:
    """Zou and Hastie (2005), Journal of the Royal Statistical Society B 67:301.

    The penalty's strength is the one of least squared error over the inner folds.

    Attributes
    ----------
    ridge_share
        Share of the penalty that is ridge; the rest selects markers.
    strengths, weakest
        Number of strengths tried, evenly on a log scale from the one that leaves no marker down to this
        multiple of it.
    markers
        Most markers used, evenly spaced.
    """

    ridge_share: float = 0.9
    strengths: int = 15
    weakest: float = 0.01
    markers: int = 6000

    def cross_fit(self, training: TrainingSet) -> CrossFit:
        """Choose the strength in inner folds; held-out predictions are theirs at that strength.

        Parameters
        ----------
        training
            (n,) rows of the training lines in the panel.

        Returns
        -------
        CrossFit
            The fitted predictor, and its prediction of each training record from inner folds without it.
        """
        columns = training.columns(self.markers)
        own, y = training.markers()[:, columns], training.y
        strengths = self._strengths(own, y)
        held_out = np.empty((len(y), self.strengths))
        for rows, held in inner_splits(training.folds):
            path = self._path(own[rows], y[rows], training.weights_of(rows), strengths)
            held_out[held] = path.predict(own[held])
        weights = np.ones(len(y)) if training.weights is None else training.weights
        best = int(np.argmin(weights @ (y[:, None] - held_out) ** 2))
        path = self._path(own, y, training.weights, strengths[: best + 1])
        return CrossFit(
            held_out[:, best], MarkerEffects(columns, path.centre, path.mean, path.effects[:, best].copy())
        )

    def _strengths(self, features: Matrix, y: Vector) -> Vector:
        """Falling; the first leaves no marker."""
        largest = float(np.abs((features - features.mean(axis=0)).T @ (y - y.mean())).max())
        most = largest / (len(y) * (1.0 - self.ridge_share)) or 1.0
        return most * np.geomspace(1.0, self.weakest, self.strengths)

    def _path(self, features: Matrix, y: Vector, weights: Vector | None, strengths: Vector) -> _Path:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import enet_path

        w = np.ones(len(y)) if weights is None else weights / weights.mean()
        centre, mean = np.average(features, axis=0, weights=w), float(np.average(y, weights=w))
        root = np.sqrt(w)
        x, response = np.asfortranarray(root[:, None] * (features - centre)), root * (y - mean)
        # The solver's tolerances are absolute in places: it sees records of unit variance.
        scale = float(np.std(y))
        if scale == 0.0:
            return _Path(centre, mean, np.zeros((features.shape[1], len(strengths))))
        with warnings.catch_warnings():
            # A path that stops short of the optimum is still an estimate, and held-out errors judge it.
            warnings.simplefilter("ignore", ConvergenceWarning)
            _, effects, _ = enet_path(
                x,
                response / scale,
                l1_ratio=1.0 - self.ridge_share,
                alphas=strengths / scale,
                tol=1e-3,
                max_iter=200,
            )
        return _Path(centre, mean, scale * effects)


@dataclass(frozen=True)
class _Path:
    """Marker effects at each strength, (m, strengths)."""

    centre: Vector
    mean: float
    effects: Matrix

    def predict(self, features: Matrix) -> Matrix:
        return self.mean + (features - self.centre) @ self.effects


@dataclass(frozen=True)
class MarkerEffects:
    """A linear predictor on markers.

    Attributes
    ----------
    columns
        (k,) markers used.
    centre, effects
        (k,) what is subtracted from each, and its effect.
    mean
        Prediction at the centre.
    """

    columns: NDArray[np.intp]
    centre: Vector
    mean: float
    effects: Vector

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
        return self.mean + (lines.markers()[:, self.columns] - self.centre) @ self.effects


ELASTIC_NET = CrossFitModel("Elastic net", ElasticNet())
