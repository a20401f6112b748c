"""Nearest phenotyped relatives and structure of all lines of a panel."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.prediction.kernels.nearest_relatives import extrapolation_limit, relatives_of
from budwood.prediction.kernels.panel_kernels import PanelKernels
from budwood.prediction.kernels.thinning import evenly_spaced
from budwood.stats.matrix_free.centred_markers import CentredMarkers
from budwood.stats.matrix_free.marker_components import marker_components
from budwood.stats.relationship.relationship import Rows

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]

#: Most markers at which relatives are looked up in a large panel.
SEARCHED: Final = 2_000
#: Lines looked up at once.
_BLOCK: Final = 1024


@dataclass(frozen=True)
class PanelRelatives:
    """Where the lines of a panel stand.

    Attributes
    ----------
    nearest
        (lines,) row of the nearest phenotyped line, never the line itself.
    relatedness
        (lines,) genomic correlation with it.
    extrapolation
        (lines,) whether it is further away than for nearly all phenotyped lines.
    scores, explained
        (lines, 2) coordinates on the principal components, and (2,) the shares of the variance they explain.
    """

    nearest: Rows
    relatedness: Vector
    extrapolation: NDArray[np.bool_]
    scores: Matrix
    explained: Vector


def panel_relatives(kernels: PanelKernels, training: Rows) -> PanelRelatives:
    """Relatives in a large panel, looked up block by block at evenly spaced markers.

    Parameters
    ----------
    kernels
        The panel as models see it.
    training
        (n,) rows of the phenotyped lines.

    Returns
    -------
    PanelRelatives
        Of all lines.
    """
    lines = len(kernels)
    everyone = np.arange(lines)
    whole = kernels.centred_markers(everyone, training)
    kept = np.flatnonzero(whole.summary.kept)
    searched = np.zeros_like(whole.summary.kept)
    searched[kept[evenly_spaced(len(kept), SEARCHED)]] = True
    summary = replace(whole.summary, kept=searched)

    def of(rows: Rows) -> CentredMarkers:
        return CentredMarkers(dosage=whole.dosage, ploidy=whole.ploidy, summary=summary, rows=rows)

    markers, every = of(training), of(everyone)
    own = every.squares * every.unit
    position = np.full(lines, -1, dtype=np.intp)
    position[training] = np.arange(len(training))
    nearest, relatedness = np.empty(lines, dtype=np.intp), np.empty(lines)
    for start in range(0, lines, _BLOCK):
        rows = everyone[start : start + _BLOCK]
        cross = markers.relationship_with(of(rows))
        nearest[rows], relatedness[rows] = relatives_of(cross, own[rows], own[training], position[rows])
    extrapolation = relatedness < extrapolation_limit(relatedness[training])
    extrapolation[training] = False
    found = marker_components(whole)
    return PanelRelatives(training[nearest], relatedness, extrapolation, found.scores, found.explained)
