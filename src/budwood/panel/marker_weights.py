"""Marker weights that are found without the panel's phenotypes, for relationships beside the usual one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.genomics.genotypes import Markers

Vector = NDArray[np.float64]

#: Kinds of kernels that marker weights make; the second is written ``subgenome:NAME``.
FUNCTION: Final = "function"
SUBGENOME: Final = "subgenome"


@dataclass(frozen=True)
class MarkerWeights:
    """Weights by the name of the kernel that they make.

    Attributes
    ----------
    by_kernel
        (m,) weights each, none negative; see :class:`~budwood.prediction.kernels.panel_kernels.PanelKernels`.
    notes
        Sentences about where they come from and what was assumed.
    """

    by_kernel: Mapping[str, Vector] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def take(self, columns: NDArray[np.intp]) -> MarkerWeights:
        """The weights of the chosen markers, in the order given.

        Parameters
        ----------
        columns
            Numbers of markers, from 0.

        Returns
        -------
        MarkerWeights
            Their weights, with the same notes.
        """
        return MarkerWeights({name: each[columns] for name, each in self.by_kernel.items()}, self.notes)

    def joined(self, other: MarkerWeights) -> MarkerWeights:
        """Both sets of weights and their notes.

        Parameters
        ----------
        other
            Weights of the same markers for other kernels.

        Returns
        -------
        MarkerWeights
            All kernels of both.
        """
        return MarkerWeights({**self.by_kernel, **other.by_kernel}, (*self.notes, *other.notes))


def weights_of_table(markers: Markers, table: Mapping[str, float]) -> MarkerWeights:
    """Weights of the kernel ``function`` from a table of weights or scores by marker.

    Markers that the table lacks have weight 0.

    Parameters
    ----------
    markers
        m markers with their names.
    table
        Weight by name of the marker.

    Returns
    -------
    MarkerWeights
        The kernel ``function``, (m,) weights.

    Raises
    ------
    BudwoodError
        If a weight is negative or infinite, or no marker has a positive one.

    Examples
    --------
    >>> names, blank = np.array(["m1", "m2"], dtype=object), np.full(2, "", dtype=object)
    >>> markers = Markers(names, blank, np.full(2, -1), blank, blank)
    >>> weights_of_table(markers, {"m2": 3.0}).by_kernel
    {'function': array([0., 3.])}
    """
    for name, weight in table.items():
        if not (np.isfinite(weight) and weight >= 0.0):
            raise BudwoodError(
                f"the weight of marker {name!r} is {weight:g}", mend="give weights of 0 or more"
            )
    weights = np.array([table.get(name, 0.0) for name in markers.identifier])
    known = sum(name in table for name in markers.identifier)
    if not (weights > 0.0).any():
        raise BudwoodError(
            "no marker of the panel has a positive weight in the table",
            mend="check that marker names are spelled alike in both",
        )
    note = (
        f"The table weighs {known:,} of {len(markers):,} markers, the others not at all; that its weights "
        "were found without this panel's phenotypes is taken on trust."
    )
    return MarkerWeights({FUNCTION: weights}, (note,))
