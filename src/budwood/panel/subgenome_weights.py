"""Marker weights of relationships by subgenome, for allopolyploids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np

from budwood.errors import BudwoodError
from budwood.genomics.genotypes import Markers
from budwood.panel.marker_weights import SUBGENOME, MarkerWeights


def subgenome_weights(markers: Markers, subgenomes: Mapping[str, str]) -> MarkerWeights:
    """A kernel ``subgenome:NAME`` for each subgenome, of the markers on its contigs.

    Parameters
    ----------
    markers
        m markers; those on contigs without a subgenome are in none of these kernels.
    subgenomes
        Subgenome of each contig.

    Returns
    -------
    MarkerWeights
        One kernel for each subgenome, its weights 0 or 1.

    Raises
    ------
    BudwoodError
        If fewer than two subgenomes have markers.

    Examples
    --------
    >>> blank, contig = np.full(3, "", dtype=object), np.array(["1A", "1B", "Un"], dtype=object)
    >>> found = subgenome_weights(Markers(blank, contig, np.arange(3), blank, blank), {"1A": "A", "1B": "B"})
    >>> found.by_kernel
    {'subgenome:A': array([1., 0., 0.]), 'subgenome:B': array([0., 1., 0.])}
    """
    belongs = np.array([subgenomes.get(contig, "") for contig in markers.contig], dtype=object)
    counts = Counter(belongs)
    outside = counts.pop("", 0)
    if len(counts) < 2:
        raise BudwoodError(
            f"the markers lie on {len(counts)} subgenome{'' if len(counts) == 1 else 's'}",
            mend="give the subgenome of each contig as the genotypes name it, for two subgenomes or more",
        )
    names = sorted(counts)
    listed = ", ".join(f"{name} {counts[name]:,}" for name in names)
    without = [contig or "no contig" for contig in dict.fromkeys(markers.contig[belongs == ""])]
    some = f" ({', '.join(without[:6])}{', ...' if len(without) > 6 else ''})" if without else ""
    notes = [f"Markers by subgenome: {listed}; {outside:,} lie on contigs of none{some}."]
    notes.append(
        "Markers that were called on homeologous copies at once draw the subgenomes' shares of the variance "
        "towards one another."
    )
    return MarkerWeights(
        {f"{SUBGENOME}:{name}": (belongs == name).astype(np.float64) for name in names}, tuple(notes)
    )
