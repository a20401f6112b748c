"""Environments and stability: the section of a report on trials in several environments."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from budwood.prediction.environments.mean_ranking import MeanRanking
from budwood.prediction.environments.results import EnvironmentPrediction
from budwood.prediction.evaluation.results import TraitPrediction
from budwood.report.numerals import NONE, decimals_for, fixed, percent

#: Lines that the table of stability shows.
LEADING = 20


@dataclass(frozen=True)
class EnvironmentRow:
    """One environment as texts.

    Attributes
    ----------
    name, records
        Which one it is, and how many lines have records there.
    mean, spread
        Mean of the predictions there, and their standard deviation.
    best
        Its best line with the prediction.
    """

    name: str
    records: str
    mean: str
    spread: str
    best: str


@dataclass(frozen=True)
class StabilityRow:
    """One line as texts.

    Attributes
    ----------
    name, rank
        Which one it is, and its rank by the mean over the environments.
    mean, error
        That mean, and its standard error.
    slope, deviation
        Slope of its predictions on the environments' means, and the deviation around it.
    prediction_rank
        Its rank in the table of predictions.
    """

    name: str
    rank: str
    mean: str
    error: str
    slope: str
    deviation: str
    prediction_rank: str


@dataclass(frozen=True)
class EnvironmentSection:
    """What the section shows.

    Attributes
    ----------
    sentence
        How the means over the environments compare with the predictions.
    shares
        Where the variance within environments comes from.
    environments, stability
        Rows of its two tables.
    notes
        Warnings and assumptions of the multi-environment model.
    who
        Which lines the second table shows.
    """

    sentence: str
    shares: str
    environments: tuple[EnvironmentRow, ...]
    stability: tuple[StabilityRow, ...]
    notes: tuple[str, ...]
    who: str


def environment_section(
    prediction: TraitPrediction, found: EnvironmentPrediction, means: MeanRanking
) -> EnvironmentSection:
    """The section of a trait that was predicted in several environments.

    Parameters
    ----------
    prediction
        Of the trait model.
    found
        Of the multi-environment model.
    means
        Its means over the environments, in the order of ``prediction.accessions``.

    Returns
    -------
    EnvironmentSection
        Texts of the section.
    """
    found = found.in_order_of(prediction.accessions)
    candidates = np.isnan(prediction.observed)
    rows = np.flatnonzero(candidates) if candidates.any() else np.arange(len(candidates))
    rows = rows[np.argsort(means.rank[rows], kind="stable")][:LEADING]
    digits = decimals_for(found.mean_standard_error)
    shares = ", ".join(f"{name} {percent(share)}" for name, share in found.variance_shares.items())
    return EnvironmentSection(
        sentence=means.sentence,
        shares=shares,
        environments=tuple(
            _environment(found, column, digits, lowest=prediction.lower_is_better)
            for column in range(len(found.environments))
        ),
        stability=tuple(_stability(prediction, found, means, row, digits) for row in rows.tolist()),
        notes=found.notes,
        who="candidates" if candidates.any() else "lines",
    )


def _environment(found: EnvironmentPrediction, column: int, digits: int, *, lowest: bool) -> EnvironmentRow:
    values = found.value[:, column]
    best = int(values.argmin() if lowest else values.argmax())
    records = int(np.isfinite(found.observed[:, column]).sum())
    return EnvironmentRow(
        name=found.environments[column],
        records=f"{records:,}",
        mean=fixed(float(values.mean()), digits),
        spread=fixed(float(found.spread[column]), digits),
        best=f"{found.accessions[best]} ({fixed(float(values[best]), digits)})",
    )


def _stability(
    prediction: TraitPrediction, found: EnvironmentPrediction, means: MeanRanking, row: int, digits: int
) -> StabilityRow:
    judged = bool(np.isfinite(found.slope[row]))
    return StabilityRow(
        name=prediction.accessions[row],
        rank=f"{means.rank[row]:,}",
        mean=fixed(float(means.mean[row]), digits),
        error=fixed(float(means.standard_error[row]), digits),
        slope=fixed(float(found.slope[row]), 2) if judged else NONE,
        deviation=fixed(float(found.deviation[row]), digits) if judged else NONE,
        prediction_rank=f"{prediction.rank[row]:,}",
    )
