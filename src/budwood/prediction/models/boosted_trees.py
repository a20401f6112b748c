"""Gradient-boosted trees (LightGBM) on markers."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from budwood.prediction.contract import Lines
from budwood.prediction.uncertainty.bagging import Bagging
from budwood.prediction.uncertainty.cross_fit import CrossFit, TrainingSet
from budwood.prediction.uncertainty.cross_fit_model import CrossFitModel

if TYPE_CHECKING:
    from lightgbm import Dataset

Matrix = NDArray[np.float64]
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
        """Boost without each fold in turn.

        Parameters
        ----------
        training
            (n,) rows of the training lines in the panel.

        Returns
        -------
        CrossFit
            The fitted predictor, and its prediction of each training record from inner folds without it.
        """
        from lightgbm import train

        features, y = training.markers().astype(np.float32, order="C"), training.y
        centre, scale = float(y.mean()), float(y.std()) or 1.0
        response, held_out = (y - centre) / scale, np.zeros(len(y))
        members = []
        for draw in self.bagging.draws(*features.shape):
            settings = self._settings(len(draw.rows))
            name = f"binned markers {self.bagging} {draw.columns[0]}"
            make = partial(_binned, features, draw.columns, self._settings(len(y)))
            binned = training.kernels.recall(name, training.rows, make)
            # What is set before a part is made of the whole is lost.
            data = binned.subset(draw.rows.tolist(), settings).construct()
            data.set_label(response[draw.rows]).set_weight(training.weights_of(draw.rows))
            text = train(settings, data, self.rounds).model_to_string()
            member = FittedBooster(draw.columns, text)
            held_out[draw.held_out] += member.predict(features[draw.held_out]) / self.bagging.repeats
            members.append(member)
        return CrossFit(centre + scale * held_out, FittedBoosters(centre, scale, tuple(members)))

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


def _binned(features: NDArray[np.float32], columns: NDArray[np.intp], settings: dict[str, Any]) -> Dataset:
    """Some markers of all training lines in LightGBM's own form, of which every fit takes its lines."""
    from lightgbm import Dataset

    return Dataset(features[:, columns], params=settings, free_raw_data=True).construct()


@dataclass(frozen=True)
class FittedBooster:
    """One booster.

    Attributes
    ----------
    columns
        (k,) markers that its features are.
    text
        The booster in LightGBM's own text format.
    """

    columns: NDArray[np.intp]
    text: str

    def predict(self, features: NDArray[np.float32]) -> Vector:
        """(c,) prediction of lines from their (c, m) features, on the booster's own scale.

        Parameters
        ----------
        features
            (c, m) allele frequencies.

        Returns
        -------
        Vector
            (c,) one number for each line.
        """
        chosen = np.ascontiguousarray(features[:, self.columns])
        return np.asarray(self._booster.predict(chosen, num_threads=1), dtype=np.float64)

    @cached_property
    def _booster(self) -> Any:
        from lightgbm import Booster

        return Booster(model_str=self.text)


@dataclass(frozen=True)
class FittedBoosters:
    """The mean of several boosters.

    Attributes
    ----------
    centre, scale
        Trait values are ``centre + scale * prediction``.
    members
        The boosters.
    """

    centre: float
    scale: float
    members: tuple[FittedBooster, ...]

    def value(self, lines: Lines) -> Vector:
        """(c,) predicted values.

        Parameters
        ----------
        lines
            c lines as a fitted model sees them.

        Returns
        -------
        Vector
            (c,) one number for each line.
        """
        features = lines.markers().astype(np.float32)
        total = np.zeros(len(features))
        for member in self.members:
            total += member.predict(features)
        return self.centre + self.scale * total / len(self.members)


LIGHTGBM = CrossFitModel("LightGBM", BoostedTrees())
