"""The linear probe: a logistic regression on frozen features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

from budwood.stats.evaluation.metrics import auroc, auroc_of_ranks

_PENALTIES: Final = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
_DRAWS: Final = 1000


@dataclass(frozen=True)
class ProbeScore:
    """AUROC on examples the probe did not see, with a bootstrap 95 % interval."""

    auroc: float
    lower: float
    upper: float


@dataclass(frozen=True)
class AurocDifference:
    """A score less another on the same examples, with a paired bootstrap 95 % interval."""

    difference: float
    lower: float
    upper: float


class LinearProbe:
    """Standardised features, L2 penalty chosen by 3-fold cross-validation on the training examples.

    Of more than two classes, all count the same, however many examples they have.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> x, y = random.normal(size=(200, 3)), np.arange(200) % 2 == 0
    >>> x[y] += 2
    >>> LinearProbe().fit(x, y).score(x, y).auroc > 0.95
    True
    """

    def fit(self, features: NDArray[np.floating], labels: NDArray[np.generic]) -> LinearProbe:
        """Fit on (rows, d) features and (rows,) labels: true and false, or numbers of classes."""
        many = len(np.unique(labels)) > 2
        regression = LogisticRegression(
            max_iter=200, solver="newton-cholesky", class_weight="balanced" if many else None
        )
        score = "balanced_accuracy" if many else "roc_auc"
        self._search = GridSearchCV(regression, {"C": _PENALTIES}, scoring=score, cv=3)
        wide = features.astype(np.float64)
        spread = wide.std(0)
        self._mean, self._scale = wide.mean(0), np.where(spread > 0, spread, 1.0)
        standard = (wide - self._mean) / self._scale
        # The best weights lie in the span of the examples: with fewer of them than features, the
        # regression is the same in the examples' own directions, and many times faster.
        self._turn = np.linalg.svd(standard, full_matrices=False)[2].T if len(wide) < wide.shape[1] else None
        self._search.fit(self._turned(standard), labels)
        return self

    def decision(self, features: NDArray[np.floating]) -> NDArray[np.float64]:
        """Log odds of (rows, d) features; (rows, classes) scores where there are more than two."""
        standard = (features.astype(np.float64) - self._mean) / self._scale
        return np.asarray(self._search.decision_function(self._turned(standard)), dtype=np.float64)

    def score(
        self, features: NDArray[np.floating], labels: NDArray[np.bool_], *, seed: int = 0
    ) -> ProbeScore:
        """AUROC on new examples."""
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
    """AUROC of a score with a percentile bootstrap interval over examples.

    Parameters
    ----------
    groups
        (rows,) number of the group an example belongs to, where those of one group are alike: whole
        groups are drawn.
    """
    lower, upper = np.percentile(_drawn_aurocs(decision, labels, draws, seed, groups), [2.5, 97.5])
    return ProbeScore(auroc(decision.astype(np.float64), labels), float(lower), float(upper))


def compare_auroc(
    one: NDArray[np.floating],
    other: NDArray[np.floating],
    labels: NDArray[np.bool_],
    *,
    draws: int = _DRAWS,
    seed: int = 0,
) -> AurocDifference:
    """AUROC of one score less that of another on the same examples."""
    differences = _drawn_aurocs(one, labels, draws, seed) - _drawn_aurocs(other, labels, draws, seed)
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


def one_hot(windows: NDArray[np.uint8], reach: int) -> NDArray[np.float32]:
    """The baseline every probe stands beside: letters within ``reach`` bases of the middle.

    Returns
    -------
    ndarray
        (rows, 2 * reach * 4) ``float32``; N has no letter set.
    """
    middle = windows.shape[1] // 2
    near = windows[:, middle - reach : middle + reach]
    return (near[:, :, None] == np.arange(4)).reshape(len(windows), -1).astype(np.float32)
