"""REML with several kernels by average information.

Gilmour, Thompson and Cullis (1995), Biometrics 51:1440: Newton steps with the mean of observed and expected
information, which needs products with vectors only. Components stay at or above 0 by projection (a
component at 0 leaves it only when the likelihood rises); a step that gains nothing is damped and, failing
that, replaced by an expectation-maximisation step or by setting a falling component to 0, neither of which
can lose.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve, solve
from scipy.linalg.lapack import dpotri

from budwood.errors import BudwoodError
from budwood.stats.mixed_model.fixed_effects import Matrix, Vector, WhitenedDesign
from budwood.stats.mixed_model.variance_components import VarianceComponents

_ITERATIONS: Final = 200
#: Added to the information's diagonal, relative to its mean, until a step gains (Levenberg 1944): between
#: near twins the information is almost singular, and Newton's step overshoots however often it is halved.
_DAMPINGS: Final = (1e-10, 1e-6, 1e-4, 1e-2, 0.1, 1.0, 10.0, 100.0, 1e4)
#: Log-likelihood that no interval or test could tell from nothing.
_SMALL_GAIN: Final = 1e-4
#: Smallest residual share: keeps the covariance invertible when kernels fit the records exactly.
_FLOOR: Final = 1e-7


@dataclass(frozen=True)
class _Point:
    """The likelihood and what its derivatives need at one value of the components."""

    components: Vector
    log_likelihood: float
    factor: Matrix
    projected: Vector


@dataclass(frozen=True)
class _Problem:
    """Kernels between contrasts (mean eigenvalue 1, the last is the residual) and scaled records."""

    kernels: tuple[Matrix, ...]
    response: Vector
    basis: Matrix

    @property
    def degrees(self) -> int:
        return len(self.response) - self.basis.shape[1]

    @property
    def lower(self) -> Vector:
        bound = np.zeros(len(self.kernels))
        bound[-1] = _FLOOR
        return bound

    def at(self, components: Vector) -> _Point | None:
        """Evaluate; None where the covariance is numerically singular."""
        covariance = self.basis @ self.basis.T
        for weight, kernel in zip(components, self.kernels, strict=True):
            if weight > 0.0:
                covariance += weight * kernel
        try:
            factor, _ = cho_factor(covariance, lower=True, overwrite_a=True, check_finite=False)
        except LinAlgError:
            return None
        projected = cho_solve((factor, True), self.response, check_finite=False)
        log_determinant = 2.0 * float(np.log(np.diagonal(factor)).sum())
        quadratic = float(self.response @ projected)
        value = -0.5 * (self.degrees * np.log(2.0 * np.pi) + log_determinant + quadratic)
        return _Point(components, value, factor, projected)

    def derivatives(self, point: _Point) -> tuple[Vector, Matrix]:
        """Gradient of the log-likelihood and average information."""
        inverse, _ = dpotri(point.factor, lower=1)
        inverse = np.tril(inverse) + np.tril(inverse, -1).T
        working = np.column_stack([kernel @ point.projected for kernel in self.kernels])
        traces = np.array([np.vdot(inverse, kernel) for kernel in self.kernels])
        gradient = -0.5 * (traces - point.projected @ working)
        information = 0.5 * working.T @ cho_solve((point.factor, True), working, check_finite=False)
        return gradient, information


def average_information_reml(
    y: Vector, kernels: Sequence[Matrix], design: WhitenedDesign
) -> VarianceComponents:
    """Restricted maximum likelihood estimates for any number of kernels.

    Parameters
    ----------
    y
        (n,) records.
    kernels
        (n, n) each, positive semidefinite.
    design
        Fixed effects and weights of the records.

    Returns
    -------
    VarianceComponents
        Estimates, one for each kernel and the residual.

    Raises
    ------
    BudwoodError
        If the records do not vary or the search does not settle.

    Examples
    --------
    >>> from budwood.stats.mixed_model.fixed_effects import whitened_design
    >>> y = np.array([1.0, 1.2, 3.0, 3.4, 2.0, 2.1])
    >>> families = np.kron(np.eye(3), np.ones((2, 2)))
    >>> found = average_information_reml(y, [families, np.ones((6, 6))], whitened_design(6))
    >>> bool(found.kernels[0] > found.residual), found.kernels[1]
    (True, 0.0)
    """
    n, q = design.fixed.shape
    response = design.varying_response(y)
    variance = float(response @ response) / (n - q)
    contrasts = [design.contrast_kernel(kernel) for kernel in kernels]
    traces = np.array([float(np.trace(c)) / (n - q) for c in contrasts])
    sizes = np.where(traces > 0.0, traces, 1.0)
    identity = np.eye(n) - design.basis @ design.basis.T
    scaled = (*(c / size for c, size in zip(contrasts, sizes, strict=True)), identity)
    problem = _Problem(scaled, response / np.sqrt(variance), design.basis)
    point = _maximise(problem)
    found = point.components * variance
    log_likelihood = point.log_likelihood - 0.5 * (n - q) * np.log(variance)
    # The likelihood is the same for any variance of a kernel that the fixed effects absorb.
    estimates = tuple(np.where(traces > 0.0, found[:-1] / sizes, 0.0).tolist())
    return VarianceComponents(estimates, float(found[-1]), float(log_likelihood))


def _maximise(problem: _Problem) -> _Point:
    point = _start(problem)
    idle = 0
    for _ in range(_ITERATIONS):
        gradient, information = problem.derivatives(point)
        following = _step(problem, point, gradient, information)
        gain = following.log_likelihood - point.log_likelihood
        moved = float(np.max(np.abs(following.components - point.components)))
        idle = idle + 1 if gain <= 1e-8 else 0
        # Kernels that nearly repeat one another leave a ridge along which components go on drifting.
        if idle > 2 or (gain <= 1e-10 and moved <= 1e-7):
            return following if gain > 0.0 else point
        point = following
    if gain < _SMALL_GAIN:
        return point
    raise BudwoodError(
        f"variance components did not settle in {_ITERATIONS} steps",
        mend="leave out a kernel that nearly repeats another",
    )


def _start(problem: _Problem) -> _Point:
    """The best of a coarse grid of shares: guards against local maxima and saves steps."""
    k = len(problem.kernels) - 1
    levels = (0.02, 0.3, 0.6) if k <= 3 else (0.1, 0.4)
    shares = [s for s in product(levels, repeat=k) if sum(s) < 1.0]
    points = [problem.at(np.array([*s, 1.0 - sum(s)])) for s in shares or [(0.5 / k,) * k]]
    return max((p for p in points if p is not None), key=lambda p: p.log_likelihood)


def _step(problem: _Problem, point: _Point, gradient: Vector, information: Matrix) -> _Point:
    """One ascent step from the point, never losing likelihood."""
    theta, lower = point.components, problem.lower
    for damping in _DAMPINGS:
        direction = _direction(theta - lower, gradient, information, damping)
        candidate = problem.at(np.maximum(theta + direction, lower))
        if candidate is not None and candidate.log_likelihood > point.log_likelihood:
            # A small gain may be the end of the climb, or a creep towards a bound that can be tried at once.
            small = candidate.log_likelihood - point.log_likelihood < _SMALL_GAIN
            return _fallback(problem, candidate, gradient) if small else candidate
    return _fallback(problem, point, gradient)


def _direction(room: Vector, gradient: Vector, information: Matrix, damping: float) -> Vector:
    """Newton's direction, components that would fall through their bound stopped at it.

    What is left free is solved for again given those, so that near twins do not pull one another through.
    """
    free = (room > 1e-9) | (gradient > 0.0)
    direction = np.zeros_like(room)
    while free.any():
        block = information[np.ix_(free, free)]
        ridge = damping * float(np.trace(block)) / len(block) * np.eye(len(block))
        pull = gradient[free] - information[np.ix_(free, ~free)] @ direction[~free]
        direction[free] = solve(block + ridge, pull, assume_a="pos")
        fallen = free & (direction < -room)
        if not fallen.any():
            break
        direction[fallen] = -room[fallen]
        free &= ~fallen
    return direction


def _fallback(problem: _Problem, point: _Point, gradient: Vector) -> _Point:
    """The best of an expectation-maximisation step and of trying each falling component at its bound.

    Near 0 an expectation-maximisation step is as small as the component, so that it alone would creep
    towards a bound that can be tried at once.
    """
    theta, lower = point.components, problem.lower
    trials = [np.maximum(theta + 2.0 * theta**2 * gradient / problem.degrees, lower)]
    for falling in np.flatnonzero((gradient < 0.0) & (theta > lower)):
        trial = theta.copy()
        trial[falling] = lower[falling]
        trials.append(trial)
    reached = [problem.at(trial) for trial in trials]
    return max((point, *(r for r in reached if r is not None)), key=lambda r: r.log_likelihood)
