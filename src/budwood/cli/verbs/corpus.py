"""``budwood corpus``: corpora to pre-train on."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer

from budwood.cli import options
from budwood.cli.output import announce, hushed, print_summary
from budwood.cli.verb import Verb
from budwood.workflows import corpus as workflow

EXAMPLE: Final = "Example: budwood corpus build recipes/corpus.toml --out runs/corpus"

app = typer.Typer(help="Build the corpora that encoders are pre-trained on.", no_args_is_help=True)


@app.command(epilog=EXAMPLE, cls=Verb)
def build(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE", help="TOML file that names the genomes.")],
    out: options.Out,
    estimate_only: Annotated[
        bool, typer.Option("--estimate", help="Print what it would cost, and stop.")
    ] = False,
    ray: options.RayAddress = None,
    overwrite: options.Overwrite = False,
    config: options.Config = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Build a corpus from genomes; run again with the same DIR after a stop, it resumes.

    DIR is an artifact: shards of windows with repeat mask and region classes, a split by homology cluster,
    weights of species, and a leakage report. Finished stages wait beside it until it is whole.
    """
    wanted = workflow.CorpusOptions(recipe=recipe, ray=ray, show=False if quiet else None)
    if estimate_only:
        cost = workflow.corpus_cost(wanted)
        print_summary({"estimate": asdict(cost)}, [cost.sentence()], as_json=as_json)
        return
    with hushed(quiet):
        found = workflow.corpus(wanted, out, overwrite=overwrite, announce=announce(quiet))
    lines = [f"corpus: {found.folder}"]
    lines += [f"{name.replace('_', ' ')}: {value}" for name, value in found.metrics.items()]
    lines += [f"note: {note}" for note in found.notes]
    summary = {"corpus": str(found.folder), "notes": list(found.notes), **found.metrics}
    print_summary(summary, lines, as_json=as_json)
