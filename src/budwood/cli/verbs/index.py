"""``budwood index``: one ranking from the predictions of several traits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from budwood.cli import options
from budwood.cli.output import hushed, print_summary
from budwood.cli.pairs import parse_numbers
from budwood.errors import counted
from budwood.genomics.io.text.csv_writer import CsvDialect
from budwood.workflows import index as workflow

if TYPE_CHECKING:
    from budwood.prediction.multi_trait_index import IndexRanking

EXAMPLE: Final = (
    "Example: budwood index results/yield results/height --desired yield=2 --desired height=-1 "
    "--out results/index"
)

Folders = Annotated[
    list[Path],
    typer.Argument(metavar="DIR", help="Folders that budwood predict wrote, each for one trait or several."),
]
Desired = Annotated[
    list[str] | None,
    typer.Option(
        "--desired", metavar="TRAIT=GAIN", help="Gain wanted, in the trait's units; only proportions matter."
    ),
]
Economic = Annotated[
    list[str] | None,
    typer.Option("--economic", metavar="TRAIT=VALUE", help="Instead: what one unit of the trait is worth."),
]
Hold = Annotated[
    list[str] | None,
    typer.Option("--hold", metavar="TRAIT", help="With economic weights: a trait that is not to change."),
]
CandidateFile = Annotated[
    Path | None,
    typer.Option(
        "--candidates", metavar="FILE", help="Lines to rank, one id a line; all predicted ones if not given."
    ),
]


def index(
    folders: Folders,
    out: options.Out,
    desired: Desired = None,
    economic: Economic = None,
    hold: Hold = None,
    candidates: CandidateFile = None,
    csv_dialect: options.CsvDialectName = CsvDialect.PLAIN,
    seed: options.Seed = 0,
    overwrite: options.Overwrite = False,
    config: options.Config = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Rank lines on several predicted traits: by desired gains, or by value with some traits held.

    DIR then holds index.csv (the best line first, with its predictions), index.json (weights, expected and
    predicted gains) and report.html.
    """
    wanted = workflow.IndexOptions(
        folders=tuple(folders),
        desired=parse_numbers(desired, "--desired"),
        economic=parse_numbers(economic, "--economic"),
        hold=tuple(hold or ()),
        candidates=candidates,
        seed=seed,
        csv_dialect=csv_dialect,
    )
    with hushed(quiet):
        found = workflow.index(wanted, out, overwrite=overwrite)
    print_summary({"out": str(out), **found.record()}, _lines(found.ranking, out), as_json=as_json)


def _lines(ranking: IndexRanking, out: Path) -> list[str]:
    """The ranking, for people."""
    gains = ", ".join(
        f"{trait} {gain:+.3g}" for trait, gain in zip(ranking.traits, ranking.best_gain, strict=True)
    )
    weights = ", ".join(
        f"{trait} {weight:+.3g}" for trait, weight in zip(ranking.traits, ranking.weights, strict=True)
    )
    first = ", ".join(ranking.accessions[:5])
    return [
        f"{counted(len(ranking.accessions), 'line')} "
        f"ranked on {counted(len(ranking.traits), 'trait')}, beginning with {first}",
        f"the best {ranking.best:,} are predicted to differ from the mean of all by: {gains}",
        f"weights of the predictions: {weights}",
        *ranking.notes,
        f"list: {out / 'index.csv'}",
    ]
