"""Several point predictors as one, weighted by what each predicts for records it has not seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.prediction.contract import Lines
from budwood.prediction.kernels.dense_limit import is_large
from budwood.prediction.kernels.kernel_mixture import MULTI_KERNEL
from budwood.prediction.kernels.kernel_model import GBLUP
from budwood.prediction.models.boosted_trees import BoostedTrees
from budwood.prediction.models.major_loci import MajorLoci
from budwood.prediction.models.random_forest import RandomForest
from budwood.prediction.uncertainty.cross_fit import (
    CrossFit,
    CrossFitter,
    KernelFitter,
    PointPredictor,
    TrainingSet,
)
from budwood.prediction.uncertainty.cross_fit_model import CrossFitModel
from budwood.stats.evaluation.stacking import StackingWeights, stacking_weights

_LEFT_OUT: Final = (
    "Of the members of auto, major loci are left out, as their background is a matrix of lines by lines, and "
    "the Gaussian kernel through landmarks stands for the mixture of kernels."
)


@dataclass(frozen=True)
class Stack:
    """A weighted sum of predictors.

    Attributes
    ----------
    members
        The predictors.
    prior
        Weights of the members that theirs are shrunk towards; equal ones where empty.
    """

    members: tuple[CrossFitter, ...]
    prior: tuple[float, ...] = ()

    def cross_fit(self, training: TrainingSet) -> CrossFit:
        """Fit every member to the same inner folds; weights see held-out predictions only.

        Parameters
        ----------
        training
            (n,) rows of the training lines in the panel.

        Returns
        -------
        CrossFit
            The fitted predictor, and its prediction of each training record from inner folds without it.
        """
        large = is_large(len(training.rows)) and training.kernels.relationship is None
        # The background of major loci is a matrix of lines by lines.
        kept = [
            place for place, each in enumerate(self.members) if not (large and isinstance(each, MajorLoci))
        ]
        found = [self.members[place].cross_fit(training) for place in kept]
        held_out = np.column_stack([member.held_out for member in found])
        prior = np.array(self.prior)[kept] / sum(self.prior[place] for place in kept) if self.prior else None
        weights = stacking_weights(held_out, training.y, training.weights, prior)
        members = tuple(member.predictor for member in found)
        notes = (_LEFT_OUT,) if len(kept) < len(self.members) else ()
        return CrossFit(weights.combine(held_out), FittedStack(weights, members), notes)


@dataclass(frozen=True)
class FittedStack:
    """Fitted members and their weights.

    Attributes
    ----------
    weights
        Of the members, with an intercept.
    members
        The fitted predictors.
    """

    weights: StackingWeights
    members: tuple[PointPredictor, ...]

    def value(self, lines: Lines) -> NDArray[np.float64]:
        """(c,) weighted predictions.

        Parameters
        ----------
        lines
            c lines as a fitted model sees them.

        Returns
        -------
        NDArray[np.float64]
            One number for each line.
        """
        return self.weights.combine(np.column_stack([member.value(lines) for member in self.members]))


AUTO: Final = CrossFitModel(
    "Auto",
    Stack(
        (
            KernelFitter(GBLUP),
            KernelFitter(MULTI_KERNEL),
            MajorLoci(),
            # On SoyNAM `auto` has an r of .748 with 100, 150, 200 and 300 trees; the forest alone loses .008.
            RandomForest(many=100),
            BoostedTrees(),
        ),
        # Trees and loci pay on few traits: kernels have most where the records do not say otherwise.
        prior=(0.3, 0.3, 0.2, 0.1, 0.1),
    ),
)
