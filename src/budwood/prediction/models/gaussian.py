"""The Gaussian kernel as people choose it: by matrices of lines by lines, for many through landmarks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.prediction.kernels import kernel_model
from budwood.prediction.kernels.dense_limit import is_large
from budwood.prediction.kernels.kernel_model import FittedKernelModel
from budwood.prediction.kernels.landmark_model import FittedLandmarkModel, fit_landmark_model
from budwood.prediction.kernels.panel_kernels import PanelKernels
from budwood.stats.relationship.relationship import Rows

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Gaussian:
    """Gaussian kernel of the likeliest of five bandwidths, for training sets of any size.

    Up to 6,000 phenotyped lines it is :data:`budwood.prediction.kernels.kernel_model.GAUSSIAN_KERNEL`; above,
    its approximation through 3,000 of the lines
    (:func:`budwood.prediction.kernels.landmark_model.fit_landmark_model`).

    Attributes
    ----------
    name
        What people call it.
    """

    name: str = kernel_model.GAUSSIAN_KERNEL.name

    def fit(
        self, kernels: PanelKernels, training: Rows, y: Vector, weights: Vector | None = None
    ) -> FittedKernelModel | FittedLandmarkModel:
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
        FittedKernelModel or FittedLandmarkModel
            The fitted model.
        """
        if is_large(len(training)):
            return fit_landmark_model(kernels, training, y, weights)
        return kernel_model.GAUSSIAN_KERNEL.fit(kernels, training, y, weights)


GAUSSIAN_OF_ANY_SIZE: Final = Gaussian()
