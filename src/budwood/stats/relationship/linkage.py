"""How much each marker repeats its neighbours (linkage disequilibrium)."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

_BLOCK: Final = 256


def linkage_weights(features: NDArray[np.float64], reach: int = 50) -> NDArray[np.float64]:
    """``1 / sum of r^2`` of each marker with its neighbours, itself included: (m,), 0 to 1.

    A relationship with these weights counts a block of linked markers about once, however many markers a
    chip has there (after Speed et al. 2012, American Journal of Human Genetics 91:1011).

    Parameters
    ----------
    features
        (n, m) centred, in map order.
    reach
        Neighbours to either side.

    Returns
    -------
    ndarray
        (m,) weights, 0 to 1.

    Notes
    -----
    Two unlinked markers have r^2 of 1 / n on average by chance; twice that is taken off each, and no sum is
    taken as less than 1.

    Examples
    --------
    >>> column, other = np.tile([-1.0, 1.0], 100), np.repeat([-1.0, 1.0], 100)
    >>> linkage_weights(np.column_stack([column, column, other])).round(2)
    array([0.51, 0.51, 1.  ])
    """
    n, m = features.shape
    spread = np.sqrt(np.einsum("ij,ij->j", features, features))
    unit = features / np.where(spread > 0.0, spread, 1.0)
    total = np.empty(m)
    for start in range(0, m, _BLOCK):
        stop = min(start + _BLOCK, m)
        first, last = max(0, start - reach), min(m, stop + reach)
        squared = (unit[:, start:stop].T @ unit[:, first:last]) ** 2 - 2.0 / n
        apart = np.abs(np.arange(start, stop)[:, None] - np.arange(first, last))
        total[start:stop] = np.where((apart <= reach) & (squared > 0.0), squared, 0.0).sum(axis=1)
    return 1.0 / np.maximum(total, 1.0)
