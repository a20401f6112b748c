"""One relationship for each subgenome of an allopolyploid, with its share of the variance.

Markers of homeologous sites that were called as one (both copies on one chip probe, or reads placed on the
wrong copy) carry the other subgenome's alleles with them; shares are then drawn towards one another, and no
model of the calls can undo that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.panel.marker_weights import SUBGENOME
from budwood.prediction.kernels.kernel_model import FittedKernelModel, KernelModel
from budwood.prediction.kernels.panel_kernels import KernelName, PanelKernels
from budwood.stats.relationship.relationship import Rows

Vector = NDArray[np.float64]


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

        Parameters
        ----------
        kernels
            The panel as models see it.
        training
            (n,) rows of the training lines in the panel.
        y
            (n,) trait values of the training lines.
        weights
            (n,) weights of the trait values, None for equal ones.

        Returns
        -------
        FittedKernelModel
            The fitted model.

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
    """What share of the phenotypic variance of all lines each subgenome has, as a sentence.

    Parameters
    ----------
    kernels
        The panel as models see it.
    y
        (n,) trait values of the training lines.

    Returns
    -------
    str
        A sentence.
    """
    shares = SUBGENOMES.fit(kernels, np.arange(len(kernels)), y).variance_shares
    listed = ", ".join(f"{source} {share:.0%}" for source, share in shares.items())
    return f"Shares of the variance among all phenotyped lines: {listed}."
