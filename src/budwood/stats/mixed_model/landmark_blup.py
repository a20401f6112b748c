"""Kernel regression of many records through a few landmarks among them (Nyström).

With L of the n lines as landmarks, ``K ~ K_nL K_LL^-1 K_Ln`` (Williams and Seeger 2001, NIPS 13): features
``phi = k_L R`` with ``R R' = K_LL^-1`` stand for the kernel, and everything costs n times L^2 operations.
What a line's kernel with itself has beyond its features, ``1 - phi phi'``, is an effect of its own: it is
part of the error variance of a prediction, and what of it the features of relatives cannot take up is part of
the residual when variances are estimated. How much that is, the kernel itself tells on some of the records,
where its residual variance is estimated without landmarks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from budwood.stats.mixed_model.blup import LinePrediction
from budwood.stats.mixed_model.fixed_effects import WhitenedDesign
from budwood.stats.mixed_model.spectral_profile import SpectralProfile
from budwood.stats.mixed_model.variance_components import VarianceComponents

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]

#: Eigenvalue of the landmarks' kernel, relative to the largest, under which a direction is left out.
_NOTHING: Final = 1e-7
#: Records whose features are made at once.
_BLOCK: Final = 4096


@dataclass(frozen=True, kw_only=True)
class LandmarkBlup:
    """The mixed model solved in terms of r features.

    Attributes
    ----------
    components
        Variance of the kernel and of the residual.
    mean, mean_variance
        Fixed mean and its variance were the effects known.
    to_features
        (L, r) what a line's kernel with the landmarks is multiplied by.
    centre
        (r,) features at which the mean is estimated.
    effects, error_variances
        (r,) effects of the features, and their error variances.
    own_variance
        Variance of a line's own effect for each unit of its kernel that features lack; that of the kernel
        where None.
    """

    components: VarianceComponents
    mean: float
    mean_variance: float
    to_features: Matrix
    centre: Vector
    effects: Vector
    error_variances: Vector
    own_variance: float | None = None

    def predict(self, cross: Matrix) -> LinePrediction:
        """Predict lines at the mean of the covariates.

        Parameters
        ----------
        cross
            (c, L) kernel of the lines with the landmarks; that of a line with itself is 1.

        Returns
        -------
        LinePrediction
            Effects, values and their error variances.
        """
        features = cross @ self.to_features
        lacking = np.clip(1.0 - np.einsum("ij,ij->i", features, features), 0.0, 1.0)
        genetic = self.components.kernels[0]
        own = lacking * (genetic if self.own_variance is None else self.own_variance)
        variance = (1.0 - lacking) * genetic + own
        effect = features @ self.effects
        pev_effect = np.minimum(own + features**2 @ self.error_variances, variance)
        pev_value = own + (features - self.centre) ** 2 @ self.error_variances + self.mean_variance
        return LinePrediction(
            effect,
            self.mean + effect,
            variance,
            pev_effect,
            pev_value,
            pev_value + self.components.residual,
        )


@dataclass(frozen=True, kw_only=True)
class LandmarkFit:
    """A solved model, and what it says of records without their fold.

    Attributes
    ----------
    solved
        The model.
    share, average_share
        Share of the variance that the kernel has: at the maximum of the likelihood, and its mean.
    held_out, held_out_variance
        (n,) prediction of each record from the other folds, with the same variances; and error variance of
        the value that is predicted.
    """

    solved: LandmarkBlup
    share: float
    average_share: float
    held_out: Vector
    held_out_variance: Vector


def landmark_blup(
    cross: NDArray[Any],
    landmarks: Matrix,
    y: Vector,
    design: WhitenedDesign,
    folds: NDArray[np.int64],
    *,
    residual: float | None = None,
) -> LandmarkFit:
    """Estimate variances by restricted maximum likelihood, and solve the mixed model.

    Parameters
    ----------
    cross
        (n, L) kernel between the records and the landmarks.
    landmarks
        (L, L) kernel of the landmarks.
    y
        (n,) records.
    design
        Fixed effects, the first one an intercept, and weights of the records.
    folds
        (n,) fold of each record.
    residual
        Residual variance that the kernel itself leaves; where None, the effects of lines beyond their
        features have the kernel's variance.

    Returns
    -------
    LandmarkFit
        The model.

    Raises
    ------
    BudwoodError
        If the records do not vary or one is not finite.

    Examples
    --------
    >>> from budwood.stats.mixed_model.fixed_effects import whitened_design
    >>> place = np.linspace(0.0, 1.0, 50)
    >>> kernel = np.exp(-((place[:, None] - place) ** 2) * 10.0)
    >>> y = np.sin(6.0 * place)
    >>> found = landmark_blup(kernel[:, ::5], kernel[::5, ::5], y, whitened_design(50), np.arange(50) % 5)
    >>> bool(np.abs(found.solved.predict(kernel[:, ::5]).value - y).max() < 0.05)
    True
    """
    values, vectors = np.linalg.eigh(landmarks)
    kept = values > _NOTHING * values[-1]
    to_features = vectors[:, kept] / np.sqrt(values[kept])
    response = design.varying_response(y)
    n, q = design.basis.shape
    gram, along, inside = np.zeros((len(values),) * 2), np.zeros(len(values)), np.zeros((q, len(values)))
    for rows, block in _blocks(cross, design):
        gram += block.T @ block
        along += response[rows] @ block
        inside += design.basis[rows].T @ block
    gram, along, inside = to_features.T @ gram @ to_features, along @ to_features, inside @ to_features
    spectrum, rotation = np.linalg.eigh(gram - inside.T @ inside)
    spectrum, along = np.maximum(spectrum, 0.0), along @ rotation
    to_features, inside = to_features @ rotation, inside @ rotation
    profile = _profile(spectrum, along, response, n - q)
    share, rest = profile.maximum()
    average = profile.mean_share()
    found = profile.components(share, rest, _size(spectrum, n - q))
    genetic, noise = found.kernels[0], found.residual
    ratio = noise / genetic if genetic > 0.0 else np.inf
    effects = along / (spectrum + ratio)
    to_fixed = np.linalg.inv(design.basis.T @ design.fixed)
    whitened = design.root * y
    fixed = to_fixed @ (design.basis.T @ whitened - inside @ effects)
    lacking = _lacking(cross, to_features)
    unexplained = float(lacking.mean())
    own_variance = genetic
    if residual is not None and unexplained > _NOTHING:
        own_variance = min(max(noise - residual, 0.0) / unexplained, genetic)
    held_out, estimation = _without_folds(
        cross, to_features, design, response, inside, spectrum + ratio, folds
    )
    fixed_part = (whitened - response) / design.root
    solved = LandmarkBlup(
        components=VarianceComponents(
            (genetic,), max(noise - own_variance * unexplained, 0.0), found.log_likelihood
        ),
        mean=float(fixed[0]),
        mean_variance=float(noise * (to_fixed @ to_fixed.T)[0, 0]),
        to_features=to_features,
        centre=(to_fixed @ inside)[0],
        effects=effects,
        error_variances=noise / (spectrum + ratio) if genetic > 0.0 else np.zeros_like(spectrum),
        own_variance=own_variance,
    )
    return LandmarkFit(
        solved=solved,
        share=share,
        average_share=average,
        held_out=fixed_part + held_out / design.root,
        held_out_variance=lacking * own_variance + noise * estimation / design.root**2 + solved.mean_variance,
    )


def _blocks(cross: NDArray[Any], design: WhitenedDesign) -> Iterator[tuple[slice, Matrix]]:
    for start in range(0, len(cross), _BLOCK):
        rows = slice(start, min(start + _BLOCK, len(cross)))
        yield rows, design.root[rows, None] * cross[rows]


def _size(spectrum: Vector, contrasts: int) -> float:
    return float(spectrum.sum()) / contrasts or 1.0


def _profile(spectrum: Vector, along: Vector, response: Vector, contrasts: int) -> SpectralProfile:
    """Likelihood of the features' share; the contrasts beyond them have eigenvalues of 0."""
    own = spectrum > 1e-10 * max(float(spectrum[-1]), 1e-300)
    squares = along[own] ** 2 / spectrum[own]
    beyond = max(float(response @ response) - float(squares.sum()), 0.0)
    return SpectralProfile(
        np.append(spectrum[own] / _size(spectrum, contrasts), 0.0),
        np.append(squares, beyond),
        np.append(np.ones(int(own.sum())), contrasts - int(own.sum())),
    )


