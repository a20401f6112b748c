"""Accuracies of a few-shot comparison, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from budwood.stats.evaluation.paired_difference import ConfidenceInterval, corrected_interval
from budwood.transfer.few_shot.arms import TARGET_ALONE, WITH
from budwood.transfer.few_shot.design import FewShotDesign

Vector = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class FewShotResults:
    """Accuracies by arm, number of phenotyped lines and draw.

    Attributes
    ----------
    lines, test_lines
        Phenotyped target lines, and how many of them a draw predicts.
    sizes
        Numbers of phenotyped lines that were tried, 0 first.
    design
        Of the draws.
    r, within_r, top
        Per arm and size, (draws,): Pearson r over all test lines, within clusters of related lines, and the
        share of the best quarter found.
    p_values
        Per head and size, (draws,) p-values of delta.
    """

    lines: int
    test_lines: int
    sizes: tuple[int, ...]
    design: FewShotDesign
    r: Mapping[str, Mapping[int, Vector]]
    within_r: Mapping[str, Mapping[int, Vector]]
    top: Mapping[str, Mapping[int, Vector]]
    p_values: Mapping[str, Mapping[int, Vector]]

    @property
    def overlap(self) -> float:
        """Test lines per other line."""
        return self.design.overlap(self.lines)

    def interval(self, arm: str, size: int, *, within: bool = False) -> ConfidenceInterval:
        """Mean r of an arm with its 95 % interval (Nadeau and Bengio 2003), within -1 and 1."""
        found = corrected_interval((self.within_r if within else self.r)[arm][size], self.overlap)
        return ConfidenceInterval(found.mean, max(found.lower, -1.0), min(found.upper, 1.0))

    def difference(
        self, arm: str, size: int, baseline: str = TARGET_ALONE, *, within: bool = False
    ) -> ConfidenceInterval:
        """Mean paired difference of r between an arm and a baseline, with its 95 % interval.

        The draws divide the same lines, so their differences are correlated; the variance of their mean is
        corrected by test lines per other line (Nadeau and Bengio 2003).
        """
        table = self.within_r if within else self.r
        return corrected_interval(table[arm][size] - table[baseline][size], self.overlap)

    def curve(self, arm: str) -> dict[int, float]:
        """Mean r by number of phenotyped lines."""
        return {size: float(values.mean()) for size, values in self.r[arm].items()}

    @property
    def transfer_arms(self) -> tuple[str, ...]:
        """Arms that join a source with the target's own phenotypes, without controls."""
        return tuple(name for name in self.r if name.endswith(f": {WITH}") or name == "stack")
