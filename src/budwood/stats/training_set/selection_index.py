"""Selection indices of several traits: restricted, and for desired gains.

Candidates carry predictions of t traits with covariance P; G is the covariance of these predictions with the
genetic values. An index ``predictions @ b``, selected with intensity 1, is expected to change the traits by
``G' b / sqrt(b' P b)``. For best linear unbiased predictions G = P, since ``Cov(u_hat, u) = Var(u_hat)``;
that is the default here. For phenotypes P is the phenotypic and G the genetic covariance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]


@dataclass(frozen=True)
class SelectionIndex:
    """Weights of an index.

    Attributes
    ----------
    weights
        (t,) weight of each trait's prediction.
    expected_gain
        (t,) expected change of each trait per unit of selection intensity, in the trait's units.
    """

    weights: Vector
    expected_gain: Vector

    def score(self, predictions: Matrix) -> Vector:
        """Index of each candidate; the origin of the predictions does not change the ranking.

        Parameters
        ----------
        predictions
            (n, t) predictions of the candidates.

        Returns
        -------
        ndarray
            (n,) index.

        Raises
        ------
        ValueError
            If there are more or fewer traits than weights.

        Examples
        --------
        >>> SelectionIndex(np.array([1.0, -2.0]), np.zeros(2)).score(np.array([[3.0, 1.0], [3.0, 2.0]]))
        array([ 1., -1.])
        """
        if predictions.shape[1] != len(self.weights):
            raise ValueError(f"{predictions.shape[1]} traits for {len(self.weights)} weights")
        return predictions @ self.weights


def restricted_index(
    economic: Vector, restricted: Sequence[int], covariance: Matrix, genetic: Matrix | None = None
) -> SelectionIndex:
    """Most economic gain among the indices that leave some traits where they are.

    Kempthorne and Nordskog (1959), Biometrics 15:10:
    ``b = (I - P^-1 G C (C' G' P^-1 G C)^-1 C' G') P^-1 G a``. Without a restriction it is the index of Smith
    and Hazel, ``P^-1 G a``.

    Parameters
    ----------
    economic
        (t,) economic weight a of a unit of each trait.
    restricted
        Traits whose expected gain is to be 0; C holds their columns of the identity.
    covariance, genetic
        (t, t) P and G; G = P by default. Rows of G are predictions, columns genetic values.

    Returns
    -------
    SelectionIndex
        Weights and expected gains.

    Raises
    ------
    BudwoodError
        If a covariance cannot be inverted, or the restrictions leave nothing to select for.

    Examples
    --------
    >>> index = restricted_index(np.array([1.0, 1.0]), [1], np.array([[1.0, 0.5], [0.5, 1.0]]))
    >>> index.weights, index.expected_gain.round(3)
    (array([ 1. , -0.5]), array([0.866, 0.   ]))
    """
    unit = _units(covariance, economic)
    p, g = _checked(covariance, genetic, economic, unit)
    economic, scale = _largest_one(economic, unit)
    weights = np.linalg.solve(p, g @ economic)
    if len(restricted):
        held = g[:, list(restricted)]
        toward = np.linalg.solve(p, held)
        middle = held.T @ toward
        _check_positive(middle, "the restricted traits cannot be separated")
        weights = weights - toward @ np.linalg.solve(middle, held.T @ weights)
    largest = np.abs(np.linalg.solve(p, g) * economic).max()
    if not np.abs(weights).max() > 1e-12 * largest:
        raise BudwoodError(
            "the restrictions leave nothing to select for",
            mend="restrict fewer traits or give another trait an economic weight",
        )
    return _index(weights, p, g, unit, scale)


def desired_gains_index(desired: Vector, covariance: Matrix, genetic: Matrix | None = None) -> SelectionIndex:
    """The index whose expected gains are in the proportions desired.

    ``b = P^-1 G (G' P^-1 G)^-1 d`` (Pesek and Baker 1969, Canadian Journal of Plant Science 49:803), which is
    ``G'^-1 d`` where there are as many predictions as traits.

    Parameters
    ----------
    desired
        (t,) gains d; only their proportions and signs matter.
    covariance, genetic
        As in :func:`restricted_index`.

    Returns
    -------
    SelectionIndex
        Weights and expected gains.

    Raises
    ------
    BudwoodError
        If no gain is desired or a covariance cannot be inverted.

    Examples
    --------
    >>> index = desired_gains_index(np.array([2.0, 1.0]), np.array([[1.0, 0.5], [0.5, 1.0]]))
    >>> gain = index.expected_gain
    >>> round(float(gain[0] / gain[1]), 6)
    2.0
    """
    unit = _units(covariance, desired)
    p, g = _checked(covariance, genetic, desired, unit)
    wanted, scale = _largest_one(desired, 1.0 / unit)
    if np.linalg.matrix_rank(g) < len(g):
        raise BudwoodError(
            "the traits cannot be changed independently: one is determined by the others",
            mend="leave out a trait",
        )
    return _index(np.linalg.solve(g.T, wanted), p, g, unit, scale)


def _largest_one(wanted: Vector, unit: Vector) -> tuple[Vector, float]:
    """``wanted * unit`` divided by its largest entry, and that entry; no step leaves the range of numbers."""
    first = float(np.abs(wanted).max())
    scaled = wanted / first * unit
    second = float(np.abs(scaled).max())
    return scaled / second, first * second


def _index(
    found: NDArray[np.floating[Any]], p: Matrix, g: Matrix, unit: Vector, scale: float
) -> SelectionIndex:
    """The index in the traits' own units, from weights (less a factor), P and G of traits over ``unit``."""
    weights = np.asarray(found, dtype=np.float64)
    largest = float(np.abs(weights).max())
    direction = weights / largest
    gain = g.T @ direction / np.sqrt(direction @ p @ direction)
    return SelectionIndex(weights * scale / unit, gain * unit)


def _units(covariance: Matrix, wanted: Vector) -> Vector:
    """(t,) power of 2 near each trait's standard deviation, 1 where there is none.

    Divided by these, traits of any size have covariances around 1, and no digit of them changes.
    """
    p = np.asarray(covariance, dtype=np.float64)
    if p.shape != (len(wanted), len(wanted)):
        return np.ones(len(wanted))
    own = np.diagonal(p)
    usable = np.isfinite(own) & (own > 0.0)
    exponent = np.frexp(np.sqrt(np.where(usable, own, 1.0)))[1]
    return np.ldexp(1.0, np.where(usable, exponent, 0))


def _checked(
    covariance: Matrix, genetic: Matrix | None, wanted: Vector, unit: Vector
) -> tuple[Matrix, Matrix]:
    """P and G of traits divided by ``unit``, refused where they do not fit, are not finite, or are none."""
    p = np.asarray(covariance, dtype=np.float64)
    g = p if genetic is None else np.asarray(genetic, dtype=np.float64)
    if p.shape == g.shape == (len(unit), len(unit)):
        p, g = (each / unit[:, None] / unit[None, :] for each in (p, g))
    if p.shape != (len(wanted), len(wanted)) or g.shape != p.shape:
        raise ValueError(f"covariances {p.shape} and {g.shape} do not fit {len(wanted)} traits")
    if not (np.isfinite(p).all() and np.isfinite(g).all() and np.isfinite(wanted).all()):
        raise BudwoodError("a covariance or weight of a trait is not a number", mend="correct it")
    if not np.any(wanted):
        raise BudwoodError("every trait's weight is 0", mend="say which trait is to change")
    if np.abs(p - p.T).max() > 1e-8 * np.abs(p).max():
        raise BudwoodError("the covariance of the predictions is not symmetric", mend="correct it")
    _check_positive(p, "the predictions' covariance cannot be inverted")
    return p, g


def _check_positive(matrix: Matrix, what: str) -> None:
    """Refuse a matrix that is not safely positive definite on the scale of its own diagonal."""
    own = np.diagonal(matrix)
    if (own > 0.0).all():
        root = np.sqrt(own)
        if np.linalg.eigvalsh(matrix / np.outer(root, root))[0] > 1e-10:
            return
    raise BudwoodError(what, mend="leave out a trait that others determine")
