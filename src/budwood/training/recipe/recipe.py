"""Recipes: a training written down as a TOML file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from budwood.corpus.recipe.recipe_table import (
    build_table,
    check_nothing_left,
    expanded,
    read_tables,
    take_entries,
)
from budwood.corpus.sampling.sampler import SamplerConfig
from budwood.errors import BudwoodError
from budwood.training.objective.objectives import ObjectiveConfig
from budwood.training.recipe.schedule import Schedule


@dataclass(frozen=True)
class GenomeSource:
    """One genome of a recipe.

    Attributes
    ----------
    species
        Its name.
    fasta, annotation
        Files, in which ``$BUDWOOD_DATA`` is expanded; no annotation where empty.
    labelled
        BED file of the stretches whose annotation is complete; other bases have no base class. The whole
        genome where empty.
    weight
        Share of windows relative to the other genomes.
    validation_contigs
        Contigs that are kept for validation.
    tracks
        BED, GFF or tables of intervals by the name of the track (``open chromatin``): objective ``track``
        learns which bases lie in them. Contigs without any interval are left out of it.
    smoothing
        Probability that the objectives of base classes spread over all classes instead of the annotated
        one, 0 to below 1, for annotations with wrong labels.
    """

    species: str
    fasta: str
    annotation: str = ""
    labelled: str = ""
    weight: float = 1.0
    validation_contigs: tuple[str, ...] = ()
    tracks: Mapping[str, str] = field(default_factory=dict)
    smoothing: float = 0.0

    def path(self, name: str) -> Path:
        """A file of the genome, environment variables expanded.

        Parameters
        ----------
        name
            ``fasta`` or ``annotation`` of the genome.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        BudwoodError
            If an environment variable is not set.
        """
        return expanded(name, self.species)


@dataclass(frozen=True)
class CorpusSource:
    """A corpus of a recipe; without one, windows are drawn from the genomes.

    Attributes
    ----------
    folder
        What ``budwood corpus build`` wrote.
    weights
        Share of windows by species or collection, instead of the balance of the corpus.
    windows
        Train on so many windows of the corpus alone, taken at random by these shares; 0 for all.
    """

    folder: str = ""
    weights: Mapping[str, float] = field(default_factory=dict)
    windows: int = 0

    @property
    def path(self) -> Path:
        """The folder, environment variables expanded."""
        return expanded(self.folder, "corpus")


@dataclass(frozen=True)
class AlignmentSource:
    """Alignments of a recipe.

    Attributes
    ----------
    files
        Aligned FASTA, tar archives of it, or MAF.
    exclude
        Species or genera whose rows are neither read nor predicted.
    least_species
        Columns in which fewer rows of other species have a base have no loss.
    """

    files: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    least_species: int = 4

    @property
    def paths(self) -> list[Path]:
        """The files, environment variables expanded."""
        return [expanded(name, "alignments") for name in self.files]


@dataclass(frozen=True)
class Recipe:
    """Everything a training depends on besides the code.

    Attributes
    ----------
    name
        Name of the training.
    seed
        Seed of the weights, windows and hidden bases.
    genomes
        Genomes to draw windows from; none where there is a corpus.
    encoder
        Arguments of :class:`~budwood.model.encoder_config.BudwoodConfig`.
    sampler
        How windows are cut.
    objective
        What is learned.
    schedule
        Steps and rates.
    corpus
        Corpus to draw windows from.
    alignments
        Alignments for the column objective.
    start
        Folder of a checkpoint whose weights the training begins with; ``""`` begins with random ones.
    """

    name: str
    seed: int
    genomes: tuple[GenomeSource, ...]
    encoder: dict[str, Any]
    sampler: SamplerConfig
    objective: ObjectiveConfig
    schedule: Schedule
    corpus: CorpusSource = field(default_factory=CorpusSource)
    alignments: AlignmentSource = field(default_factory=AlignmentSource)
    start: str = ""

    @property
    def track_names(self) -> tuple[str, ...]:
        """Names of the interval tracks of all genomes, in the order of the recipe."""
        return tuple(dict.fromkeys(name for genome in self.genomes for name in genome.tracks))

    @property
    def start_path(self) -> Path | None:
        """The folder to start from, environment variables expanded."""
        return expanded(self.start, "start") if self.start else None


def read_recipe(path: Path) -> Recipe:
    """Read a recipe.

    Parameters
    ----------
    path
        A TOML file.

    Returns
    -------
    Recipe
        The checked recipe.

    Raises
    ------
    BudwoodError
        If the file is missing, is not TOML, has a table or key that does not exist, or names nothing to
        learn from.
    """
    table = read_tables(path)
    recipe = build_recipe(table | {"genomes": take_entries(table, "genome", str(path))}, str(path))
    check_training_sources(recipe, str(path))
    return recipe


def check_training_sources(recipe: Recipe, where: str) -> None:
    """Refuse a recipe that names nothing to learn from, or what cannot be combined.

    Parameters
    ----------
    recipe
        Read from a file or made in Python.
    where
        What the message names.

    Raises
    ------
    BudwoodError
        With what to change.
    """
    if bool(recipe.genomes) == bool(recipe.corpus.folder):
        raise BudwoodError(
            "the recipe should name either genomes or the folder of a corpus",
            where=where,
            mend="give [[genome]] tables or [corpus] folder",
        )
    if recipe.sampler.long_window and recipe.corpus.folder:
        raise BudwoodError(
            "long windows can be cut from genomes alone, not from a corpus",
            where=where,
            mend="give [[genome]] tables and leave out [corpus], or leave out long_window",
        )
    if recipe.objective.track_weight and not recipe.track_names:
        raise BudwoodError(
            "the recipe learns from interval tracks but names none",
            where=where,
            mend="give tracks of a [[genome]] or set track_weight to 0",
        )
    if recipe.objective.column_weight and not recipe.alignments.files:
        raise BudwoodError(
            "the recipe learns from alignment columns but names no alignment",
            where=where,
            mend="give [alignments] files or set column_weight to 0",
        )


def build_recipe(table: Mapping[str, Any], where: str) -> Recipe:
    """Make a recipe from plain tables, as TOML or a manifest hold them.

    What is absent takes its default.

    Parameters
    ----------
    table
        Values by name.
    where
        What a message names.

    Returns
    -------
    Recipe
        The recipe; its numbers are not checked yet.

    Raises
    ------
    BudwoodError
        If a table lacks a value, has an unknown one, or has one of another type.
    """
    table = dict(table)
    try:
        recipe = Recipe(
            name=table.pop("name"),
            seed=table.pop("seed", 0),
            genomes=tuple(build_table(GenomeSource, entry, where) for entry in _genomes(table, where)),
            encoder=table.pop("encoder", {}),
            sampler=build_table(SamplerConfig, table.pop("sampler", {}), where),
            objective=build_table(ObjectiveConfig, table.pop("objective", {}), where),
            schedule=build_table(Schedule, table.pop("schedule"), where),
            corpus=build_table(CorpusSource, table.pop("corpus", {}), where),
            alignments=build_table(AlignmentSource, table.pop("alignments", {}), where),
            start=table.pop("start", ""),
        )
    except KeyError as error:
        raise BudwoodError(f"the recipe lacks {error}", where=where, mend="add it") from error
    check_nothing_left(table, where)
    _check_head(recipe, where)
    return recipe


def _genomes(table: dict[str, Any], where: str) -> list[Any]:
    if "genomes" not in table:
        raise KeyError("genomes")
    return take_entries(table, "genomes", where)


def _check_head(recipe: Recipe, where: str) -> None:
    """Refuse values outside the tables that are of another type."""
    for name, value, kind, called in (
        ("name", recipe.name, str, "text"),
        ("seed", recipe.seed, int, "a whole number from 0 on"),
        ("encoder", recipe.encoder, dict, "a table"),
        ("start", recipe.start, str, "text"),
    ):
        if type(value) is not kind or (kind is int and not 0 <= recipe.seed < 2**63):
            raise BudwoodError(f"{name} is {str(value)[:40]!r}, not {called}", where=where, mend="correct it")
