"""Pretrain: a checkpoint from a recipe."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from budwood.errors import BudwoodError
from budwood.genomics.io.text.given_path import given_path
from budwood.workflows.setup.encoder import Device

if TYPE_CHECKING:
    from budwood.training.recipe.cost import TrainingCost
    from budwood.training.recipe.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class PretrainOptions:
    """Which encoder to train, and how.

    Attributes
    ----------
    recipe
        TOML file that says what to train on.
    shard
        Under ``torchrun``: split the weights over the devices (FSDP2).
    device, batch_size
        Where it is trained; windows of one pass over the network, the recipe's batch where None.
    show
        Progress and estimates on or off; by default they show in a terminal.
    """

    recipe: Path
    shard: bool = False
    device: Device = "auto"
    batch_size: int | None = None
    show: bool | None = None


@dataclass(frozen=True, kw_only=True)
class PretrainResult:
    """A trained encoder.

    Attributes
    ----------
    checkpoint
        Its folder, which :func:`budwood.load_checkpoint` opens.
    """

    checkpoint: Path


def pretrain(
    options: PretrainOptions | Path | str, out: Path | str, *, overwrite: bool = False
) -> PretrainResult:
    """Train an encoder by a recipe; called again with the same folder, it resumes.

    Parameters
    ----------
    options
        Which encoder to train, and how; a path is that of the recipe.
    out
        Folder to write: ``training`` holds the state, a log and its curve, ``checkpoint`` the trained
        encoder.
    overwrite
        Whether an earlier result in the folder may be replaced.

    Returns
    -------
    PretrainResult
        Where the checkpoint is, and its last losses.

    Raises
    ------
    BudwoodError
        If the recipe or its data cannot be used, or the disk is full; the last saved state is kept.
    """
    from budwood.training.loop import pretrain as training
    from budwood.training.recipe.recipe_check import forget_recipe, keep_recipe

    if not isinstance(options, PretrainOptions):
        options = PretrainOptions(recipe=given_path(options, "recipe"))
    out = given_path(out, "folder to write")
    plan = _read(options)
    if options.show is False:
        from transformers.utils.logging import disable_progress_bar

        # Weights are written with a bar of the library's own.
        disable_progress_bar()
    with _disk_errors(out):
        keep_recipe(plan, out / "training")
        try:
            folder = training.pretrain(
                plan,
                out,
                shard=options.shard,
                device=options.device,
                batch_size=options.batch_size,
                show=options.show,
                overwrite=overwrite,
            )
        finally:
            forget_recipe(out / "training")
    return PretrainResult(checkpoint=folder)


def pretraining_cost(options: PretrainOptions) -> tuple[str, TrainingCost]:
    """Name of the recipe and what it will cost on this machine; nothing is trained.

    Parameters
    ----------
    options
        Which encoder to train, and how.

    Returns
    -------
    tuple[str, TrainingCost]
        Name of the recipe, and time, disk and memory.
    """
    from budwood.training.loop.pretrain import estimate_training_cost

    plan = _read(options)
    return plan.name, estimate_training_cost(plan)


def _read(options: PretrainOptions) -> Recipe:
    from budwood.training.recipe.recipe import read_recipe
    from budwood.training.recipe.recipe_check import check_recipe

    plan = read_recipe(options.recipe)
    check_recipe(plan, str(options.recipe))
    return plan


@contextmanager
def _disk_errors(out: Path) -> Iterator[None]:
    """A full disk, or a folder that cannot be written, as a sentence; the last whole state stays."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, SafetensorError) as error:
        shutil.rmtree(out / "training" / "state.partial", ignore_errors=True)
        # safetensors reports a failed write by its text alone.
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
