"""Kernels of a training set, decomposed once for any number of traits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.prediction.kernels.panel_kernels import PanelKernels
from budwood.stats.mixed_model.band_reml import BAND_RECORDS, BandReml, KernelReml, kernel_reml
from budwood.stats.mixed_model.fixed_effects import check_kernels, independent_columns, whitened_design
from budwood.stats.mixed_model.variance_components import VarianceComponents
from budwood.stats.relationship.relationship import Rows

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]

#: Records above which alternatives are compared on so many of them.
COMPARED: Final = 2_000


def decomposed(
    kernels: PanelKernels,
    name: str,
    make: Callable[[], Matrix],
    training: Rows,
    weights: Vector | None,
    *,
    single: bool = False,
) -> KernelReml:
    """One kernel between the training records.

    Parameters
    ----------
    kernels
        The panel as models see it.
    name
        Of the kernel, among those of the training rows.
    make
        Makes the (n, n) kernel between the training rows.
    training
        (n,) training rows.
    weights
        (n,) record weights; None for equal ones, with which the decomposition is kept.
    single
        Whether single precision is enough.

    Returns
    -------
    KernelReml
        The decomposition.

    Examples
    --------
    >>> from budwood.panel.example import example_panel
    >>> kernels, rows = PanelKernels(example_panel().genotypes), np.arange(8)
    >>> round(decomposed(kernels, "one", lambda: np.eye(8), rows, None).fit(np.arange(8.0)).residual)
    6
    """

    def decompose() -> KernelReml:
        kernel = make()
        check_kernels([kernel], len(training))
        design = whitened_design(len(training), kernels.fixed(training), weights)
        return kernel_reml(kernel, design, single=single)

    kept = f"{'rough ' if single else ''}spectrum {name}"
    return decompose() if weights is not None else kernels.recall(kept, training, decompose)


def compared_likelihood(
    kernels: PanelKernels,
    name: str,
    make: Callable[[Rows], Matrix],
    training: Rows,
    y: Vector,
    weights: Vector | None,
) -> float:
    """Largest restricted likelihood of one kernel, to be compared with that of others.

    See :func:`compared_components`.

    Parameters
    ----------
    kernels, name
        As for :func:`decomposed`.
    make
        Makes the kernel between the training records of the given numbers.
    training
        (n,) training rows.
    y
        (n,) trait values.
    weights
        (n,) record weights; None for equal ones.

    Returns
    -------
    float
        Its logarithm.

    Examples
    --------
    >>> from budwood.panel.example import example_panel
    >>> kernels, rows = PanelKernels(example_panel().genotypes), np.arange(8)
    >>> value = compared_likelihood(kernels, "one", lambda own: np.eye(8), rows, np.arange(8.0), None)
    >>> round(value, 2)
    -16.2
    """
    return compared_components(kernels, name, make, training, y, weights).log_likelihood


def compared_components(
    kernels: PanelKernels,
    name: str,
    make: Callable[[Rows], Matrix],
    training: Rows,
    y: Vector,
    weights: Vector | None,
) -> VarianceComponents:
    """Variance components of one kernel of some of the records.

    Alternatives (bandwidths, proportions of two kernels) are few and coarse: of more than 2,000 records,
    2,000 drawn at random tell them apart. From 1,000 records on it is exact to .05, in single precision.

    Parameters
    ----------
    kernels, name
        As for :func:`decomposed`.
    make
        Makes the kernel between the training records of the given numbers.
    training
        (n,) training rows.
    y
        (n,) trait values.
    weights
        (n,) record weights; None for equal ones.

    Returns
    -------
    VarianceComponents
        Of these records, with the restricted likelihood.

    Examples
    --------
    >>> from budwood.panel.example import example_panel
    >>> kernels, rows = PanelKernels(example_panel().genotypes), np.arange(8)
    >>> found = compared_components(kernels, "one", lambda own: np.eye(8), rows, np.arange(8.0), None)
    >>> round(found.log_likelihood, 2)
    -16.2
    """
    chosen = compared_records(len(y))
    whole = len(chosen) == len(y)
    single = len(chosen) >= BAND_RECORDS

    def decompose(*, single: bool) -> KernelReml:
        kernel, fixed = make(chosen), kernels.fixed(training)
        check_kernels([kernel], len(chosen))
        columns = None if fixed is None else fixed[chosen][:, independent_columns(fixed[chosen])]
        own = None if weights is None else weights[chosen]
        return kernel_reml(kernel, whitened_design(len(chosen), columns, own), single=single)

    def recalled(*, single: bool) -> KernelReml:
        if weights is not None:
            return decompose(single=single)
        # What all records need in double precision anyway has the name that `decomposed` gives it.
        kept = f"{'' if whole else 'compared '}{'rough ' if single else ''}spectrum {name}"
        return kernels.recall(kept, training, lambda: decompose(single=single))

    found = recalled(single=single)
    if isinstance(found, BandReml) and found.unresolved(y[chosen]):
        found = recalled(single=False)
    return found.fit(y[chosen])


def compared_records(records: int) -> Rows:
    """Numbers of the records whose likelihoods of alternatives are compared.

    Parameters
    ----------
    records
        How many there are.

    Returns
    -------
    ndarray
        All of them up to 2,000, otherwise so many drawn at random, always the same ones.

    Examples
    --------
    >>> compared_records(3), len(compared_records(9_000))
    (array([0, 1, 2]), 2000)
    """
    if records <= COMPARED:
        return np.arange(records)
    return np.sort(np.random.default_rng(0).choice(records, COMPARED, replace=False))
