"""Best linear unbiased prediction through marker effects, for any number of lines.

The model is that of :mod:`budwood.stats.mixed_model.blup` with the relationship ``G = c (Z Z' + D)``. Its
equations are solved by products with Z alone. A line's effect is ``z b`` with the marker effects
``b = Vu c Z' P y`` (and, for a training line with missing calls, what its own record says of them).

Prediction-error variances come from N samples of the model itself (García-Cortés and others 1992; Hickey and
others 2009, Genetics Selection Evolution 41:23): effects and residuals are drawn, predicted and compared.
``Var(u) - Var(u_hat)`` and ``Var(u_hat - u)`` are two independent estimates of the same variance, the first
the better one where little is known of a line, the second where much is; their weighted mean is used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from budwood.stats.matrix_free.conjugate_gradients import solve_columns
from budwood.stats.matrix_free.krylov_space import KrylovSpace
from budwood.stats.matrix_free.whitened_relationship import WhitenedRelationship
from budwood.stats.mixed_model.blup import LinePrediction
from budwood.stats.mixed_model.variance_components import VarianceComponents

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]

#: Relative residual of the records' equations, and of those of the samples.
_RECORDS: Final = 1e-7
_SAMPLES: Final = 1e-3
#: Most directions of the preconditioner.
_DIRECTIONS: Final = 400


class MarkerProducts(Protocol):
    """Products of the centred markers of c lines with columns."""

    def __call__(self, effects: Matrix, *, exact: bool = False) -> Matrix:
        """(c, k) products.

        Parameters
        ----------
        effects
            (m, k) a number for each marker.
        exact
            Whether to multiply in double precision.
        """


@dataclass(frozen=True, kw_only=True)
class MarkerBlup:
    """Solved equations of n records, in terms of m markers.

    Attributes
    ----------
    components
        Variance components.
    fixed_effects, fixed_covariance
        (q,) generalised least squares estimates and their (q, q) covariance.
    effects
        (m,) marker effects.
    fixed_shift
        (m, q) what ``z`` is multiplied by to give ``C' V^-1 X``, C the covariance of a line with the records.
    sampled_effects, sampled_errors
        (m, N) marker effects predicted from each sample, and these minus the true ones of the sample.
    unknown_weight
        Weight of ``Var(u) - Var(u_hat)`` in the error variance; the rest is that of ``Var(u_hat - u)``.
    unit
        What squares of centred markers are multiplied by to be relationships.
    training_effect, training_shift, training_pev
        (n,), (n, q) and (n,) effect, ``C' V^-1 X`` and error variance of the effect of the training lines.
    monte_carlo_error
        Relative Monte Carlo error of the standard error of a line of the mean reliability.
    residual
        Relative residual of the records' equations.
    passes
        Passes over the markers.
    """

    components: VarianceComponents
    fixed_effects: Vector
    fixed_covariance: Matrix
    effects: Vector
    fixed_shift: Matrix
    sampled_effects: NDArray[np.float32]
    sampled_errors: NDArray[np.float32]
    unknown_weight: float
    unit: float
    training_effect: Vector
    training_shift: Matrix
    training_pev: Vector
    monte_carlo_error: float
    residual: float
    passes: int

    def predict(
        self,
        marker_products: MarkerProducts,
        own: Vector,
        unknown: Vector,
        position: NDArray[np.intp],
        *,
        fixed: Matrix,
    ) -> LinePrediction:
        """Predict lines.

        Parameters
        ----------
        marker_products
            Products of the lines' centred markers with columns.
        own, unknown
            (c,) relationship of each line with itself, and the part of it that missing calls have.
        position
            (c,) position of training lines with the calls that were fitted, -1 for other lines.
        fixed
            (c, q) fixed effects of the lines.

        Returns
        -------
        LinePrediction
            Effects, values and their error variances.
        """
        count = self.sampled_effects.shape[1]
        estimated = np.column_stack([self.effects, self.fixed_shift])
        sampled = np.concatenate([self.sampled_effects, self.sampled_errors], axis=1, dtype=np.float64)
        found, drawn = marker_products(estimated, exact=True), marker_products(sampled)
        effect, shift = found[:, 0], found[:, 1:]
        variance = self.components.kernels[0] * own
        hidden = self.components.kernels[0] * unknown
        pev = error_variance(variance, drawn[:, :count], drawn[:, count:], hidden, self.unknown_weight)
        known = position >= 0
        effect[known] = self.training_effect[position[known]]
        shift[known] = self.training_shift[position[known]]
        pev[known] = self.training_pev[position[known]]
        value = fixed @ self.fixed_effects + effect
        of_value = np.maximum(
            pev + np.einsum("ij,jk,ik->i", fixed - 2.0 * shift, self.fixed_covariance, fixed), 0.0
        )
        return LinePrediction(effect, value, variance, pev, of_value, of_value + self.components.residual)


def error_variance(
    variance: Vector, predicted: Matrix, errors: Matrix, hidden: Vector, unknown_weight: float
) -> Vector:
    """Error variance of the effects of lines from samples of the model.

    Parameters
    ----------
    variance
        (c,) variance of each line's effect.
    predicted, errors
        (c, N) predicted effects of each sample, and these minus the true ones.
    hidden
        (c,) variance that no sample of the markers has: that of missing calls.
    unknown_weight
        Weight of ``Var(u) - Var(u_hat)``.

    Returns
    -------
    ndarray
        (c,) from 0 to the variance.

    Examples
    --------
    >>> error_variance(np.ones(1), np.array([[0.5, -0.5]]), np.array([[1.0, -1.0]]), np.zeros(1), 0.5)
    array([0.875])
    """
    first = variance - np.mean(predicted**2, axis=1)
    second = np.mean(errors**2, axis=1) + hidden
    return np.clip(unknown_weight * first + (1.0 - unknown_weight) * second, 0.0, variance)


def marker_blup(
    relationship: WhitenedRelationship,
    y: Vector,
    components: VarianceComponents,
    *,
    space: KrylovSpace | None = None,
    samples: int = 64,
    seed: int = 0,
    tolerance: float = _RECORDS,
) -> MarkerBlup:
    """Solve the mixed model at given variance components.

    Parameters
    ----------
    relationship
        Of the n records.
    y
        (n,) records.
    components
        Variance of the relationship and of the residual, which is above 0.
    space
        Of the same relationship; it preconditions the equations, which need more passes without.
    samples
        Samples of the model for the error variances.
    seed
        Of the samples.
    tolerance
        Relative residual of the records' equations.

    Returns
    -------
    MarkerBlup
        Marker effects, and what predicts the errors of any line.

    Raises
    ------
    BudwoodError
        If the equations cannot be solved.

    Examples
    --------
    >>> from budwood.stats.matrix_free.centred_markers import CentredMarkers
    >>> from budwood.stats.mixed_model.fixed_effects import whitened_design
    >>> from budwood.stats.relationship.relationship import summarise_markers
    >>> dosage = np.random.default_rng(0).integers(0, 3, (60, 90)).astype(np.int8)
    >>> two, y = np.full(60, 2, dtype=np.int8), dosage[:, :30].sum(axis=1).astype(np.float64)
    >>> z = CentredMarkers(dosage=dosage, ploidy=two, summary=summarise_markers(dosage, two))
    >>> relationship = WhitenedRelationship(z, whitened_design(60))
    >>> solved = marker_blup(relationship, y, VarianceComponents((0.5,), 0.5, 0.0), samples=4)
    >>> solved.effects.shape, solved.residual < 1e-7
    ((90,), True)
    """
    markers, design = relationship.markers, relationship.design
    genetic, residual = components.kernels[0], components.residual
    n, q = design.basis.shape
    drawn = _Sample.draw(relationship, components, samples, seed)
    right = np.column_stack(
        [
            design.residual((design.root * y)[:, None]),
            genetic * design.residual(relationship.fixed_image),
            design.residual(design.root[:, None] * drawn.records),
        ]
    )

    def multiply(columns: Matrix, *, exact: bool = False) -> Matrix:
        image = genetic * relationship.contrast_times(columns, exact=exact) if genetic > 0.0 else 0.0
        return image + residual * columns

    precondition = _preconditioner(space, genetic, residual)
    rough = solve_columns(multiply, right, precondition=precondition, tolerance=_SAMPLES)
    fine = solve_columns(
        multiply,
        right[:, : 1 + q],
        precondition=precondition,
        tolerance=tolerance,
        start=rough.values[:, : 1 + q],
    )
    solved = np.column_stack([fine.values, rough.values[:, 1 + q :]])
    # P y and P times the samples, and V^-1 X: all come from the columns between the contrasts.
    root = design.root[:, None]
    inside = genetic * (design.basis.T @ relationship.fixed_image) + residual * np.eye(q)
    schur = inside - (right[:, 1 : 1 + q].T @ solved[:, 1 : 1 + q])
    to_fixed = np.linalg.solve(design.basis.T @ design.fixed, np.eye(q))
    rest = (root[:, 0] * y)[:, None] - _covariance_times(relationship, components, solved[:, :1])
    inverse_fixed = (
        (design.basis - solved[:, 1 : 1 + q]) @ np.linalg.inv(schur) @ (design.basis.T @ design.fixed)
    )
    columns = root * np.column_stack([solved[:, :1], inverse_fixed, solved[:, 1 + q :]])
    projected = genetic * markers.unit * markers.transposed_times(columns, exact=n < 20_000)
    training = np.column_stack(
        [markers.times(projected[:, : 1 + q], exact=True), markers.times(projected[:, 1 + q :])]
    )
    training += (genetic * markers.unit * markers.missing_squares)[:, None] * columns
    predicted = training[:, 1 + q :]
    errors = predicted - drawn.effects
    variance = genetic * markers.unit * markers.squares
    weight, relative = _unknown_weight(variance, predicted, errors)
    return MarkerBlup(
        components=components,
        fixed_effects=to_fixed @ (design.basis.T @ rest)[:, 0],
        fixed_covariance=to_fixed @ schur @ to_fixed.T,
        effects=projected[:, 0],
        fixed_shift=projected[:, 1 : 1 + q],
        sampled_effects=projected[:, 1 + q :].astype(np.float32),
        sampled_errors=(projected[:, 1 + q :] - drawn.marker_effects).astype(np.float32),
        unknown_weight=weight,
        unit=markers.unit,
        training_effect=training[:, 0],
        training_shift=training[:, 1 : 1 + q],
        training_pev=error_variance(variance, predicted, errors, np.zeros(n), weight),
        monte_carlo_error=relative * (0.5 / samples) ** 0.5,
        residual=float(fine.residual.max()),
        passes=rough.passes + fine.passes,
    )


@dataclass(frozen=True)
class _Sample:
    """Marker effects (m, N), effects of the lines and records (n, N) drawn from the model."""

    marker_effects: Matrix
    effects: Matrix
    records: Matrix

    @classmethod
    def draw(
        cls, relationship: WhitenedRelationship, components: VarianceComponents, samples: int, seed: int
    ) -> _Sample:
        markers, generator = relationship.markers, np.random.default_rng([seed, 1])
        genetic = components.kernels[0] * markers.unit
        of_markers = genetic**0.5 * generator.standard_normal((markers.markers, samples))
        effects = markers.times(of_markers)
        hidden = np.sqrt(genetic * markers.missing_squares)
        if hidden.any():
            effects += hidden[:, None] * generator.standard_normal(effects.shape)
        errors = components.residual**0.5 / relationship.design.root
        return cls(of_markers, effects, effects + errors[:, None] * generator.standard_normal(effects.shape))


def _covariance_times(
    relationship: WhitenedRelationship, components: VarianceComponents, columns: Matrix
) -> Matrix:
    """Whitened V times columns."""
    genetic = components.kernels[0]
    image = genetic * relationship.whitened_times(columns, exact=True) if genetic > 0.0 else 0.0
    return image + components.residual * columns


def _preconditioner(space: KrylovSpace | None, genetic: float, residual: float) -> Callable[[Matrix], Matrix]:
    """Approximate inverse: exact along the largest eigenvectors of the space, a number elsewhere."""
    count = 0 if space is None else min(len(space.values) // 2, _DIRECTIONS)
    if space is None or not count or genetic <= 0.0:
        return lambda columns: columns
    vectors = space.ritz_vectors(count)
    values = genetic * np.maximum(space.values[-count:], 0.0) + residual
    change = (values[0] / values - 1.0).astype(np.float32)[:, None]

    def precondition(columns: Matrix) -> Matrix:
        return columns + (vectors @ (change * (vectors.T @ columns.astype(np.float32))))

    return precondition


def _unknown_weight(variance: Vector, predicted: Matrix, errors: Matrix) -> tuple[float, float]:
    """The weight of least Monte Carlo error at the mean reliability, and its error per root of 2 / N."""
    total = float(variance.sum()) * errors.shape[1] if errors.size else 0.0
    if total <= 0.0:
        return 1.0, 0.0
    unexplained = 0.5 * (1.0 - float((predicted**2).sum()) / total + float((errors**2).sum()) / total)
    unexplained = min(max(unexplained, 1e-6), 1.0)
    known = (1.0 - unexplained) ** 2
    weight = unexplained**2 / (known + unexplained**2)
    spread = (weight**2 * known + (1.0 - weight) ** 2 * unexplained**2) ** 0.5
    return weight, spread / unexplained
