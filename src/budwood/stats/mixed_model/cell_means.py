"""Stage one: from plots and replicates to a mean with a standard error for each accession and environment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.stats.relationship.relationship import Rows

Vector = NDArray[np.float64]

#: Degrees of freedom from which an environment's own variance between replicates is believed.
_OWN_DEGREES: Final = 10


@dataclass(frozen=True)
class CellMeans:
    """One value for each cell (line, environment) that has a record, ordered by environment, then line.

    Attributes
    ----------
    line, environment
        (N,) which cell.
    value
        (N,) mean of its records.
    standard_error
        (N,) of that mean, NaN where nothing tells it.
    notes
        Sentences about how means and standard errors were made.
    """

    line: Rows
    environment: Rows
    value: Vector
    standard_error: Vector
    notes: tuple[str, ...]


def cell_means(line: Rows, environment: Rows, value: Vector, standard_error: Vector) -> CellMeans:
    """Means of the records of each cell.

    Records that all have a standard error are weighted by ``1 / se^2``. Without standard errors, replicates
    give the variance of a record: pooled over the cells of an environment where these have 10 degrees of
    freedom, over all cells otherwise. A cell of n records then has ``se^2 = variance / n``.

    Parameters
    ----------
    line, environment
        (R,) row of the line and of the environment of each record.
    value, standard_error
        (R,) NaN for an unknown standard error.

    Returns
    -------
    CellMeans
        One mean for each cell with a record.

    Raises
    ------
    BudwoodError
        If a value is infinite or a standard error is 0.

    Examples
    --------
    >>> found = cell_means(np.array([0, 0, 1]), np.zeros(3, dtype=int), np.array([1.0, 3.0, 5.0]),
    ...                    np.full(3, np.nan))
    >>> found.value, found.standard_error.round(3)
    (array([2., 5.]), array([1.   , 1.414]))
    """
    if not np.isfinite(value).all():
        raise BudwoodError("a trait value is infinite", mend="correct it or leave it empty")
    if (standard_error <= 0.0).any():
        raise BudwoodError("a standard error is 0", mend="write a positive number, or NA")
    keys, cell = np.unique(np.column_stack([environment, line]), axis=0, return_inverse=True)
    cell = cell.ravel()
    counts = np.bincount(cell)
    known = np.isfinite(standard_error)
    if known.all():
        weights = 1.0 / standard_error**2
        total = np.bincount(cell, weights)
        means, errors = np.bincount(cell, weights * value) / total, 1.0 / np.sqrt(total)
        notes = ["Means of an accession in an environment are weighted by the standard errors given."]
    else:
        means = np.bincount(cell, value) / counts
        errors, notes = _pooled(keys[:, 0], cell, counts, value - means[cell])
        if known.any():
            notes.append(
                f"{int(known.sum())} of {len(known)} records have a standard error; these were not used."
            )
    return CellMeans(keys[:, 1], keys[:, 0], means, errors, tuple(notes))


def _pooled(environment: Rows, cell: Rows, counts: Rows, rest: Vector) -> tuple[Vector, list[str]]:
    """Standard errors from the deviations of records from their cells' means."""
    if counts.max() == 1:
        return np.full(len(counts), np.nan), []
    squares = np.bincount(cell, rest**2)
    size = int(environment.max()) + 1
    by_environment = np.bincount(environment, squares, size)
    degrees = np.bincount(environment, counts - 1.0, size)
    pooled = float(by_environment.sum() / degrees.sum())
    variance = np.where(degrees >= _OWN_DEGREES, by_environment / np.maximum(degrees, 1.0), pooled)
    if not (variance > 0.0).all():
        return np.full(len(counts), np.nan), ["Repeated records are identical and tell no standard error."]
    notes = (
        f"{len(rest)} records were averaged to {len(counts)} means of an accession in an environment; "
        "the spread of repeated records gave their standard errors."
    )
    return np.sqrt(variance[environment] / counts), [notes]
