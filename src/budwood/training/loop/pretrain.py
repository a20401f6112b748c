"""From a recipe to a checkpoint."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import torch

from budwood.artifacts import check_destination, read_manifest, write_artifact
from budwood.errors import BudwoodError
from budwood.model.checkpoint import load_checkpoint, save_checkpoint
from budwood.model.encoder import BudwoodConfig, BudwoodEncoder
from budwood.model.track_head import TrackHead
from budwood.model.weights import WEIGHTS
from budwood.progress import estimate
from budwood.training.data.sources import Sources, open_training_data
from budwood.training.loop.accelerator import open_accelerator
from budwood.training.loop.loop import train
from budwood.training.loop.state import load_weights, saved_state
from budwood.training.monitoring.validation import validate
from budwood.training.objective.objectives import PretrainingObjective
from budwood.training.recipe.cost import TrainingCost, training_cost
from budwood.training.recipe.recipe import Recipe
from budwood.training.recipe.recipe_check import check_recipe, forget_recipe, keep_recipe


def pretrain(
    recipe: Recipe,
    out: Path,
    *,
    shard: bool = False,
    device: str = "auto",
    batch_size: int | None = None,
    show: bool | None = None,
    overwrite: bool = False,
) -> Path:
    """Train an encoder by a recipe; after a stop, the same call resumes the training.

    ``out/training`` holds the state, the log and its picture while training; ``out/checkpoint`` is written at
    the end, and again from the last state by the same call after the end. Under ``torchrun`` or ``accelerate
    launch`` all processes call it; ``shard`` splits the weights
    over them.

    Parameters
    ----------
    recipe
        What to train, and on what.
    out
        Folder of the training.
    shard
        Whether to split the weights over the processes.
    device
        ``auto`` (cuda, then mps, then cpu), or one of these.
    batch_size
        Windows of the usual length that a device reads at once; its whole share of a batch if None.
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
        If a value of the recipe is out of range or is another one than the training was begun with, for
        input that cannot be used, or a checkpoint folder that must not be replaced.
    """
    check_recipe(recipe, recipe.name)
    keep_recipe(recipe, Path(out) / "training")
    try:
        return _train(recipe, Path(out), shard, device, batch_size, show, overwrite)
    finally:
        forget_recipe(Path(out) / "training")


def _train(
    recipe: Recipe,
    out: Path,
    shard: bool,
    device: str,
    batch_size: int | None,
    show: bool | None,
    overwrite: bool,
) -> Path:
    folder = out / "checkpoint"
    # A training that is resumed writes its own checkpoint again.
    resumes = saved_state(out / "training" / "state") is not None
    sources = _open_checked(recipe, folder, overwrite=overwrite or resumes)
    objective = new_objective(recipe)
    encoder = objective.encoder
    if recipe.start_path is not None:
        load_start(recipe.start_path, encoder)
    accelerator = open_accelerator(recipe.schedule.precision, device)
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
        objective,
        sources.training,
        schedule,
        out / "training",
        columns=sources.columns,
        validate=follow,
        shard=shard,
        accelerator=accelerator,
        batch_size=batch_size,
        show=show,
    )
    if accelerator.is_main_process:
        # The saved state is whole, wherever and in how many parts the weights were trained.
        trained = new_objective(recipe)
        load_weights(out / "training" / "state", trained)
        write_checkpoint(trained, recipe, sources, folder, overwrite=True)
    accelerator.wait_for_everyone()
    return folder


def _open_checked(recipe: Recipe, folder: Path, *, overwrite: bool) -> Sources:
    """Open the training data, once it is certain that the checkpoint may be written."""
    check_destination(folder, overwrite=overwrite)
    sources = open_training_data(recipe)
    start = [] if recipe.start_path is None else [recipe.start_path]
    check_destination(folder, inputs=[*sources.files, *start], overwrite=overwrite)
    return sources


def estimate_training_cost(recipe: Recipe, device: str = "auto") -> TrainingCost:
    """Estimate the cost of a recipe on this machine, without reading its data.

    Parameters
    ----------
    recipe
        What to train.
    device
        ``auto``, ``cpu``, ``cuda`` or ``mps``.

    Returns
    -------
    TrainingCost
        Measured on this machine.

    Raises
    ------
    BudwoodError
        If there is no such device.
    """
    return training_cost(
        recipe, new_objective(recipe).encoder, open_accelerator(recipe.schedule.precision, device).device
    )


def new_objective(recipe: Recipe) -> PretrainingObjective:
    """The untrained network of a recipe with its losses; the same weights every time.

    Parameters
    ----------
    recipe
        Gives shape, objectives and seed. The global generator of torch stays as it is.

    Returns
    -------
    PretrainingObjective
        On the processor.
    """
    state = torch.get_rng_state()
    try:
        torch.default_generator.manual_seed(recipe.seed)
        encoder = BudwoodEncoder(BudwoodConfig(**recipe.encoder))
        return PretrainingObjective(encoder, recipe.objective, len(recipe.track_names))
    finally:
        torch.set_rng_state(state)


def load_start(folder: Path, encoder: BudwoodEncoder) -> None:
    """Give an encoder the weights of a checkpoint.

    Parameters
    ----------
    folder
        The checkpoint.
    encoder
        Gets its weights.

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
    trained: PretrainingObjective, recipe: Recipe, sources: Sources, folder: Path, *, overwrite: bool = False
) -> Path:
    """Write float16 weights with the recipe they were trained by, and the head of the tracks if there is one.

    The other heads of the objectives are not kept. ``training_bases`` in the manifest counts those of the
    checkpoint it started from as well.

    Parameters
    ----------
    trained
        Encoder and heads.
    recipe
        What they were trained by.
    sources
        Files that were read; they are listed in the manifest.
    folder
        Where to write.
    overwrite
        Whether an earlier checkpoint in the folder may be replaced.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    BudwoodError
        If the folder must not be replaced, or a weight does not fit float16.
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
        head = trained.track_head
        tracks = None if head is None else TrackHead.of(head, recipe.track_names)
        save_checkpoint(trained.encoder, draft.folder, tracks)
        schedule = recipe.schedule
        draft.metrics["training_bases"] = before + schedule.steps * schedule.batch * recipe.sampler.window
    return Path(folder)
