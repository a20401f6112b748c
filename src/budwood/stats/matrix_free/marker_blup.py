"""Best linear unbiased prediction through marker effects, for any number of lines.

The model is that of :mod:`budwood.stats.mixed_model.blup` with the relationship ``G = c (Z Z' + D)``. Its
equations are solved by products with Z alone. A line's effect is ``z b`` with the marker effects
``b = Vu c Z' P y`` (and, for a training line with missing calls, what its own record says of them).

Prediction-error variances come from samples of predictions and of their errors (García-Cortés and others
1992; Hickey and others 2009, Genetics Selection Evolution 41:23). ``Var(u) - Var(u_hat)`` and
``Var(u_hat - u)`` are two independent estimates of the same variance, the first the better one where little
is known of a line, the second where much is; their weighted mean is used.

Neither needs records to be drawn and solved for. With C the whitened relationship between the error contrasts
and B a root of it, ``C = B B'``, the samples of ``P y`` are ``(Vu C + Ve)^-1/2 e`` of independent e, and
those of errors are ``(I - B' h(C) B) b`` of independent b, h such that the square of the bracket is the
covariance of the errors. Functions of C times columns come from a Krylov space of these columns, the same one
for any variances (Chow and Saad 2014, SIAM Journal on Scientific Computing 36:A588), so that traits of the
same lines share it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from budwood.stats.matrix_free.conjugate_gradients import Equations, Solution, solve_equations
from budwood.stats.matrix_free.krylov_space import KrylovSpace, settled_space
from budwood.stats.matrix_free.whitened_relationship import WhitenedRelationship
from budwood.stats.mixed_model.blup import LinePrediction
from budwood.stats.mixed_model.variance_components import VarianceComponents

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]

#: Relative residual of the records' equations, and what a further pass may change samples by.
_RECORDS: Final = 1e-7
_SAMPLES: Final = 2e-2
#: Most passes of a space of samples.
_MOST_PASSES: Final = 60
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
        (m, N) samples of predicted marker effects, and (m, M) of their errors.
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
        (c, N) samples of predicted effects, and (c, M) of their errors; none where nothing is known.
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
    if not predicted.shape[1] or not errors.shape[1]:
        return variance.copy()
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
    """Solve the mixed model of one trait at given variance components; see :func:`marker_blups`.

    Parameters
    ----------
    relationship
        Of the n records.
    y
        (n,) records.
    components
        Variance of the relationship and of the residual, which is above 0.
    space, samples, seed, tolerance
        As for :func:`marker_blups`.

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
    options = {"space": space, "samples": samples, "seed": seed, "tolerance": tolerance}
    return marker_blups(relationship, y[:, None], [components], **options)[0]  # type: ignore[arg-type]


def marker_blups(
    relationship: WhitenedRelationship,
    y: Matrix,
    components: Sequence[VarianceComponents],
    *,
    space: KrylovSpace | None = None,
    samples: int = 64,
    seed: int = 0,
    tolerance: float = _RECORDS,
) -> tuple[MarkerBlup, ...]:
    """Solve the mixed models of several traits of the same lines in the same passes over the markers.

    Parameters
    ----------
    relationship
        Of the n records of each trait.
    y
        (n, t) records.
    components
        Of each trait: variance of the relationship and of the residual, which is above 0.
    space
        What :func:`budwood.stats.matrix_free.stochastic_reml.stochastic_reml` found for these records: it
        preconditions the equations, and its probes are one half of the samples. Made of as many probes as
        samples where None.
    samples
        Samples of the model for the error variances; with 0, the error variance of an effect is all of its
        variance.
    seed
        Of the samples.
    tolerance
        Relative residual of the records' equations.

    Returns
    -------
    tuple of MarkerBlup
        Marker effects of each trait, and what predicts the errors of any line.

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
    >>> two, y = np.full(60, 2, dtype=np.int8), dosage[:, ::30].astype(np.float64)
    >>> z = CentredMarkers(dosage=dosage, ploidy=two, summary=summarise_markers(dosage, two))
    >>> relationship = WhitenedRelationship(z, whitened_design(60))
    >>> components = [VarianceComponents((share,), 1.0 - share, 0.0) for share in (0.5, 0.2, 0.1)]
    >>> [solved.effects.shape for solved in marker_blups(relationship, y, components, samples=4)]
    [(90,), (90,), (90,)]
    """
    passes = 0
    if space is None and samples:
        space, passes = _space_of(relationship, y, components, samples, seed)
    traits = [
        _Trait.of(relationship, y[:, trait], each, space, y.shape[1], samples)
        for trait, each in enumerate(components)
    ]
    drawn = _ErrorSample.draw(relationship, traits, samples, seed)
    solved = solve_equations(
        relationship.contrast_times, [each.equations(relationship) for each in traits], tolerance=tolerance
    )
    passes += drawn.passes + max(each.passes for each in solved)
    return _from_columns(relationship, traits, drawn, solved, passes)


