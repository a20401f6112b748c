"""``budwood select``: which lines to phenotype next."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from budwood.cli.options import (
    AccessionColumn,
    GenotypeFile,
    Json,
    MarkerMap,
    Out,
    Ploidies,
    Ploidy,
    Quiet,
    Seed,
)
from budwood.cli.output import hushed, print_summary
from budwood.errors import BudwoodError

if TYPE_CHECKING:
    from budwood.artifacts import Draft
    from budwood.genomics.genotypes import Genotypes
    from budwood.prediction.phenotype_next import PhenotypeNext, SelectionRules
    from budwood.stats.training_set.training_design import Criterion

EXAMPLE: Final = "Example: budwood select --genotypes panel.vcf.gz --count 50 --out results/next"

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
    ploidies: Ploidies = None,
    accession_column: AccessionColumn = None,
    seed: Seed = 0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Choose the lines whose phenotypes tell most about the others, with the accuracy to expect.

    Lines with a value of the trait are phenotyped already: they stay and are not chosen again.
    DIR then holds selection.csv (the lines, the one that tells most first) and selection.json.
    """
    from budwood.artifacts import write_artifact

    files = (genotypes, phenotypes, trait, candidates, groups, column, costs, marker_map)
    request = Request(*files, tuple(quota or ()), budget, ploidy, ploidies, accession_column)
    parameters = {"count": count, "criterion": criterion, "quota": list(request.quota), "budget": budget}
    with (
        hushed(quiet),
        write_artifact(
            out, kind="select", inputs=request.files, parameters=parameters, seeds={"seed": seed}
        ) as draft,
    ):
        found, notes = request.choose(count, criterion, heritability, seed)
        record = {"trait": trait, **asdict(found), "notes": notes}
        _write(draft, found, record)
    print_summary({"out": str(out), **record}, _told(found, out), as_json=as_json)


@dataclass(frozen=True)
class Request:
    """The files and rules of a choice, as named on the command line."""

    genotypes: Path
    phenotypes: Path | None = None
    trait: str | None = None
    candidates: Path | None = None
    groups: Path | None = None
    column: str | None = None
    costs: Path | None = None
    marker_map: Path | None = None
    quota: tuple[str, ...] = ()
    budget: float | None = None
    ploidy: int | None = None
    ploidies: Path | None = None
    accession_column: str | None = None

    def __post_init__(self) -> None:
        if (self.phenotypes is None) != (self.trait is None):
            raise BudwoodError(
                "phenotypes and trait go together",
                where="command line",
                mend="give --phenotypes and --trait, or neither",
            )
        if self.groups is None and (self.column is not None or self.quota):
            raise BudwoodError(
                "a column or quota of groups needs a table of groups",
                where="command line",
                mend="give --groups as well",
            )

    @property
    def files(self) -> list[Path]:
        """Every file that is read, for the manifest."""
        from budwood.panel.files import genotype_files

        named = (self.phenotypes, self.candidates, self.groups, self.costs, self.marker_map, self.ploidies)
        return [*genotype_files(self.genotypes), *(file for file in named if file is not None)]

    def choose(
        self, count: int, criterion: Criterion, heritability: float | None, seed: int
    ) -> tuple[PhenotypeNext, list[str]]:
        """Read everything, small files first, and choose; with what reading noted."""
        from budwood.genomics.io.tables.accession_table import read_accession_list
        from budwood.prediction.phenotype_next import phenotype_next

        rules = self._rules()
        candidates = read_accession_list(self.candidates) if self.candidates else None
        genotypes, values, notes = self._read()
        found = phenotype_next(
            genotypes,
            count,
            values=values,
            candidates=candidates,
            rules=rules,
            criterion=criterion,
            heritability=heritability,
            seed=seed,
        )
        return found, notes

    def _rules(self) -> SelectionRules:
        from budwood.genomics.io.tables.accession_table import read_accession_column, read_accession_numbers
        from budwood.prediction.phenotype_next import SelectionRules

        return SelectionRules(
            groups=read_accession_column(self.groups, self.column) if self.groups else {},
            quotas=parse_quotas(self.quota),
            costs=read_accession_numbers(self.costs) if self.costs else {},
            budget=self.budget,
        )

    def _read(self) -> tuple[Genotypes, Mapping[str, float], list[str]]:
        """Genotypes, the values of the trait, and what reading them noted."""
        from budwood.panel.files import PanelFiles, read_panel, read_panel_genotypes

        read: dict[str, Any] = {
            "marker_map": self.marker_map,
            "ploidy": self.ploidy,
            "ploidies": self.ploidies,
        }
        if self.phenotypes is None or self.trait is None:
            return read_panel_genotypes(self.genotypes, **read), {}, []
        source = PanelFiles(self.genotypes, self.phenotypes, **read, accession_column=self.accession_column)
        panel = read_panel(source, self.trait)
        values = panel.phenotypes.means(self.trait)
        return panel.genotypes, values, [*panel.identity.sentences(), *panel.notes]


def parse_quotas(words: Sequence[str]) -> dict[str, tuple[int, int | None]]:
    """Quotas written ``GROUP=MIN:MAX``, where either number may be left out.

    Examples
    --------
    >>> parse_quotas(["indica=5:20", "aus=:3", "japonica=4:"])
    {'indica': (5, 20), 'aus': (0, 3), 'japonica': (4, None)}
    """
    quotas: dict[str, tuple[int, int | None]] = {}
    for word in words:
        group, _, numbers = word.rpartition("=")
        fewest, colon, most = numbers.partition(":")
        whole = all(part.isascii() and part.isdigit() for part in (fewest, most) if part)
        if not group or not colon or not whole or not (fewest or most):
            raise BudwoodError(
                f"the quota {word!r} is not understood", where="--quota", mend="write GROUP=MIN:MAX"
            )
        if group in quotas:
            raise BudwoodError(
                f"group {group!r} has two quotas", where="--quota", mend="give one quota for each group"
            )
        quotas[group] = (int(fewest or 0), int(most) if most else None)
    return quotas


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
        *found.notes,
        f"list: {out / 'selection.csv'}",
    ]
