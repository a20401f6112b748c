"""Candidates by cluster: how far each is from the phenotyped lines, and what to expect of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from budwood.prediction.evaluation.results import CandidateSet, Evaluation, TraitPrediction
from budwood.report.numerals import NONE, decimals_for, fixed, percent

_KINDS = {
    "near": "as near as phenotyped lines are to one another",
    "near group": "as near, but a group of their own",
    "far": "further away",
    "not judged": "further away than any set that could be held out",
}


@dataclass(frozen=True)
class ClusterRow:
    """One set of candidates as texts.

    Attributes
    ----------
    name, distance
        Which set it is, and how far it is from the phenotyped lines.
    lines
        How many candidates it has.
    mean, best
        Mean prediction, and its best line with the prediction.
    accuracy, coverage
        r and coverage of 90 % intervals in held-out sets like it.
    """

    name: str
    distance: str
    lines: str
    mean: str
    best: str
    accuracy: str
    coverage: str


def cluster_rows(evaluation: Evaluation | None, prediction: TraitPrediction) -> tuple[ClusterRow, ...]:
    """A row for each set of candidates, the near ones first; empty where nothing was judged.

    Parameters
    ----------
    evaluation
        Results of the cross-validation.
    prediction
        Predictions of the trait.

    Returns
    -------
    tuple of ClusterRow
        Rows of the table.
    """
    sets = evaluation.candidates if evaluation is not None else ()
    row = {name: place for place, name in enumerate(prediction.accessions)}
    digits = decimals_for(prediction.standard_error)
    return tuple(
        _row(number, each, [row[name] for name in each.accessions if name in row], prediction, digits)
        for number, each in enumerate(sets, start=1)
    )


def _row(
    number: int, each: CandidateSet, rows: list[int], prediction: TraitPrediction, digits: int
) -> ClusterRow:
    values = prediction.prediction[rows]
    mean, best = NONE, NONE
    if len(values):
        at = rows[int(values.argmin() if prediction.lower_is_better else values.argmax())]
        mean = fixed(float(values.mean()), digits)
        best = f"{prediction.accessions[at]} ({fixed(float(prediction.prediction[at]), digits)})"
    judged = np.isfinite(each.mean_r)
    return ClusterRow(
        name="near candidates" if each.kind == "near" else f"cluster {number}",
        distance=_KINDS.get(each.kind, each.kind),
        lines=f"{len(each.accessions):,}",
        mean=mean,
        best=best,
        accuracy=_accuracy(each) if judged else "not judged",
        coverage=percent(each.mean_coverage) if np.isfinite(each.mean_coverage) else "not judged",
    )


def _accuracy(each: CandidateSet) -> str:
    """R with the interval in which four in five clusters lie, where it is known."""
    if not np.isfinite(each.lower_r):
        return fixed(each.mean_r, 2)
    return f"{fixed(each.mean_r, 2)} ({fixed(each.lower_r, 2)} to {fixed(each.upper_r, 2)})"
