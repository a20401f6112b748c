"""Kernels moved to another origin without their features."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.stats.relationship.relationship import Rows


def recentred(kernel: NDArray[np.float64], training: Rows) -> NDArray[np.float64]:
    """The kernel of ``F - mean of F's training rows``, scaled to a mean training diagonal of 1.

    For any features F with ``kernel = F F'`` up to a common shift of all rows; centring in inner products is
    exact, so one matrix serves every training set.

    Parameters
    ----------
    kernel
        (n, n).
    training
        Rows whose mean becomes the origin.

    Returns
    -------
    ndarray
        (n, n) kernel with the new origin and scale.

    Raises
    ------
    BudwoodError
        If the training rows are all alike.

    Examples
    --------
    >>> features = np.array([[5.0], [7.0], [10.0]])
    >>> recentred(features @ features.T, np.array([0, 1]))
    array([[ 1., -1., -4.],
           [-1.,  1.,  4.],
           [-4.,  4., 16.]])
    """
    toward = kernel[:, training].mean(axis=1)
    moved = kernel - toward[:, None] - toward[None, :] + toward[training].mean()
    unit = float(np.diagonal(moved)[training].mean())
    if unit <= 1e-12 * max(1.0, float(np.abs(np.diagonal(kernel)[training]).mean())):
        raise BudwoodError(
            "the training accessions are all alike in a kernel", mend="give more training accessions"
        )
    return moved / unit


def kernel_spread(kernel: NDArray[np.float64]) -> float:
    """Expected sample variance of an effect of unit variance: mean diagonal minus mean of all entries.

    Variances of kernels on different scales compare after multiplication by it (Legarra 2016, Theoretical
    Population Biology 107:26, whose D_k it is).

    Parameters
    ----------
    kernel
        (n, n) between the lines of a sample.

    Returns
    -------
    float
        Variance per unit of the effect's variance.

    Examples
    --------
    >>> kernel_spread(np.eye(4))
    0.75
    """
    return float(np.diagonal(kernel).mean() - kernel.mean())
