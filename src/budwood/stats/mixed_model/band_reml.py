"""REML with one kernel of many records after a reduction to a band, without eigenvectors.

The likelihood of :mod:`budwood.stats.mixed_model.spectral_reml`, to the last digits that rounding leaves, in
about a tenth of its time: see :mod:`budwood.stats.mixed_model.band_reduction`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.polynomial import Chebyshev
from scipy.linalg.blas import dsbmv
from scipy.linalg.lapack import dpbtrf, dpbtrs
from scipy.optimize import minimize_scalar

from budwood.stats.mixed_model.band_reduction import BandMatrix, band_reduction
from budwood.stats.mixed_model.fixed_effects import Matrix, Vector, WhitenedDesign
from budwood.stats.mixed_model.spectral_profile import FINE_GRID, GRID, share_of
from budwood.stats.mixed_model.spectral_reml import spectral_reml
from budwood.stats.mixed_model.variance_components import VarianceComponents

#: Records from which on the band is faster than an eigendecomposition by more than anybody would notice.
BAND_RECORDS: Final = 1_000
#: Every so many-th value of the search grid is tried: a step of 1 in the log odds.
_STRIDE: Final = 2
#: Degree of the polynomial that stands for the likelihood between two steps of the grid.
_DEGREE: Final = 16
#: Smallest eigenvalue, relative to the mean one, with which the band is used in double precision.
_NEGATIVE: Final = 1e-9
#: Rise of the likelihood over the last unit of the log odds that is none: what follows is less.
_NO_RISE: Final = 0.05
#: Logarithms of the columns' variance over that of the rest which are tried first.
_RATIOS: Final = np.linspace(-14.0, 14.0, 57)
#: Largest log odds of the share that single precision can tell.
_SINGLE: Final = 8.0


class KernelReml(Protocol):
    """A kernel decomposed between error contrasts, for any number of traits."""

    def fit(self, y: Vector) -> VarianceComponents:
        """Restricted maximum likelihood estimates of (Vu, Ve).

        Parameters
        ----------
        y
            (n,) records.
        """

    def average(self, y: Vector) -> VarianceComponents:
        """(Vu, Ve) at the mean of the kernel's share over the restricted likelihood.

        Parameters
        ----------
        y
            (n,) records.
        """


@dataclass(frozen=True)
class BandReml:
    """A kernel between error contrasts as a band matrix.

    Attributes
    ----------
    reduced
        The kernel over its mean eigenvalue.
    size
        Mean eigenvalue of the n - q contrasts.
    design
        Fixed effects and weights.
    most_odds
        Largest log odds of the kernel's share that are tried.
    """

    reduced: BandMatrix
    size: float
    design: WhitenedDesign
    most_odds: float

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
        rotated = self._rotated(y)
        grid = GRID[self.most_odds >= GRID][::_STRIDE]
        values = np.array([self._value(t, rotated) for t in grid])
        best = int(np.argmax(values))
        if best == 0 and self._rises_not(rotated):
            return self._components(0.0, 1.0, rotated)
        low, high = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
        curve = Chebyshev.interpolate(
            lambda odds: np.array([self._value(t, rotated) for t in odds]), _DEGREE, [low, high]
        )
        roots = curve.deriv().roots()
        inside = roots.real[(np.abs(roots.imag) < 1e-8) & (roots.real > low) & (roots.real < high)]
        candidates = np.array([low, grid[best], high, *inside])
        found = float(candidates[np.argmax(curve(candidates))])
        share, rest = share_of(found)
        return self._components(float(share), float(rest), rotated)

    def average(self, y: Vector) -> VarianceComponents:
        """(Vu, Ve) at the mean of the kernel's share over the restricted likelihood.

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
        rotated = self._rotated(y)
        grid = FINE_GRID[self.most_odds >= FINE_GRID]
        values = np.array([self._value(t, rotated) for t in grid])
        h, rest = share_of(grid)
        mass = np.exp(values - values.max()) * h * rest
        share = float(mass @ h / mass.sum())
        return self._components(share, 1.0 - share, rotated)

    def unresolved(self, y: Vector) -> bool:
        """Whether the likelihood still rises at the largest share that single precision can tell.

        Parameters
        ----------
        y
            (n,) records.

        Returns
        -------
        bool
            Never in double precision.
        """
        if self.most_odds >= GRID[-1]:
            return False
        rotated = self._rotated(y)
        last, before = (self._value(self.most_odds - step, rotated) for step in (0.0, 1.0))
        return not last - before < _NO_RISE

    @property
    def contrasts(self) -> int:
        """Number of error contrasts."""
        n, q = self.design.basis.shape
        return n - q

    def solve(self, h: float, rest: float, rotated: Matrix) -> tuple[float, Matrix]:
        """Determinant and solution of ``h K / size + rest I`` between contrasts.

        Parameters
        ----------
        h, rest
            The kernel's share and 1 - h, which is above 0.
        rotated
            (n, k) columns in the basis of the band.

        Returns
        -------
        tuple
            Logarithm of the determinant, and the (n, k) solution in the same basis.

        Raises
        ------
        numpy.linalg.LinAlgError
            If the matrix is not positive definite.
        """
        shifted = h * self.reduced.band
        shifted[0] += rest
        factor, failed = dpbtrf(shifted, lower=1, overwrite_ab=1)
        if failed:
            raise np.linalg.LinAlgError("not positive definite")
        solution, _ = dpbtrs(factor, rotated, lower=1)
        # The fixed effects span eigenvalues of 0, which are no contrasts.
        own = self.design.basis.shape[1] * np.log(rest)
        return 2.0 * float(np.log(factor[0]).sum()) - own, solution

    def _rotated(self, y: Vector) -> Matrix:
        return self.reduced.rotated(self.design.varying_response(y)[:, None])

    def _value(self, odds: float, rotated: Matrix) -> float:
        h, rest = share_of(odds)
        try:
            return self._value_at(float(h), float(rest), rotated)[0]
        except np.linalg.LinAlgError:
            return -np.inf

    def _value_at(self, h: float, rest: float, rotated: Matrix) -> tuple[float, float]:
        """Log-likelihood at the best scale, and that scale."""
        determinant, solution = self.solve(h, rest, rotated)
        scale = float(np.vdot(rotated, solution)) / self.contrasts
        degrees = self.contrasts
        return -0.5 * (degrees * (np.log(2.0 * np.pi * scale) + 1.0) + determinant), scale

    def _rises_not(self, rotated: Matrix) -> bool:
        """Whether the likelihood falls from a share of 0 on."""
        image = dsbmv(len(self.reduced.band) - 1, 1.0, self.reduced.band, rotated[:, 0], lower=1)
        return bool(rotated[:, 0] @ image <= rotated[:, 0] @ rotated[:, 0])

    def _components(self, h: float, rest: float, rotated: Matrix) -> VarianceComponents:
        value, scale = self._value_at(h, rest, rotated)
        return VarianceComponents((scale * h / self.size,), scale * rest, value)


