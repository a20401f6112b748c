"""Restricted maximum likelihood for records with any number of kernels."""

from __future__ import annotations

from collections.abc import Sequence

from budwood.stats.mixed_model.average_information import average_information_reml
from budwood.stats.mixed_model.band_reml import kernel_reml
from budwood.stats.mixed_model.fixed_effects import Matrix, Vector, check_kernels, whitened_design
from budwood.stats.mixed_model.variance_components import VarianceComponents


def reml(
    y: Vector,
    kernels: Sequence[Matrix],
    *,
    fixed: Matrix | None = None,
    weights: Vector | None = None,
) -> VarianceComponents:
    """Variance components of ``y = X b + sum_k u_k + e``, ``u_k ~ N(0, V_k K_k)``, ``e ~ N(0, Ve / w)``.

    One kernel is decomposed (:func:`budwood.stats.mixed_model.band_reml.kernel_reml`), several take average
    information (:mod:`budwood.stats.mixed_model.average_information`).

    Parameters
    ----------
    y
        (n,) records.
    kernels
        (n, n) covariance structure of each effect between the records.
    fixed
        (n, q) fixed effects X, an intercept by default.
    weights
        (n,) record weights w, 1 by default; for a record with standard error s, 1 / s^2.

    Returns
    -------
    VarianceComponents
        Estimates, one for each kernel and the residual.

    Raises
    ------
    BudwoodError
        If the records do not vary or a kernel is no covariance matrix.

    Examples
    --------
    >>> import numpy as np
    >>> y = np.array([1.0, 1.2, 3.0, 3.4])
    >>> families = np.kron(np.eye(2), np.ones((2, 2)))
    >>> estimates = reml(y, [families])
    >>> bool(estimates.kernels[0] > estimates.residual)
    True
    """
    check_kernels(kernels, len(y))
    design = whitened_design(len(y), fixed, weights)
    if len(kernels) == 1:
        return kernel_reml(kernels[0], design).fit(y)
    return average_information_reml(y, kernels, design)
