"""What a comparison says of a source, in one word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from budwood.stats.evaluation.paired_difference import side_of_zero
from budwood.transfer.few_shot.design import FEWEST_DRAWS
from budwood.transfer.few_shot.results import FewShotResults

Vector = NDArray[np.float64]

#: Level of the tests, shared by all heads of a source.
LEVEL = 0.05


class TransferConclusion(StrEnum):
    """What a source does for a target.

    ``USEFUL``: more accurate than the target alone at some number of phenotyped lines. ``DIRECT_ONLY``: its
    score ranks lines without any phenotype, and adds nothing to the target's own phenotypes. ``NO_GAIN``:
    related to the trait, and neither of the two. ``NO_BETTER_THAN_RANDOM``: no test tells it from a random
    trait of the source. ``HARMFUL``: less accurate than the target alone. ``TOO_FEW_DRAWS``: related to the
    trait, but under 10 draws, which show neither a gain nor a loss.
    """

    USEFUL = "useful"
    DIRECT_ONLY = "useful without phenotypes only"
    NO_GAIN = "no gain"
    NO_BETTER_THAN_RANDOM = "no better than random"
    HARMFUL = "harmful"
    TOO_FEW_DRAWS = "too few draws"


@dataclass(frozen=True, kw_only=True)
class DirectTest:
    """A head compared with all phenotyped target lines.

    Attributes
    ----------
    r, within_r
        Pearson r of its score over all lines, and within clusters; NaN for a head that is a kernel.
    p_random
        Share of random source traits (drawn from the source's own variance components and carried by the
        same head) whose score fits the target at least as well, by r within clusters; NaN for a kernel.
    p_value
        Of delta in the mixed model of the target, two-sided, the statistic divided by ``inflation``; for a
        kernel, of its variance.
    inflation
        Mean statistic of random source traits, at least 1. It is above 1 where the target's trait acts
        through the head's features more than its relationship says, so that any score of these features
        looks related; 1 for a kernel.
    positive
        Whether delta, or the kernel's variance, is above 0.
    """

    r: float
    within_r: float
    p_random: float
    p_value: float
    positive: bool
    inflation: float = 1.0

    def related(self, tests: int) -> bool:
        """Whether the head is related to the trait beyond families, at 5 % shared by so many heads."""
        level = LEVEL / max(tests, 1)
        random = not np.isfinite(self.p_random) or self.p_random < level
        return bool(self.positive and self.p_value < level and random)


def random_p(observed: float, random: Vector) -> float:
    """Share of random values at least as large as the observed one, itself counted (Phipson and Smyth 2010).

    Examples
    --------
    >>> random_p(0.5, np.array([0.1, 0.2, 0.6]))
    0.5
    """
    return (1.0 + float(np.count_nonzero(random >= observed))) / (1.0 + len(random))


def decided_sizes(results: FewShotResults, arm: str, side: int) -> tuple[int, ...]:
    """Sizes at which the difference from the target alone has an interval on one side of 0.

    Parameters
    ----------
    results
        Accuracies.
    arm
        The arm that joins source and target.
    side
        1 for gains, -1 for losses.

    Returns
    -------
    tuple of int
        Ascending; empty below ``FEWEST_DRAWS`` draws.
    """
    if results.design.draws < FEWEST_DRAWS:
        return ()
    found = []
    for size in results.sizes:
        if size > 0:
            interval = results.difference(arm, size)
            if side_of_zero(interval.lower, interval.upper) == side:
                found.append(size)
    return tuple(found)


def outcome(results: FewShotResults, arm: str, tests: Mapping[str, DirectTest]) -> TransferConclusion:
    """What a source does for the target.

    Parameters
    ----------
    results
        Accuracies.
    arm
        The arm that joins source and target.
    tests
        Of the heads.
    """
    related = [test for test in tests.values() if test.related(len(tests))]
    if decided_sizes(results, arm, -1):
        return TransferConclusion.HARMFUL
    if not related:
        return TransferConclusion.NO_BETTER_THAN_RANDOM
    if results.design.draws < FEWEST_DRAWS:
        return TransferConclusion.TOO_FEW_DRAWS
    if decided_sizes(results, arm, 1):
        return TransferConclusion.USEFUL
    if any(np.isfinite(test.within_r) and test.within_r > 0.0 for test in related):
        return TransferConclusion.DIRECT_ONLY
    return TransferConclusion.NO_GAIN
