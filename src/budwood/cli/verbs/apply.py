"""``budwood apply``: predictions of new lines by a saved trait model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from budwood.cli import options
from budwood.cli.output import announce, hushed, noted, print_summary
from budwood.cli.pairs import parse_aliases
from budwood.errors import counted
from budwood.panel.files import PanelFiles
from budwood.workflows import apply as workflow
from budwood.workflows.setup.encoder import EncoderOptions

EXAMPLE: Final = "Example: budwood apply models/height --genotypes new-lines.vcf.gz --out results/new-lines"

ModelFolder = Annotated[
    Path, typer.Argument(metavar="MODEL", help="Folder that budwood predict --save-model wrote.")
]
MinimumMarkers = Annotated[
    float,
    typer.Option(
        "--minimum-markers",
        metavar="SHARE",
        help="Share of the model's markers below which the genotypes are refused.",
    ),
]


ReferenceFile = Annotated[
    Path | None,
    typer.Option(
        "--reference",
        metavar="FASTA",
        help="Genome that the model was fitted with, where it reads sequence; other models need none.",
    ),
]


def apply(
    model: ModelFolder,
    out: options.Out,
    genotypes: options.GenotypeFile,
    reference: ReferenceFile = None,
    haplotypes: options.HaplotypeFile = None,
    checkpoint: options.CheckpointFolder = None,
    adapter: options.AdapterFolders = None,
    device: options.DeviceName = "auto",
    batch_size: options.BatchSize = None,
    minimum_markers: MinimumMarkers = 0.1,
    marker_map: options.MarkerMap = None,
    ploidy: options.Ploidy = None,
    ploidies: options.Ploidies = None,
    alias: options.Aliases = None,
    overwrite: options.Overwrite = False,
    config: options.Config = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Predict new lines with a saved trait model.

    Markers are matched to the model's by place and alleles, or by name; missing ones make predictions less
    certain. A model that reads sequence needs the reference genome it was fitted with.
    DIR then holds predictions.csv and report.html, as predict writes them; where the model was saved with
    environments also environments.csv and stability.csv.
    """
    files = PanelFiles(
        genotypes=genotypes,
        reference=reference,
        haplotypes=haplotypes,
        marker_map=marker_map,
        ploidy=ploidy,
        ploidies=ploidies,
        aliases=parse_aliases(alias),
    )
    wanted = workflow.ApplyOptions(
        model=model,
        files=files,
        encoder=EncoderOptions(
            checkpoint=checkpoint, adapter=tuple(adapter or ()), device=device, batch_size=batch_size
        ),
        minimum_markers=minimum_markers,
    )
    with hushed(quiet):
        found = workflow.apply(wanted, out, overwrite=overwrite, announce=announce(quiet))
    print_summary({"out": str(out), **found.record()}, _lines(found, out), as_json=as_json)


def _lines(found: workflow.ApplyResult, out: Path) -> list[str]:
    """The result for people."""
    n, far = len(found.prediction.accessions), int(found.prediction.extrapolation.sum())
    accuracy = ", ".join(f"{name} {r:.3f}" for name, r in found.mean_r.items())
    lines = [
        *noted(found.notes),
        f"{counted(n, 'line')} predicted by {found.fitted.model} from "
        f"{counted(len(found.fitted.observed), 'training line')}",
    ]
    if accuracy:
        lines.append(f"accuracy r on held-out lines of the training panel: {accuracy}")
    if far:
        lines.append(
            f"{counted(far, 'line')} marked as extrapolation: further from the training lines than "
            "these are from one another"
        )
    return [*lines, f"predictions: {out / 'predictions.csv'}", f"report: {out / 'report.html'}"]
