"""Heritability of the trait values that are given, as far as markers see it."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.prediction.evaluation.results import Heritability
from budwood.prediction.kernels.dense_limit import is_large
from budwood.prediction.kernels.panel_kernels import RELATIONSHIP, PanelKernels
from budwood.stats.matrix_free.stochastic_reml import stochastic_reml
from budwood.stats.matrix_free.whitened_relationship import WhitenedRelationship
from budwood.stats.mixed_model.fixed_effects import whitened_design
from budwood.stats.mixed_model.reml import reml
from budwood.stats.relationship.kernel_scaling import kernel_spread

#: Heritability under which a correlation divided by its root is not reported.
SMALLEST: Final = 0.01

GENOMIC_SOURCE: Final = "genomic h2 estimated by REML of GBLUP on all phenotyped lines"
GIVEN_SOURCE: Final = "given by the user"


def genomic_heritability(
    kernels: PanelKernels, y: NDArray[np.float64], weights: NDArray[np.float64] | None = None
) -> Heritability:
    """Share of the variance of the n trait values that the relationship matrix explains.

    ``Vu D / (Vu D + Ve)`` with REML estimates from all accessions and ``D`` the expected sample variance of
    an effect of unit variance (:func:`budwood.stats.relationship.kernel_scaling.kernel_spread`). It is that
    of the values given: of means over plots where they are means. Genetic variance that markers do not follow
    counts as residual, so it tends to lie under the heritability of a trial, and r / h above. Held-out
    accessions take part: only figures that are already made are divided by its root.

    Parameters
    ----------
    kernels
        n accessions.
    y
        (n,) trait values.
    weights
        (n,) their weights, None for equal ones; the heritability is that of a value of weight 1.

    Returns
    -------
    Heritability
        Value and source.
    """
    everyone = np.arange(len(kernels))
    if is_large(len(kernels)) and kernels.relationship is None:
        design = whitened_design(len(kernels), weights=weights)
        relationship = WhitenedRelationship(kernels.ranged_markers(everyone, everyone), design)
        (found,), _ = stochastic_reml(relationship, y[:, None])
        genetic = found.components.kernels[0] * relationship.markers.spread
        return Heritability(float(genetic / (genetic + found.components.residual)), GENOMIC_SOURCE)
    kernel = kernels.kernel(RELATIONSHIP, everyone)
    components = reml(y, [kernel], weights=weights)
    genetic = components.kernels[0] * kernel_spread(kernel)
    return Heritability(float(genetic / (genetic + components.residual)), GENOMIC_SOURCE)


def given_heritability(value: float) -> Heritability:
    """A heritability that the user states.

    Parameters
    ----------
    value
        Above 0, at most 1.

    Returns
    -------
    Heritability
        Value and source.

    Raises
    ------
    BudwoodError
        If the value is outside that range.

    Examples
    --------
    >>> given_heritability(0.5)
    Heritability(value=0.5, source='given by the user')
    """
    if not SMALLEST <= value <= 1.0:
        raise BudwoodError(
            f"{value:g} is no heritability to divide by", where="h2", mend=f"give {SMALLEST:g} to 1"
        )
    return Heritability(value, GIVEN_SOURCE)


def heritability_notes(heritability: Heritability, mean_r: dict[str, float]) -> tuple[str, ...]:
    """Cautions where r is divided by the root of the heritability.

    Parameters
    ----------
    heritability
        Value and source.
    mean_r
        Mean correlation by model.

    Returns
    -------
    tuple[str, ...]
        Sentences.
    """
    h2, source = heritability.value, heritability.source
    if h2 < SMALLEST:
        return (f"r / h is not given, since the heritability ({source}) is {h2:.3f}.",)
    above = [name for name, r in mean_r.items() if r > h2**0.5]
    if not above:
        return ()
    return (
        f"r / h is above 1 for {', '.join(above)}, which no accuracy can be: h2 = {h2:.2f} ({source}) is too "
        "low for these values, or r is high by chance; go by r.",
    )