def kernel_reml(kernel: Matrix, design: WhitenedDesign, *, single: bool = False) -> KernelReml:
    """Decompose the kernel of n records: by its spectrum, or from 1,000 records on by a band.

    Parameters
    ----------
    kernel
        (n, n) covariance structure between the records.
    design
        Fixed effects and weights of the records.
    single
        Whether single precision is enough, as it is for the likelihoods of alternatives; from 1,000 records.

    Returns
    -------
    KernelReml
        The decomposition, which serves any number of traits.

    Raises
    ------
    BudwoodError
        If the kernel is not positive semidefinite.

    Examples
    --------
    >>> from budwood.stats.mixed_model.fixed_effects import whitened_design
    >>> families = np.kron(np.eye(3), np.ones((2, 2)))
    >>> kernel_reml(families, whitened_design(6)).fit(np.array([1.0, 2.0, 4.0, 4.0, 7.0, 6.0])).residual
    0.33333333333333...
    """
    n, q = design.basis.shape
    if n < BAND_RECORDS:
        return spectral_reml(kernel, design)
    contrast = _contrasts(kernel, design)
    trace = float(np.trace(contrast))
    size = trace / (n - q)
    plain = float(np.einsum("i,i,i->", design.root, design.root, np.diagonal(kernel)))
    if trace <= 1e-12 * plain:
        return spectral_reml(kernel, design)
    contrast /= size
    reduced = band_reduction(contrast.astype(np.float32) if single else contrast)
    if single:
        return BandReml(reduced, size, design, _SINGLE)
    shifted = reduced.band.copy()
    shifted[0] += _NEGATIVE
    # Eigenvalues under 0 are judged, and cut off, one by one.
    if dpbtrf(shifted, lower=1, overwrite_ab=1)[1]:
        return spectral_reml(kernel, design)
    return BandReml(reduced, size, design, float(GRID[-1]))


