"""A head that carries a trait from a source to a target: features that both have, and effects of the source.

Every linear head is a kernel: ``square`` between the source's lines and ``cross`` between the target's lines
and the source's. Its score is ``V cross P y``, the source's best linear prediction of the target's lines.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from budwood.stats.mixed_model.blup import blup
from budwood.stats.mixed_model.boundary import PLAUSIBLE, averaged_components, genetic_share
from budwood.stats.mixed_model.reml import reml
from budwood.stats.mixed_model.variance_components import VarianceComponents
from budwood.stats.relationship.kernel_scaling import kernel_spread

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class SourceHead:
    """Features that source and target share, as kernels.

    Attributes
    ----------
    name
        For people: ``"shared markers"``, ``"gene burdens"``, ``"pooled embeddings"``,
        ``"embeddings by locus"``.
    square
        (n, n) between the source's lines.
    cross
        (c, n) between the target's lines and the source's.
    shared
        Features in common, or loci.
    """

    name: str
    square: Matrix
    cross: Matrix
    shared: int

    @classmethod
    def of(cls, name: str, source: Matrix, target: Matrix) -> SourceHead:
        """From (n, k) and (c, k) features, both centred here on their own means.

        Source and target are centred apart: a shift between species is no difference between lines.
        """
        ours, theirs = source - source.mean(axis=0), target - target.mean(axis=0)
        return cls.of_products(name, ours @ ours.T, theirs @ ours.T, source.shape[1])

    @classmethod
    def of_products(cls, name: str, square: Matrix, cross: Matrix, shared: int) -> SourceHead:
        """From products of features that are centred on each side, in units of the source's variance."""
        unit = float(np.trace(square)) / max(len(square) - 1, 1)
        unit = unit if unit > 0.0 else 1.0
        return cls(name=name, square=square / unit, cross=cross / unit, shared=shared)

    @property
    def varies(self) -> bool:
        """Whether the features differ between the source's lines and between the target's."""
        return kernel_spread(self.square) > 0.0 and float(np.ptp(self.cross)) > 0.0

    def scorer(self, y: Vector, relationship: Matrix) -> SourceScorer:
        """Learn the source's trait from this head's features beside its relationship.

        The relationship takes up what families share, so that the features' effects are their own.
        """
        kernels = [self.square, relationship]
        components = reml(y, kernels)
        if components.kernels[0] <= 0.0:
            kernels = [self.square]
            components = reml(y, kernels)
        if not PLAUSIBLE[0] <= genetic_share(components, kernels) <= PLAUSIBLE[1]:
            components = averaged_components(y, kernels, components)
        return SourceScorer(self, tuple(kernels), components)


@dataclass(frozen=True, eq=False)
class SourceScorer:
    """A head with the source's variance components.

    Attributes
    ----------
    head
        Features.
    kernels
        Of the source's lines, that of the features first.
    components
        Their variances.
    """

    head: SourceHead
    kernels: tuple[Matrix, ...]
    components: VarianceComponents

    def score(self, y: Vector) -> Vector:
        """(c,) scores of the target's lines by the source's (n,) trait values."""
        return self.head.cross @ self.weights(y)

    def weights(self, y: Vector) -> Vector:
        """(n,) V P y: what the cross kernel multiplies."""
        solved = blup(y, list(self.kernels), self.components)
        return self.components.kernels[0] * solved.projected
