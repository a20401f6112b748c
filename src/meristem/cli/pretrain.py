"""``meristem pretrain``: a checkpoint from a recipe."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer

from meristem.cli.options import Json, Out, Quiet
from meristem.cli.output import hushed, print_summary

EXAMPLE: Final = "Example: meristem pretrain recipes/small.toml --out runs/small"

Estimate = Annotated[
    bool, typer.Option("--estimate", help="Measure what it would cost, print that, and stop.")
]

Shard = Annotated[
    bool, typer.Option("--shard", help="Under torchrun: split the weights over the devices (FSDP2).")
]


def pretrain(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE", help="TOML file that says what to train on.")],
    out: Out,
    only_estimate: Estimate = False,
    shard: Shard = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Pre-train an encoder by a recipe; run again with the same DIR, it goes on where it stopped.

    DIR/training holds the state, a log and its curve, DIR/checkpoint the trained encoder, an artifact.
    On several devices: torchrun --nproc-per-node 4 --no-python meristem pretrain RECIPE --out DIR.
    """
    from meristem.training.pretrain import estimate_cost
    from meristem.training.pretrain import pretrain as train
    from meristem.training.recipe import read_recipe

    plan = read_recipe(recipe)
    if only_estimate:
        cost = estimate_cost(plan)
        print_summary(asdict(cost), [cost.sentence(plan.name)], as_json=as_json)
        return
    with hushed(quiet):
        folder = train(plan, out, shard=shard, show=False if quiet else None)
    print_summary({"checkpoint": str(folder)}, [f"checkpoint: {folder}"], as_json=as_json)
