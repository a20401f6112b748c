"""The ranking by the mean over the environments of a table, beside the ranking by one value a line."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from budwood.errors import counted
from budwood.prediction.environments.results import EnvironmentPrediction
from budwood.prediction.evaluation.results import TraitPrediction
from budwood.prediction.fitted_trait_model import ranks

#: Best lines that both rankings are compared on.
_FIRST = 20


@dataclass(frozen=True)
class MeanRanking:
    """Lines by their predicted mean over the environments of the table.

    Attributes
    ----------
    mean, standard_error
        (n,) predicted mean over the environments, and its standard error.
    rank
        (n,) 1 for the best line of all; equal means share a rank.
    r
        Correlation of the means with the predictions of the trait model, over the candidates where there are
        some and over all lines otherwise; NaN where either does not vary.
    shared, first
        How many of the so many best lines of the one ranking are among the best of the other.
    sentence
        The comparison in words.
    """

    mean: NDArray[np.float64]
    standard_error: NDArray[np.float64]
    rank: NDArray[np.int64]
    r: float
    shared: int
    first: int
    sentence: str


def mean_ranking(prediction: TraitPrediction, found: EnvironmentPrediction) -> MeanRanking:
    """Rank the lines by their mean over the environments, and compare that with the predictions.

    Parameters
    ----------
    prediction
        Of the trait model, which learns one value a line.
    found
        Of the multi-environment model, for the same lines in any order.

    Returns
    -------
    MeanRanking
        In the order of ``prediction.accessions``.
    """
    found = found.in_order_of(prediction.accessions)
    sign = -1.0 if prediction.lower_is_better else 1.0
    candidates = np.isnan(prediction.observed)
    judged = np.flatnonzero(candidates) if candidates.sum() > 1 else np.arange(len(candidates))
    one, other = sign * prediction.prediction[judged], sign * found.mean[judged]
    varies = len(judged) > 2 and np.ptp(one) > 0.0 and np.ptp(other) > 0.0
    r = float(np.corrcoef(one, other)[0, 1]) if varies else float("nan")
    first = min(_FIRST, max(1, len(judged) // 2))
    best = [set(np.argsort(-values, kind="stable")[:first].tolist()) for values in (one, other)]
    shared = len(best[0] & best[1])
    new = int((~found.trained).sum())
    places = counted(len(found.environments), "environment")
    told = f"{places} of the table" + (f", {new} of them without records," if new else "")
    who = "candidates" if candidates.sum() > 1 else "lines"
    close = f"r = {r:.3f} with the predictions, and " if np.isfinite(r) else ""
    return MeanRanking(
        mean=found.mean,
        standard_error=found.mean_standard_error,
        rank=ranks(sign * found.mean),
        r=r,
        shared=shared,
        first=first,
        sentence=f"Means over the {told} by the model {found.model} (environment_mean): {close}"
        f"{shared} of the {first} best {who} are the same.",
    )
