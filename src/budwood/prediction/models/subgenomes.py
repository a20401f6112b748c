"""One relationship for each subgenome of an allopolyploid, with its share of the variance.

Markers of homeologous sites that were called as one (both copies on one chip probe, or reads placed on the
wrong copy) carry the other subgenome's alleles with them; shares are then drawn towards one another, and no
model of the calls can undo that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.genomics.genotypes import Markers
from budwood.prediction.kernels.kernel_model import FittedKernelModel, KernelModel
from budwood.prediction.kernels.marker_weights import MarkerWeights
from budwood.prediction.kernels.panel_kernels import SUBGENOME, KernelName, PanelKernels
from budwood.stats.relationship.relationship import Rows

Vector = NDArray[np.float64]


def subgenome_weights(markers: Markers, subgenomes: Mapping[str, str]) -> MarkerWeights:
    """A kernel ``subgenome:NAME`` for each subgenome, of the markers on its contigs.

    Parameters
    ----------
    markers
        m markers; those on contigs without a subgenome are in none of these kernels.
    subgenomes
        Subgenome of each contig.

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
    told = [f"Markers by subgenome: {listed}; {outside:,} lie on contigs of none{some}."]
    told.append(
        "Markers that were called on homeologous copies at once draw the subgenomes' shares of the variance "
        "towards one another."
    )
    return MarkerWeights(
        {f"{SUBGENOME}:{name}": (belongs == name).astype(np.float64) for name in names}, tuple(told)
    )


@dataclass(frozen=True)
class SubgenomeModel:
    """Sum of the subgenomes' relationships, each with a variance by restricted maximum likelihood.

    Attributes
    ----------
    name
        What people call it.
    """

    name: str

    def fit(
        self, kernels: PanelKernels, training: Rows, y: Vector, weights: Vector | None = None
    ) -> FittedKernelModel:
        """Estimate variance components and solve the mixed model.

        Raises
        ------
        BudwoodError
            If the panel has no subgenomes.
        """
        names = tuple(name for name in kernels.further_kernels if KernelName.parse(name).kind == SUBGENOME)
        if not names:
            raise BudwoodError(
                "the panel has no subgenomes",
                mend="say which contig belongs to which subgenome with --subgenomes, or leave the model out",
            )
        return KernelModel(self.name, (names,)).fit(kernels, training, y, weights)


#: A relationship for each subgenome.
SUBGENOMES: Final = SubgenomeModel("Subgenomes")


def subgenome_shares(kernels: PanelKernels, y: Vector) -> str:
    """What share of the phenotypic variance of all lines each subgenome has, as a sentence."""
    shares = SUBGENOMES.fit(kernels, np.arange(len(kernels)), y).variance_shares
    listed = ", ".join(f"{source} {share:.0%}" for source, share in shares.items())
    return f"Shares of the variance among all phenotyped lines: {listed}."
