"""Markers evenly spaced along the genome, for models whose cost grows with every marker."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def evenly_spaced(markers: int, most: int) -> NDArray[np.intp]:
    """Columns of at most ``most`` markers, evenly spaced in their order.

    Neighbours of a dense map nearly repeat one another (linkage disequilibrium), so trees lose little. No
    trait value takes part.

    Parameters
    ----------
    markers
        Number of markers.
    most
        Largest number to keep.

    Returns
    -------
    NDArray[np.intp]
        Columns in ascending order.

    Examples
    --------
    >>> evenly_spaced(9, 3)
    array([0, 4, 8])
    >>> evenly_spaced(3, 9)
    array([0, 1, 2])
    """
    return np.linspace(0, markers - 1, min(markers, most)).round().astype(np.intp)
