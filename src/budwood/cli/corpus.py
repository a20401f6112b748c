"""``budwood corpus``: corpora to pre-train on."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer

from budwood.cli.options import Json, Out, Quiet, RayAddress
from budwood.cli.output import hushed, print_summary

EXAMPLE: Final = "Example: budwood corpus build recipes/corpus.toml --out runs/corpus"

app = typer.Typer(help="Build the corpora that encoders are pre-trained on.", no_args_is_help=True)


@app.command(epilog=EXAMPLE)
def build(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE", help="TOML file that names the genomes.")],
    out: Out,
    estimate_only: Annotated[
        bool, typer.Option("--estimate", help="Say what it will cost, and stop there.")
    ] = False,
    ray: RayAddress = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Build a corpus from genomes; run again with the same DIR after a stop, it goes on where it was.

    DIR is an artifact: shards of windows with repeat mask and region classes, a split by homology cluster,
    weights of species, and a leakage report. Finished stages wait beside it until it is whole.
    """
    from budwood.corpus.recipe.recipe import read_corpus_recipe
    from budwood.corpus.recipe.sources import open_assemblies
    from budwood.corpus.stages.build import build_corpus
    from budwood.corpus.stages.cost_estimate import estimate_corpus_cost
    from budwood.progress import estimate

    plan = read_corpus_recipe(recipe)
    cost = estimate_corpus_cost(plan, open_assemblies(plan))
    if estimate_only:
        print_summary({"estimate": asdict(cost)}, [cost.sentence()], as_json=as_json)
        return
    estimate(f"{plan.name}: {cost.sentence()}", show=not quiet)
    runner = None
    if ray is not None:
        from budwood.corpus.stages.ray_runner import RayRunner

        runner = RayRunner(ray)
    with hushed(quiet):
        folder = build_corpus(plan, out, runner=runner, show=False if quiet else None)
    _report(folder, as_json=as_json)


def _report(folder: Path, *, as_json: bool) -> None:
    import json

    from budwood.artifacts import read_manifest
    from budwood.corpus.sampling.store import SUMMARY

    metrics = read_manifest(folder)["metrics"]
    summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    lines = [f"corpus: {folder}"] + [f"{name.replace('_', ' ')}: {value}" for name, value in metrics.items()]
    # Corpora of earlier releases have no notes.
    notes = summary.get("notes", [])
    lines += [f"note: {note}" for note in notes]
    print_summary({"corpus": str(folder), "notes": notes, **metrics}, lines, as_json=as_json)
