"""What a kernel model errs on records held out by algebra, made once for all that ask for it.

GBLUP is a model of its own, and the one whose errors have the shape of those of trees and stacks: compared
on the same folds they share it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from budwood.prediction.kernels.kernel_model import FittedKernelModel
from budwood.prediction.kernels.panel_kernels import PanelKernels
from budwood.prediction.uncertainty.inner_folds import HeldOut, held_out_divisions
from budwood.prediction.uncertainty.interval_scale import Divisions, IntervalScale
from budwood.stats.evaluation.splitters import Folds
from budwood.stats.relationship.relationship import Rows

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class KernelCalibration:
    """Errors of a kernel model on records that it has not seen.

    Attributes
    ----------
    divisions
        How the training lines are divided.
    random
        Predictions of records held out at random.
    scale
        What half of the model's interval is multiplied by.
    """

    divisions: Divisions
    random: HeldOut
    scale: IntervalScale


def kernel_calibration(
    kernels: PanelKernels,
    training: Rows,
    fitted: FittedKernelModel,
    y: Vector,
    folds: Folds,
    weights: Vector | None = None,
) -> KernelCalibration:
    """Hold records out of a fitted kernel model, at random and as clusters of relatives.

    Parameters
    ----------
    kernels
        The panel as models see it.
    training
        (n,) rows of the training lines in the panel.
    fitted
        The model, fitted to them.
    y
        (n,) trait values of the training lines.
    folds
        (n,) random inner fold of each.
    weights
        (n,) weights of the trait values, None for equal ones.

    Returns
    -------
    KernelCalibration
        Kept until another model of these kernels, other values or other folds are asked for.
    """

    def make() -> KernelCalibration:
        divisions = Divisions.of(kernels, training, folds)
        random, clusters = held_out_divisions(fitted, y, [divisions.random, divisions.clusters])
        return KernelCalibration(divisions, random, IntervalScale.learn(divisions, y, random, clusters))

    components = fitted.solved.components
    estimates = np.array([*components.kernels, components.residual])
    name = f"calibration {' + '.join(fitted.names)}"
    return kernels.recall_for(name, training, (y, weights, folds, estimates), make)
