"""Checks of recipes, before anything is read or written."""

from __future__ import annotations

import inspect
import json
import os
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

from budwood.corpus.sampling.genome import TRACKED
from budwood.errors import BudwoodError
from budwood.model.encoder import BudwoodConfig
from budwood.training.objective.objectives import OBJECTIVES
from budwood.training.recipe.recipe import Recipe, check_training_sources

_BEGUN: Final = "recipe.json"
_STATE: Final = "state"

#: What may change from one run to the next: it moves no weight.
_FREE: Final = ("save_every", "validate_every", "validation_batches")
_LEAST_WINDOW: Final = 32
# Larger numbers of steps, bases or windows do not fit the arrays that are made of them.
_MOST: Final = 2**40


def check_recipe(recipe: Recipe, where: str) -> None:
    """Refuse a network that cannot be built and numbers that no training can have.

    Parameters
    ----------
    recipe
        Read from a file or made in Python.
    where
        What the message names.

    Raises
    ------
    BudwoodError
        With the name of the value.
    """
    check_training_sources(recipe, where)
    schedule = recipe.schedule
    _check_encoder(recipe.encoder, where)
    least = [
        (recipe.sampler, "window", _LEAST_WINDOW),
        (recipe.sampler, "flank", 0),
        (recipe.sampler, "long_window", 0),
        *((schedule, name, 1) for name in ("steps", "batch", "accumulate", *_FREE)),
        *((schedule, name, 0) for name in ("learning_rate", "matrix_rate", "warmup", "decay", "floor")),
        *((schedule, name, 0) for name in ("weight_decay", "clip")),
        *((recipe.objective, f"{name}_weight", 0) for name in OBJECTIVES),
        (recipe.objective, "order_windows", 1),
    ]
    for holder, name, lowest in least:
        value = getattr(holder, name)
        if not value >= lowest:  # so that a value that is no number fails too
            raise BudwoodError(f"{name} is {value}", where=where, mend=f"give at least {lowest}")
        if value > _MOST:
            raise BudwoodError(f"{name} is {value}", where=where, mend=f"give at most {_MOST:,}")
    _check_long_windows(recipe, where)
    _check_labels(recipe, where)
    if schedule.precision not in ("bf16", "no"):
        raise BudwoodError(f"precision is {schedule.precision!r}", where=where, mend="give 'bf16' or 'no'")
    weights = [*recipe.corpus.weights.values(), *(genome.weight for genome in recipe.genomes)]
    if any(weight < 0 for weight in weights):
        raise BudwoodError("a weight of a species is negative", where=where, mend="give 0 or more")


def _check_long_windows(recipe: Recipe, where: str) -> None:
    sampler, schedule = recipe.sampler, recipe.schedule
    if sampler.long_window > schedule.batch * sampler.window // schedule.accumulate:
        raise BudwoodError(
            f"a piece of a batch has fewer bases than a long window of {sampler.long_window}",
            where=where,
            mend="raise batch, or lower long_window or accumulate",
        )


def _check_labels(recipe: Recipe, where: str) -> None:
    if len(recipe.track_names) > TRACKED:
        raise BudwoodError(
            f"the genomes name {len(recipe.track_names)} interval tracks",
            where=where,
            mend=f"give at most {TRACKED}",
        )
    for genome in recipe.genomes:
        for track, file in genome.tracks.items():
            if not track.strip() or not file.strip():
                raise BudwoodError(
                    f"the track {track!r} names no file" if track.strip() else "a track has no name",
                    where=f"{where}, {genome.species}",
                    mend='write tracks = {"open chromatin" = "open.bed"}, or leave it out',
                )
        if not 0 <= genome.smoothing < 1:
            raise BudwoodError(
                f"smoothing is {genome.smoothing}",
                where=f"{where}, {genome.species}",
                mend="give 0 to below 1",
            )


def _check_encoder(shape: dict[str, Any], where: str) -> None:
    known = [name for name in inspect.signature(BudwoodConfig).parameters if name != "others"]
    for name in shape:
        if name not in known:
            raise BudwoodError(
                f"unknown key {name!r}", where=f"{where}, encoder", mend=f"choose from {', '.join(known)}"
            )
    try:
        BudwoodConfig(**shape)
    except BudwoodError as error:
        raise BudwoodError(error.what, where=f"{where}, encoder", mend=error.mend) from error


def keep_recipe(recipe: Recipe, folder: Path) -> None:
    """Refuse to resume by another recipe than the one a training was begun with; write it where it begins.

    A state from before recipes were kept is taken to be of this one. How often something is saved or
    validated may change.

    Parameters
    ----------
    recipe
        The recipe of this run.
    folder
        Where the training keeps its state.

    Raises
    ------
    BudwoodError
        If there is a state and anything else in the recipe has changed, with the name of what has.
    """
    path = folder / _BEGUN
    now = _table(recipe)
    if (folder / _STATE).exists() and path.exists():
        try:
            begun = dict(json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, TypeError) as error:
            raise BudwoodError(
                "the recipe that this training was begun with cannot be read",
                where=str(path),
                mend="choose another --out",
            ) from error
        changed = [name for name in now if now[name] != begun.get(name)]
        if changed:
            name = changed[0]
            raise BudwoodError(
                f"{name} is {now[name]!r} now, and the training was begun with {begun.get(name)!r}",
                where=str(folder),
                mend="choose another --out, or the recipe it was begun with",
            )
        return
    if os.environ.get("RANK", "0") != "0":
        return  # one process of a distributed training writes
    folder.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(_BEGUN + ".partial")
    draft.write_text(json.dumps(now, indent=1) + "\n", encoding="utf-8")
    draft.replace(path)


def forget_recipe(folder: Path) -> None:
    """Remove what :func:`keep_recipe` wrote where the training saved nothing.

    Parameters
    ----------
    folder
        Where the training keeps its state.
    """
    if folder.is_dir() and [path.name for path in folder.iterdir()] == [_BEGUN]:
        shutil.rmtree(folder)
        if not any(folder.parent.iterdir()):
            folder.parent.rmdir()


def _table(recipe: Recipe) -> dict[str, Any]:
    """Values by ``table.key``, as JSON gives them back."""
    schedule = replace(recipe.schedule, save_every=1, validate_every=1, validation_batches=1)
    plain = json.loads(json.dumps(asdict(replace(recipe, schedule=schedule))))
    found: dict[str, Any] = {}
    for name, value in plain.items():
        inner = value.items() if isinstance(value, dict) else [("", value)]
        found |= {f"{name}.{key}".rstrip("."): each for key, each in inner}
    return found
