"""``meristem select``: which lines to phenotype next."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from meristem.cli.options import GenotypeFile, Json, MarkerMap, Out, Ploidy, Quiet, Seed
from meristem.cli.output import hushed, print_summary
from meristem.errors import MeristemError

if TYPE_CHECKING:
    from meristem.artifacts import Draft
    from meristem.prediction.phenotype_next import PhenotypeNext, SelectionRules

EXAMPLE: Final = "Example: meristem select --genotypes panel.vcf.gz --count 50 --out results/next"

#: Columns of ``selection.csv``, in order; part of the command line's contract.
COLUMNS: Final = ("order", "accession", "group", "cost", "expected_accuracy_after", "reason")

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
    str | None, typer.Option("--column", metavar="NAME", help="Column of the table that holds the group.")
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
    out: Out,
    genotypes: GenotypeFile,
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
    marker_map: MarkerMap = None,
    ploidy: Ploidy = None,
    seed: Seed = 0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Choose the lines whose phenotypes tell most about the others, with the accuracy to expect.

    Lines with a value of the trait are phenotyped already: they stay and are not chosen again.
    DIR then holds selection.csv (the lines, the one that tells most first) and selection.json.
    """
    from meristem.artifacts import write_artifact
    from meristem.cli.panel import genotype_files
    from meristem.prediction.phenotype_next import phenotype_next

    _check_options(phenotypes, trait, groups, column, quota)
    named = (phenotypes, candidates, groups, costs, marker_map)
    files = [*genotype_files(genotypes), *(file for file in named if file is not None)]
    parameters = {"count": count, "criterion": criterion, "quota": quota or [], "budget": budget}
    with (
        hushed(quiet),
        write_artifact(
            out, kind="select", inputs=files, parameters=parameters, seeds={"seed": seed}
        ) as draft,
    ):
        rules = _rules(groups, column, quota, costs, budget)
        wanted = _candidates(candidates)
        panel, values, notes = _read(genotypes, phenotypes, trait, marker_map, ploidy)
        found = phenotype_next(
            panel,
            count,
            values=values,
            candidates=wanted,
            rules=rules,
            criterion=criterion,
            heritability=heritability,
            seed=seed,
        )
        record = {"trait": trait, **asdict(found), "notes": notes}
        _write(draft, found, record)
    print_summary({"out": str(out), **record}, _told(found, out), as_json=as_json)


def _check_options(
    phenotypes: Path | None,
    trait: str | None,
    groups: Path | None,
    column: str | None,
    quota: list[str] | None,
) -> None:
    wrong = ""
    if (phenotypes is None) != (trait is None):
        wrong = "phenotypes and trait go together"
    elif groups is None and (column is not None or quota):
        wrong = "a column or quota of groups needs a table of groups"
    if wrong:
        mend = "give --groups as well" if groups is None and (column or quota) else "give both or neither"
        raise MeristemError(wrong, where="command line", mend=mend)


def parse_quotas(words: list[str] | None) -> dict[str, tuple[int, int | None]]:
    """Quotas written ``GROUP=MIN:MAX``, where either number may be left out.

    Examples
    --------
    >>> parse_quotas(["indica=5:20", "aus=:3", "japonica=4:"])
    {'indica': (5, 20), 'aus': (0, 3), 'japonica': (4, None)}
    """
    quotas: dict[str, tuple[int, int | None]] = {}
    for word in words or ():
        group, _, numbers = word.rpartition("=")
        fewest, colon, most = numbers.partition(":")
        whole = all(part.isascii() and part.isdigit() for part in (fewest, most) if part)
        if not group or not colon or not whole or not (fewest or most):
            raise MeristemError(
                f"the quota {word!r} is not understood", where="--quota", mend="write GROUP=MIN:MAX"
            )
        if group in quotas:
            raise MeristemError(
                f"group {group!r} has two quotas", where="--quota", mend="give one quota for each group"
            )
        quotas[group] = (int(fewest or 0), int(most) if most else None)
    return quotas


def _rules(
    groups: Path | None, column: str | None, quota: list[str] | None, costs: Path | None, budget: float | None
) -> SelectionRules:
    from meristem.genomics.io.accession_table import read_accession_column, read_accession_numbers
    from meristem.prediction.phenotype_next import SelectionRules

    return SelectionRules(
        groups=read_accession_column(groups, column) if groups else {},
        quotas=parse_quotas(quota),
        costs=read_accession_numbers(costs) if costs else {},
        budget=budget,
    )


def _candidates(path: Path | None) -> list[str] | None:
    from meristem.genomics.io.accession_table import read_accession_list

    return None if path is None else read_accession_list(path)


def _read(
    genotypes: Path, phenotypes: Path | None, trait: str | None, marker_map: Path | None, ploidy: int | None
) -> tuple[Any, Mapping[str, float], list[str]]:
    """Genotypes, the values of the trait, and what reading them noted."""
    from meristem.cli.panel import Source, read_panel
    from meristem.genomics.io.genotypes import read_genotypes

    if phenotypes is None or trait is None:
        return read_genotypes(genotypes, ploidy=ploidy, marker_map=marker_map), {}, []
    panel = read_panel(Source(genotypes, phenotypes, marker_map=marker_map, ploidy=ploidy), trait)
    return panel.genotypes, panel.phenotypes.means(trait), [*panel.identity.sentences(), *panel.notes]


def _write(draft: Draft, found: PhenotypeNext, record: Mapping[str, Any]) -> None:
    with draft.path("selection.csv").open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(COLUMNS)
        for order, line in enumerate(found.lines, start=1):
            after = f"{line.expected_accuracy_after:.6f}"
            writer.writerow([order, line.accession, line.group, f"{line.cost:g}", after, line.reason])
    text = json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False)
    draft.path("selection.json").write_text(text + "\n", encoding="utf-8")
    draft.metrics |= {"accuracy_before": found.accuracy_before, "accuracy_after": found.accuracy_after}


def _told(found: PhenotypeNext, out: Path) -> list[str]:
    """The choice for people."""
    curve = ", ".join(f"{p.count} lines {p.chosen:.2f} (at random {p.random:.2f})" for p in found.curve)
    first = ", ".join(line.accession for line in found.lines[:5])
    return [
        f"{len(found.lines):,} of {found.candidates:,} candidates to phenotype, beginning with {first}",
        f"expected accuracy of the others: {found.accuracy_before:.2f} now, "
        f"{found.accuracy_after:.2f} with the new phenotypes",
        *([f"expected accuracy by number of lines: {curve}"] if curve else []),
        *found.caveats,
        f"list: {out / 'selection.csv'}",
    ]
