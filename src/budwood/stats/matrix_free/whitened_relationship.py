"""The relationship between error contrasts as a product: never a matrix of lines by lines."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from budwood.stats.matrix_free.centred_markers import CentredMarkers
from budwood.stats.mixed_model.fixed_effects import WhitenedDesign

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]


@dataclass(frozen=True)
class WhitenedRelationship:
    """``S R G R S`` of n records: G the relationship, R the roots of the weights, S off the fixed effects.

    Attributes
    ----------
    markers
        Centred markers of the n lines.
    design
        Fixed effects and weights.
    """

    markers: CentredMarkers
    design: WhitenedDesign

    def whitened_times(self, columns: Matrix, *, exact: bool = False) -> Matrix:
        """``R G R`` times columns.

        Parameters
        ----------
        columns
            (n, k).
        exact
            Whether to multiply in double precision.

        Returns
        -------
        ndarray
            (n, k).
        """
        root = self.design.root[:, None]
        return (root * self.markers.unit) * self.markers.gram_times(root * columns, exact=exact)

    def contrast_times(self, columns: Matrix, *, exact: bool = False) -> Matrix:
        """``S R G R S`` times columns.

        Parameters
        ----------
        columns
            (n, k).
        exact
            Whether to multiply in double precision.

        Returns
        -------
        ndarray
            (n, k).
        """
        return self.design.residual(self.whitened_times(self.design.residual(columns), exact=exact))

    @cached_property
    def diagonal(self) -> Vector:
        """(n,) diagonal of ``R G R``."""
        return self.design.root**2 * self.markers.squares * self.markers.unit

    @cached_property
    def fixed_image(self) -> Matrix:
        """(n, q) ``R G R`` times the basis of the fixed effects."""
        return self.whitened_times(self.design.basis, exact=True)

    @cached_property
    def mean_eigenvalue(self) -> float:
        """Mean over the n - q contrasts."""
        n, q = self.design.basis.shape
        inside = float(np.einsum("ij,ij->", self.design.basis, self.fixed_image))
        return max((float(self.diagonal.sum()) - inside) / (n - q), 0.0)
