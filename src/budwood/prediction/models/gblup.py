"""GBLUP as people choose it: by matrices of lines by lines, and for many lines by products with markers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.prediction.kernels import kernel_model
from budwood.prediction.kernels.dense_limit import is_large
from budwood.prediction.kernels.kernel_model import FittedKernelModel
from budwood.prediction.kernels.marker_model import FittedMarkerModel, fit_marker_models
from budwood.prediction.kernels.panel_kernels import PanelKernels
from budwood.stats.relationship.relationship import Rows

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Gblup:
    """GBLUP for training sets of any size.

    Up to 6,000 phenotyped lines, and where the user gives a relationship, it is that of
    :data:`budwood.prediction.kernels.kernel_model.GBLUP`; above, that of
    :func:`budwood.prediction.kernels.marker_model.fit_marker_models`, with the same predictions and with
    variance components and standard errors that have a stated Monte Carlo error.

    Attributes
    ----------
    name
        What people call it.
    """

    name: str = kernel_model.GBLUP.name

    def fit(
        self, kernels: PanelKernels, training: Rows, y: Vector, weights: Vector | None = None
    ) -> FittedKernelModel | FittedMarkerModel:
        """Estimate variance components and solve the mixed model.

        Parameters
        ----------
        kernels
            The panel as models see it.
        training
            (n,) rows of the training lines in the panel.
        y
            (n,) trait values of the training lines.
        weights
            (n,) weights of the trait values, None for equal ones.

        Returns
        -------
        FittedKernelModel or FittedMarkerModel
            The fitted model.
        """
        return self.fit_several(kernels, training, y[:, None], weights)[0]

    def fit_several(
        self, kernels: PanelKernels, training: Rows, y: Matrix, weights: Vector | None = None
    ) -> tuple[FittedKernelModel | FittedMarkerModel, ...]:
        """Fit several traits of the same lines; large training sets in the same passes over the markers.

        Parameters
        ----------
        kernels, training
            As for :meth:`fit`.
        y
            (n, t) values of t traits.
        weights
            (n,) weights of the trait values, the same for all traits; None for equal ones.

        Returns
        -------
        tuple of FittedKernelModel or FittedMarkerModel
            A fitted model for each trait.
        """
        if is_large(len(training)) and kernels.relationship is None:
            return fit_marker_models(kernels, training, y, weights)
        each = (np.ascontiguousarray(column) for column in y.T)
        return tuple(kernel_model.fitted_gblup(kernels, training, column, weights) for column in each)


GBLUP_OF_ANY_SIZE: Final = Gblup()
