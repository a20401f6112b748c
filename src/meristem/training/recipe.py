"""Recipes: a training written down as a TOML file."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from meristem.corpus.sampler import SamplerConfig
from meristem.errors import MeristemError
from meristem.training.objectives import ObjectiveConfig

T = TypeVar("T")


@dataclass(frozen=True)
class GenomeSource:
    """One genome of a recipe: files (``$MERISTEM_DATA`` is expanded), weight, validation contigs."""

    species: str
    fasta: str
    annotation: str = ""
    weight: float = 1.0
    validation_contigs: tuple[str, ...] = ()

    def path(self, name: str) -> Path:
        """A file of the genome, environment variables expanded."""
        expanded = os.path.expandvars(name)
        if "$" in expanded:
            raise MeristemError(
                f"the recipe names {name!r} but that variable is not set",
                where=self.species,
                mend="set it to the folder of the genomes",
            )
        return Path(expanded)


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to learn.

    Attributes
    ----------
    steps, batch
        Optimiser steps and windows per step.
    learning_rate, matrix_rate, warmup, floor
        Peak rate of AdamW and of Muon (which takes the matrices inside the network), steps to reach
        them, and the share of them the cosine ends on.
    weight_decay, clip
        Decay of matrices and the largest gradient norm.
    save_every, validate_every, validation_batches
        Steps between checkpoints and validations, and batches per validation.
    precision
        ``"bf16"`` or ``"no"``.
    """

    steps: int
    batch: int = 16
    learning_rate: float = 1e-3
    matrix_rate: float = 0.02
    warmup: int = 300
    floor: float = 0.05
    weight_decay: float = 0.05
    clip: float = 1.0
    save_every: int = 500
    validate_every: int = 1000
    validation_batches: int = 16
    precision: str = "bf16"


@dataclass(frozen=True)
class Recipe:
    """Everything a training depends on besides the code."""

    name: str
    seed: int
    genomes: tuple[GenomeSource, ...]
    encoder: dict[str, Any]
    sampler: SamplerConfig
    objective: ObjectiveConfig
    schedule: Schedule


def read_recipe(path: Path) -> Recipe:
    """Read a recipe.

    Raises
    ------
    MeristemError
        If the file is missing, is not TOML, or has a table or key that does not exist.
    """
    try:
        table = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise MeristemError("the recipe cannot be read", where=str(path), mend="check the path") from error
    except tomllib.TOMLDecodeError as error:
        raise MeristemError(f"the recipe is no TOML: {error}", where=str(path), mend="correct it") from error
    try:
        genomes = tuple(_build(GenomeSource, entry, path) for entry in table.pop("genome"))
        recipe = Recipe(
            name=table.pop("name"),
            seed=table.pop("seed", 0),
            genomes=genomes,
            encoder=table.pop("encoder", {}),
            sampler=_build(SamplerConfig, table.pop("sampler", {}), path),
            objective=_build(ObjectiveConfig, table.pop("objective", {}), path),
            schedule=_build(Schedule, table.pop("schedule"), path),
        )
    except KeyError as error:
        raise MeristemError(f"the recipe lacks {error}", where=str(path), mend="add it") from error
    if table:
        raise MeristemError(
            f"the recipe has an unknown entry {next(iter(table))!r}", where=str(path), mend="remove it"
        )
    return recipe


def _build(kind: type[T], entry: dict[str, Any], path: Path) -> T:
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(entry) - known)
    if unknown:
        raise MeristemError(
            f"unknown key {unknown[0]!r}",
            where=f"{path}, {kind.__name__}",
            mend=f"choose from {', '.join(sorted(known))}",
        )
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
    try:
        return kind(**values)
    except TypeError as error:
        raise MeristemError(
            f"a key is missing: {error}", where=f"{path}, {kind.__name__}", mend="add it"
        ) from error
