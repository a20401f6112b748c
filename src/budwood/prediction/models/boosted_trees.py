"""Gradient-boosted trees (LightGBM) on markers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from budwood.prediction.uncertainty.bagging import Bagging
from budwood.prediction.uncertainty.cross_fit import CrossFit, TrainingSet
from budwood.prediction.uncertainty.cross_fit_model import CrossFitModel
from budwood.stats.relationship.relationship import Rows

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class BoostedTrees:
    """LightGBM (Ke et al. 2017, NeurIPS 30), bagged.

    The number of rounds is fixed: stopping by held-out errors would make these too small.

    Attributes
    ----------
    rounds, rate, leaves
        Trees of each booster, their shrinkage, and leaves of a tree.
    share
        Share of the markers that a tree may choose from.
    bag
        Share of the records that a tree sees.
    bagging
        How many boosters, and on how many markers.
    seed
        Of the draws of records and markers within a booster.
    """

    rounds: int = 110
    rate: float = 0.06
    leaves: int = 8
    share: float = 0.1
    bag: float = 0.8
    bagging: Bagging = field(default_factory=Bagging)
    seed: int = 0

    def cross_fit(self, training: TrainingSet) -> CrossFit:
        """Boost without each fold in turn."""
        from lightgbm import Dataset, train

        centre, scale = float(training.y.mean()), float(training.y.std()) or 1.0
        response = (training.y - centre) / scale

        def learn(rows: Rows, markers: NDArray[np.float64]) -> Vector:
            features, settings = markers.astype(np.float32), self._settings(len(rows))
            own = features[training.rows[rows]]
            data = Dataset(own, response[rows], weight=training.weights_of(rows), params=settings)
            booster = train(settings, data, self.rounds)
            return centre + scale * np.asarray(booster.predict(features, num_threads=1), dtype=np.float64)

        return self.bagging.cross_fit(training, learn)

    def _settings(self, records: int) -> dict[str, Any]:
        return {
            "objective": "regression",
            "num_leaves": self.leaves,
            "learning_rate": self.rate,
            "feature_fraction": self.share,
            "bagging_fraction": self.bag,
            "bagging_freq": 1,
            "min_data_in_leaf": max(2, min(6, records // 10)),
            # Dosages have few levels: few bins, none merged for being rare.
            "max_bin": 15,
            "min_data_in_bin": 1,
            "feature_pre_filter": False,
            "enable_bundle": False,
            "force_col_wise": True,
            "deterministic": True,
            "num_threads": 1,
            "seed": self.seed,
            "verbose": -1,
        }


LIGHTGBM = CrossFitModel("LightGBM", BoostedTrees())
