"""REML with one kernel after a single eigendecomposition.

Kang et al. (2008), Genetics 178:1709: in the eigenbasis of S K S, with S the projection off the fixed
effects, the n - q error contrasts are independent with variances Vu * lambda_i + Ve. One eigendecomposition
serves any number of traits, and each step of the search costs O(n).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh

from budwood.errors import BudwoodError
from budwood.stats.mixed_model.fixed_effects import Matrix, Vector, WhitenedDesign
from budwood.stats.mixed_model.spectral_profile import SpectralProfile
from budwood.stats.mixed_model.variance_components import VarianceComponents


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

    def _profile(self, y: Vector) -> tuple[SpectralProfile, float]:
        """Profile of the likelihood, and the mean eigenvalue by which its eigenvalues were divided."""
        squares = (self.vectors.T @ self.design.varying_response(y)) ** 2
        size = max(float(self.values.mean()), 0.0)
        values = self.values / (size or 1.0)
        return SpectralProfile(values, squares, np.ones_like(values)), size


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
