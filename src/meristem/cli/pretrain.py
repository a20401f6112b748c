"""``meristem pretrain``: a checkpoint from a recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from meristem.cli.options import Json, Out, Quiet
from meristem.cli.output import hushed, print_summary

EXAMPLE: Final = "Example: meristem pretrain recipes/small.toml --out runs/small"


def pretrain(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE", help="TOML file that says what to train on.")],
    out: Out,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Pre-train an encoder by a recipe; run again with the same DIR, it goes on where it stopped.

    DIR/training holds the state and a log, DIR/checkpoint the trained encoder, an artifact.
    """
    from meristem.training.pretrain import pretrain as train
    from meristem.training.recipe import read_recipe

    with hushed(quiet):
        folder = train(read_recipe(recipe), out, show=False if quiet else None)
    print_summary({"checkpoint": str(folder)}, [f"checkpoint: {folder}"], as_json=as_json)
