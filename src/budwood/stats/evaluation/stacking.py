"""Weights of several predictors from what each predicted for records it had not seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

#: Standard deviation of the weights before any record is seen, in units of an equal weight.
_PRIOR_WIDTH: Final = 2.0

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]


@dataclass(frozen=True)
class StackingWeights:
    """``y = intercept + sum_k weights[k] prediction_k``.

    Attributes
    ----------
    weights
        (k,) none negative; they need not add up to 1.
    intercept
        On the scale of the records.
    """

    weights: Vector
    intercept: float

    def combine(self, predictions: Matrix) -> Vector:
        """Combine the predictions of k predictors.

        Parameters
        ----------
        predictions
            (c, k) predictions of c lines.

        Returns
        -------
        ndarray
            (c,) one prediction for each line.
        """
        return self.intercept + predictions @ self.weights


def stacking_weights(held_out: Matrix, y: Vector, record_weights: Vector | None = None) -> StackingWeights:
    """Non-negative least squares on held-out predictions (Breiman 1996, Machine Learning 24:49).

    Kernel models of one trait nearly repeat one another, so plain weights are mostly noise. They are shrunk
    towards equal ones as the posterior mode under a prior of mean 1 / k and standard deviation 2 / k, with
    the residual variance that equal weights leave.

    Parameters
    ----------
    held_out
        (n, k) prediction of each record by each predictor, made without the record.
    y
        (n,) records.
    record_weights
        (n,), 1 by default.

    Returns
    -------
    StackingWeights
        Weights and intercept.

    Examples
    --------
    >>> y = np.linspace(-1.0, 1.0, 50)
    >>> found = stacking_weights(np.column_stack([y, np.zeros(50)]), y)
    >>> bool(found.weights[0] > 0.9)
    True
    """
    n, k = held_out.shape
    w = np.ones(n) if record_weights is None else record_weights / record_weights.mean()
    centre, mean = np.average(held_out, axis=0, weights=w), float(np.average(y, weights=w))
    root = np.sqrt(w)
    x, response = root[:, None] * (held_out - centre), root * (y - mean)
    size = float(np.linalg.norm(response)) / np.sqrt(n) or 1.0
    x, response = x / size, response / size
    residual = float(np.mean((response - x.mean(axis=1)) ** 2))
    pull = np.sqrt(residual) * k / _PRIOR_WIDTH
    stacked = np.vstack([x, pull * np.eye(k)])
    weights, _ = nnls(stacked, np.concatenate([response, np.full(k, pull / k)]))
    return StackingWeights(weights, mean - float(centre @ weights))