def _space_of(
    relationship: WhitenedRelationship,
    y: Matrix,
    components: Sequence[VarianceComponents],
    probes: int,
    seed: int,
) -> tuple[KrylovSpace, int]:
    """A space of the records and of random probes, in which the probes' samples have settled."""
    design = relationship.design
    drawn = np.random.default_rng([seed, 2]).standard_normal((len(y), probes))
    start = design.residual(np.column_stack([design.root[:, None] * y, drawn]))
    return settled_space(
        relationship.contrast_times,
        start,
        [partial(_of_records, *_both(each)) for each in components],
        columns=slice(y.shape[1], None),
        tolerance=_SAMPLES,
        passes=_MOST_PASSES,
    )


def _both(components: VarianceComponents) -> tuple[float, float]:
    return components.kernels[0], components.residual


def _of_records(genetic: float, residual: float, eigenvalues: Vector) -> Vector:
    """What makes P y of a sample of independent errors: one of the covariance P."""
    return np.asarray((genetic * eigenvalues + residual) ** -0.5, dtype=np.float64)


def _of_errors(genetic: float, residual: float, eigenvalues: Vector) -> Vector:
    """``h`` with ``(I - B' h(B B') B)^2 = I - B' (B B' + r)^-1 B``, r the ratio of the variances."""
    if genetic <= 0.0:
        return np.zeros_like(eigenvalues)
    ratio = residual / genetic
    total = eigenvalues + ratio
    return np.asarray(1.0 / (total + np.sqrt(ratio * total)), dtype=np.float64)


@dataclass(frozen=True, kw_only=True)
class _Trait:
    """A trait's records and variances, and (n, N) samples of ``P y`` between the contrasts."""

    y: Vector
    components: VarianceComponents
    space: KrylovSpace | None
    projected_samples: Matrix

    @classmethod
    def of(
        cls,
        relationship: WhitenedRelationship,
        y: Vector,
        components: VarianceComponents,
        space: KrylovSpace | None,
        traits: int,
        samples: int,
    ) -> _Trait:
        sampled = np.empty((len(y), 0))
        if space is not None and samples:
            function = partial(_of_records, *_both(components))
            coefficients = space.coefficients(function, slice(traits, traits + samples))
            sampled = (space.basis @ coefficients.astype(np.float32)).astype(np.float64)
        # The space is one of rounded directions: what they have of the fixed effects is rounding.
        sampled = relationship.design.residual(sampled)
        return cls(y=y, components=components, space=space, projected_samples=sampled)

    def equations(self, relationship: WhitenedRelationship) -> Equations:
        """Those of the records and of the fixed effects, between the contrasts."""
        design, (genetic, residual) = relationship.design, _both(self.components)
        records = design.residual((design.root * self.y)[:, None])
        right = np.column_stack([records, genetic * design.residual(relationship.fixed_image)])
        start = None
        if self.space is not None and genetic > 0.0:
            start = design.residual(
                self.space.function_times(right, lambda values: 1.0 / (genetic * values + residual))
            )
        return Equations(
            scale=genetic,
            shift=residual,
            right=right,
            precondition=_preconditioner(self.space, genetic, residual),
            start=start,
        )


@dataclass(frozen=True, kw_only=True)
class _ErrorSample:
    """Effects of unit variance that were drawn, and what records would tell of them.

    Attributes
    ----------
    of_markers
        (m, N) standard normal numbers.
    of_lines
        (n, N) the same for what missing calls hide, 0 where none is missing.
    told
        For each trait (n, N): ``h(C)`` times what the drawn effects are between the contrasts.
    passes
        Passes over the markers.
    """

    of_markers: Matrix
    of_lines: Matrix
    told: tuple[Matrix, ...]
    passes: int

    @classmethod
    def draw(
        cls, relationship: WhitenedRelationship, traits: Sequence[_Trait], samples: int, seed: int
    ) -> _ErrorSample:
        markers, design = relationship.markers, relationship.design
        generator, n = np.random.default_rng([seed, 1]), len(relationship.markers)
        of_markers = generator.standard_normal((markers.markers, samples))
        of_lines = np.zeros((n, samples))
        if markers.missing_squares.any():
            of_lines = generator.standard_normal((n, samples))
        if not samples:
            return cls(of_markers=of_markers, of_lines=of_lines, told=(of_lines,) * len(traits), passes=0)
        effects = markers.times(of_markers) + np.sqrt(markers.missing_squares)[:, None] * of_lines
        start = markers.unit**0.5 * design.residual(design.root[:, None] * effects)
        functions = [partial(_of_errors, *_both(each.components)) for each in traits]
        space, passes = settled_space(
            relationship.contrast_times, start, functions, tolerance=_SAMPLES, passes=_MOST_PASSES
        )
        told = (space.basis @ space.coefficients(each).astype(np.float32) for each in functions)
        return cls(
            of_markers=of_markers,
            of_lines=of_lines,
            told=tuple(design.residual(each.astype(np.float64)) for each in told),
            passes=passes + 1,
        )


