"""Random forest on markers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from budwood.prediction.uncertainty.cross_fit import CrossFit, TrainingSet
from budwood.prediction.uncertainty.cross_fit_model import CrossFitModel


@dataclass(frozen=True)
class RandomForest:
    """Breiman (2001), Machine Learning 45:5.

    Attributes
    ----------
    trees
        Number of trees.
    share
        Share of the markers that a split may choose from.
    leaf
        Fewest records in a leaf.
    markers
        Most markers used, evenly spaced.
    seed
        Of resampling and splits.
    """

    trees: int = 300
    share: float = 0.03
    leaf: int = 2
    markers: int = 6000
    seed: int = 0

    def cross_fit(self, training: TrainingSet) -> CrossFit:
        """Grow the trees; held-out predictions are out of bag: of the trees that did not draw the record."""
        from sklearn.ensemble import RandomForestRegressor

        chosen = training.markers(self.markers).astype(np.float32)
        forest = RandomForestRegressor(
            self.trees,
            max_features=self.share,
            min_samples_leaf=self.leaf,
            oob_score=True,
            n_jobs=1,
            random_state=self.seed,
        )
        forest.fit(chosen[training.rows], training.y, sample_weight=training.weights)
        return CrossFit(forest.oob_prediction_, lambda rows: forest.predict(chosen[rows]))


RANDOM_FOREST = CrossFitModel("Random forest", RandomForest())
