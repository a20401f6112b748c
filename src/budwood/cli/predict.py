"""``budwood predict``: a ranked list of accessions, with its accuracy and a report."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from budwood.cli import options
from budwood.cli.output import hushed, print_summary
from budwood.panel.files import Panel, PanelFiles, PanelVectors, parse_aliases, read_panel, read_sequence
from budwood.workflows.environment_prediction import (
    predict_in_environments,
    prediction_lines,
    prediction_summary,
    write_environment_predictions,
)

if TYPE_CHECKING:
    from budwood.artifacts import Draft
    from budwood.prediction.environments.results import EnvironmentPrediction
    from budwood.prediction.evaluation.results import Evaluation, TraitPrediction

EXAMPLE: Final = (
    "Example: budwood predict --genotypes panel.vcf.gz --phenotypes traits.csv --trait height "
    "--reference genome.fa --out results/height"
)

ModelName = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="NAME",
        help="Model that predicts, of those that evaluate takes; by default the one that uses what is given: "
        "gblup, gblup+dna, multi-kernel (annotation) or subgenomes.",
    ),
]


@dataclass(frozen=True)
class Predicted:
    """What a prediction was made from and what came out."""

    source: PanelFiles
    panel: Panel
    sequence: PanelVectors | None
    prediction: TraitPrediction
    evaluation: Evaluation
    in_environments: EnvironmentPrediction | None = None

    @property
    def model(self) -> str:
        """Name of the model that the predictions come from."""
        return self.evaluation.permutation.model


def predict(
    out: options.Out,
    genotypes: options.GenotypeFile,
    phenotypes: options.PhenotypeFile,
    trait: options.Trait,
    reference: options.ReferenceFile = None,
    haplotypes: options.HaplotypeFile = None,
    annotation: options.AnnotationFile = None,
    marker_weights: options.MarkerWeightFile = None,
    subgenomes: options.SubgenomeFile = None,
    subgenomes_by_name: options.SubgenomesByName = False,
    model: ModelName = None,
    environments: options.EnvironmentFile = None,
    accession_column: options.AccessionColumn = None,
    checkpoint: options.CheckpointFolder = None,
    marker_map: options.MarkerMap = None,
    ploidy: options.Ploidy = None,
    ploidies: options.Ploidies = None,
    alias: options.Aliases = None,
    seed: options.Seed = 0,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Predict a trait for every accession, with uncertainty, accuracy on held-out lines and a report.

    Accessions without a value of the trait are the candidates. Without a reference genome the markers
    predict alone; with it the DNA model reads the sequence around every variant and joins them. An annotation
    or subgenomes add relationships of their own.
    DIR then holds predictions.csv, evaluation.json and report.html; with a table of environments also
    environments.csv (a line per accession and environment, those without records included) and stability.csv.
    """
    from budwood.artifacts import write_artifact

    files = (genotypes, phenotypes, reference, haplotypes, marker_map)
    kernels = (annotation, marker_weights, subgenomes, subgenomes_by_name)
    source = PanelFiles(
        *files, ploidy, parse_aliases(alias), ploidies, *kernels, environments, accession_column
    )
    words = [*source.words(trait), *(["--model", model] if model else [])]
    with (
        hushed(quiet),
        write_artifact(out, kind="predict", inputs=source.files, seeds={"seed": seed}) as draft,
    ):
        predicted = predict_files(source, trait, checkpoint, model=model, seed=seed, show=not quiet)
        write_predicted(draft, predicted, command=shlex.join(["budwood", "predict", *words]))
    print_summary(summary_of(predicted, out), lines_of(predicted, out), as_json=as_json)


def predict_files(
    source: PanelFiles,
    trait: str,
    checkpoint: Path | None,
    *,
    model: str | None = None,
    seed: int,
    show: bool,
) -> Predicted:
    """Read, check, embed, evaluate and predict."""
    from budwood.prediction.compare import Design
    from budwood.prediction.models.registry import model_named
    from budwood.prediction.predict import predict_trait
    from budwood.workflows.cost import announce_models

    if model is not None:
        model_named(model)  # one that does not exist is told before anything is read
    panel = read_panel(source, trait)
    sequence = read_sequence(source, checkpoint, show=show)
    values = panel.phenotypes.means(trait)
    fits = Design((model,)).fits if model else {}
    announce_models(panel.genotypes, values, fits, dna_model=sequence is not None, show=show)
    prediction, evaluation = predict_trait(
        panel.genotypes,
        values,
        trait,
        haplotypes=sequence.haplotypes.table if sequence else None,
        vectors=sequence.vectors if sequence else None,
        weights=panel.weights,
        model=model,
        seed=seed,
    )
    in_environments = predict_in_environments(panel, trait, source.environments)
    return Predicted(source, panel, sequence, prediction, evaluation, in_environments)


