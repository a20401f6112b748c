"""``budwood select``: which lines to phenotype next."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from budwood.cli import options
from budwood.cli.output import hushed, noted, print_summary
from budwood.cli.pairs import parse_quotas
from budwood.errors import counted
from budwood.genomics.io.text.csv_writer import CsvDialect
from budwood.panel.files import PanelFiles
from budwood.workflows import select as workflow

if TYPE_CHECKING:
    from budwood.prediction.phenotype_next import PhenotypeNext

EXAMPLE: Final = "Example: budwood select --genotypes panel.vcf.gz --count 50 --out results/next"

Count = Annotated[int, typer.Option("--count", min=1, help="How many lines to phenotype.")]
Measured = Annotated[
    Path | None,
    typer.Option("--phenotypes", metavar="FILE", help="Trait values of lines phenotyped already."),
]
MeasuredTrait = Annotated[
    str | None, typer.Option("--trait", metavar="NAME", help="Which trait of the phenotypes.")
]
CandidateFile = Annotated[
    Path | None,
    typer.Option(
        "--candidates",
        metavar="FILE",
        help="Lines to choose from and predict, one id a line; all without a phenotype if not given.",
    ),
]
GroupFile = Annotated[
    Path | None, typer.Option("--groups", metavar="CSV", help="Table of accessions and their groups.")
]
GroupColumn = Annotated[
    str | None,
    typer.Option("--group-column", metavar="NAME", help="Column of the table that holds the group."),
]
Quotas = Annotated[
    list[str] | None,
    typer.Option(
        "--quota", metavar="GROUP=MIN:MAX", help="Fewest and most lines of a group (either may be left out)."
    ),
]
CostFile = Annotated[
    Path | None,
    typer.Option("--costs", metavar="CSV", help="Table of accessions and the cost of phenotyping each."),
]
Budget = Annotated[float | None, typer.Option("--budget", help="Most that the lines may cost together.")]
CriterionName = Annotated[
    Literal["cdmean", "pevmean"],
    typer.Option("--criterion", help="Mean reliability or mean error variance of the lines left."),
]
Heritability = Annotated[
    float | None,
    typer.Option(
        "--heritability", help="Of line means; from the phenotypes (30 lines or more) or 0.5 if not given."
    ),
]


def select(
    out: options.Out,
    genotypes: options.GenotypeFile,
    count: Count,
    phenotypes: Measured = None,
    trait: MeasuredTrait = None,
    candidates: CandidateFile = None,
    groups: GroupFile = None,
    column: GroupColumn = None,
    quota: Quotas = None,
    costs: CostFile = None,
    budget: Budget = None,
    criterion: CriterionName = "cdmean",
    heritability: Heritability = None,
    marker_map: options.MarkerMap = None,
    ploidy: options.Ploidy = None,
    ploidies: options.Ploidies = None,
    kinship: options.KinshipFile = None,
    accession_column: options.AccessionColumn = None,
    csv_dialect: options.CsvDialectName = CsvDialect.PLAIN,
    seed: options.Seed = 0,
    overwrite: options.Overwrite = False,
    config: options.Config = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Choose the lines whose phenotypes tell most about the others, with the accuracy to expect.

    Lines with a value of the trait are phenotyped already: they stay and are not chosen again.
    DIR then holds selection.csv (the lines, the most informative first), selection.json and report.html.
    """
    files = PanelFiles(
        genotypes=genotypes,
        phenotypes=phenotypes,
        accession_column=accession_column,
        marker_map=marker_map,
        ploidy=ploidy,
        ploidies=ploidies,
        kinship=kinship,
    )
    wanted = workflow.SelectOptions(
        files=files,
        count=count,
        trait=trait,
        candidates=candidates,
        groups=groups,
        group_column=column,
        quotas=parse_quotas(quota),
        costs=costs,
        budget=budget,
        criterion=criterion,
        heritability=heritability,
        seed=seed,
        csv_dialect=csv_dialect,
    )
    with hushed(quiet):
        found = workflow.select(wanted, out, overwrite=overwrite)
    lines = [*noted([*found.identity, *found.notes]), *_lines(found.chosen, out)]
    print_summary({"out": str(out), **found.record()}, lines, as_json=as_json)


def _lines(found: PhenotypeNext, out: Path) -> list[str]:
    """The choice, for people."""
    curve = ", ".join(
        f"{counted(p.count, 'line')} {p.chosen:.2f} (at random {p.random:.2f})" for p in found.curve
    )
    first = ", ".join(line.accession for line in found.lines[:5])
    return [
        f"{len(found.lines):,} of {counted(found.candidates, 'candidate')} to phenotype, "
        f"beginning with {first}",
        f"expected accuracy of the others: {found.accuracy_before:.2f} now, "
        f"{found.accuracy_after:.2f} with the new phenotypes",
        *([f"expected accuracy by number of lines: {curve}"] if curve else []),
        *found.notes,
        f"list: {out / 'selection.csv'}",
    ]
