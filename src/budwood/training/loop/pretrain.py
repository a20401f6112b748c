"""From a recipe to a checkpoint."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import torch
from accelerate import Accelerator

from budwood.artifacts import check_destination, read_manifest, write_artifact
from budwood.errors import BudwoodError
from budwood.model.checkpoint import load_checkpoint, save_checkpoint
from budwood.model.encoder import BudwoodConfig, BudwoodEncoder
from budwood.model.weights import WEIGHTS
from budwood.progress import estimate
from budwood.training.data.sources import Sources, open_training_data
from budwood.training.loop.loop import train
from budwood.training.loop.state import load_weights, saved_state
from budwood.training.monitoring.validation import validate
from budwood.training.objective.objectives import PretrainingObjective
from budwood.training.recipe.cost import TrainingCost, training_cost
from budwood.training.recipe.recipe import Recipe


def pretrain(
    recipe: Recipe, out: Path, *, shard: bool = False, show: bool | None = None, overwrite: bool = False
) -> Path:
    """Train an encoder by a recipe; after a stop, the same call resumes the training.

    ``out/training`` holds the state, the log and its picture while training; ``out/checkpoint`` is written at
    the end. Under ``torchrun`` or ``accelerate launch`` all processes call it; ``shard`` splits the weights
    over them.

    Parameters
    ----------
    recipe
        What to train, and on what.
    out
        Folder of the training.
    shard
        Whether to split the weights over the processes.
    show
        Whether to show progress; by default where standard error is a terminal.
    overwrite
        Whether a checkpoint may be replaced that no training in ``out`` has made.

    Returns
    -------
    Path
        The checkpoint folder, which :func:`budwood.model.checkpoint.load_checkpoint` opens.

    Raises
    ------
    BudwoodError
        For input that cannot be used, or a checkpoint folder that must not be replaced.
    """
    folder = Path(out) / "checkpoint"
    # A training that is resumed writes its own checkpoint again.
    resumes = saved_state(Path(out) / "training" / "state") is not None
    sources = _open_checked(recipe, folder, overwrite=overwrite or resumes)
    encoder = new_encoder(recipe)
    if recipe.start_path is not None:
        load_start(recipe.start_path, encoder)
    accelerator = Accelerator(mixed_precision=recipe.schedule.precision)
    if accelerator.is_main_process:
        cost = training_cost(recipe, encoder, accelerator.device).sentence(recipe.name)
        estimate(f"{cost}; {sources.bases / 1e6:.0f} Mb to draw from", show=show is not False)
    schedule = recipe.schedule
    kept = sources.validation
    follow = None
    if kept is not None:

        def follow(current: PretrainingObjective) -> dict[str, float]:
            return validate(current, kept, schedule.validation_batches, schedule.batch, sources.species)

    train(
        PretrainingObjective(encoder, recipe.objective),
        sources.training,
        schedule,
        Path(out) / "training",
        window=recipe.sampler.window,
        columns=sources.columns,
        validate=follow,
        shard=shard,
        show=show,
    )
    if accelerator.is_main_process:
        # The saved state is whole, wherever and in how many parts the weights were trained.
        trained = PretrainingObjective(new_encoder(recipe), recipe.objective)
        load_weights(Path(out) / "training" / "state", trained)
        write_checkpoint(trained.encoder, recipe, sources, folder, overwrite=True)
    accelerator.wait_for_everyone()
    return folder


def _open_checked(recipe: Recipe, folder: Path, *, overwrite: bool) -> Sources:
    """Open the training data, once it is certain that the checkpoint may be written."""
    check_destination(folder, overwrite=overwrite)
    sources = open_training_data(recipe)
    start = [] if recipe.start_path is None else [recipe.start_path]
    check_destination(folder, inputs=[*sources.files, *start], overwrite=overwrite)
    return sources


def estimate_training_cost(recipe: Recipe) -> TrainingCost:
    """What a recipe will cost on this machine, without reading what it learns from."""
    precision = recipe.schedule.precision
    return training_cost(recipe, new_encoder(recipe), Accelerator(mixed_precision=precision).device)


def new_encoder(recipe: Recipe) -> BudwoodEncoder:
    """The untrained network of a recipe; the same weights every time."""
    torch.manual_seed(recipe.seed)
    return BudwoodEncoder(BudwoodConfig(**recipe.encoder))


def load_start(folder: Path, encoder: BudwoodEncoder) -> None:
    """Give an encoder the weights of a checkpoint.

    Raises
    ------
    BudwoodError
        If the checkpoint is of another shape.
    """
    begun = load_checkpoint(folder).encoder
    try:
        encoder.load_state_dict(begun.state_dict())
    except RuntimeError as error:
        raise BudwoodError(
            "the checkpoint to start from is of another shape than [encoder]",
            where=str(folder),
            mend="give [encoder] the values of its config.json",
        ) from error


def write_checkpoint(
    encoder: BudwoodEncoder, recipe: Recipe, sources: Sources, folder: Path, *, overwrite: bool = False
) -> Path:
    """Write float16 weights with the recipe they were trained by.

    ``training_bases`` in the manifest counts those of the checkpoint it started from as well.
    """
    start = recipe.start_path
    before = 0 if start is None else read_manifest(start)["metrics"]["training_bases"]
    with write_artifact(
        folder,
        kind="checkpoint",
        inputs=[*sources.files, *([] if start is None else [start / WEIGHTS])],
        parameters={"recipe": asdict(recipe)},
        seeds={"recipe": recipe.seed},
        overwrite=overwrite,
    ) as draft:
        save_checkpoint(encoder, draft.folder)
        schedule = recipe.schedule
        draft.metrics["training_bases"] = before + schedule.steps * schedule.batch * recipe.sampler.window
    return Path(folder)
