"""Principal components of a relationship of any number of lines, by products with markers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.stats.matrix_free.centred_markers import CentredMarkers
from budwood.stats.matrix_free.krylov_space import krylov_spaces

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]

#: Start columns of the space and passes over the markers.
_COLUMNS: Final = 16
_PASSES: Final = 8


@dataclass(frozen=True, kw_only=True)
class MarkerComponents:
    """Principal components of n lines.

    Attributes
    ----------
    scores
        (n, count) coordinates.
    explained
        (count,) share of the variance.
    row_mean
        (n,) mean relationship of each line with all.
    """

    scores: Matrix
    explained: Vector
    row_mean: Vector


def marker_components(markers: CentredMarkers, count: int = 2, *, seed: int = 0) -> MarkerComponents:
    """First principal components of a relationship after double centring.

    Signs are those of :func:`budwood.stats.relationship.principal_components.principal_components`.

    Parameters
    ----------
    markers
        Of n lines.
    count
        Number of components.
    seed
        Of the random start.

    Returns
    -------
    MarkerComponents
        Scores and shares explained.

    Examples
    --------
    >>> from budwood.stats.relationship.relationship import summarise_markers
    >>> dosage, two = np.array([[0, 2], [1, 1], [2, 0]], dtype=np.int8), np.full(3, 2, dtype=np.int8)
    >>> z = CentredMarkers(dosage=dosage, ploidy=two, summary=summarise_markers(dosage, two))
    >>> np.abs(marker_components(z, 1).scores[:, 0]).round(4)
    array([1.4142, 0.    , 1.4142])
    """
    n = len(markers)

    def multiply(columns: Matrix) -> Matrix:
        image = markers.unit * markers.gram_times(columns - columns.mean(axis=0))
        return image - image.mean(axis=0)

    start = np.random.default_rng(seed).standard_normal((n, min(_COLUMNS, n)))
    *_, space = krylov_spaces(multiply, start - start.mean(axis=0), _PASSES)
    take = min(count, len(space.values))
    values = np.maximum(space.values[::-1][:take], 0.0)
    vectors = space.ritz_vectors(take)[:, ::-1].astype(np.float64)
    peaks = vectors[np.argmax(np.abs(vectors), axis=0), np.arange(take)]
    scores, explained = np.zeros((n, count)), np.zeros(count)
    scores[:, :take] = vectors * np.where(peaks < 0.0, -1.0, 1.0) * np.sqrt(values)
    total = markers.spread * n
    if total > 0.0:
        explained[:take] = values / total
    row_mean = markers.unit * markers.gram_times(np.ones((n, 1)))[:, 0] / n
    return MarkerComponents(scores=scores, explained=explained, row_mean=row_mean)
