"""Similarity of environments by their covariates: the kernel of a reaction norm."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from budwood.genomics.environments import Environments
from budwood.stats.relationship.relationship import Rows

Matrix = NDArray[np.float64]


def environment_kernel(
    environments: Environments, training: Rows, index: NDArray[np.float64] | None = None
) -> Matrix | None:
    """Inner products of the environments' covariates, (a, a), learnt from training environments only.

    Treatment, location and year count as categories, every numeric covariate as one number. Each variable is
    centred by the training environments and has a mean square of 1 among them; variables that do not vary
    there take no part (Jarquin et al. 2014, Theor. Appl. Genet. 127:595). A category that no training
    environment has is placed at the centre.

    Parameters
    ----------
    environments
        Table of environments with their covariates; None where there is none.
    training
        Rows of the environments that have records.
    index
        (a,) one more variable, NaN where unknown: those stand at the centre.

    Returns
    -------
    ndarray or None
        None where no variable varies.

    Examples
    --------
    >>> two = Environments(("a", "b"), ("", ""), ("", ""), ("wet", "dry"), ("", ""))
    >>> environment_kernel(two, np.arange(2))
    array([[ 1., -1.],
           [-1.,  1.]])
    """
    parts = [_scaled(columns, training) for columns in _variables(environments, training)]
    if index is not None:
        known = np.where(np.isnan(index), np.nanmean(index[training]), index)
        parts.append(_scaled(known[:, None], training))
    products = [part @ part.T for part in parts if part is not None]
    return np.mean(products, axis=0) if products else None


def _variables(environments: Environments, training: Rows) -> Iterator[Matrix]:
    for texts in (environments.treatment, environments.location, environments.year):
        levels = sorted({texts[row] for row in training})
        member = np.array([[float(text == level) for level in levels] for text in texts])
        member[~member.any(axis=1)] = member[training].mean(axis=0)
        yield member
    for values in environments.covariates.values():
        yield values[:, None]


def _scaled(columns: Matrix, training: Rows) -> Matrix | None:
    centred = columns - columns[training].mean(axis=0)
    size = float((centred[training] ** 2).sum(axis=1).mean())
    largest = float((columns[training] ** 2).sum(axis=1).max())
    return centred / np.sqrt(size) if size > 1e-12 * max(largest, 1e-300) else None
