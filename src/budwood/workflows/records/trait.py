"""Predictions and evaluations of a trait as the files that scripts read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from budwood.genomics.io.text.csv_writer import CsvDialect
from budwood.prediction.evaluation.results import PREDICTION_COLUMNS
from budwood.report.numerals import digits_that_tell_apart
from budwood.workflows.records.files import cell, finite, write_json, write_table

if TYPE_CHECKING:
    from budwood.prediction.environments.mean_ranking import MeanRanking
    from budwood.prediction.evaluation.results import (
        Evaluation,
        ModelScore,
        PairedDifference,
        TraitPrediction,
    )
    from budwood.prediction.marker_effects import EffectTable

#: Further columns of predictions.csv where there is a table of environments.
MEAN_COLUMNS: Final = ("environment_mean", "environment_mean_standard_error", "environment_rank")
#: Measures of a model in ``evaluation.json``, besides r of each fold.
_MEASURES: Final = (
    "mean_r",
    "accuracy",
    "slope",
    "intercept",
    "bias",
    "rmse",
    "top_quarter",
    "gain",
    "gain_sd",
    "auroc",
    "coverage_90",
    "interval_width",
    "seconds",
)


def write_predictions(
    path: Path,
    prediction: TraitPrediction,
    *,
    means: MeanRanking | None = None,
    dialect: CsvDialect = CsvDialect.PLAIN,
) -> None:
    """Write a line per accession, best rank first; ``observed`` is empty where there is none.

    Lines of equal rank come in the order of their ids.

    Parameters
    ----------
    path
        The file to write.
    prediction
        Of every accession.
    means
        Means over the environments of a table, which three further columns hold; None where there is no
        table.
    dialect
        Separator, decimal point and byte order mark.
    """
    write_predictions_of(path, [(prediction, means)], dialect=dialect)


def write_predictions_of(
    path: Path,
    predictions: Sequence[tuple[TraitPrediction, MeanRanking | None]],
    *,
    dialect: CsvDialect = CsvDialect.PLAIN,
) -> None:
    """Write the predictions of several traits below one another, as :func:`write_predictions` does each.

    Parameters
    ----------
    path
        The file to write.
    predictions
        Of every accession and their means over environments, one for each trait.
    dialect
        Separator, decimal point and byte order mark.
    """
    placed = any(means is not None for _, means in predictions)
    header = (*PREDICTION_COLUMNS, *(MEAN_COLUMNS if placed else ()))
    rows = (row for prediction, means in predictions for row in _rows(prediction, means, placed=placed))
    write_table(path, header, rows, dialect=dialect)


def _rows(prediction: TraitPrediction, means: MeanRanking | None, *, placed: bool) -> Iterator[list[str]]:
    names, rank = prediction.accessions, prediction.rank.tolist()
    digits = digits_that_tell_apart([*prediction.prediction, *prediction.observed])
    for row in sorted(range(len(names)), key=lambda row: (rank[row], names[row])):
        cells = [_cell(prediction, column, row, digits) for column in PREDICTION_COLUMNS]
        if means is not None:
            cells += [cell(means.mean[row], digits), cell(means.standard_error[row]), str(means.rank[row])]
        elif placed:
            cells += [""] * len(MEAN_COLUMNS)
        yield cells


def _cell(prediction: TraitPrediction, column: str, row: int, digits: int) -> str:
    if column == "trait":
        return prediction.trait
    if column == "accession":
        return prediction.accessions[row]
    value = getattr(prediction, column)[row]
    if column == "extrapolation":
        return "true" if value else "false"
    if column == "candidate_rank":
        return "" if value != value else f"{value:.0f}"
    if column in ("rank", "nearest_training_accession"):
        return str(value)
    # On the scale of the trait, whose level may be far above its differences.
    on_its_scale = column in ("observed", "prediction", "lower_90", "upper_90")
    return cell(value, digits if on_its_scale else 8)


def write_marker_effects(
    path: Path, effects: EffectTable | Mapping[str, EffectTable], *, dialect: CsvDialect = CsvDialect.PLAIN
) -> None:
    """Write a line per marker: the effect of one more copy of the counted allele.

    Parameters
    ----------
    path
        The file to write.
    effects
        Of the markers that the model uses; positions are written 1-based, as in a VCF. Those of several
        traits, by name, stand below one another behind a column with the trait.
    dialect
        Separator, decimal point and byte order mark.
    """
    header = ("marker", "contig", "position", "counted_allele", "other_allele", "frequency", "effect")
    if isinstance(effects, Mapping):
        several = ((trait, *row) for trait, table in effects.items() for row in _effects(table))
        write_table(path, ("trait", *header), several, dialect=dialect)
        return
    write_table(path, header, _effects(effects), dialect=dialect)


def _effects(effects: EffectTable) -> Iterator[tuple[str, ...]]:
    """Rows of marker_effects.csv of a trait."""
    markers = effects.markers
    return (
        (
            str(markers.identifier[j]),
            str(markers.contig[j]),
            str(markers.position[j] + 1) if markers.position[j] >= 0 else "",
            str(markers.counted[j]),
            str(markers.other[j]),
            cell(float(effects.frequency[j])),
            cell(float(effects.effect[j]), 12),
        )
        for j in range(len(markers))
    )


def write_evaluation(path: Path, evaluation: Evaluation) -> None:
    """Write :func:`evaluation_record` as JSON.

    Parameters
    ----------
    path
        File to write.
    evaluation
        Results of a cross-validation.
    """
    write_json(path, evaluation_record(evaluation))


def evaluation_record(evaluation: Evaluation) -> dict[str, Any]:
    """An evaluation as plain values, None for what was not measured; docs/evaluation.md explains each.

    Parameters
    ----------
    evaluation
        Results of a cross-validation.

    Returns
    -------
    dict[str, Any]
        As the file of the verb holds it; None for what was not measured.
    """
    h2 = evaluation.heritability
    record: dict[str, Any] = {
        "trait": evaluation.trait,
        "scheme": evaluation.scheme,
        "folds": evaluation.folds,
        "repeats": evaluation.repeats,
        "lower_is_better": evaluation.lower_is_better,
        "heritability": None if h2 is None else {"value": finite(h2.value), "source": h2.source},
        "possible_gain": finite(evaluation.possible_gain),
        "top_quarter_chance": finite(evaluation.top_quarter_chance),
        "conclusion": evaluation.conclusion,
        "notes": list(evaluation.notes),
        "models": {score.name: _score(score) for score in evaluation.scores},
        "paired_differences": [_difference(difference) for difference in evaluation.paired],
        "permutation_control": {
            "model": evaluation.permutation.model,
            "shuffles": evaluation.permutation.shuffles,
            "lines": evaluation.permutation.held_out,
        }
        | {name: finite(getattr(evaluation.permutation, name)) for name in ("mean_r", "lower", "upper")},
        "held_out": _held_out(evaluation),
        "candidates": [
            {
                "kind": each.kind,
                "accessions": list(each.accessions),
                "distance": finite(each.distance),
                "mean_r": finite(each.mean_r),
                "lower_r": finite(each.lower_r),
                "upper_r": finite(each.upper_r),
                "mean_coverage": finite(each.mean_coverage),
                "lowest_coverage": finite(each.lowest_coverage),
                "held_out_sets": each.held_out_sets,
                "disjoint_sets": each.disjoint_sets,
                "coverage_promised": each.promised,
            }
            for each in evaluation.candidates
        ],
    }
    if evaluation.families:
        record["families"] = [
            {
                "name": family.name,
                "lines": family.lines,
                "fold": family.fold + 1,
                "r": {score.name: finite(score.family_r[index]) for score in evaluation.scores},
            }
            for index, family in enumerate(evaluation.families)
        ]
    return record


def _score(score: ModelScore) -> dict[str, Any]:
    record: dict[str, Any] = {name: finite(getattr(score, name)) for name in _MEASURES}
    if score.family_r:
        record["mean_family_r"] = finite(score.mean_family_r)
    return record | {"fold_r": [finite(r) for r in score.fold_r]}


def _difference(difference: PairedDifference) -> dict[str, Any]:
    numbers = ("mean", "lower", "upper", "bootstrap_lower", "bootstrap_upper")
    return {"model": difference.model, "baseline": difference.baseline} | {
        name: finite(getattr(difference, name)) for name in numbers
    }


def _held_out(evaluation: Evaluation) -> list[dict[str, Any]]:
    accessions = evaluation.held_out_accessions
    folds = evaluation.held_out_fold
    return [
        {"accession": name, "observed": observed, "prediction": finite(predicted)}
        | ({} if folds is None else {"fold": int(folds[row]) + 1})
        for row, (name, observed, predicted) in enumerate(
            zip(
                accessions,
                evaluation.held_out_observed.tolist(),
                evaluation.held_out_prediction.tolist(),
                strict=True,
            )
        )
    ]