def _lacking(cross: NDArray[Any], to_features: Matrix) -> Vector:
    """(n,) part of the records' kernel with themselves that the features lack."""
    found = np.empty(len(cross))
    for start in range(0, len(cross), _BLOCK):
        features = cross[start : start + _BLOCK] @ to_features
        found[start : start + _BLOCK] = 1.0 - np.einsum("ij,ij->i", features, features)
    return np.clip(found, 0.0, 1.0)


def _without_folds(
    cross: NDArray[Any],
    to_features: Matrix,
    design: WhitenedDesign,
    response: Vector,
    inside: Matrix,
    diagonal: Vector,
    folds: NDArray[np.int64],
) -> tuple[Vector, Vector]:
    """(n,) whitened effect predicted for each record from the other folds; its error variance per residual.

    Fixed effects stay.
    """
    found, variance = np.zeros(len(response)), np.zeros(len(response))
    if not np.isfinite(diagonal).all():
        return found, variance
    for fold in np.unique(folds):
        held = np.flatnonzero(folds == fold)
        features = (design.root[held, None] * cross[held]) @ to_features - design.basis[held] @ inside
        left = np.diag(diagonal) - features.T @ features
        total = _along(cross, to_features, design, response, inside, folds == fold)
        solved = np.linalg.solve(left, np.column_stack([total, features.T]))
        found[held] = features @ solved[:, 0]
        variance[held] = np.einsum("ij,ji->i", features, solved[:, 1:])
    return found, variance


def _along(
    cross: NDArray[Any],
    to_features: Matrix,
    design: WhitenedDesign,
    response: Vector,
    inside: Matrix,
    held: NDArray[np.bool_],
) -> Vector:
    """Features' products with the response of the records that are not held out."""
    kept = np.where(held, 0.0, response)
    total = (design.root * kept) @ cross @ to_features
    return np.asarray(total - (kept @ design.basis) @ inside, dtype=np.float64)
