"""``budwood pretrain``: a checkpoint from a recipe."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer

from budwood.cli import options
from budwood.cli.output import hushed, print_summary
from budwood.workflows import pretrain as workflow

EXAMPLE: Final = "Example: budwood pretrain recipes/small-first.toml --out runs/small-first"

Estimate = Annotated[
    bool, typer.Option("--estimate", help="Measure what it would cost, print that, and stop.")
]

Shard = Annotated[
    bool, typer.Option("--shard", help="Under torchrun: split the weights over the devices (FSDP2).")
]


def pretrain(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE", help="TOML file that says what to train on.")],
    out: options.Out,
    only_estimate: Estimate = False,
    shard: Shard = False,
    device: options.DeviceName = "auto",
    batch_size: options.BatchSize = None,
    overwrite: options.Overwrite = False,
    config: options.Config = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Pre-train an encoder by a recipe; run again with the same DIR, it resumes.

    DIR/training holds the state, a log and its curve, DIR/checkpoint the trained encoder, an artifact.
    On several devices: torchrun --nproc-per-node 4 --no-python budwood pretrain RECIPE --out DIR.
    """
    wanted = workflow.PretrainOptions(
        recipe=recipe,
        shard=shard,
        device=device,
        batch_size=batch_size,
        show=False if quiet else None,
    )
    if only_estimate:
        name, cost = workflow.pretraining_cost(wanted)
        print_summary(asdict(cost), [cost.sentence(name)], as_json=as_json)
        return
    with hushed(quiet):
        folder = workflow.pretrain(wanted, out, overwrite=overwrite).checkpoint
    print_summary({"checkpoint": str(folder)}, [f"checkpoint: {folder}"], as_json=as_json)
