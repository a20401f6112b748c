"""``budwood finetune``: a fine-tuned encoder from sequences with values or classes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from budwood.cli import options
from budwood.cli.output import announce, hushed, noted, print_summary
from budwood.cli.pairs import parse_names
from budwood.errors import BudwoodError, counted
from budwood.workflows import finetune as workflow
from budwood.workflows.setup.encoder import EncoderOptions

EXAMPLE: Final = (
    "Example: budwood finetune --sequences promoters.tsv --target strength --test sorghum.tsv --out promoters"
)

SequenceFile = Annotated[
    Path | None,
    typer.Option(
        "--sequences",
        metavar="FILE",
        help="FASTA, or table with a column of sequences, at most 512 bases each.",
    ),
]
ValueFile = Annotated[
    Path | None,
    typer.Option(
        "--values", metavar="FILE", help="Table about the sequences of FASTA files, by their names."
    ),
]
Targets = Annotated[
    str | None,
    typer.Option("--target", metavar="A,B", help="Columns to predict: numbers, or one column of classes."),
]
TestFile = Annotated[
    Path | None,
    typer.Option("--test", metavar="FILE", help="Sequences to test on; a part of the others if not given."),
]
PredictFile = Annotated[
    Path | None, typer.Option("--predict", metavar="FILE", help="Sequences without values to predict.")
]
ModelFolder = Annotated[
    Path | None,
    typer.Option(
        "--apply",
        metavar="DIR",
        help="Train nothing: predict --predict by what finetune wrote to this folder.",
    ),
]
Group = Annotated[
    str | None,
    typer.Option(
        "--group", metavar="NAME", help="Column of groups that are not split between training and test."
    ),
]
SequenceColumn = Annotated[
    str | None, typer.Option("--sequence-column", metavar="NAME", help="Column of the sequences.")
]
NameColumn = Annotated[str | None, typer.Option("--name-column", metavar="NAME", help="Column of the names.")]
Way = Annotated[
    Literal["full", "low-rank"],
    typer.Option("--way", help="Train every weight, or a low-rank adapter."),
]
Rank = Annotated[int, typer.Option("--rank", metavar="N", min=1, help="Rank of a low-rank adapter.")]
Alpha = Annotated[
    float | None,
    typer.Option("--alpha", help="Its products are multiplied by alpha / rank; twice the rank if not given."),
]
StrandName = Annotated[
    Literal["own", "both"],
    typer.Option("--strand", help="Read the given strand, or both: the same for the reverse complement."),
]
LearningRate = Annotated[
    float | None,
    typer.Option("--learning-rate", help="Peak rate; 5e-4 for full, 3e-3 for low-rank if not given."),
]
Epochs = Annotated[int, typer.Option("--epochs", min=1, help="Most passes over the sequences.")]
Patience = Annotated[
    int, typer.Option("--patience", min=1, help="Passes without improvement before training stops.")
]
Batch = Annotated[int, typer.Option("--batch", min=1, help="Sequences of one training step.")]
TestShare = Annotated[float, typer.Option("--test-share", help="Share kept for the test without --test.")]
ValidationShare = Annotated[
    float, typer.Option("--validation-share", help="Share of the rest that determines when to stop.")
]
PrecisionName = Annotated[
    Literal["float32", "bf16"], typer.Option("--precision", help="bf16 trains in about half the time.")
]
Seeds = Annotated[int, typer.Option("--seeds", min=1, help="Trainings of each network; the best is kept.")]


def finetune(
    out: options.Out,
    sequences: SequenceFile = None,
    values: ValueFile = None,
    target: Targets = None,
    test: TestFile = None,
    predict: PredictFile = None,
    apply: ModelFolder = None,
    group: Group = None,
    sequence_column: SequenceColumn = None,
    name_column: NameColumn = None,
    test_share: TestShare = 0.2,
    validation_share: ValidationShare = 0.1,
    way: Way = "full",
    rank: Rank = 32,
    alpha: Alpha = None,
    strand: StrandName = "own",
    learning_rate: LearningRate = None,
    epochs: Epochs = 10,
    patience: Patience = 3,
    batch: Batch = 32,
    precision: PrecisionName = "float32",
    seeds: Seeds = 1,
    checkpoint: options.CheckpointFolder = None,
    adapter: options.AdapterFolders = None,
    device: options.DeviceName = "auto",
    seed: options.Seed = 0,
    overwrite: options.Overwrite = False,
    config: options.Config = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Fine-tune the encoder on sequences with values or classes, beside what it has to beat.

    The same network from scratch, a convolution and k-mers are trained on the same sequences and compared on
    the same test. DIR then holds the encoder (--checkpoint DIR, or --adapter DIR after --way low-rank, opens
    it elsewhere), accuracy.json, test_predictions.csv and report.html; with --predict
    predictions.csv, and predictions_by_model.csv with those of the models beside it.
    """
    encoder = EncoderOptions(checkpoint=checkpoint, adapter=tuple(adapter or ()), device=device)
    if apply is not None:
        if sequences is not None or predict is None:
            raise BudwoodError(
                "--apply predicts and does not train",
                where="command line",
                mend="give --predict, and no --sequences",
            )
        with hushed(quiet):
            names, _, outputs = workflow.apply_finetuned(
                apply,
                predict,
                out,
                encoder=encoder,
                sequence_column=sequence_column,
                name_column=name_column,
                overwrite=overwrite,
            )
        line = f"{counted(len(names), 'sequence')} predicted: {out / 'predictions.csv'}"
        outputs_listed = list(outputs.classes or outputs.names)
        print_summary(
            {"out": str(out), "sequences": len(names), "outputs": outputs_listed}, [line], as_json=as_json
        )
        return
    if sequences is None:
        raise BudwoodError("there is nothing to learn from", where="command line", mend="give --sequences")
    wanted = workflow.FinetuneOptions(
        sequences=sequences,
        values=values,
        target=parse_names(target, "--target"),
        test=test,
        predict=predict,
        group=group,
        sequence_column=sequence_column,
        name_column=name_column,
        test_share=test_share,
        validation_share=validation_share,
        way=way,
        rank=rank,
        alpha=alpha,
        strand=strand,
        learning_rate=learning_rate,
        epochs=epochs,
        patience=patience,
        batch=batch,
        precision=precision,
        seeds=seeds,
        encoder=encoder,
        seed=seed,
        show=False if quiet else None,
    )
    with hushed(quiet):
        found = workflow.finetune(wanted, out, overwrite=overwrite, announce=announce(quiet))
    lines = [*noted(found.notes), *_table(found), found.conclusion, f"report: {out / 'report.html'}"]
    print_summary({"out": str(out), **found.record()}, lines, as_json=as_json)


def _table(found: workflow.FinetuneResult) -> list[str]:
    """A line for each model and output."""
    return [
        f"{name:<14} {score.output}: {score.score:.3f} ({score.lower:.3f} to {score.upper:.3f})"
        for name, scores in found.scores.items()
        for score in scores
    ]
