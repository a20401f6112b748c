"""``budwood attribute``: which windows and bases drive the predictions of a trait model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from budwood.cli import options
from budwood.cli.output import announce, hushed, noted, print_summary
from budwood.cli.pairs import parse_aliases
from budwood.errors import counted
from budwood.panel.files import PanelFiles
from budwood.workflows import attribute as workflow
from budwood.workflows.setup.encoder import EncoderOptions

if TYPE_CHECKING:
    from budwood.workflows.records.attribution import AttributeResult

EXAMPLE: Final = (
    "Example: budwood attribute --genotypes panel.vcf.gz --phenotypes traits.csv --trait height "
    "--reference genome.fa --out results/height-windows"
)

ModelFolder = Annotated[
    Path | None,
    typer.Option("--model-folder", metavar="DIR", help="Saved model of budwood predict --save-model."),
]
PhenotypeTable = Annotated[
    Path | None, typer.Option("--phenotypes", metavar="FILE", help="Trait values, to fit a model afresh.")
]
TraitName = Annotated[str | None, typer.Option("--trait", metavar="NAME", help="Trait of a fresh fit.")]
ModelName = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="NAME",
        help="Model of a fresh fit whose predictions are sums over windows: gblup+dna (with a genome), "
        "gblup, elastic-net or bayes-c.",
    ),
]
Genes = Annotated[
    Path | None,
    typer.Option("--annotation", metavar="GFF", help="Genes: matched windows have the same gene density."),
]
Regions = Annotated[
    Path | None,
    typer.Option("--regions", metavar="FILE", help="BED, GFF or table of regions to test for enrichment."),
]
Bases = Annotated[
    int,
    typer.Option(
        "--bases", metavar="N", help="Also attribute the sequences of the top N windows to their bases."
    ),
]
Permutations = Annotated[int, typer.Option("--permutations", metavar="N", help="Draws of matched windows.")]


def attribute(
    out: options.Out,
    genotypes: options.GenotypeFile,
    model_folder: ModelFolder = None,
    phenotypes: PhenotypeTable = None,
    trait: TraitName = None,
    model: ModelName = None,
    reference: options.ReferenceFile = None,
    haplotypes: options.HaplotypeFile = None,
    annotation: Genes = None,
    regions: Regions = None,
    bases: Bases = 0,
    permutations: Permutations = 999,
    checkpoint: options.CheckpointFolder = None,
    device: options.DeviceName = "auto",
    batch_size: options.BatchSize = None,
    marker_map: options.MarkerMap = None,
    ploidy: options.Ploidy = None,
    alias: options.Aliases = None,
    accession_column: options.AccessionColumn = None,
    seed: options.Seed = 0,
    overwrite: options.Overwrite = False,
    config: options.Config = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Split predictions into contributions of windows and of bases, which sum to them.

    DIR then holds windows.csv, contributions.npy (lines x windows), predictions.csv (the parts of each
    prediction), importance.bedgraph, top_windows.bed, attribution.json and report.html; with --bases also
    bases.csv and bases.bedgraph.
    """
    files = PanelFiles(
        genotypes=genotypes,
        phenotypes=phenotypes,
        reference=reference,
        haplotypes=haplotypes,
        marker_map=marker_map,
        ploidy=ploidy,
        aliases=parse_aliases(alias),
        accession_column=accession_column,
    )
    wanted = workflow.AttributeOptions(
        files=files,
        model_folder=model_folder,
        trait=trait,
        model=model,
        annotation=annotation,
        regions=regions,
        bases=bases,
        permutations=permutations,
        encoder=EncoderOptions(checkpoint=checkpoint, device=device, batch_size=batch_size),
        seed=seed,
    )
    with hushed(quiet):
        found = workflow.attribute(wanted, out, overwrite=overwrite, announce=announce(quiet))
    print_summary({"out": str(out), **found.record()}, _lines(found, out), as_json=as_json)


def _lines(found: AttributeResult, out: Path) -> list[str]:
    """The result for people."""
    windows = found.contributions.windows
    lines = [
        *noted(found.notes),
        f"predictions of {counted(len(found.contributions.accessions), 'line')} split into "
        f"{counted(len(windows), 'window')}; "
        f"the parts sum to them to {found.contributions.error:.1e}",
    ]
    if found.overlap is not None:
        each = found.overlap
        lines.append(
            f"windows in {counted(each.regions, 'region')}: {each.enrichment:.2f} times the importance of "
            f"matched ones, p = {each.p:.3g}, AUROC {each.auroc:.3f}"
        )
    if found.bases is not None:
        lines.append(
            f"bases of {counted(len(found.bases.windows), 'sequence')}; they sum to their sequences to "
            f"{found.bases.error:.1e} of the largest"
        )
    return [*lines, f"windows: {out / 'windows.csv'}", f"report: {out / 'report.html'}"]
