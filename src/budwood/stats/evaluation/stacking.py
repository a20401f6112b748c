"""Weights of several predictors from what each predicted for records it had not seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

#: Standard deviations of the weights before any record is seen, in units of an equal weight; the held-out
#: records say how likely each is.
_PRIOR_WIDTHS: Final = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0)
#: Difference in log evidence from the best width at which a width is ruled out.
_RULED_OUT: Final = 20.0

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


def stacking_weights(
    held_out: Matrix, y: Vector, record_weights: Vector | None = None, prior: Vector | None = None
) -> StackingWeights:
    """Non-negative least squares on held-out predictions (Breiman 1996, Machine Learning 24:49).

    Kernel models of one trait nearly repeat one another, so plain weights are mostly noise. They are shrunk
    towards prior ones as the posterior mode under a prior of standard deviation s / k, with the residual
    variance that the prior weights leave. How much they are shrunk is for the records to say: the weights of
    several s are averaged by the evidence (marginal likelihood) of each. Where held-out records cannot tell
    the predictors apart, a narrow prior fits as well as a wide one and has the higher evidence.

    Parameters
    ----------
    held_out
        (n, k) prediction of each record by each predictor, made without the record.
    y
        (n,) records.
    record_weights
        (n,), 1 by default.
    prior
        (k,) weights to shrink towards, equal ones by default; they add up to 1.

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
    towards = np.full(k, 1.0 / k) if prior is None else np.asarray(prior, dtype=np.float64)
    w = np.ones(n) if record_weights is None else record_weights / record_weights.mean()
    centre, mean = np.average(held_out, axis=0, weights=w), float(np.average(y, weights=w))
    root = np.sqrt(w)
    x, response = root[:, None] * (held_out - centre), root * (y - mean)
    size = float(np.linalg.norm(response)) / np.sqrt(n) or 1.0
    x, response = x / size, response / size
    left = response - x @ towards
    residual = float(np.mean(left**2))
    weights = np.zeros(k)
    for width, share in zip(_PRIOR_WIDTHS, _evidence(x, left, residual), strict=True):
        pull = np.sqrt(residual) * k / width
        stacked = np.vstack([x, pull * np.eye(k)])
        weights += share * nnls(stacked, np.concatenate([response, pull * towards]))[0]
    return StackingWeights(weights, mean - float(centre @ weights))


def _evidence(x: Matrix, left: Vector, residual: float) -> Vector:
    """Share of each prior width, by the marginal likelihood of what the prior weights leave.

    ``left ~ N(0, s2 (I + t x x'))`` with ``t`` the variance of the weights over the residual variance, and s2
    at its maximum.
    """
    n, k = x.shape
    if residual <= 0.0:
        return np.full(len(_PRIOR_WIDTHS), 1.0 / len(_PRIOR_WIDTHS))
    values, vectors = np.linalg.eigh(x.T @ x)
    values, along = np.maximum(values, 0.0), (vectors.T @ (x.T @ left)) ** 2
    log = np.empty(len(_PRIOR_WIDTHS))
    for place, width in enumerate(_PRIOR_WIDTHS):
        t = (width / k) ** 2 / residual
        spread = float(left @ left) - float(np.sum(t * along / (1.0 + t * values)))
        log[place] = -0.5 * (n * np.log(max(spread, 1e-300)) + np.log1p(t * values).sum())
    # Widths that the records rule out have no part at all.
    shares = np.where(log > log.max() - _RULED_OUT, np.exp(log - log.max()), 0.0)
    return np.asarray(shares / shares.sum(), dtype=np.float64)
