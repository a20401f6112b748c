"""Probes: linear and kernel models whose scaling and tuning see training examples only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.metrics import roc_curve
from sklearn.model_selection import GridSearchCV, GroupKFold, StratifiedGroupKFold, cross_val_predict
from sklearn.svm import SVC, SVR

from budwood.probing.comparison.scores import ProbePredictions
from budwood.probing.convolution import SmallConvolution
from budwood.probing.linear import LinearProbe
from budwood.training.finetuning.sequence_network import Strand

Matrix = NDArray[np.floating]

#: Folds of the tuning inside the training examples.
FOLDS: Final = 3
_COSTS: Final = (0.1, 1.0, 10.0)
_RIDGES: Final = (1.0, 10.0, 100.0, 1e3, 1e4, 1e5)


@dataclass(frozen=True, kw_only=True, eq=False)
class Target:
    """What is predicted.

    Attributes
    ----------
    numbers
        (k,) numbers of classes, or values.
    blocks
        (k,) block of each example; tuning never splits one.
    classes
        Number of classes; 0 for values.
    """

    numbers: NDArray[np.generic]
    blocks: NDArray[np.int64]
    classes: int

    @property
    def scoring(self) -> str:
        """What is tuned for, as scikit-learn names it."""
        if not self.classes:
            return "r2"
        return "roc_auc" if self.classes == 2 else "balanced_accuracy"

    def folds(self) -> Any:
        """The splitter of the tuning: whole blocks, classes in proportion.

        Returns
        -------
        object
            A splitter of scikit-learn, or the number of folds where there are too few blocks.
        """
        if len(np.unique(self.blocks)) < FOLDS:
            return FOLDS
        if not self.classes:
            return GroupKFold(FOLDS)
        return StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)

    def groups(self) -> NDArray[np.int64] | None:
        """Blocks for the splitter.

        Returns
        -------
        numpy.ndarray or None
            (k,) blocks; None where there are too few of them.
        """
        return self.blocks if len(np.unique(self.blocks)) >= FOLDS else None


class Probe(Protocol):
    """A model of a target on features."""

    #: Score in the tuning's folds, by which probes of one feature set are compared without the test.
    inner_score: float

    def predict(self, features: NDArray[Any]) -> ProbePredictions:
        """Predict examples.

        Parameters
        ----------
        features
            (k, d) features.

        Returns
        -------
        ProbePredictions
            Their predictions.
        """


class LinearClassifier:
    """:class:`budwood.probing.linear.LinearProbe` with balanced classes, tuned on whole blocks.

    Parameters
    ----------
    features, target
        (k, d) features of the training examples, and what is predicted.
    """

    def __init__(self, features: Matrix, target: Target) -> None:
        self._probe = LinearProbe(balanced=True, solver="lbfgs").fit(
            features, target.numbers, folds=target.folds(), groups=target.groups()
        )
        self.inner_score = self._probe.inner_score

    def predict(self, features: NDArray[Any]) -> ProbePredictions:
        """Predict examples; see :class:`Probe`.

        Parameters
        ----------
        features
            (k, d) features.

        Returns
        -------
        ProbePredictions
            Their predictions.
        """
        return _of_decision(self._probe.decision(features))


class LinearRegressor:
    """Ridge regression on standardised features, its penalty tuned on whole blocks.

    Parameters
    ----------
    features, target
        (k, d) features of the training examples, and what is predicted.
    """

    def __init__(self, features: Matrix, target: Target) -> None:
        self._scale = FeatureScale.of(features)
        search = GridSearchCV(Ridge(), {"alpha": _RIDGES}, scoring=target.scoring, cv=target.folds())
        self._search = search.fit(self._scale(features), target.numbers, groups=target.groups())
        self.inner_score = float(search.best_score_)

    def predict(self, features: NDArray[Any]) -> ProbePredictions:
        """Predict examples; see :class:`Probe`.

        Parameters
        ----------
        features
            (k, d) features.

        Returns
        -------
        ProbePredictions
            Their predictions.
        """
        return _of_values(self._search.predict(self._scale(features)))


class KernelProbe:
    """A support vector machine with a Gaussian kernel on standardised features: the non-linear probe.

    The kernel's width is the number of features, its cost is tuned on whole blocks.

    Parameters
    ----------
    features, target
        (k, d) features of the training examples, and what is predicted.
    """

    def __init__(self, features: Matrix, target: Target) -> None:
        self._scale = FeatureScale.of(features)
        self._known = self._scale(features)
        machine: Any
        if target.classes:
            machine = SVC(kernel="precomputed", class_weight="balanced")
            grid: dict[str, tuple[float, ...]] = {"C": _COSTS}
        else:
            spread = float(np.std(target.numbers.astype(np.float64))) or 1.0
            machine = SVR(kernel="precomputed", epsilon=0.1 * spread)
            grid = {"C": tuple(spread * cost for cost in _COSTS)}
        search = GridSearchCV(machine, grid, scoring=target.scoring, cv=target.folds())
        self._search = search.fit(self._kernel(self._known), target.numbers, groups=target.groups())
        self.inner_score = float(search.best_score_)
        self._classes, self._threshold = target.classes, 0.0
        if target.classes == 2:
            self._threshold = _threshold(self._search.best_estimator_, self._kernel(self._known), target)

    def predict(self, features: NDArray[Any]) -> ProbePredictions:
        """Predict examples; see :class:`Probe`.

        Parameters
        ----------
        features
            (k, d) features.

        Returns
        -------
        ProbePredictions
            Their predictions.
        """
        kernel = self._kernel(self._scale(features))
        if not self._classes:
            return _of_values(self._search.predict(kernel))
        return _of_decision(self._search.decision_function(kernel) - self._threshold)

    def _kernel(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        squares = (rows**2).sum(axis=1)[:, None] + (self._known**2).sum(axis=1)
        distance = np.maximum(squares - 2.0 * rows @ self._known.T, 0.0)
        return np.exp(-distance / rows.shape[1])


class ConvolutionProbe:
    """:class:`budwood.probing.convolution.SmallConvolution` on the bases themselves.

    Parameters
    ----------
    windows, target
        (k, width) codes of the training examples, and what is predicted.
    reach
        Bases read on either side of the middle.
    pooled
        For questions about a whole window, the strands to read by a network whose outputs are pooled over it.
    """

    inner_score = float("nan")

    def __init__(
        self, windows: NDArray[np.uint8], target: Target, reach: int, pooled: Strand | None = None
    ) -> None:
        self._classes = target.classes
        # Pooled networks train for many more passes over longer windows: one of them costs as much as ten.
        seeds, patience = (3, 5) if pooled is None else (1, 8)
        network = SmallConvolution(
            reach=reach, classes=target.classes, seeds=seeds, pooled=pooled, patience=patience
        )
        self._network = network.fit(windows, target.numbers)

    def predict(self, features: NDArray[Any]) -> ProbePredictions:
        """Predict examples; see :class:`Probe`.

        Parameters
        ----------
        features
            (k, width) codes.

        Returns
        -------
        ProbePredictions
            Their predictions.
        """
        found = self._network.decision(features)
        return _of_decision(found) if self._classes else _of_values(found)


@dataclass(frozen=True)
class FeatureScale:
    """Means and standard deviations of training features.

    Attributes
    ----------
    mean, deviation
        (d,) each.
    """

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]

    @classmethod
    def of(cls, features: Matrix) -> FeatureScale:
        """Those of features.

        Parameters
        ----------
        features
            (k, d).

        Returns
        -------
        FeatureScale
            Means and deviations, 1 where a feature does not vary.
        """
        wide = features.astype(np.float64)
        spread = wide.std(axis=0)
        return cls(wide.mean(axis=0), np.where(spread > 0, spread, 1.0))

    def __call__(self, features: Matrix) -> NDArray[np.float64]:
        """Standardise (k, d) features."""
        return (features.astype(np.float64) - self.mean) / self.deviation


def _threshold(machine: Any, kernel: NDArray[np.float64], target: Target) -> float:
    """Decision above which the second class is predicted: the best balanced accuracy in the tuning's folds.

    A machine tuned for the order of examples may put all of them on one side of 0. Where no value does better
    than one side for all, 0 is kept.
    """
    decision = cross_val_predict(
        clone(machine),
        kernel,
        target.numbers,
        cv=target.folds(),
        groups=target.groups(),
        method="decision_function",
    )
    false, true, thresholds = roc_curve(target.numbers, decision)
    best = int(np.argmax(true - false))
    below = decision[decision < thresholds[best]]
    # The first threshold is infinite: beyond it lies no example.
    return float((thresholds[best] + below.max()) / 2) if best and len(below) else 0.0


def _of_decision(decision: NDArray[np.float64]) -> ProbePredictions:
    if decision.ndim == 1:
        decision = np.stack([-decision, decision], axis=1)
    return ProbePredictions(decision=decision, chosen=decision.argmax(axis=1))


def _of_values(values: NDArray[np.floating]) -> ProbePredictions:
    return ProbePredictions(
        decision=np.asarray(values, dtype=np.float64)[:, None], chosen=np.empty(0, dtype=np.intp)
    )
