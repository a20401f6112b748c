"""Several point predictors as one, weighted by what each predicts for records it has not seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from budwood.prediction.models.boosted_trees import BoostedTrees
from budwood.prediction.models.kernel_mixture import MULTI_KERNEL
from budwood.prediction.models.major_loci import MajorLoci
from budwood.prediction.models.random_forest import RandomForest
from budwood.prediction.trait_model import GBLUP
from budwood.prediction.uncertainty.cross_fit import CrossFit, CrossFitter, KernelFitter, TrainingSet
from budwood.prediction.uncertainty.cross_fit_model import CrossFitModel
from budwood.stats.evaluation.stacking import stacking_weights


@dataclass(frozen=True)
class Stack:
    """A weighted sum of predictors.

    Attributes
    ----------
    members
        The predictors.
    """

    members: tuple[CrossFitter, ...]

    def cross_fit(self, training: TrainingSet) -> CrossFit:
        """Fit every member to the same inner folds; weights see held-out predictions only."""
        found = [member.cross_fit(training) for member in self.members]
        held_out = np.column_stack([member.held_out for member in found])
        chosen = stacking_weights(held_out, training.y, training.weights)
        return CrossFit(
            chosen.combine(held_out),
            lambda rows: chosen.combine(np.column_stack([member.value(rows) for member in found])),
        )


AUTO: Final = CrossFitModel(
    "Auto",
    Stack(
        (
            KernelFitter(GBLUP),
            KernelFitter(MULTI_KERNEL),
            MajorLoci(),
            RandomForest(),
            BoostedTrees(),
        )
    ),
)