def columns_reml(decomposition: BandReml, y: Vector, columns: Matrix) -> VarianceComponents:
    """Variance components of a decomposed kernel and of a few columns with a variance in common.

    The likelihood is that of :func:`budwood.stats.mixed_model.average_information.average_information_reml`
    with the kernels K and ``columns columns'``; Woodbury's identity makes each step of the search as cheap as
    without the columns.

    Parameters
    ----------
    decomposition
        Of the kernel of n records, in double precision.
    y
        (n,) records.
    columns
        (n, k) covariates.

    Returns
    -------
    VarianceComponents
        Of the kernel, of the columns, and of the residual.

    Examples
    --------
    >>> from budwood.stats.mixed_model.fixed_effects import whitened_design
    >>> generator = np.random.default_rng(0)
    >>> features, columns = generator.normal(size=(1000, 50)), generator.normal(size=(1000, 2))
    >>> y = features.sum(axis=1) / 7 + columns.sum(axis=1) + generator.normal(size=1000)
    >>> found = columns_reml(kernel_reml(features @ features.T / 50, whitened_design(1000)), y, columns)
    >>> [round(variance) for variance in (*found.kernels, found.residual)]
    [1, 1, 1]
    """
    design, contrasts = decomposition.design, decomposition.contrasts
    response = design.varying_response(y)[:, None]
    covariates = design.residual(design.root[:, None] * columns)
    rotated = decomposition.reduced.rotated(np.column_stack([response, covariates]))

    def best(odds: float) -> tuple[float, float, float]:
        """Log-likelihood at the best ratio of the columns' variance, that ratio, and the scale."""
        h, rest = share_of(odds)
        try:
            determinant, solution = decomposition.solve(float(h), float(rest), rotated)
        except np.linalg.LinAlgError:
            return -np.inf, 0.0, 1.0
        between = rotated.T @ solution
        values, vectors = np.linalg.eigh(between[1:, 1:])
        values, along = np.maximum(values, 0.0), (vectors.T @ between[1:, 0]) ** 2

        def profile(ratio: Vector) -> tuple[Vector, Vector]:
            shrunk = 1.0 + np.multiply.outer(ratio, values)
            left = float(between[0, 0]) - ratio * (along / shrunk).sum(axis=-1)
            scale = left / contrasts
            added = np.log(shrunk).sum(axis=-1)
            return -0.5 * (contrasts * (np.log(2.0 * np.pi * scale) + 1.0) + determinant + added), scale

        steps = _RATIOS - np.log(max(float(values.mean()), 1e-300))
        place = int(np.argmax(profile(np.exp(steps))[0]))
        low, high = steps[max(place - 1, 0)], steps[min(place + 1, len(steps) - 1)]
        search = minimize_scalar(
            lambda step: -float(profile(np.exp(np.array(step)))[0]), bounds=(low, high), method="bounded"
        )
        ratios = np.array([0.0, np.exp(search.x)])
        found, scales = profile(ratios)
        chosen = int(np.argmax(found))
        return float(found[chosen]), float(ratios[chosen]), float(scales[chosen])

    grid = GRID[decomposition.most_odds >= GRID][::_STRIDE]
    place = int(np.argmax([best(t)[0] for t in grid]))
    low, high = grid[max(place - 1, 0)], grid[min(place + 1, len(grid) - 1)]
    search = minimize_scalar(
        lambda t: -best(t)[0], bounds=(low, high), method="bounded", options={"xatol": 1e-7}
    )
    odds = max((float(search.x), low, high), key=lambda t: best(t)[0])
    value, ratio, scale = best(odds)
    h, rest = share_of(odds)
    return VarianceComponents(
        (scale * float(h) / decomposition.size, scale * ratio), scale * float(rest), value
    )


def _contrasts(kernel: Matrix, design: WhitenedDesign) -> Matrix:
    """S K S of the whitened kernel (see :meth:`WhitenedDesign.contrast_kernel`) by one product."""
    whitened = kernel.copy() if np.all(design.root == 1.0) else design.kernel(kernel)
    basis = design.basis
    image = whitened @ basis
    image -= 0.5 * (basis @ (basis.T @ image))
    whitened -= np.concatenate([basis, image], axis=1) @ np.concatenate([image, basis], axis=1).T
    return whitened
