"""What an evaluation says about the DNA model, in words."""

from __future__ import annotations

from collections.abc import Sequence

from budwood.prediction.evaluation.results import PairedDifference
from budwood.stats.evaluation.paired_difference import side_of_zero


def dna_conclusion(paired: Sequence[PairedDifference], dna_model: str) -> str:
    """Whether the DNA model adds anything, judged by the interval of its paired difference.

    Parameters
    ----------
    paired
        Differences against the baseline.
    dna_model
        Name of the model whose kernels include the DNA model's; empty when none took part.

    Returns
    -------
    str
        A sentence.

    Examples
    --------
    >>> print(dna_conclusion([PairedDifference("GBLUP + DNA model", "GBLUP", 0.031, 0.012, 0.05)],
    ...                   "GBLUP + DNA model"))
    The DNA model adds accuracy: r is 0.031 higher than with GBLUP on the same folds (95 % interval 0.012 to
    0.050).
    """
    for difference in paired:
        if difference.model == dna_model:
            return _judge(difference)
    return "No DNA model took part: predictions rest on the markers alone."


def _judge(difference: PairedDifference) -> str:
    interval = f"(95 % interval {difference.lower:.3f} to {difference.upper:.3f})"
    size, baseline = f"{abs(difference.mean):.3f}", difference.baseline
    side = side_of_zero(difference.lower, difference.upper)
    if side > 0:
        return (
            f"The DNA model adds accuracy: r is {size} higher than with {baseline} on the same folds "
            f"{interval}."
        )
    if side < 0:
        return (
            f"The DNA model harms: r is {size} lower than with {baseline} on the same folds {interval}; "
            "predict from the markers alone."
        )
    way = "higher" if difference.mean >= 0.0 else "lower"
    return (
        f"The DNA model adds nothing that these folds can show: r is {size} {way} than with {baseline} "
        f"{interval}, and the interval includes 0."
    )
