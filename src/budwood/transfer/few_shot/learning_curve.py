"""How accuracy grows with phenotyped lines: how many reach a threshold, and where it stops to grow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares, nnls
from scipy.stats import multivariate_normal, norm

from budwood.stats.evaluation.paired_difference import corrected_interval
from budwood.transfer.few_shot.design import FEWEST_DRAWS
from budwood.transfer.few_shot.results import FewShotResults

Vector = NDArray[np.float64]

#: Accuracy from which predictions are used in production, and the difference of r that counts as none.
PRODUCTION_R: Final = 0.6
MARGIN: Final = 0.02


@dataclass(frozen=True, kw_only=True)
class LinesNeeded:
    """Number of phenotyped lines at which an arm reaches an accuracy.

    Attributes
    ----------
    threshold
        The accuracy.
    lines
        Smallest number, interpolated between the sizes tried; None where none of them reaches it.
    most_tried
        Largest size tried: a number that is None lies above it.
    """

    threshold: float
    lines: int | None
    most_tried: int

    @property
    def text(self) -> str:
        """For people.

        Examples
        --------
        >>> LinesNeeded(threshold=0.6, lines=None, most_tried=400).text
        'more than 400'
        """
        return f"more than {self.most_tried:,}" if self.lines is None else f"{self.lines:,}"


def lines_needed(curve: Mapping[int, float], threshold: float = PRODUCTION_R) -> LinesNeeded:
    """Number of phenotyped lines at which a curve reaches an accuracy.

    Parameters
    ----------
    curve
        Mean r by size. More lines do no harm on average, so the curve is made to ascend first (pool adjacent
        violators).
    threshold
        The accuracy.

    Examples
    --------
    >>> lines_needed({25: 0.4, 50: 0.5, 100: 0.7}).lines
    75
    """
    sizes = np.array(sorted(curve))
    r = _ascending(np.array([curve[size] for size in sizes]))
    most = int(sizes[-1])
    reached = np.flatnonzero(r >= threshold)
    if not len(reached):
        return LinesNeeded(threshold=threshold, lines=None, most_tried=most)
    first = int(reached[0])
    if first == 0 or r[first] == r[first - 1]:
        return LinesNeeded(threshold=threshold, lines=int(sizes[first]), most_tried=most)
    share = (threshold - r[first - 1]) / (r[first] - r[first - 1])
    lines = sizes[first - 1] + share * (sizes[first] - sizes[first - 1])
    return LinesNeeded(threshold=threshold, lines=int(np.ceil(lines)), most_tried=most)


def _ascending(values: Vector) -> Vector:
    """The nearest ascending sequence by least squares."""
    steps = np.tril(np.ones((len(values), len(values))))
    shifted = values - values.min()
    return np.asarray(steps @ nnls(steps, shifted)[0] + values.min(), dtype=np.float64)


def plateau(results: FewShotResults, arm: str, margin: float = MARGIN) -> int | None:
    """Smallest size from which more phenotyped lines are shown to add less than a margin of r.

    A test of equivalence: the upper end of the 90 % interval of ``r(largest) - r(size)``, paired by draw,
    lies under the margin (one-sided 5 %). Draws that are too few (``FEWEST_DRAWS``) or too different show
    nothing, and then there is no plateau.

    Returns
    -------
    int or None
        The size, below the largest tried; None where equivalence is not shown for any.
    """
    if results.design.draws < FEWEST_DRAWS:
        return None
    sizes = [size for size in results.sizes if size > 0 and size in results.r[arm]]
    for size in sizes[:-1]:
        gain = results.r[arm][sizes[-1]] - results.r[arm][size]
        if corrected_interval(gain, results.overlap, level=0.90).upper < margin:
            return size
    return None


@dataclass(frozen=True, kw_only=True)
class FittedCurve:
    """``r(n) = limit sqrt(n / (n + half))``, after Daetwyler and others (2008, PLoS ONE 3:e3395).

    Attributes
    ----------
    limit
        r that ever more lines approach.
    half
        Lines at which r squared is half of its limit.
    """

    limit: float
    half: float

    def at(self, lines: float) -> float:
        """Expected r at a number of lines."""
        return self.limit * (lines / (lines + self.half)) ** 0.5


def fitted_curve(curve: Mapping[int, float]) -> FittedCurve | None:
    """Least-squares curve through mean accuracies; None with under three sizes above 0.

    Examples
    --------
    >>> true = FittedCurve(limit=0.8, half=60.0)
    >>> found = fitted_curve({n: true.at(n) for n in (25, 50, 100, 200)})
    >>> round(found.limit, 3), round(found.half, 1)
    (0.8, 60.0)
    """
    sizes = np.array([size for size in sorted(curve) if size > 0], dtype=np.float64)
    if len(sizes) < 3:
        return None
    r = np.array([curve[int(size)] for size in sizes])

    def error(parameters: Vector) -> Vector:
        return np.asarray(parameters[0] * np.sqrt(sizes / (sizes + np.exp(parameters[1]))) - r)

    start = np.array([max(float(r.max()), 0.1), np.log(50.0)])
    found = least_squares(error, start, bounds=([-1.0, -3.0], [1.0, 10.0])).x
    return FittedCurve(limit=float(found[0]), half=float(np.exp(found[1])))


def expected_top_overlap(r: float, share: float = 0.25) -> float:
    """Share of the best lines that a normal predictor of correlation r finds among its best.

    Parameters
    ----------
    r
        Correlation of predicted and observed values, both normal.
    share
        Share of the lines that counts as the best.

    Returns
    -------
    float
        ``share`` where r is 0, 1 where it is 1.

    Examples
    --------
    >>> [round(expected_top_overlap(r), 2) for r in (0.0, 0.41, 0.57, 0.64)]
    [0.25, 0.43, 0.52, 0.56]
    """
    if abs(r) >= 1.0 - 1e-9:
        return 1.0 if r > 0 else 0.0
    limit = float(norm.ppf(share))
    both = multivariate_normal(mean=[0.0, 0.0], cov=[[1.0, r], [r, 1.0]]).cdf([limit, limit])
    return float(both) / share
