"""Random traits of a source: what its score would be if the trait had nothing to do with the target's."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from budwood.stats.mixed_model.variance_components import VarianceComponents

Matrix = NDArray[np.float64]


def random_traits(
    kernels: tuple[Matrix, ...], components: VarianceComponents, draws: int, rng: np.random.Generator
) -> Matrix:
    """Traits of the source with its own variance components and no relation to anything.

    They have families and heritability like the true trait, unlike shuffled values, whose scores hardly
    vary between families.

    Parameters
    ----------
    kernels, components
        (n, n) kernels of the source's lines and their variances.
    draws
        Number of traits.
    rng
        Random number generator.

    Returns
    -------
    ndarray
        (draws, n).
    """
    n = len(kernels[0])
    covariance = components.residual * np.eye(n)
    for variance, kernel in zip(components.kernels, kernels, strict=True):
        covariance += variance * kernel
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    return np.asarray((root @ rng.normal(size=(n, draws))).T, dtype=np.float64)


def random_scores(
    kernels: tuple[Matrix, ...], components: VarianceComponents, cross: Matrix, traits: Matrix
) -> Matrix:
    """(draws, c) scores of the target's lines by each random trait, variance components kept.

    Parameters
    ----------
    kernels, components
        As in :func:`random_traits`.
    cross
        (c, n) kernel between the target's lines and the source's.
    traits
        (draws, n).
    """
    n = len(kernels[0])
    covariance = components.residual * np.eye(n)
    for variance, kernel in zip(components.kernels, kernels, strict=True):
        covariance += variance * kernel
    solved = cho_solve(cho_factor(covariance, lower=True), np.column_stack([np.ones(n), traits.T]))
    ones, values = solved[:, :1], solved[:, 1:]
    projected = values - ones * (values.sum(axis=0) / float(ones.sum()))
    return np.asarray(components.kernels[0] * (cross @ projected).T, dtype=np.float64)
