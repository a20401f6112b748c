"""How rows respond to columns: regression on the columns' means."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from budwood.errors import BudwoodError, counted
from budwood.stats.mixed_model.fixed_effects import Matrix, Vector


@dataclass(frozen=True)
class Stability:
    """Finlay and Wilkinson's regression of each row, (n,) each.

    Attributes
    ----------
    slope
        1 for a row that follows the columns' means, over 1 for one that responds more.
    deviation
        Standard deviation of the row's values around its line, in units of the values.
    """

    slope: Vector
    deviation: Vector


def finlay_wilkinson(values: Matrix) -> Stability:
    """Slope of each row's values on the columns' means, and the deviations from it.

    Finlay and Wilkinson (1963), Aust. J. Agric. Res. 14:742; the deviation is Eberhart and Russell's (1966),
    with m - 2 degrees of freedom.

    Parameters
    ----------
    values
        (n, m) without gaps, at least 3 columns.

    Returns
    -------
    Stability
        Slope and deviation of each row.

    Raises
    ------
    BudwoodError
        If there are under 3 columns or their means do not differ.

    Examples
    --------
    >>> finlay_wilkinson(np.array([[1.0, 2.0, 3.0], [1.0, 4.0, 7.0]])).slope.round(3)
    array([0.5, 1.5])
    """
    m = values.shape[1]
    if m < 3:
        raise BudwoodError(
            f"stability cannot be judged in {counted(m, 'environment')}", mend="give at least 3"
        )
    index = values.mean(axis=0) - values.mean()
    if np.linalg.norm(index) <= 1e-12 * np.linalg.norm(values):
        raise BudwoodError("the environments have the same mean", mend="give environments that differ")
    centred = values - values.mean(axis=1, keepdims=True)
    slope = centred @ index / (index @ index)
    rest = centred - np.outer(slope, index)
    return Stability(slope, np.sqrt((rest**2).sum(axis=1) / (m - 2)))
