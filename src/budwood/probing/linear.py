"""The linear probe: a logistic regression on frozen features, with scores and their intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

from budwood.stats.evaluation.metrics import auroc, auroc_of_ranks

_PENALTIES: Final = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
_DRAWS: Final = 1000


@dataclass(frozen=True)
class ProbeScore:
    """AUROC on examples that were not used for fitting, with a 95 % bootstrap interval.

    Attributes
    ----------
    auroc
        Area under the ROC curve.
    lower, upper
        95 % interval.
    """

    auroc: float
    lower: float
    upper: float


@dataclass(frozen=True)
class AurocDifference:
    """Difference of two AUROCs on the same examples, with a paired 95 % bootstrap interval.

    Attributes
    ----------
    difference
        First AUROC minus the second.
    lower, upper
        95 % interval.
    """

    difference: float
    lower: float
    upper: float


class LinearProbe:
    """Logistic regression on standardised features, with an L2 penalty chosen by 3-fold cross-validation.

    Parameters
    ----------
    balanced
        Whether class weights are balanced with two classes, as they are with more.
    solver
        Of scikit-learn: ``newton-cholesky`` is exact, ``lbfgs`` is faster with over 1,000 features.

    Attributes
    ----------
    inner_score
        Mean over the folds of the AUROC, or of the balanced accuracy with more than two classes.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> x, y = random.normal(size=(200, 3)), np.arange(200) % 2 == 0
    >>> x[y] += 2
    >>> LinearProbe().fit(x, y).score(x, y).auroc > 0.95
    True
    """

    inner_score: float

    def __init__(
        self, *, balanced: bool = False, solver: Literal["newton-cholesky", "lbfgs"] = "newton-cholesky"
    ) -> None:
        self._balanced, self._solver = balanced, solver

    def fit(
        self,
        features: NDArray[np.floating],
        labels: NDArray[np.generic],
        *,
        folds: Any = 3,
        groups: NDArray[np.integer] | None = None,
    ) -> LinearProbe:
        """Fit the probe.

        Parameters
        ----------
        features
            (rows, d) features.
        labels
            (rows,) true and false, or numbers of classes.
        folds, groups
            Number of folds or a splitter of scikit-learn, and (rows,) groups for it.

        Returns
        -------
        LinearProbe
            The fitted probe itself.
        """
        many = len(np.unique(labels)) > 2
        regression = LogisticRegression(
            max_iter=200 if self._solver == "newton-cholesky" else 2000,
            solver=self._solver,
            class_weight="balanced" if many or self._balanced else None,
        )
        score = "balanced_accuracy" if many else "roc_auc"
        self._search = GridSearchCV(regression, {"C": _PENALTIES}, scoring=score, cv=folds)
        wide = features.astype(np.float64)
        spread = wide.std(0)
        self._mean, self._scale = wide.mean(0), np.where(spread > 0, spread, 1.0)
        standard = (wide - self._mean) / self._scale
        # The best weights lie in the span of the examples. With fewer examples than features, the
        # regression is therefore fitted in that span, with the same result and many times faster.
        self._turn = np.linalg.svd(standard, full_matrices=False)[2].T if len(wide) < wide.shape[1] else None
        self._search.fit(self._turned(standard), labels, groups=groups)
        self.inner_score = float(self._search.best_score_)
        return self

    def decision(self, features: NDArray[np.floating]) -> NDArray[np.float64]:
        """Predict log odds.

        Parameters
        ----------
        features
            (rows, d) features.

        Returns
        -------
        numpy.ndarray
            (rows,) log odds; (rows, classes) scores with more than two classes.
        """
        standard = (features.astype(np.float64) - self._mean) / self._scale
        return np.asarray(self._search.decision_function(self._turned(standard)), dtype=np.float64)

    def score(
        self, features: NDArray[np.floating], labels: NDArray[np.bool_], *, seed: int = 0
    ) -> ProbeScore:
        """Compute the AUROC on new examples.

        Parameters
        ----------
        features
            (rows, d) features.
        labels
            (rows,) true and false.
        seed
            Seed of the bootstrap.

        Returns
        -------
        ProbeScore
            AUROC with its interval.
        """
        return score_auroc(self.decision(features), labels, seed=seed)

    def _turned(self, standard: NDArray[np.float64]) -> NDArray[np.float64]:
        return standard if self._turn is None else standard @ self._turn


def score_auroc(
    decision: NDArray[np.floating],
    labels: NDArray[np.bool_],
    *,
    groups: NDArray[np.intp] | None = None,
    draws: int = _DRAWS,
    seed: int = 0,
) -> ProbeScore:
    """Compute the AUROC of a score with a percentile bootstrap interval over examples.

    Parameters
    ----------
    decision
        (rows,) scores, higher for true examples.
    labels
        (rows,) true and false.
    groups
        (rows,) number of the group of each example, where examples of a group are alike: the bootstrap draws
        whole groups.
    draws
        Number of bootstrap draws.
    seed
        Seed of the draws.

    Returns
    -------
    ProbeScore
        AUROC with its interval.

    Examples
    --------
    >>> scores = np.tile([0.1, 0.4, 0.35, 0.8], 20)
    >>> score_auroc(scores, np.tile([False, False, True, True], 20)).auroc
    0.75
    """
    lower, upper = np.percentile(_drawn_aurocs(decision, labels, draws, seed, groups), [2.5, 97.5])
    return ProbeScore(auroc(decision.astype(np.float64), labels), float(lower), float(upper))


def compare_auroc(
    one: NDArray[np.floating],
    other: NDArray[np.floating],
    labels: NDArray[np.bool_],
    *,
    groups: NDArray[np.intp] | None = None,
    draws: int = _DRAWS,
    seed: int = 0,
) -> AurocDifference:
    """Compute the difference of two scores' AUROCs on the same examples.

    Parameters
    ----------
    one, other
        (rows,) scores.
    labels
        (rows,) true and false.
    groups
        (rows,) number of the group of each example: the bootstrap draws whole groups.
    draws
        Number of bootstrap draws.
    seed
        Seed of the draws, which are the same for both scores.

    Returns
    -------
    AurocDifference
        AUROC of ``one`` minus that of ``other``, with its interval.

    Examples
    --------
    >>> labels = np.tile([False, False, True, True], 20)
    >>> compare_auroc(labels.astype(float), np.tile([0.1, 0.4, 0.35, 0.8], 20), labels).difference
    0.25
    """
    first, second = (_drawn_aurocs(each, labels, draws, seed, groups) for each in (one, other))
    differences = first - second
    lower, upper = np.percentile(differences, [2.5, 97.5])
    point = auroc(one.astype(np.float64), labels) - auroc(other.astype(np.float64), labels)
    return AurocDifference(point, float(lower), float(upper))


def _drawn_aurocs(
    decision: NDArray[np.floating],
    labels: NDArray[np.bool_],
    draws: int,
    seed: int,
    groups: NDArray[np.intp] | None = None,
) -> NDArray[np.float64]:
    random = np.random.default_rng(seed)
    place = np.unique(decision, return_inverse=True)[1]
    groups = np.arange(len(labels)) if groups is None else groups
    count = int(groups.max()) + 1
    found = []
    for _ in range(draws):
        weights = np.bincount(random.integers(0, count, count), minlength=count)[groups]
        if weights[labels].any() and weights[~labels].any():
            found.append(auroc_of_ranks(place, labels, weights))
    return np.array(found)


def one_hot_middle(windows: NDArray[np.uint8], reach: int) -> NDArray[np.float32]:
    """One-hot code of the bases near the middle of windows: a baseline for every probe.

    Parameters
    ----------
    windows
        (rows, length) bases.
    reach
        Bases on either side of the middle.

    Returns
    -------
    numpy.ndarray
        (rows, 2 * reach * 4) ``float32``; N is all zeros.

    Examples
    --------
    >>> one_hot_middle(np.array([[0, 1, 4, 3]], dtype=np.uint8), 1)
    array([[0., 1., 0., 0., 0., 0., 0., 0.]], dtype=float32)
    """
    middle = windows.shape[1] // 2
    near = windows[:, middle - reach : middle + reach]
    return (near[:, :, None] == np.arange(4)).reshape(len(windows), -1).astype(np.float32)
