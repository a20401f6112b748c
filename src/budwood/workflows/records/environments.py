"""Predictions and evaluations in several environments as the files that scripts read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from budwood.genomics.io.text.csv_writer import CsvDialect
from budwood.workflows.records.files import cell, finite, write_table

if TYPE_CHECKING:
    from budwood.artifacts import Draft
    from budwood.prediction.environments.results import EnvironmentEvaluation, EnvironmentPrediction

#: Files of :func:`write_environment_predictions`.
CELL_FILE: Final = "environments.csv"
STABILITY_FILE: Final = "stability.csv"
_CELLS: Final = ("observed", "value", "standard_error", "lower_90", "upper_90")
_STABILITY: Final = ("mean", "mean_standard_error", "slope", "deviation")


def environment_evaluation_record(evaluation: EnvironmentEvaluation) -> dict[str, Any]:
    """An evaluation as plain values, None for what was not measured.

    Parameters
    ----------
    evaluation
        Results of the multi-environment models.

    Returns
    -------
    dict[str, Any]
        As the file of the verb holds it; None for what was not measured.
    """
    numbers = ("mean_r", "slope", "rmse", "coverage_90", "seconds")
    control = evaluation.permutation
    return {
        "trait": evaluation.trait,
        "scheme": evaluation.scheme,
        "folds": evaluation.folds,
        "repeats": evaluation.repeats,
        "conclusion": evaluation.conclusion,
        "notes": list(evaluation.notes),
        "models": {
            score.name: {name: finite(getattr(score, name)) for name in numbers}
            | {"fold_r": list(score.fold_r), "environment_r": dict(score.environment_r)}
            for score in evaluation.scores
        },
        "paired_differences": [
            {"model": d.model, "baseline": d.baseline, "interval_over": evaluation.interval_over}
            | {name: finite(getattr(d, name)) for name in ("mean", "lower", "upper")}
            for d in evaluation.paired
        ],
        "permutation_control": {"model": control.model}
        | {name: finite(getattr(control, name)) for name in ("mean_r", "lower", "upper")},
    }


def write_environment_predictions(
    draft: Draft,
    found: EnvironmentPrediction,
    *,
    lower_is_better: bool = False,
    dialect: CsvDialect = CsvDialect.PLAIN,
) -> None:
    """Write environments.csv (accession x environment) and stability.csv (accession, the best mean first).

    Parameters
    ----------
    draft
        The artifact being written; model and variance shares go into its manifest.
    found
        The predictions.
    lower_is_better
        Whether the best lines are those with the smallest means.
    dialect
        Separator, decimal point and byte order mark.
    """
    write_tables_of_environments(draft, [(found, lower_is_better)], dialect=dialect)
    draft.parameters["environment_model"] = found.model
    draft.metrics["environment_variance_shares"] = dict(found.variance_shares)


def write_tables_of_environments(
    draft: Draft, several: Sequence[tuple[EnvironmentPrediction, bool]], *, dialect: CsvDialect
) -> None:
    """Write both tables with the traits below one another.

    Parameters
    ----------
    draft
        The artifact being written.
    several
        Predictions of each trait, and whether its best lines are those with the smallest means.
    dialect
        Separator, decimal point and byte order mark.
    """
    cells = (
        (accession, found.trait, environment, *(cell(getattr(found, name)[i, j]) for name in _CELLS))
        for found, _ in several
        for i, accession in enumerate(found.accessions)
        for j, environment in enumerate(found.environments)
    )
    header = ("accession", "trait", "environment", "observed", "prediction", *_CELLS[2:])
    write_table(draft.path(CELL_FILE), header, cells, dialect=dialect)
    lines = (
        (found.accessions[i], found.trait, *(cell(getattr(found, name)[i]) for name in _STABILITY))
        for found, lowest in several
        for i in (found.mean if lowest else -found.mean).argsort(kind="stable")
    )
    write_table(draft.path(STABILITY_FILE), ("accession", "trait", *_STABILITY), lines, dialect=dialect)


def environment_prediction_record(found: EnvironmentPrediction) -> dict[str, Any]:
    """Predictions in environments as plain values, the tables left out.

    Parameters
    ----------
    found
        Predictions of accessions in environments.

    Returns
    -------
    dict[str, Any]
        As the file of the verb holds it; None for what was not measured.
    """
    return {
        "model": found.model,
        "names": list(found.environments),
        "without_records": [n for n, t in zip(found.environments, found.trained, strict=True) if not t],
        "spread": dict(zip(found.environments, found.spread.tolist(), strict=True)),
        "variance_shares": dict(found.variance_shares),
        "notes": list(found.notes),
    }
