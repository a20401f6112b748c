"""``budwood inspect``: what input files are, what is assumed of them, and whether they fit together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Final

import typer

from budwood.cli.options import AccessionColumn, Aliases, Json, MarkerMap, Ploidy, Quiet, Seed
from budwood.cli.output import hushed, print_error, print_summary
from budwood.errors import BudwoodError
from budwood.workflows.inspection import Inspection

EXAMPLE: Final = "Example: budwood inspect panel.vcf.gz traits.csv genome.fa"

Files = Annotated[
    list[Path],
    typer.Argument(metavar="FILE", help="Genomes, genotypes, annotations, phenotypes, in any order."),
]
InspectOut = Annotated[
    Path | None, typer.Option("--out", metavar="DIR", help="Folder for inspection.json, if it is to be kept.")
]


def inspect(
    files: Files,
    out: InspectOut = None,
    marker_map: MarkerMap = None,
    ploidy: Ploidy = None,
    alias: Aliases = None,
    accession_column: AccessionColumn = None,
    seed: Seed = 0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say what each file is, what was read and assumed, and whether the files fit together.

    Genotypes are held against phenotypes (which accessions are in which, near-misses, lines that are
    identical under two names) and against genomes (whether REF stands there), annotations against genomes
    (whether genes begin with ATG there). Leaves with exit code 2 when
    something cannot be used as it is.
    """
    from budwood.artifacts import write_artifact
    from budwood.panel.files import genotype_files, parse_aliases

    found = Inspection(
        ploidy=ploidy,
        aliases=parse_aliases(alias),
        marker_map=marker_map,
        accession_column=accession_column,
    )
    with hushed(quiet):
        found.look_at(files)
    if out is not None:
        inputs = [part for file in files for part in genotype_files(file) if part.is_file()]
        with write_artifact(out, kind="inspect", inputs=inputs, seeds={"seed": seed}) as draft:
            text = json.dumps(found.summary(), indent=2, ensure_ascii=False)
            draft.path("inspection.json").write_text(text + "\n", encoding="utf-8")
    print_summary(found.summary(), found.lines(), as_json=as_json)
    if not as_json:
        for problem in found.problems:
            print_error(problem, as_json=False)
    if found.problems:
        raise typer.Exit(BudwoodError.exit_code)
