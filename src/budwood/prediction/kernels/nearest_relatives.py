"""The nearest training relative of each accession, and who has none."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.stats.relationship.relationship import Rows, correlation_with

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
        own records are used).

    Examples
    --------
    >>> points = np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [0.1, 0.9], [-0.9, -1.0]])
    >>> nearest, relatedness, extrapolation = nearest_relatives(points @ points.T, np.arange(4))
    >>> nearest.tolist(), extrapolation.tolist()
    ([1, 0, 3, 2, 0], [False, False, False, False, True])
    """
    own, position = np.diagonal(relationship), np.full(len(relationship), -1, dtype=np.intp)
    position[training] = np.arange(len(training))
    nearest, relatedness = relatives_of(relationship[:, training], own, own[training], position)
    extrapolation = relatedness < extrapolation_limit(relatedness[training])
    extrapolation[training] = False
    return training[nearest], relatedness, extrapolation


def relatives_of(
    cross: NDArray[np.float64],
    own: NDArray[np.float64],
    training_own: NDArray[np.float64],
    position: Rows,
) -> tuple[Rows, NDArray[np.float64]]:
    """The nearest training line of each line, never itself.

    Parameters
    ----------
    cross, own, training_own
        (c, n) relationship of lines with training lines, (c,) and (n,) of each with itself.
    position
        (c,) position of each line among the training lines, -1 for others.

    Returns
    -------
    nearest, relatedness
        (c,) position of the nearest training line, and genomic correlation with it.
    """
    correlation = correlation_with(cross, own, training_own)
    same = np.flatnonzero(position >= 0)
    correlation[same, position[same]] = -np.inf
    nearest = np.argmax(correlation, axis=1)
    return nearest, correlation[np.arange(len(correlation)), nearest]


def extrapolation_limit(relatedness: NDArray[np.float64]) -> float:
    """Relatedness that 95 % of the training lines exceed; a line below it is extrapolated to.

    Parameters
    ----------
    relatedness
        (n,) of each training line with its nearest other training line.

    Returns
    -------
    float
        A correlation.
    """
    return float(np.quantile(relatedness, _QUANTILE))
