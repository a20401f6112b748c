"""The linear probe: a logistic regression on frozen features."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

_PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)


@dataclass(frozen=True)
class ProbeScore:
    """AUROC on examples the probe did not see, with a bootstrap 95 % interval."""

    auroc: float
    lower: float
    upper: float


class LinearProbe:
    """Standardised features, L2 penalty chosen by 3-fold cross-validation on the training examples.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> x, y = random.normal(size=(200, 3)), np.arange(200) % 2 == 0
    >>> x[y] += 2
    >>> LinearProbe().fit(x, y).score(x, y).auroc > 0.95
    True
    """

    def __init__(self) -> None:
        regression = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
        grid = {"logisticregression__C": _PENALTIES}
        self._search = GridSearchCV(regression, grid, scoring="roc_auc", cv=3)

    def fit(self, features: NDArray[np.floating], labels: NDArray[np.bool_]) -> LinearProbe:
        """Fit on (rows, d) features and (rows,) labels."""
        self._search.fit(features, labels)
        return self

    def decision(self, features: NDArray[np.floating]) -> NDArray[np.float64]:
        """Log odds of (rows, d) features."""
        return np.asarray(self._search.decision_function(features), dtype=np.float64)

    def score(
        self, features: NDArray[np.floating], labels: NDArray[np.bool_], *, seed: int = 0
    ) -> ProbeScore:
        """AUROC on new examples."""
        return score_auroc(self.decision(features), labels, seed=seed)


def score_auroc(
    decision: NDArray[np.floating], labels: NDArray[np.bool_], *, draws: int = 200, seed: int = 0
) -> ProbeScore:
    """AUROC of a score with a percentile bootstrap interval over examples."""
    random = np.random.default_rng(seed)
    values = []
    for _ in range(draws):
        rows = random.integers(0, len(labels), len(labels))
        if 0 < labels[rows].sum() < len(rows):
            values.append(roc_auc_score(labels[rows], decision[rows]))
    lower, upper = np.percentile(values, [2.5, 97.5])
    return ProbeScore(float(roc_auc_score(labels, decision)), float(lower), float(upper))


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
