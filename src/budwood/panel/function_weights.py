"""Marker weights by the class of each site: a relationship in which genes count most.

The weights are fixed and learn from nothing in the panel, so nothing can leak. One kernel with weights, and
not one kernel for each class with variances by restricted maximum likelihood: markers of different classes
lie side by side, their kernels nearly repeat one another, and a few hundred lines cannot tell five of them
apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from budwood.genomics.annotation.genes import Annotation
from budwood.genomics.annotation.site_class import SiteClass, site_classes
from budwood.genomics.genotypes import Markers
from budwood.panel.marker_weights import FUNCTION, MarkerWeights

#: Prior variance of a marker's effect by its class, relative to coding sequence.
#:
#: A guess, ordered by nearness to the protein. Association hits in maize are enriched in genes and depleted
#: between them (Wallace et al. 2014, PLoS Genetics 10:e1004845), whereas "Analysis of trait heritability in
#: functionally partitioned rice genomes" finds most heritability of five traits outside of genes. So the
#: weights are steep and the kernel stands beside the unweighted relationship: the panel's likelihood or
#: held-out error decides how much it counts.
CLASS_WEIGHTS: Final[Mapping[SiteClass, float]] = MappingProxyType(
    {
        SiteClass.CODING: 1.0,
        SiteClass.UTR: 0.75,
        SiteClass.PROMOTER: 0.5,
        SiteClass.INTRON: 0.25,
        SiteClass.INTERGENIC: 0.1,
    }
)


def function_weights(
    markers: Markers, annotation: Annotation, *, aliases: Mapping[str, str] | None = None
) -> MarkerWeights:
    """Weights of the kernel ``function`` by class of site.

    Parameters
    ----------
    markers, annotation, aliases
        As in :func:`~budwood.genomics.annotation.site_class.site_classes`.

    Returns
    -------
    MarkerWeights
        A weight for each marker, with notes on what was matched.

    Raises
    ------
    BudwoodError
        If no marker lies on a contig of the annotation.
    """
    classes = site_classes(markers, annotation, aliases=aliases)
    weights = np.array([CLASS_WEIGHTS[each] for each in SiteClass])[classes]
    counts = np.bincount(classes, minlength=len(SiteClass))
    listed = ", ".join(
        f"{int(counts[each]):,} {each.name.lower() if each != SiteClass.UTR else 'UTR'} ({weight:g})"
        for each, weight in CLASS_WEIGHTS.items()
    )
    note = f"Markers by annotation, with their fixed weight in the function-weighted relationship: {listed}."
    return MarkerWeights({FUNCTION: weights}, (note,))
