"""The nearest training relative of each accession, and who has none."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.stats.relationship.relationship import Rows, genomic_correlation

#: An accession is extrapolated to where its nearest training accession is less related to it than this
#: share of the training accessions are to theirs.
_QUANTILE: Final = 0.05


def nearest_relatives(
    relationship: NDArray[np.float64], training: Rows
) -> tuple[Rows, NDArray[np.float64], NDArray[np.bool_]]:
    """For each row, its nearest other training row.

    Parameters
    ----------
    relationship
        (n, n), centred by the training rows.
    training
        At least two rows.

    Returns
    -------
    nearest, relatedness, extrapolation
        (n,) row of the nearest training accession, never the accession itself; (n,) genomic correlation with
        it; (n,) whether it is further away than for nearly all training rows (never for training rows, whose
        own records take part).

    Examples
    --------
    >>> points = np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [0.1, 0.9], [-0.9, -1.0]])
    >>> nearest, relatedness, extrapolation = nearest_relatives(points @ points.T, np.arange(4))
    >>> nearest.tolist(), extrapolation.tolist()
    ([1, 0, 3, 2, 0], [False, False, False, False, True])
    """
    correlation = genomic_correlation(relationship)[:, training]
    correlation[training, np.arange(len(training))] = -np.inf
    position = np.argmax(correlation, axis=1)
    relatedness = correlation[np.arange(len(correlation)), position]
    extrapolation = relatedness < np.quantile(relatedness[training], _QUANTILE)
    extrapolation[training] = False
    return training[position], relatedness, extrapolation
