"""``budwood pretrain``: a checkpoint from a recipe."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer

from budwood.cli.options import Json, Out, Quiet
from budwood.cli.output import hushed, print_summary
from budwood.errors import BudwoodError

EXAMPLE: Final = "Example: budwood pretrain recipes/small-first.toml --out runs/small-first"

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
    On several devices: torchrun --nproc-per-node 4 --no-python budwood pretrain RECIPE --out DIR.
    """
    from transformers.utils.logging import disable_progress_bar

    from budwood.training.loop.pretrain import estimate_training_cost
    from budwood.training.loop.pretrain import pretrain as train
    from budwood.training.recipe.recipe import read_recipe
    from budwood.training.recipe.recipe_check import check_recipe, forget_recipe, keep_recipe

    if quiet:
        # Weights are written with a bar of the library's own.
        disable_progress_bar()
    plan = read_recipe(recipe)
    check_recipe(plan, str(recipe))
    if only_estimate:
        cost = estimate_training_cost(plan)
        print_summary(asdict(cost), [cost.sentence(plan.name)], as_json=as_json)
        return
    with hushed(quiet), _told_plainly(out):
        keep_recipe(plan, out / "training")
        try:
            folder = train(plan, out, shard=shard, show=False if quiet else None)
        finally:
            forget_recipe(out / "training")
    print_summary({"checkpoint": str(folder)}, [f"checkpoint: {folder}"], as_json=as_json)


@contextmanager
def _told_plainly(out: Path) -> Iterator[None]:
    """A full disk, or a folder that cannot be written, as a sentence; the last whole state stays."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, SafetensorError) as error:
        shutil.rmtree(out / "training" / "state.partial", ignore_errors=True)
        # safetensors tells of a failed write by its text alone.
        full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        if full or "os error 28" in str(error) or "No space left" in str(error):
            raise BudwoodError(
                "the disk is full; the last saved state is kept",
                where=str(out),
                mend="free some space and run the same command again",
            ) from error
        if not isinstance(error, OSError) or not error.strerror:
            raise
        where = str(error.filename or out)
        raise BudwoodError(error.strerror, where=where, mend="check the path and its permissions") from error
