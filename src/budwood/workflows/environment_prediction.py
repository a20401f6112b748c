"""Multi-environment trials on the command line: the files that are written and what is told of them."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from budwood.errors import BudwoodError
from budwood.panel.files import PanelFiles, read_panel

if TYPE_CHECKING:
    from budwood.artifacts import Draft
    from budwood.genomics.environments import Environments
    from budwood.panel.files import Panel
    from budwood.prediction.compare import Design
    from budwood.prediction.environments.results import EnvironmentEvaluation, EnvironmentPrediction

#: Files of :func:`write_environment_predictions`.
CELL_FILE: Final = "environments.csv"
STABILITY_FILE: Final = "stability.csv"
_FOLDS: Final = 5
#: How many models are compared where none are named.
_MODELS: Final = 4
#: Fits of the permutation control for each split of the first repeat.
_SHUFFLES: Final = 5
_CELLS: Final = ("observed", "value", "standard_error", "lower_90", "upper_90")


def is_multi_environment(scheme: str, table: Path | None) -> bool:
    """Whether a scheme holds out environments or lines in them.

    Raises
    ------
    BudwoodError
        If there is a table of environments and the scheme is another.
    """
    from budwood.prediction.environments.schemes import ENVIRONMENT_SCHEMES

    if table is not None and scheme not in ENVIRONMENT_SCHEMES:
        raise BudwoodError(
            f"the scheme {scheme!r} does not look at environments",
            where="command line",
            mend=f"choose one of {', '.join(ENVIRONMENT_SCHEMES)}, or leave --environments out",
        )
    return scheme in ENVIRONMENT_SCHEMES


def evaluate_in_environments(
    out: Path, source: PanelFiles, trait: str, design: Design, groups: Path | None, *, show: bool
) -> tuple[dict[str, Any], list[str]]:
    """Evaluate multi-environment models and write evaluation.json; the run for machines and for people."""
    from budwood.artifacts import write_artifact
    from budwood.prediction.environments.registry import check_environment_models

    _refuse_unused(source, design, groups)
    with write_artifact(out, kind="evaluate", inputs=source.files, seeds={"seed": design.seed}) as draft:
        environments = _read_table(source.environments)
        if design.models:
            check_environment_models(design.models, environments)
        evaluation = _compare(source, trait, design, environments, show=show)
        record = environment_evaluation_record(evaluation)
        text = json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False)
        draft.path("evaluation.json").write_text(text + "\n", encoding="utf-8")
        draft.parameters |= {name: record[name] for name in ("trait", "scheme", "folds", "repeats")}
        draft.parameters["models"] = list(record["models"])
        draft.metrics["mean_r"] = {score.name: score.mean_r for score in evaluation.scores}
    return record, evaluation_lines(evaluation, out)


def _announce(panel: Panel, trait: str, design: Design, *, show: bool) -> None:
    from budwood.workflows.cost import announce_environment_models

    records = panel.phenotypes
    cells = {
        (name, place)
        for name, what, place in zip(records.accession, records.trait, records.environment, strict=True)
        if what == trait and name in panel.genotypes.row
    }
    lines, places = len({name for name, _ in cells}), len({place for _, place in cells})
    folds = design.folds or _FOLDS
    splits = folds**2 if design.scheme == "cv00" else folds
    fits = splits * (design.repeats * (len(design.models) or _MODELS) + _SHUFFLES)
    announce_environment_models(lines, places, len(cells), fits, show=show)


def _compare(
    source: PanelFiles, trait: str, design: Design, environments: Environments | None, *, show: bool
) -> EnvironmentEvaluation:
    from budwood.prediction.environments.compare import compare_environment_models

    panel = read_panel(source, trait)
    _announce(panel, trait, design, show=show)
    return compare_environment_models(
        panel.genotypes,
        panel.phenotypes,
        trait,
        environments=environments,
        models=design.models or None,
        scheme=design.scheme,
        folds=design.folds or _FOLDS,
        repeats=design.repeats,
        seed=design.seed,
    )


def _refuse_unused(source: PanelFiles, design: Design, groups: Path | None) -> None:
    """Refuse options that multi-environment models take no notice of."""
    given = {
        "--reference": source.reference,
        "--annotation": source.annotation,
        "--marker-weights": source.marker_weights,
        "--subgenomes": source.subgenomes or source.subgenomes_by_name,
        "--groups": groups,
        "--h2": design.h2 is not None,
        "--lower-is-better": design.lower_is_better,
    }
    for option, value in given.items():
        if value:
            raise BudwoodError(
                f"the scheme {design.scheme} compares multi-environment models, which do not use {option}",
                where="command line",
                mend=f"leave {option} out",
            )


def _read_table(path: Path | None) -> Environments | None:
    from budwood.genomics.io.tables.environments import read_environments

    return None if path is None else read_environments(path)


def environment_evaluation_record(evaluation: EnvironmentEvaluation) -> dict[str, Any]:
    """An evaluation as plain values."""
    from budwood.workflows.results import finite

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


def evaluation_lines(evaluation: EnvironmentEvaluation, out: Path) -> list[str]:
    """An evaluation for people."""
    lines = [
        f"{score.name}: r within environments = {score.mean_r:.3f} over {len(score.environment_r)} of them, "
        f"90 % intervals cover {score.coverage_90:.0%} of the values"
        for score in evaluation.scores
    ]
    lines += [
        f"{d.model} against {d.baseline}: {d.mean:+.3f} (95 % interval over {evaluation.interval_over} "
        f"{d.lower:+.3f} to {d.upper:+.3f})"
        for d in evaluation.paired
    ]
    control = evaluation.permutation
    lines.append(f"{control.model} on values shuffled within environments: r = {control.mean_r:.3f}")
    told = [evaluation.conclusion] if evaluation.conclusion else []
    return [*lines, *told, *evaluation.notes, f"evaluation: {out / 'evaluation.json'}"]


def predict_in_environments(panel: Panel, trait: str, table: Path | None) -> EnvironmentPrediction | None:
    """Predict every accession in every environment of the table; None where there is no table."""
    from budwood.prediction.environments.predict import predict_environments

    if table is None:
        return None
    return predict_environments(panel.genotypes, panel.phenotypes, trait, environments=_read_table(table))


def write_environment_predictions(draft: Draft, found: EnvironmentPrediction) -> None:
    """Write environments.csv (accession x environment) and stability.csv (accession)."""
    with draft.path(CELL_FILE).open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(("accession", "trait", "environment", "observed", "prediction", *_CELLS[2:]))
        for i, accession in enumerate(found.accessions):
            for j, environment in enumerate(found.environments):
                numbers = (_number(getattr(found, name)[i, j]) for name in _CELLS)
                writer.writerow((accession, found.trait, environment, *numbers))
    columns = ("mean", "mean_standard_error", "slope", "deviation")
    with draft.path(STABILITY_FILE).open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(("accession", "trait", *columns))
        for i in (-found.mean).argsort(kind="stable"):
            row = (_number(getattr(found, name)[i]) for name in columns)
            writer.writerow((found.accessions[i], found.trait, *row))
    draft.parameters["environment_model"] = found.model
    draft.metrics["environment_variance_shares"] = dict(found.variance_shares)


def prediction_summary(found: EnvironmentPrediction | None) -> dict[str, Any]:
    """Predictions in environments for machines; nothing where there are none."""
    if found is None:
        return {}
    told = {
        "model": found.model,
        "names": list(found.environments),
        "without_records": [n for n, t in zip(found.environments, found.trained, strict=True) if not t],
        "spread": dict(zip(found.environments, found.spread.tolist(), strict=True)),
        "variance_shares": dict(found.variance_shares),
        "notes": list(found.notes),
    }
    return {"environments": told}


def prediction_lines(found: EnvironmentPrediction | None, out: Path) -> list[str]:
    """Predictions in environments for people; nothing where there are none."""
    if found is None:
        return []
    shares = ", ".join(f"{name} {share:.0%}" for name, share in found.variance_shares.items())
    return [
        f"{len(found.environments)} environments, {found.model}; variance within them: {shares}",
        *(told for told in found.notes if told.startswith("Warning")),
        f"per environment: {out / CELL_FILE}; stability: {out / STABILITY_FILE}",
    ]


def _number(value: float) -> str:
    return "" if value != value else f"{value:.8g}"
