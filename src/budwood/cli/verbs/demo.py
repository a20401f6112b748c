"""``budwood demo``: a simulated species and panel from files to report, scored against the truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from budwood.cli import options
from budwood.cli.output import announce, hushed, print_summary
from budwood.workflows import demo as workflow

EXAMPLE: Final = "Example: budwood demo --out demo-output --seed 1"

DemoOut = Annotated[
    Path,
    typer.Option("--out", metavar="DIR", help="Folder to write; the simulated files are in its data/."),
]


def demo(
    out: DemoOut = Path("demo-output"),
    checkpoint: options.CheckpointFolder = None,
    seed: options.Seed = 1,
    overwrite: options.Overwrite = False,
    config: options.Config = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Simulate a species and 800 lines, 150 of them phenotyped; predict the others, compare with the truth.

    DIR/data holds the files that a breeder would have (reference, annotation, genotypes, phenotypes) and the
    truth behind them. Accuracy is the correlation with the true genetic values of the lines that have no
    phenotype.
    """
    wanted = workflow.DemoOptions(checkpoint=checkpoint, seed=seed)
    with hushed(quiet):
        found = workflow.demo(wanted, out, overwrite=overwrite, announce=announce(quiet))
    lines = [f"accuracy of {model}: r = {r:.3f}" for model, r in found.accuracy.items()]
    summary = {"out": str(out), **found.record()}
    print_summary(summary, [*lines, f"report: {out / 'report.html'}"], as_json=as_json)
