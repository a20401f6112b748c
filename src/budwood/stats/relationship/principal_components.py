"""Structure of a panel: principal components of a relationship matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh


@dataclass(frozen=True)
class PrincipalComponents:
    """Scores of the lines and what they explain.

    Attributes
    ----------
    scores
        (n, count) coordinates; the squared length of a column is its eigenvalue.
    explained
        (count,) share of the total variance, in falling order.
    """

    scores: NDArray[np.float64]
    explained: NDArray[np.float64]


def principal_components(kernel: NDArray[np.float64], count: int = 2) -> PrincipalComponents:
    """First principal components of a kernel after double centring.

    The sign of a component is chosen so that its largest coordinate in absolute value is positive. Components
    past the kernel's rank are 0.

    Parameters
    ----------
    kernel
        (n, n) relationship.
    count
        Number of components.

    Returns
    -------
    PrincipalComponents
        Scores, (n, count), and shares explained.

    Examples
    --------
    >>> found = principal_components(np.diag([3.0, 3.0, 0.0]) - 1.0, count=1)
    >>> found.scores.shape, float(found.explained[0].round(2))
    ((3, 1), 0.75)
    """
    n = len(kernel)
    row = kernel.mean(axis=0)
    centred = kernel - row[:, None] - row[None, :] + row.mean()
    take = min(count, n)
    values, vectors = eigh(centred, subset_by_index=(n - take, n - 1))
    values, vectors = np.maximum(values[::-1], 0.0), vectors[:, ::-1]
    peaks = vectors[np.argmax(np.abs(vectors), axis=0), np.arange(take)]
    scores = np.zeros((n, count))
    explained = np.zeros(count)
    scores[:, :take] = vectors * np.where(peaks < 0.0, -1.0, 1.0) * np.sqrt(values)
    total = float(np.trace(centred))
    if total > 0.0:
        explained[:take] = values / total
    return PrincipalComponents(scores, explained)
