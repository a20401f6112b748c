"""Restricted likelihood of one kernel's share of the variance, from a spectrum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize_scalar

from budwood.stats.mixed_model.variance_components import VarianceComponents

Vector = NDArray[np.float64]

#: Search grid of the log odds of the kernel's share; its ends are shares of 3e-7 and 1 - 3e-7.
GRID: Final = np.linspace(-15.0, 15.0, 61)

#: Log odds over which the likelihood is averaged.
FINE_GRID: Final = np.linspace(-12.0, 12.0, 193)


@dataclass(frozen=True)
class SpectralProfile:
    """Profile REML log-likelihood in the kernel's share h: contrast variances s2 * (h * l + 1 - h).

    Attributes
    ----------
    eigenvalues
        (k,) eigenvalues l of the kernel between error contrasts, or nodes that stand for them.
    squares
        (k,) squared records on each eigenvector, or what of the records' square belongs to each node.
    counts
        (k,) number of contrasts of each: 1 for eigenvalues, any positive number for nodes.
    """

    eigenvalues: Vector
    squares: Vector
    counts: Vector

    def value(self, h: float, rest: float) -> float:
        """Log-likelihood, constants included.

        Parameters
        ----------
        h, rest
            The kernel's share and 1 - h, both exact where the other is close to 1.

        Returns
        -------
        float
            At the best scale for that share.
        """
        d = h * self.eigenvalues + rest
        return self._value_of(d[None, :]).item()

    def _value_of(self, d: Vector) -> Vector:
        df = float(self.counts.sum())
        scale = (self.squares / d).sum(axis=1) / df
        return -0.5 * (df * (np.log(2.0 * np.pi * scale) + 1.0) + (self.counts * np.log(d)).sum(axis=1))

    def slope(self, h: float, rest: float) -> float:
        """Derivative of the log-likelihood with respect to h.

        Parameters
        ----------
        h, rest
            The kernel's share and 1 - h.

        Returns
        -------
        float
            Per unit of the share.
        """
        d = h * self.eigenvalues + rest
        change = (self.eigenvalues - 1.0) / d
        share = self.squares / d
        df = float(self.counts.sum())
        return 0.5 * float(df * (share @ change) / share.sum() - (self.counts * change).sum())

    def maximum(self) -> tuple[float, float]:
        """The share h of highest likelihood as (h, 1 - h); exactly (0, 1) where the kernel explains nothing.

        The grid guards against local maxima, the root of the derivative gives the digits.

        Returns
        -------
        tuple of float
            Share and remainder.
        """
        h, rest = share_of(GRID)
        values = self._value_of(h[:, None] * self.eigenvalues + rest[:, None])
        best = int(np.argmax(values))
        if best == 0 and self.slope(0.0, 1.0) <= 0.0:
            return 0.0, 1.0
        low, high = GRID[max(best - 1, 0)], GRID[min(best + 1, len(GRID) - 1)]
        left, right = self._slope_at(low), self._slope_at(high)
        if left > 0.0 > right:
            found = brentq(self._slope_at, low, high, xtol=1e-12, rtol=1e-14)
        else:
            search = minimize_scalar(
                lambda t: -self.value(*map(float, share_of(t))), bounds=(low, high), method="bounded"
            )
            found = float(search.x)
        share, remainder = share_of(found)
        return float(share), float(remainder)

    def mean_share(self) -> float:
        """Mean of h over the likelihood.

        Returns
        -------
        float
            From 0 to 1.
        """
        h, rest = share_of(FINE_GRID)
        values = self._value_of(h[:, None] * self.eigenvalues + rest[:, None])
        # Steps are even in the log odds, whose derivative by h is 1 / (h (1 - h)).
        mass = np.exp(values - values.max()) * h * rest
        return float(mass @ h / mass.sum())

    def _slope_at(self, t: float) -> float:
        h, rest = share_of(t)
        return self.slope(float(h), float(rest))

    def components(self, h: float, rest: float, size: float) -> VarianceComponents:
        """Variance components at a share.

        Parameters
        ----------
        h, rest
            The kernel's share and 1 - h.
        size
            What the kernel's eigenvalues were divided by.

        Returns
        -------
        VarianceComponents
            Of the kernel as it was, and of the residual.
        """
        d = h * self.eigenvalues + rest
        scale = float((self.squares / d).sum() / self.counts.sum())
        return VarianceComponents((scale * h / size,), scale * rest, self.value(h, rest))


def share_of(t: float | Vector) -> tuple[Vector, Vector]:
    """Share and remainder of log odds t, both exact where the other is close to 1.

    Parameters
    ----------
    t
        Log odds of the share.

    Returns
    -------
    tuple
        Share and 1 - share.

    Examples
    --------
    >>> share_of(0.0)
    (np.float64(0.5), np.float64(0.5))
    """
    odds = np.exp(np.asarray(t))
    return odds / (1.0 + odds), 1.0 / (1.0 + odds)
