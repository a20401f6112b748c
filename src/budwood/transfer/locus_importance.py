"""How much each locus matters to the source's trait, and the target's markers weighted by it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csc_matrix, csr_matrix

from budwood.stats.mixed_model.reml import reml

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]

#: Markers handled at once.
_BLOCK = 2048


def association(markers: Matrix, y: Matrix, relationship: Matrix) -> Matrix:
    """Score statistic of each marker in the mixed model of the relationship.

    ``(z' P y)^2 / (z' P z)``, chi-squared with one degree of freedom for a marker without an effect (Kang
    and others 2010, Nature Genetics 42:348, with one set of variance components for all markers).

    Parameters
    ----------
    markers
        (n, m) centred allele frequencies.
    y
        (k, n) trait values; the first row's variance components serve all rows.
    relationship
        (n, n).

    Returns
    -------
    ndarray
        (k, m) statistics; 0 for a marker that does not vary.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> z = rng.normal(size=(80, 3))
    >>> y = z[:, 1] + 0.5 * rng.normal(size=80)
    >>> int(association(z, y[None], z @ z.T / 3 + 0.1 * np.eye(80))[0].argmax())
    1
    """
    n = len(relationship)
    components = reml(y[0], [relationship])
    residual = max(components.residual, 1e-6 * float(np.var(y[0])))
    covariance = components.kernels[0] * relationship + residual * np.eye(n)
    inverse = cho_solve(cho_factor(covariance, lower=True), np.eye(n))
    ones = inverse.sum(axis=0)
    projection = inverse - np.outer(ones, ones) / float(ones.sum())
    projected = projection @ y.T
    found = np.zeros((len(y), markers.shape[1]))
    for start in range(0, markers.shape[1], _BLOCK):
        z = markers[:, start : start + _BLOCK]
        spread = np.einsum("ij,ij->j", z, projection @ z)
        able = spread * residual > 1e-9 * np.maximum(np.einsum("ij,ij->j", z, z), 1e-300)
        effects = projected.T @ z
        divisor = np.broadcast_to(spread, effects.shape)
        block = found[:, start : start + _BLOCK]
        np.divide(effects**2, divisor, out=block, where=np.broadcast_to(able, effects.shape))
    return found


def locus_importance(statistics: Vector, members: csr_matrix) -> Vector:
    """(L,) importance: how far the mean statistic of a locus' markers exceeds that of all, 0 at least.

    Parameters
    ----------
    statistics
        (m,) of the source's markers.
    members
        (L, m) which markers lie in which locus.
    """
    count = np.asarray(members.sum(axis=1)).ravel()
    mean = np.asarray(members @ statistics).ravel() / np.maximum(count, 1.0)
    usual = float(statistics.mean())
    return np.where(count > 0, np.maximum(mean - usual, 0.0), 0.0)


def marker_weights(importance: Vector, members: csr_matrix) -> Vector:
    """(m,) weights of the target's markers: the largest importance among the loci that hold each.

    Parameters
    ----------
    importance
        (L,) of each locus.
    members
        (L, m) which of the target's markers lie in which locus.

    Examples
    --------
    >>> members = csr_matrix(np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 0.0]]))
    >>> marker_weights(np.array([2.0, 5.0]), members).tolist()
    [2.0, 5.0, 0.0]
    """
    weighted = csc_matrix(members.multiply(importance[:, None]))
    return np.asarray(weighted.max(axis=0).todense(), dtype=np.float64).ravel()
