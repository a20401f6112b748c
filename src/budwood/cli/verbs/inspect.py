"""``budwood inspect``: what input files are, what is assumed about them, and whether they fit together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from budwood.cli import options
from budwood.cli.output import hushed, print_error, print_summary
from budwood.cli.pairs import parse_aliases
from budwood.errors import BudwoodError
from budwood.workflows import inspect as workflow

EXAMPLE: Final = "Example: budwood inspect panel.vcf.gz traits.csv genome.fa"

Files = Annotated[
    list[Path] | None,
    typer.Argument(metavar="FILE", help="Genomes, genotypes, annotations, phenotypes, in any order."),
]
InspectOut = Annotated[
    Path | None, typer.Option("--out", metavar="DIR", help="Folder for inspection.json, if it is to be kept.")
]
AnyFile = Path | None
Genotypes = Annotated[AnyFile, typer.Option("--genotypes", metavar="FILE", help="The same as a FILE.")]
Phenotypes = Annotated[AnyFile, typer.Option("--phenotypes", metavar="FILE", help="The same as a FILE.")]
Reference = Annotated[AnyFile, typer.Option("--reference", metavar="FASTA", help="The same as a FILE.")]
Annotation = Annotated[AnyFile, typer.Option("--annotation", metavar="GFF", help="The same as a FILE.")]


def inspect(
    files: Files = None,
    genotypes: Genotypes = None,
    phenotypes: Phenotypes = None,
    reference: Reference = None,
    annotation: Annotation = None,
    out: InspectOut = None,
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
    """Describe each file, what was read and assumed, and whether the files fit together.

    Genotypes are compared with phenotypes (which accessions are in which, near-misses, lines that are
    identical under two names) and with genomes (whether REF stands there), annotations with genomes
    (whether genes begin with ATG there). Leaves with exit code 2 when something cannot be used as it is.
    """
    named = (genotypes, phenotypes, reference, annotation)
    every = (*(files or ()), *(file for file in named if file is not None))
    if not every:
        raise BudwoodError("there is no file to look at", where="command line", mend="name one or more files")
    wanted = workflow.InspectOptions(
        files=every,
        marker_map=marker_map,
        ploidy=ploidy,
        aliases=parse_aliases(alias),
        accession_column=accession_column,
        seed=seed,
    )
    with hushed(quiet):
        found = workflow.inspect(wanted, out, overwrite=overwrite)
    lines = [line for s in found.sections for line in (s.title, *(f"  {text}" for text in s.sentences))]
    print_summary(found.record(), lines, as_json=as_json)
    if not as_json:
        for problem in found.problems:
            print_error(problem, as_json=False)
    if found.problems:
        raise typer.Exit(BudwoodError.exit_code)
