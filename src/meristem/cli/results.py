"""Predictions and evaluations as the files that scripts read."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meristem.prediction.outcome import PREDICTION_COLUMNS

if TYPE_CHECKING:
    from meristem.prediction.outcome import Evaluation, ModelScore, TraitPrediction


def write_predictions(path: Path, prediction: TraitPrediction) -> None:
    """Write a line per accession, best rank first; ``observed`` is empty where there is no value."""
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(PREDICTION_COLUMNS)
        for row in prediction.rank.argsort(kind="stable"):
            writer.writerow(_cell(prediction, column, int(row)) for column in PREDICTION_COLUMNS)


def _cell(prediction: TraitPrediction, column: str, row: int) -> str:
    if column == "trait":
        return prediction.trait
    if column == "accession":
        return prediction.accessions[row]
    value = getattr(prediction, column)[row]
    if column == "extrapolation":
        return "true" if value else "false"
    if column in ("rank", "nearest_training_accession"):
        return str(value)
    return "" if math.isnan(value) else f"{value:.8g}"


def write_evaluation(path: Path, evaluation: Evaluation) -> None:
    """Write :func:`evaluation_record` as JSON."""
    text = json.dumps(evaluation_record(evaluation), indent=2, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def evaluation_record(evaluation: Evaluation) -> dict[str, Any]:
    """An evaluation as plain values; what could not be computed is None."""
    held_out = zip(
        evaluation.held_out_accessions,
        evaluation.held_out_observed.tolist(),
        evaluation.held_out_prediction.tolist(),
        strict=True,
    )
    control = evaluation.permutation
    return {
        "trait": evaluation.trait,
        "scheme": evaluation.scheme,
        "folds": evaluation.folds,
        "repeats": evaluation.repeats,
        "verdict": evaluation.verdict,
        "models": {score.name: _score(score) for score in evaluation.scores},
        "paired_differences": [
            {"model": d.model, "baseline": d.baseline}
            | {name: _finite(getattr(d, name)) for name in ("mean", "lower", "upper")}
            for d in evaluation.paired
        ],
        "permutation_control": {"model": control.model}
        | {name: _finite(getattr(control, name)) for name in ("mean_r", "lower", "upper")},
        "held_out": [
            {"accession": name, "observed": observed, "prediction": _finite(predicted)}
            for name, observed, predicted in held_out
        ],
    }


def _score(score: ModelScore) -> dict[str, Any]:
    numbers = ("mean_r", "coverage_90", "rmse", "slope", "seconds")
    record: dict[str, Any] = {name: _finite(getattr(score, name)) for name in numbers}
    return record | {"fold_r": [_finite(r) for r in score.fold_r]}


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
