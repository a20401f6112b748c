"""Whether marker weights explain what the relationship of all markers does not: a likelihood-ratio test.

The weighted relationship joins that of all markers, and restricted maximum likelihood divides the variance.
Twice the gain of the log-likelihood is, without an effect, 0 or chi-square with one degree of freedom, either
with probability 1/2 (Self and Liang 1987, JASA 82:605), for weights of any form. As a control of what any
second relationship of this form gains, the weights are moved along the markers, the end to the beginning:
they keep their sizes and their neighbours, and lose their places.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from budwood.prediction.kernels.dense_limit import is_large
from budwood.prediction.kernels.panel_kernels import RELATIONSHIP, PanelKernels
from budwood.stats.mixed_model.reml import reml
from budwood.stats.relationship.relationship import Rows

#: Places to which the weights are moved: with 19, none as good is a test at 5 %.
MOVES: Final = 19
#: Products of lines and markers above which the control is left out.
_MOST: Final = 3e10

Vector = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class WeightsRatio:
    """What weighted markers explain beyond all markers.

    Attributes
    ----------
    ratio
        Twice the gain of the restricted log-likelihood.
    p
        Probability of such a ratio or a larger one without an effect.
    moves, as_good
        How often the weights were moved, and how often they then gained as much.
    """

    ratio: float
    p: float
    moves: int
    as_good: int

    @property
    def helps(self) -> bool:
        """Whether the ratio is beyond chance, and beyond what weights at other places gain."""
        return self.p < 0.05 and (self.as_good + 1) / (self.moves + 1) <= 0.05

    @property
    def sentence(self) -> str:
        """The verdict with its figures.

        Examples
        --------
        >>> WeightsRatio(ratio=9.1, p=0.0013, moves=19, as_good=0).sentence[:55]
        'The weighted markers explain more than all markers do: '
        """
        shown = "p under .0001" if self.p < 0.0001 else f"p {self.p:.4f}".replace("0.", ".", 1)
        figures = f"likelihood ratio {self.ratio:.1f}, {shown}"
        figures += (
            f"; moved along the markers the weights gained as much {self.as_good} of {self.moves} times."
            if self.moves
            else "; the weights were not moved along the markers, which takes long for a panel of this size."
        )
        if self.helps:
            return f"The weighted markers explain more than all markers do: {figures}"
        return f"That the weighted markers explain more than all markers do is not shown: {figures}"


def weights_ratio(
    kernels: PanelKernels,
    name: str,
    training: Rows,
    y: Vector,
    weights: Vector | None = None,
    *,
    seed: int = 0,
) -> WeightsRatio | None:
    """Test the marker weights of a kernel.

    Parameters
    ----------
    kernels
        The panel, its markers in the order of their places.
    name
        Kernel of marker weights.
    training
        (n,) rows of the phenotyped lines.
    y, weights
        (n,) trait values, and their weights.
    seed
        Of the places that the weights are moved to.

    Returns
    -------
    WeightsRatio or None
        None for panels so large that matrices of lines by lines are not made.
    """
    if is_large(len(training)):
        return None
    own = kernels.take(training)
    rows = np.arange(len(training))
    fixed = own.fixed(rows)
    relationship = own.training_kernel(RELATIONSHIP, rows)
    alone = reml(y, [relationship], fixed=fixed, weights=weights).log_likelihood

    def ratio(given: Vector) -> float:
        panel = PanelKernels(own.genotypes, {}, {name: given})
        second = panel.training_kernel(name, rows)
        both = reml(y, [relationship, second], fixed=fixed, weights=weights).log_likelihood
        return max(0.0, 2.0 * (both - alone))

    found = ratio(kernels.weights[name])
    markers = len(kernels.weights[name])
    moves = MOVES if markers * float(len(training)) ** 2 < _MOST else 0
    random = np.random.default_rng(seed)
    moved = 0
    for _ in range(moves):
        by = int(random.integers(markers // 10, max(markers // 10 + 1, markers - markers // 10)))
        moved += ratio(np.roll(kernels.weights[name], by)) >= found
    p = float(0.5 * chi2.sf(found, 1)) if found > 1e-6 else 1.0
    return WeightsRatio(ratio=found, p=p, moves=moves, as_good=int(moved))
