"""REML with one kernel after a single eigendecomposition.

Kang et al. (2008), Genetics 178:1709: in the eigenbasis of S K S, with S the projection off the fixed
effects, the n - q error contrasts are independent with variances Vu * lambda_i + Ve. One eigendecomposition
serves any number of traits, and each step of the search costs O(n).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.optimize import brentq, minimize_scalar

from budwood.errors import BudwoodError
from budwood.stats.mixed_model.fixed_effects import Matrix, Vector, WhitenedDesign
from budwood.stats.mixed_model.variance_components import VarianceComponents

#: Search grid of the log odds of the kernel's share; its ends are shares of 3e-7 and 1 - 3e-7.
_GRID: Final = np.linspace(-15.0, 15.0, 61)

#: Log odds over which the likelihood is averaged.
_FINE_GRID: Final = np.linspace(-12.0, 12.0, 193)


@dataclass(frozen=True)
class SpectralReml:
    """Eigendecomposition of a kernel between error contrasts.

    Attributes
    ----------
    values
        (n - q,) eigenvalues, none negative.
    vectors
        (n, n - q) eigenvectors, orthogonal to the whitened fixed effects.
    design
        Fixed effects and weights.
    """

    values: Vector
    vectors: Matrix
    design: WhitenedDesign

    def fit(self, y: Vector) -> VarianceComponents:
        """Restricted maximum likelihood estimates of (Vu, Ve).

        Parameters
        ----------
        y
            (n,) records.

        Returns
        -------
        VarianceComponents
            The estimates.

        Raises
        ------
        BudwoodError
            If the records do not vary or one is not finite.
        """
        profile, size = self._profile(y)
        kernel, residual = profile.maximum() if size > 0.0 else (0.0, 1.0)
        return profile.components(kernel, residual, size or 1.0)

    def average(self, y: Vector) -> VarianceComponents:
        """(Vu, Ve) at the mean of the kernel's share over the restricted likelihood.

        The likelihood, integrated over the scale, is weighed by a flat prior of the share. Where few records
        put the maximum at 0 or 1, the mean says what shares they are compatible with.

        Parameters
        ----------
        y
            (n,) records.

        Returns
        -------
        VarianceComponents
            The averages.

        Raises
        ------
        BudwoodError
            If the records do not vary or one is not finite.
        """
        profile, size = self._profile(y)
        share = profile.mean_share() if size > 0.0 else 0.0
        return profile.components(share, 1.0 - share, size or 1.0)

    def _profile(self, y: Vector) -> tuple[_Profile, float]:
        """Profile of the likelihood, and the mean eigenvalue by which its eigenvalues were divided."""
        squares = (self.vectors.T @ self.design.varying_response(y)) ** 2
        size = max(float(self.values.mean()), 0.0)
        return _Profile(self.values / (size or 1.0), squares), size


def spectral_reml(kernel: Matrix, design: WhitenedDesign) -> SpectralReml:
    """Decompose the kernel of n records.

    Parameters
    ----------
    kernel
        (n, n) covariance structure between the records.
    design
        Fixed effects and weights of the records.

    Returns
    -------
    SpectralReml
        The decomposition, which serves any number of traits.

    Raises
    ------
    BudwoodError
        If the kernel is not positive semidefinite.

    Examples
    --------
    >>> from budwood.stats.mixed_model.fixed_effects import whitened_design
    >>> families = np.kron(np.eye(3), np.ones((2, 2)))
    >>> spectral_reml(families, whitened_design(6)).values.round(6)
    array([0., 0., 0., 2., 2.])
    """
    n, q = design.fixed.shape
    contrast = design.contrast_kernel(kernel)
    # The fixed effects span q eigenvalues of 0. Adding `shift` everywhere else sets them apart from the
    # kernel's own zeros (a centred kernel has some).
    shift = float(np.trace(contrast)) / n or 1.0
    contrast -= shift * (design.basis @ design.basis.T)
    contrast[np.diag_indices(n)] += shift
    values, vectors = eigh(contrast, driver="evd", overwrite_a=True, check_finite=False)
    values = values[q:] - shift
    if values[0] < -1e-6 * max(float(values[-1]), shift):
        raise BudwoodError(
            "a kernel is not positive semidefinite", mend="build it from features, not from pairwise scores"
        )
    return SpectralReml(np.maximum(values, 0.0), vectors[:, q:], design)


@dataclass(frozen=True)
class _Profile:
    """Profile REML log-likelihood in the kernel's share h: contrast variances s2 * (h * l + 1 - h)."""

    eigenvalues: NDArray[np.float64]
    squares: NDArray[np.float64]

    def value(self, h: float, rest: float) -> float:
        d = h * self.eigenvalues + rest
        return self._value_of(d[None, :]).item()

    def _value_of(self, d: NDArray[np.float64]) -> NDArray[np.float64]:
        df = d.shape[1]
        scale = (self.squares / d).sum(axis=1) / df
        return -0.5 * (df * (np.log(2.0 * np.pi * scale) + 1.0) + np.log(d).sum(axis=1))

    def slope(self, h: float, rest: float) -> float:
        """Derivative with respect to h."""
        d = h * self.eigenvalues + rest
        change = (self.eigenvalues - 1.0) / d
        share = self.squares / d
        return 0.5 * float(len(d) * (share @ change) / share.sum() - change.sum())

    def maximum(self) -> tuple[float, float]:
        """The share h of highest likelihood as (h, 1 - h); exactly (0, 1) where the kernel explains nothing.

        The grid guards against local maxima, the root of the derivative gives the digits.
        """
        h, rest = _share(_GRID)
        values = self._value_of(h[:, None] * self.eigenvalues + rest[:, None])
        best = int(np.argmax(values))
        if best == 0 and self.slope(0.0, 1.0) <= 0.0:
            return 0.0, 1.0
        low, high = _GRID[max(best - 1, 0)], _GRID[min(best + 1, len(_GRID) - 1)]
        left, right = self._slope_at(low), self._slope_at(high)
        if left > 0.0 > right:
            found = brentq(self._slope_at, low, high, xtol=1e-12, rtol=1e-14)
        else:
            search = minimize_scalar(
                lambda t: -self.value(*map(float, _share(t))), bounds=(low, high), method="bounded"
            )
            found = float(search.x)
        share, remainder = _share(found)
        return float(share), float(remainder)

    def mean_share(self) -> float:
        """Mean of h over the likelihood."""
        h, rest = _share(_FINE_GRID)
        values = self._value_of(h[:, None] * self.eigenvalues + rest[:, None])
        # Steps are even in the log odds, whose derivative by h is 1 / (h (1 - h)).
        mass = np.exp(values - values.max()) * h * rest
        return float(mass @ h / mass.sum())

    def _slope_at(self, t: float) -> float:
        h, rest = _share(t)
        return self.slope(float(h), float(rest))

    def components(self, h: float, rest: float, size: float) -> VarianceComponents:
        d = h * self.eigenvalues + rest
        scale = float((self.squares / d).mean())
        return VarianceComponents((scale * h / size,), scale * rest, self.value(h, rest))


def _share(t: float | NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Share and remainder of log odds t, both exact where the other is close to 1."""
    odds = np.exp(np.asarray(t))
    return odds / (1.0 + odds), 1.0 / (1.0 + odds)
