"""The target as few-shot arms see it, and what a source brings to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.genomics.genotypes import Genotypes
from budwood.stats.evaluation.splitters import cluster_folds
from budwood.stats.relationship.gaussian import gaussian_of, mean_distance
from budwood.stats.relationship.principal_components import principal_components
from budwood.stats.relationship.relationship import centred_products, summarise_markers

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]

#: Bandwidths of the Gaussian kernel, most clusters, fewest lines of a cluster, principal axes of structure.
BANDWIDTHS: Final = (0.5, 1.0, 2.0)
CLUSTERS: Final = 5
SMALLEST_CLUSTER: Final = 15
AXES: Final = 5


@dataclass(frozen=True, kw_only=True, eq=False)
class TransferTarget:
    """The N phenotyped lines of a target.

    Attributes
    ----------
    accessions
        N ids.
    y
        (N,) trait values.
    relationship
        (N, N); frequencies come from all lines, whose genotypes are known before any phenotype is.
    gaussian
        (N, N) kernels by bandwidth.
    clusters
        (N,) cluster of related lines.
    axes
        (N, k) principal axes of structure, the first first.
    """

    accessions: tuple[str, ...]
    y: Vector
    relationship: Matrix
    gaussian: tuple[Matrix, ...]
    clusters: NDArray[np.int64]
    axes: Matrix

    @classmethod
    def of(cls, genotypes: Genotypes, y: Vector) -> TransferTarget:
        """From genotypes of the phenotyped lines and their values."""
        summary = summarise_markers(genotypes.dosage, genotypes.ploidy)
        products = centred_products(genotypes.dosage, genotypes.ploidy, summary)
        relationship, distances = products.relationship(), products.squared_distances()
        unit = mean_distance(distances)
        parts = min(CLUSTERS, max(2, len(y) // (2 * SMALLEST_CLUSTER)))
        axes = principal_components(relationship, count=min(AXES, len(y) - 2)).scores
        return cls(
            accessions=genotypes.accessions,
            y=y,
            relationship=relationship,
            gaussian=tuple(gaussian_of(distances, each, unit) for each in BANDWIDTHS),
            clusters=cluster_folds(relationship, parts, smallest=SMALLEST_CLUSTER),
            axes=axes,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class TransferHead:
    """What one head brings: a score of the target's lines, or a second kernel between them.

    Attributes
    ----------
    name
        For people.
    score
        (N,) score of the phenotyped target lines.
    kernel
        (N, N) kernel of the target weighted by the source's knowledge.
    random_scores, random_kernels
        The same from random traits of the source: (R, N), and a tuple of (N, N).
    shuffled_scores, shuffled_kernels
        The same with orthology shuffled.
    random_weight_scores
        (R, N) scores by the same features of encoders with random weights, for embeddings.
    source
        Name of the source, where there are several.
    own, own_random
        (N, N) kernel of the target's own features, which the source's effects multiply, and the same by an
        encoder with random weights: what a model learns from the target's phenotypes from scratch.
    source_spread
        Standard deviation of the score among the source's lines; NaN where it is not known.
    """

    name: str
    score: Vector | None = None
    kernel: Matrix | None = None
    random_scores: Matrix | None = None
    random_kernels: tuple[Matrix, ...] = ()
    shuffled_scores: Matrix | None = None
    shuffled_kernels: tuple[Matrix, ...] = ()
    random_weight_scores: Matrix | None = None
    source: str = ""
    own: Matrix | None = None
    own_random: Matrix | None = None
    source_spread: float = np.nan
