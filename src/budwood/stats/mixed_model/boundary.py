"""Variance components at the boundary: what the records are compatible with instead of all or nothing.

Restricted maximum likelihood of few records often puts the genetic share of the variance at 0 or at 1. Taken
at its word, the one makes every genetic value known to be the mean, and the other makes every record free of
error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from budwood.stats.mixed_model.band_reml import kernel_reml
from budwood.stats.mixed_model.fixed_effects import Matrix, Vector, whitened_design
from budwood.stats.mixed_model.variance_components import VarianceComponents
from budwood.stats.relationship.kernel_scaling import kernel_spread

#: Genetic shares of the variance beyond which an estimate is not taken at its word.
PLAUSIBLE: Final = (0.05, 0.95)


def genetic_share(components: VarianceComponents, kernels: Sequence[Matrix]) -> float:
    """Share of the expected sample variance that the kernels have.

    Parameters
    ----------
    components
        A variance for each kernel, and of the residual.
    kernels
        (n, n) each.

    Returns
    -------
    float
        From 0 to 1.

    Examples
    --------
    >>> genetic_share(VarianceComponents((3.0,), 2.0, 0.0), [np.eye(3)])
    0.5
    """
    return share_of_spreads(components, [kernel_spread(kernel) for kernel in kernels])


def share_of_spreads(components: VarianceComponents, spreads: Sequence[float]) -> float:
    """:func:`genetic_share` where the kernels' spreads are known.

    Parameters
    ----------
    components
        A variance for each kernel, and of the residual.
    spreads
        Of each kernel (:func:`budwood.stats.relationship.kernel_scaling.kernel_spread`).

    Returns
    -------
    float
        From 0 to 1.

    Examples
    --------
    >>> share_of_spreads(VarianceComponents((3.0,), 2.0, 0.0), [1.0])
    0.6
    """
    genetic = sum(v * spread for v, spread in zip(components.kernels, spreads, strict=True))
    total = genetic + components.residual
    return genetic / total if total > 0.0 else 0.0


def averaged_components(
    y: Vector,
    kernels: Sequence[Matrix],
    components: VarianceComponents,
    *,
    fixed: Matrix | None = None,
    weights: Vector | None = None,
) -> VarianceComponents:
    """Variance components at the mean genetic share over the restricted likelihood.

    The kernels keep their proportions; where all variances are 0, each kernel has the same part.

    Parameters
    ----------
    y
        (n,) records.
    kernels
        (n, n) each.
    components
        What restricted maximum likelihood gave.
    fixed
        (n, q) fixed effects, an intercept by default.
    weights
        (n,) record weights, 1 by default.

    Returns
    -------
    VarianceComponents
        The averages.

    Raises
    ------
    BudwoodError
        If the records do not vary.

    Examples
    --------
    >>> estimate = VarianceComponents((4.0,), 0.0, 0.0)
    >>> found = averaged_components(np.array([1.0, 2.0, 4.0]), [np.eye(3)], estimate)
    >>> round(genetic_share(found, [np.eye(3)]), 2)
    0.4
    """
    parts = components.kernels
    if not any(parts):
        parts = tuple(1.0 / (kernel_spread(kernel) or 1.0) for kernel in kernels)
    mixed = np.zeros((len(y), len(y)))
    for part, kernel in zip(parts, kernels, strict=True):
        mixed += part * kernel
    found = kernel_reml(mixed, whitened_design(len(y), fixed, weights)).average(y)
    return replace(found, kernels=tuple(part * found.kernels[0] for part in parts))