def write_predicted(draft: Draft, predicted: Predicted, *, command: str) -> None:
    """Write predictions.csv, evaluation.json and report.html, and note the figures in the manifest."""
    from budwood.artifacts import library_versions
    from budwood.report.context import ReportContext
    from budwood.report.page import write_report
    from budwood.workflows.results import write_evaluation, write_predictions

    prediction, evaluation, sequence = predicted.prediction, predicted.evaluation, predicted.sequence
    context = ReportContext(
        model=predicted.model,
        created=datetime.now(UTC).astimezone(),
        inputs=described_inputs(predicted),
        identity=tuple(predicted.panel.identity.sentences()),
        checkpoint=sequence.checkpoint.name if sequence else None,
        versions=library_versions(),
        command=command,
    )
    write_predictions(draft.path("predictions.csv"), prediction)
    write_evaluation(draft.path("evaluation.json"), evaluation)
    write_report(draft.path("report.html"), prediction, evaluation, context=context)
    draft.parameters |= {"trait": prediction.trait, "model": predicted.model}
    if sequence:
        draft.parameters["checkpoint"] = {
            "name": sequence.checkpoint.name,
            "digest": sequence.checkpoint.digest,
        }
    draft.metrics |= {"mean_r": mean_r(evaluation), "variance_shares": dict(prediction.variance_shares)}
    if predicted.in_environments:
        write_environment_predictions(draft, predicted.in_environments)


def described_inputs(predicted: Predicted) -> dict[str, str]:
    """Each input's part in the run and what it is, for the report."""
    source, genotypes = predicted.source, predicted.panel.genotypes
    n, m = genotypes.dosage.shape
    labelled = labelled_in(predicted.prediction)
    described = {
        "genotypes": f"{source.genotypes.name}, {n:,} accessions x {m:,} markers",
        "phenotypes": f"{source.phenotypes.name}, {labelled:,} of these with {predicted.prediction.trait}",
    }
    if predicted.sequence and source.reference:
        table, check = predicted.sequence.haplotypes.table, predicted.sequence.haplotypes.check
        described["reference"] = f"{source.reference.name}. {check.sentences()[0]}"
        described["haplotypes"] = (
            f"{(source.haplotypes or source.genotypes).name}, {len(table.windows):,} windows, "
            f"{table.n_sequences:,} distinct sequences instead of {table.brute_force_windows:,}"
        )
    return described


def labelled_in(prediction: TraitPrediction) -> int:
    """Number of accessions with a value of the trait."""
    return int((prediction.observed == prediction.observed).sum())


def mean_r(evaluation: Evaluation) -> dict[str, float]:
    """Mean accuracy on held-out lines by model."""
    return {score.name: score.mean_r for score in evaluation.scores}


def summary_of(predicted: Predicted, out: Path) -> dict[str, Any]:
    """The run for machines."""
    prediction, evaluation, sequence = predicted.prediction, predicted.evaluation, predicted.sequence
    labelled = labelled_in(prediction)
    return {
        "out": str(out),
        "trait": prediction.trait,
        "model": predicted.model,
        "accessions": len(prediction.accessions),
        "labelled": labelled,
        "candidates": len(prediction.accessions) - labelled,
        "extrapolations": int(prediction.extrapolation.sum()),
        "mean_r": mean_r(evaluation),
        "conclusion": evaluation.conclusion,
        "variance_shares": dict(prediction.variance_shares),
        "checkpoint": sequence.checkpoint.digest if sequence else None,
        "reference_share": sequence.haplotypes.check.share if sequence else None,
        "identity": predicted.panel.identity.sentences(),
        "notes": [*predicted.panel.notes, *prediction.notes],
        **prediction_summary(predicted.in_environments),
    }


def lines_of(predicted: Predicted, out: Path) -> list[str]:
    """The run for people."""
    told = summary_of(predicted, out)
    accuracy = ", ".join(f"{name} {r:.3f}" for name, r in told["mean_r"].items())
    design = f"{predicted.evaluation.repeats} x {predicted.evaluation.folds} folds"
    return [
        f"{told['candidates']:,} candidates ranked from {told['labelled']:,} lines with {told['trait']}",
        f"accuracy r on held-out lines, {design}: {accuracy}",
        told["conclusion"],
        *prediction_lines(predicted.in_environments, out),
        f"report: {out / 'report.html'}",
    ]
