"""``budwood index``: one ranking from the predictions of several traits."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from budwood.cli.options import Json, Out, Quiet, Seed
from budwood.cli.output import hushed, print_summary
from budwood.errors import BudwoodError

if TYPE_CHECKING:
    from budwood.artifacts import Draft
    from budwood.prediction.multi_trait_index import IndexRanking

EXAMPLE: Final = (
    "Example: budwood index results/yield results/height --desired yield=2 --desired height=-1 "
    "--out results/index"
)

Folders = Annotated[
    list[Path], typer.Argument(metavar="DIR", help="Folders that budwood predict wrote, one for each trait.")
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
    out: Out,
    desired: Desired = None,
    economic: Economic = None,
    hold: Hold = None,
    candidates: CandidateFile = None,
    seed: Seed = 0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Rank lines on several predicted traits: by desired gains, or by value with some traits held.

    DIR then holds index.csv (the best line first, with its predictions) and index.json (weights, expected
    gains and what was taken for granted).
    """
    from budwood.artifacts import write_artifact
    from budwood.prediction.multi_trait_index import IndexGoal, rank_by_index

    wanted, worth = parse_numbers(desired, "--desired"), parse_numbers(economic, "--economic")
    goal = IndexGoal(wanted, worth, tuple(hold or ()))
    parameters = {"desired": wanted, "economic": worth, "hold": list(goal.restricted)}
    inputs = [folder / "predictions.csv" for folder in folders] + ([candidates] if candidates else [])
    with hushed(quiet):
        predictions = _read(folders, candidates)
        ranking = rank_by_index(predictions, goal)
        with write_artifact(
            out, kind="index", inputs=inputs, parameters=parameters, seeds={"seed": seed}
        ) as draft:
            record = _record(ranking)
            _write(draft, ranking, record)
    print_summary({"out": str(out), **record}, _lines(ranking, out), as_json=as_json)


def parse_numbers(words: Sequence[str] | None, option: str) -> dict[str, float]:
    """Numbers by trait, written ``TRAIT=NUMBER``.

    Examples
    --------
    >>> parse_numbers(["yield=2", "height=-0.5"], "--desired")
    {'yield': 2.0, 'height': -0.5}
    """
    found: dict[str, float] = {}
    for word in words or ():
        trait, _, text = word.rpartition("=")
        try:
            number = float(text)
        except ValueError:
            number = float("nan")
        if not trait or not isfinite(number):
            raise BudwoodError(f"{word!r} is not understood", where=option, mend="write TRAIT=NUMBER")
        if trait in found:
            raise BudwoodError(f"trait {trait!r} is named twice", where=option, mend="name it once")
        found[trait] = number
    return found


def _read(folders: Sequence[Path], candidates: Path | None) -> dict[str, dict[str, float]]:
    """Predictions by trait and accession, of the candidates only if these are given."""
    from budwood.artifacts import read_manifest
    from budwood.genomics.io.tables.accession_table import read_accession_list, read_accession_numbers

    chosen = read_accession_list(candidates) if candidates else None
    found: dict[str, dict[str, float]] = {}
    for folder in folders:
        trait = read_manifest(folder).get("parameters", {}).get("trait")
        if not isinstance(trait, str) or not (folder / "predictions.csv").is_file():
            raise BudwoodError(
                "the folder holds no predictions", where=str(folder), mend="give folders of budwood predict"
            )
        if trait in found:
            raise BudwoodError(
                f"trait {trait!r} was predicted in two of the folders", mend="give one folder for each trait"
            )
        values = read_accession_numbers(folder / "predictions.csv", "prediction")
        absent = [name for name in chosen or () if name not in values]
        if absent:
            raise BudwoodError(
                f"candidate {absent[0]!r} has no prediction of {trait}",
                where=str(candidates),
                mend="give candidates that were predicted for every trait",
            )
        found[trait] = values if chosen is None else {name: values[name] for name in chosen}
    return found


def _record(ranking: IndexRanking) -> dict[str, Any]:
    """The index for machines."""
    by_trait = {
        "weights": ranking.weights,
        "expected_gain_per_intensity": ranking.expected_gain,
        "best_tenth_predicted_gain": ranking.best_gain,
    }
    return {
        "traits": list(ranking.traits),
        "candidates": len(ranking.accessions),
        "best_tenth": ranking.best,
        **{name: dict(zip(ranking.traits, row.tolist(), strict=True)) for name, row in by_trait.items()},
        "correlation_of_predictions": ranking.correlation.tolist(),
        "notes": list(ranking.notes),
    }


def _write(draft: Draft, ranking: IndexRanking, record: dict[str, Any]) -> None:
    with draft.path("index.csv").open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(["rank", "accession", "index", *ranking.traits])
        rows = zip(ranking.accessions, ranking.score, ranking.predictions, strict=True)
        for rank, (accession, score, predicted) in enumerate(rows, start=1):
            writer.writerow([rank, accession, f"{score:.8g}", *(f"{value:.8g}" for value in predicted)])
    text = json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False)
    draft.path("index.json").write_text(text + "\n", encoding="utf-8")
    draft.metrics |= {"best_tenth_predicted_gain": record["best_tenth_predicted_gain"]}


def _lines(ranking: IndexRanking, out: Path) -> list[str]:
    """The ranking for people."""
    gains = ", ".join(
        f"{trait} {gain:+.3g}" for trait, gain in zip(ranking.traits, ranking.best_gain, strict=True)
    )
    weights = ", ".join(
        f"{trait} {weight:+.3g}" for trait, weight in zip(ranking.traits, ranking.weights, strict=True)
    )
    first = ", ".join(ranking.accessions[:5])
    return [
        f"{len(ranking.accessions):,} lines ranked on {len(ranking.traits)} traits, beginning with {first}",
        f"the best {ranking.best:,} are predicted to differ from the mean of all by: {gains}",
        f"weights of the predictions: {weights}",
        *ranking.notes,
        f"list: {out / 'index.csv'}",
    ]
