"""``budwood genes``: whether genes known for a trait help to predict it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from budwood.cli import options
from budwood.cli.output import hushed, noted, print_summary
from budwood.genomics.io.text.csv_writer import CsvDialect
from budwood.panel.files import PanelFiles
from budwood.workflows import genes as workflow

EXAMPLE: Final = (
    "Example: budwood genes --genotypes panel.vcf.gz --phenotypes traits.csv --trait height "
    "--genes genes.gff3 --known ontology.tsv --term TO:0000207 --out results/genes"
)

Places = Annotated[
    Path,
    typer.Option(
        "--genes",
        metavar="FILE",
        help="Where genes lie: GFF3, GTF, BED or a table of gene, contig, start, end.",
    ),
]
Known = Annotated[
    list[Path],
    typer.Option(
        "--known",
        metavar="FILE",
        help="Genes known for the trait: ids, or a table to search by --term. Several lists may be given: a "
        "marker counts once for each with a gene near.",
    ),
]
Terms = Annotated[
    list[str] | None,
    typer.Option(
        "--term",
        metavar="TEXT",
        help="Only rows of --known with this text, such as TO:0000207; once for all lists or once for each, "
        "with - for one that counts whole. Genes of other rows are a control.",
    ),
]
Orthologs = Annotated[
    Path | None,
    typer.Option(
        "--orthologs",
        metavar="FILE",
        help="Where --known names genes of another species: a table that begins with a gene of each.",
    ),
]
Blocks = Annotated[
    Path | None,
    typer.Option("--blocks", metavar="FILE", help="Instead of orthologs: collinear blocks of MCScanX."),
]
Reach = Annotated[
    int,
    typer.Option("--reach", min=0, metavar="BASES", help="Bases beside a gene that count as near."),
]
Draws = Annotated[int, typer.Option("--draws", min=1, metavar="N", help="Sets of as many random genes.")]
Folds = Annotated[int, typer.Option("--folds", min=2, metavar="K", help="Folds.")]
Repeats = Annotated[int, typer.Option("--repeats", min=1, metavar="R", help="Random divisions into folds.")]


def genes(
    genotypes: options.GenotypeFile,
    phenotypes: options.PhenotypeFile,
    trait: options.Trait,
    places: Places,
    known: Known,
    out: options.Out,
    term: Terms = None,
    orthologs: Orthologs = None,
    blocks: Blocks = None,
    reach: Reach = 25_000,
    draws: Draws = 3,
    folds: Folds = 5,
    repeats: Repeats = 2,
    marker_map: options.MarkerMap = None,
    ploidy: options.Ploidy = None,
    seed: options.Seed = 0,
    csv_dialect: options.CsvDialectName = CsvDialect.PLAIN,
    overwrite: options.Overwrite = False,
    config: options.Config = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Compare GBLUP with and without a kernel of the markers near genes that are known for the trait.

    As many random genes, and as many of other terms, are the controls, on the same folds. DIR then holds
    evaluation.json, report.html and marker_weights.csv, which predict and evaluate take by --marker-weights.
    """
    files = PanelFiles(genotypes=genotypes, phenotypes=phenotypes, marker_map=marker_map, ploidy=ploidy)
    wanted = workflow.GenesOptions(
        files=files,
        trait=trait,
        places=places,
        known=tuple(known),
        terms=tuple(None if each == "-" else each for each in term or ()),
        orthologs=orthologs,
        blocks=blocks,
        reach=reach,
        draws=draws,
        folds=folds,
        repeats=repeats,
        seed=seed,
        csv_dialect=csv_dialect,
    )
    with hushed(quiet):
        found = workflow.genes(wanted, out, overwrite=overwrite)
    knowledge = found.knowledge
    scores = [f"{score.name}: r {score.mean_r:.3f}" for score in knowledge.evaluation.scores]
    lines = [knowledge.conclusion, *scores, *noted(knowledge.evaluation.notes)]
    lines += [f"weights: {out / 'marker_weights.csv'}", f"report: {out / 'report.html'}"]
    print_summary({"out": str(out), **found.record()}, lines, as_json=as_json)
