"""What an evaluation says about covariates of environments, and what to beware of, in words."""

from __future__ import annotations

from collections.abc import Sequence

from budwood.genomics.environments import Environments
from budwood.prediction.environments.evaluation.paired_differences import COVARIATE_PAIRS
from budwood.prediction.evaluation.results import PairedDifference
from budwood.stats.evaluation.paired_difference import side_of_zero
from budwood.stats.relationship.relationship import Rows


def covariate_conclusion(paired: Sequence[PairedDifference], scheme: str, over: str) -> str:
    """Whether covariates of environments add accuracy, by the interval of the paired difference.

    Parameters
    ----------
    paired
        Differences from the baseline.
    scheme
        Name of the scheme of cross-validation.
    over
        What the interval is over: ``environments`` or ``lines``.

    Returns
    -------
    str
        A sentence.

    Examples
    --------
    >>> with_covariates = PairedDifference("reaction norm", "main effect + deviations", 0.001, -0.01, 0.012)
    >>> print(covariate_conclusion([with_covariates], "cv1", "folds"))
    Covariates of the environments add nothing that these folds can show (cv1): r is 0.001 higher with them
    (95 % interval over folds -0.010 to 0.012).
    """
    for difference in paired:
        if (difference.model, difference.baseline) == COVARIATE_PAIRS[0]:
            return _judge(difference, scheme, over)
    return ""


def provenance_warning(environments: Environments, training: Rows, targets: Rows) -> str:
    """A warning where targets are of another provenance than the training environments; empty otherwise.

    Parameters
    ----------
    environments
        Table of environments with their covariates; None where there is none.
    training
        Rows of the training environments.
    targets
        Rows of the environments that are predicted.

    Returns
    -------
    str
        A sentence.

    Examples
    --------
    >>> two = Environments(("plot", "box"), ("", ""), ("", ""), ("", ""), ("field", "controlled"))
    >>> provenance_warning(two, [1], [0])  # doctest: +ELLIPSIS
    "Warning: the model learnt from controlled environments and predicts field ones ('plot'): ..."
    """
    learnt = {environments.provenance[row] for row in training} - {""}
    foreign = [row for row in targets if environments.provenance[row] not in (*learnt, "")]
    if not learnt or not foreign:
        return ""
    theirs = sorted({environments.provenance[row] for row in foreign})
    named = ", ".join(repr(environments.names[row]) for row in foreign[:4])
    more = f" and {len(foreign) - 4} more" if len(foreign) > 4 else ""
    return (
        f"Warning: the model learnt from {' and '.join(sorted(learnt))} environments and predicts "
        f"{' and '.join(theirs)} ones ({named}{more}): rank changes between the two are common and none of "
        "the accuracies here tells how large they are."
    )


def _judge(difference: PairedDifference, scheme: str, over: str) -> str:
    interval = f"(95 % interval over {over} {difference.lower:.3f} to {difference.upper:.3f})"
    size = f"{abs(difference.mean):.3f}"
    side = side_of_zero(difference.lower, difference.upper)
    if side > 0:
        return f"Covariates of the environments add accuracy ({scheme}): r is {size} higher {interval}."
    if side < 0:
        return f"Covariates of the environments harm ({scheme}): r is {size} lower with them {interval}."
    way = "higher" if difference.mean >= 0.0 else "lower"
    return (
        f"Covariates of the environments add nothing that these folds can show ({scheme}): r is {size} "
        f"{way} with them {interval}."
    )
