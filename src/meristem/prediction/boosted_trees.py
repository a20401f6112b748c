"""Gradient-boosted trees (LightGBM) on markers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from meristem.prediction.cross_fit import CrossFit, TrainingSet
from meristem.prediction.cross_fit_model import CrossFitModel
from meristem.prediction.inner_folds import inner_splits
from meristem.stats.relationship import Rows

if TYPE_CHECKING:
    from lightgbm import Booster

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class BoostedTrees:
    """LightGBM (Ke et al. 2017, NeurIPS 30), one booster for each inner fold, averaged.

    The boosters that predict held-out records are needed for their errors anyway; the mean of all is steadier
    than one booster on all records. The number of rounds is fixed: stopping by held-out errors would make
    these too small.

    Attributes
    ----------
    rounds, rate, leaves
        Trees of each booster, their shrinkage, and leaves of a tree.
    share
        Share of the markers that a tree may choose from.
    bag
        Share of the records that a tree sees.
    markers
        Most markers used, evenly spaced.
    seed
        Of the draws of records and markers.
    """

    rounds: int = 120
    rate: float = 0.06
    leaves: int = 8
    share: float = 0.1
    bag: float = 0.7
    markers: int = 2000
    seed: int = 0

    def cross_fit(self, training: TrainingSet) -> CrossFit:
        """Boost in each inner fold."""
        from lightgbm import Dataset, train

        chosen = training.markers(self.markers).astype(np.float32)
        own, settings = chosen[training.rows], self._settings(len(training.y))
        centre, scale = float(training.y.mean()), float(training.y.std()) or 1.0
        response = (training.y - centre) / scale
        data = Dataset(own, response, weight=training.weights, params=settings, free_raw_data=False)
        held_out, boosters = np.empty(len(response)), []
        for rows, held in inner_splits(training.folds):
            booster = train(settings, data.subset(rows.tolist()), self.rounds)
            held_out[held] = _predict(booster, own[held])
            boosters.append(booster)

        def value(rows: Rows) -> Vector:
            return centre + scale * np.mean([_predict(booster, chosen[rows]) for booster in boosters], axis=0)

        return CrossFit(centre + scale * held_out, value)

    def _settings(self, records: int) -> dict[str, Any]:
        return {
            "objective": "regression",
            "num_leaves": self.leaves,
            "learning_rate": self.rate,
            "feature_fraction": self.share,
            "bagging_fraction": self.bag,
            "bagging_freq": 1,
            "min_data_in_leaf": max(2, min(8, records // 10)),
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


def _predict(booster: Booster, features: NDArray[np.float32]) -> Vector:
    return np.asarray(booster.predict(features, num_threads=1), dtype=np.float64)


LIGHTGBM = CrossFitModel("LightGBM", BoostedTrees())