def _from_columns(
    relationship: WhitenedRelationship,
    traits: Sequence[_Trait],
    drawn: _ErrorSample,
    solved: Sequence[Solution],
    passes: int,
) -> tuple[MarkerBlup, ...]:
    """Marker effects and effects of the training lines of all traits, from columns between the contrasts."""
    markers, n = relationship.markers, len(relationship.markers)
    fixed = [_FixedEffects.of(relationship, *each) for each in zip(traits, solved, strict=True)]
    root = relationship.design.root[:, None]
    fine = [
        each.components.kernels[0] * root * np.column_stack([found.values[:, :1], of_fixed.inverse])
        for each, found, of_fixed in zip(traits, solved, fixed, strict=True)
    ]
    rough = [
        root
        * np.column_stack(
            [each.components.kernels[0] * each.projected_samples, each.components.kernels[0] ** 0.5 * told]
        )
        for each, told in zip(traits, drawn.told, strict=True)
    ]
    exact = markers.unit * markers.transposed_times(np.concatenate(fine, axis=1), exact=True)
    single = markers.unit * markers.transposed_times(np.concatenate(rough, axis=1))
    samples = drawn.of_markers.shape[1]
    size = rough[0].shape[1]
    for trait, each in enumerate(traits):
        scale = (each.components.kernels[0] * markers.unit) ** 0.5
        single[:, (trait + 1) * size - samples : (trait + 1) * size] -= scale * drawn.of_markers
    of_lines, of_samples = markers.times(exact, exact=True), markers.times(single)
    hidden = (markers.unit * markers.missing_squares)[:, None]
    found = []
    width = fine[0].shape[1]
    for trait, each in enumerate(traits):
        genetic = each.components.kernels[0]
        own, of_own = slice(trait * width, (trait + 1) * width), slice(trait * size, (trait + 1) * size)
        training = of_lines[:, own] + hidden * fine[trait]
        sampled = of_samples[:, of_own] + hidden * rough[trait]
        sampled[:, size - samples :] -= np.sqrt(genetic * hidden) * drawn.of_lines
        predicted, errors = sampled[:, : size - samples], sampled[:, size - samples :]
        variance = genetic * markers.unit * markers.squares
        weight, relative = _unknown_weight(variance, predicted, errors)
        found.append(
            MarkerBlup(
                components=each.components,
                fixed_effects=fixed[trait].estimates,
                fixed_covariance=fixed[trait].covariance,
                effects=exact[:, own][:, 0],
                fixed_shift=exact[:, own][:, 1:],
                sampled_effects=single[:, of_own][:, : size - samples].astype(np.float32),
                sampled_errors=single[:, of_own][:, size - samples :].astype(np.float32),
                unknown_weight=weight,
                unit=markers.unit,
                training_effect=training[:, 0],
                training_shift=training[:, 1:],
                training_pev=error_variance(variance, predicted, errors, np.zeros(n), weight),
                monte_carlo_error=relative,
                residual=float(solved[trait].residual.max()),
                passes=passes + 4,
            )
        )
    return tuple(found)


@dataclass(frozen=True, kw_only=True)
class _FixedEffects:
    """Estimates (q,), their covariance (q, q), and ``V^-1 X`` (n, q) of the whitened model."""

    estimates: Vector
    covariance: Matrix
    inverse: Matrix

    @classmethod
    def of(cls, relationship: WhitenedRelationship, trait: _Trait, solved: Solution) -> _FixedEffects:
        design, (genetic, residual) = relationship.design, _both(trait.components)
        q = design.basis.shape[1]
        image = relationship.fixed_image
        inside = genetic * (design.basis.T @ image) + residual * np.eye(q)
        right = genetic * design.residual(image)
        schur = inside - right.T @ solved.values[:, 1:]
        to_fixed = np.linalg.solve(design.basis.T @ design.fixed, np.eye(q))
        # What P y leaves of the records has no genetic part beyond the fixed effects' image.
        records = solved.values[:, 0]
        rest = design.basis.T @ (design.root * trait.y - residual * records) - genetic * (image.T @ records)
        inverse = design.basis - solved.values[:, 1:]
        return cls(
            estimates=to_fixed @ rest,
            covariance=to_fixed @ schur @ to_fixed.T,
            inverse=inverse @ np.linalg.inv(schur) @ (design.basis.T @ design.fixed),
        )


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
    """The weight of least Monte Carlo error at the mean reliability, and that of the standard error then."""
    total = float(variance.sum())
    counts = predicted.shape[1], errors.shape[1]
    if total <= 0.0 or not all(counts):
        return 1.0, 0.0
    explained, unexplained = float((predicted**2).sum()) / counts[0], float((errors**2).sum()) / counts[1]
    unexplained = min(max(0.5 * (1.0 - explained / total + unexplained / total), 1e-6), 1.0)
    # A variance from N samples has a relative variance of 2 / N, and that of a root is a quarter of it.
    of_first, of_second = (1.0 - unexplained) ** 2 / (2 * counts[0]), unexplained**2 / (2 * counts[1])
    weight = of_second / (of_first + of_second)
    spread = (weight**2 * of_first + (1.0 - weight) ** 2 * of_second) ** 0.5
    return weight, spread / unexplained
