"""Restricted maximum likelihood of one kernel from products alone, with its Monte Carlo error.

The restricted likelihood needs ``log |h K + (1 - h) I|`` and ``y' (h K + (1 - h) I)^-1 y`` between error
contrasts. Both come from one Krylov space that starts with the records and with random probes: the first as
the probes' mean (Ubaru, Chen and Saad 2017, SIAM Journal on Matrix Analysis and Applications 38:1075), the
second as a quadrature, for all shares h at once. With N probes the Monte Carlo error of the estimate is about
1 / sqrt(N) of the sampling error that the records leave anyway.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.stats.matrix_free.krylov_space import KrylovSpace, krylov_spaces
from budwood.stats.matrix_free.whitened_relationship import WhitenedRelationship
from budwood.stats.mixed_model.spectral_profile import SpectralProfile
from budwood.stats.mixed_model.variance_components import VarianceComponents

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]

#: Share of the sampling error by which a further pass may move the estimate of a space that is large enough.
_SETTLED: Final = 0.02
#: Standard error of a share below which nothing is gained.
_LEAST: Final = 1e-3
#: Largest share at which passes end before the last one.
_RESOLVED: Final = 0.95
#: Passes before estimates are made.
_FEWEST: Final = 4
#: Step of the share in the numerical second derivative of the likelihood.
_STEP: Final = 1e-4


@dataclass(frozen=True, kw_only=True)
class StochasticReml:
    """Estimates of one trait.

    Attributes
    ----------
    components, average
        Variance components at the maximum of the restricted likelihood, and at the mean share over it.
    share, standard_error, monte_carlo_error
        Share of the variance that the kernel has; its standard error; and the part of the error that comes
        from the probes, which other seeds show. NaN at the boundary.
    average_share
        Mean of the share over the likelihood.
    passes
        Passes over the markers.
    """

    components: VarianceComponents
    average: VarianceComponents
    share: float
    standard_error: float
    monte_carlo_error: float
    average_share: float
    passes: int


def stochastic_reml(
    relationship: WhitenedRelationship,
    y: Matrix,
    *,
    probes: int = 32,
    passes: int = 40,
    seed: int = 0,
) -> tuple[tuple[StochasticReml, ...], KrylovSpace]:
    """Variance components of several traits of the same lines.

    Parameters
    ----------
    relationship
        Of the n records.
    y
        (n, t) records of t traits.
    probes
        Random probes; four times as many halve the Monte Carlo error.
    passes
        Most passes over the markers; they end when the estimates have settled.
    seed
        Of the probes.

    Returns
    -------
    tuple of StochasticReml, KrylovSpace
        Estimates by trait, and the space they come from.

    Raises
    ------
    BudwoodError
        If the records do not vary or one is not finite.

    Examples
    --------
    >>> from budwood.stats.matrix_free.centred_markers import CentredMarkers
    >>> from budwood.stats.mixed_model.fixed_effects import whitened_design
    >>> from budwood.stats.relationship.relationship import summarise_markers
    >>> dosage = np.random.default_rng(0).integers(0, 3, (60, 90)).astype(np.int8)
    >>> two, y = np.full(60, 2, dtype=np.int8), dosage[:, :30].sum(axis=1).astype(np.float64)
    >>> z = CentredMarkers(dosage=dosage, ploidy=two, summary=summarise_markers(dosage, two))
    >>> relationship = WhitenedRelationship(z, whitened_design(60))
    >>> (found,), space = stochastic_reml(relationship, y[:, None])
    >>> 0.0 <= found.share <= 1.0
    True
    """
    design = relationship.design
    records = np.column_stack([design.varying_response(each) for each in y.T])
    n, q = design.basis.shape
    drawn = np.random.default_rng(seed).standard_normal((n, probes))
    start = np.column_stack([records, design.residual(drawn)])
    size = relationship.mean_eigenvalue
    earlier: list[Vector] = []
    for count, space in enumerate(krylov_spaces(relationship.contrast_times, start, passes), 1):
        if count < _FEWEST and space.basis.shape[1] < n - q:
            continue
        found = tuple(_estimate(space, trait, y.shape[1], n - q, size, count) for trait in range(y.shape[1]))
        earlier.append(np.array([each.share for each in found]))
        tolerance = [_SETTLED * max(np.nan_to_num(each.standard_error), _LEAST) for each in found]
        moved = [np.abs(earlier[-1] - each) for each in earlier[-3:-1]]
        # A space that has not met the smallest eigenvalues yet puts the share near 1, again and again.
        settled = len(moved) == 2 and np.all(np.max(moved, axis=0) <= tolerance)
        if settled and earlier[-1].max() <= _RESOLVED:
            break
    return found, space


def _estimate(
    space: KrylovSpace, trait: int, traits: int, contrasts: int, size: float, passes: int
) -> StochasticReml:
    weights = space.start**2
    of_probes = weights[:, traits:] / weights[:, traits:].sum(axis=0) * contrasts
    values = np.maximum(space.values, 0.0) / (size or 1.0)
    profile = SpectralProfile(values, weights[:, trait], of_probes.mean(axis=1))
    share, rest = profile.maximum() if size > 0.0 else (0.0, 1.0)
    mean = profile.mean_share() if size > 0.0 else 0.0
    error, monte_carlo = _errors(profile, of_probes, share)
    return StochasticReml(
        components=profile.components(share, rest, size or 1.0),
        average=profile.components(mean, 1.0 - mean, size or 1.0),
        share=share,
        standard_error=error,
        monte_carlo_error=monte_carlo,
        average_share=mean,
        passes=passes,
    )


def _errors(profile: SpectralProfile, of_probes: Matrix, share: float) -> tuple[float, float]:
    """Standard error of the share, and the part of it that the probes cause."""
    low, high = max(share - _STEP, 1e-6), min(share + _STEP, 1.0 - 1e-6)
    if not low < share < high:
        return float("nan"), float("nan")
    curvature = (profile.slope(low, 1.0 - low) - profile.slope(high, 1.0 - high)) / (high - low)
    if curvature <= 0.0:
        return float("nan"), float("nan")
    # Each probe is a log-determinant of its own, with a slope of its own.
    change = (profile.eigenvalues - 1.0) / (share * profile.eigenvalues + 1.0 - share)
    slopes = 0.5 * (change @ of_probes)
    probes = of_probes.shape[1]
    return curvature**-0.5, float(slopes.std(ddof=1) / probes**0.5 / curvature)
