"""The windows and alignments that a recipe names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from budwood.artifacts import MANIFEST
from budwood.corpus.sampling.corpus_sampler import CorpusSampler
from budwood.corpus.sampling.genome import TrainingGenome, load_training_genome
from budwood.corpus.sampling.sampler import WindowSampler
from budwood.corpus.sampling.store import open_corpus
from budwood.errors import BudwoodError
from budwood.genomics.alignment import Alignment
from budwood.genomics.assembly import Assembly
from budwood.genomics.interval import Interval
from budwood.genomics.io.annotation.bed import read_bed
from budwood.genomics.io.annotation.gff import read_gff
from budwood.genomics.io.annotation.labelled_intervals import read_labelled_intervals
from budwood.genomics.io.sequence.alignment_fasta import read_alignment_fasta
from budwood.genomics.io.sequence.fasta import open_fasta
from budwood.genomics.io.sequence.maf import read_maf
from budwood.training.data.batches import Windows
from budwood.training.objective.alignment_columns import ColumnSampler
from budwood.training.recipe.recipe import AlignmentSource, GenomeSource, Recipe

#: Validation draws its windows from another stream than training.
_VALIDATION_SEED: Final = 1_000_003


@dataclass(frozen=True)
class Sources:
    """What a training reads.

    Attributes
    ----------
    training, validation
        Windows to learn from, and those kept (None where none are).
    columns
        Windows cut from alignments, None where that objective is off.
    species
        Names of the species by their number in a batch.
    bases
        Bases to learn from.
    files
        Every file read.
    """

    training: Windows
    validation: Windows | None
    columns: ColumnSampler | None
    species: tuple[str, ...]
    bases: int
    files: tuple[Path, ...]


def open_training_data(recipe: Recipe) -> Sources:
    """Open everything a recipe names.

    Parameters
    ----------
    recipe
        Names genomes or a corpus, and alignments where their objective is on.

    Returns
    -------
    Sources
        Windows to learn from and to validate on.

    Raises
    ------
    BudwoodError
        If a file cannot be read or used.
    """
    opened = _from_corpus(recipe) if recipe.corpus.folder else _from_genomes(recipe)
    if not recipe.objective.column_weight:
        return opened
    columns = ColumnSampler(
        load_alignments(recipe.alignments),
        window=recipe.sampler.window,
        least_species=recipe.alignments.least_species,
        seed=recipe.seed,
    )
    return replace(opened, columns=columns, files=(*opened.files, *recipe.alignments.paths))


def _from_corpus(recipe: Recipe) -> Sources:
    corpus = open_corpus(recipe.corpus.path)
    weights = recipe.corpus.weights or None
    training = CorpusSampler(
        corpus, recipe.sampler, seed=recipe.seed, weights=weights, windows=recipe.corpus.windows
    )
    validation = None
    if corpus.windows["validation"].any():
        seed = recipe.seed + _VALIDATION_SEED
        validation = CorpusSampler(corpus, recipe.sampler, seed=seed, weights=weights, validation=True)
    names = tuple(species.name for species in corpus.species)
    # The manifest of a corpus holds the digest of every file of it.
    return Sources(training, validation, None, names, corpus.bases, (corpus.folder / MANIFEST,))


def _from_genomes(recipe: Recipe) -> Sources:
    genomes = [load_source(source, recipe.track_names) for source in recipe.genomes]
    weights = [source.weight for source in recipe.genomes]
    training = WindowSampler(genomes, weights, recipe.sampler, seed=recipe.seed)
    validation = None
    if any(genome.validation for genome in genomes):
        seed = recipe.seed + _VALIDATION_SEED
        validation = WindowSampler(genomes, weights, recipe.sampler, seed=seed, validation=True)
    files = [
        source.path(name)
        for source in recipe.genomes
        for name in (source.fasta, source.annotation, source.labelled, *source.tracks.values())
        if name
    ]
    names = tuple(genome.species for genome in genomes)
    bases = sum(genome.bases for genome in genomes)
    return Sources(training, validation, None, names, bases, tuple(files))


def load_source(source: GenomeSource, track_names: Sequence[str] = ()) -> TrainingGenome:
    """Read one genome of a recipe.

    Parameters
    ----------
    source
        Files of the genome.
    track_names
        Names of the interval tracks by number; the genome's tracks are left out where there are none.

    Returns
    -------
    TrainingGenome
        Sequence and labels in memory.

    Raises
    ------
    BudwoodError
        If a file cannot be read, or no interval of a track lies on the genome.
    """
    annotation = read_gff(source.path(source.annotation)) if source.annotation else None
    tracks = {name: file for name, file in source.tracks.items() if name in track_names}
    labelled = None
    if source.labelled:
        labelled = [record.interval for record in read_bed(source.path(source.labelled))]
    assembly = open_fasta(source.path(source.fasta))
    intervals = {name: _intervals(source.path(file), assembly) for name, file in tracks.items()}
    return load_training_genome(
        source.species,
        assembly,
        annotation,
        labelled=labelled,
        tracks={track_names.index(name): found for name, found in intervals.items()},
        validation_contigs=source.validation_contigs,
        smoothing=source.smoothing,
    )


def _intervals(path: Path, assembly: Assembly) -> list[Interval]:
    found = [Interval(each.contig, each.start, each.end) for each in read_labelled_intervals(path)]
    if not any(each.start < assembly.contigs.get(each.contig, 0) for each in found):
        raise BudwoodError(
            "no interval lies on a contig of the genome",
            where=str(path),
            mend="give a track of the same genome build, with the contigs' names as the genome has them",
        )
    return found


def load_alignments(source: AlignmentSource) -> list[Alignment]:
    """Read the alignments of a recipe, without the rows of species that are left out.

    Parameters
    ----------
    source
        Files, and the species to leave out.

    Returns
    -------
    list of Alignment
        Loci or blocks, in the order of the files.

    Raises
    ------
    BudwoodError
        If a file cannot be read.
    """
    found: list[Alignment] = []
    for path in source.paths:
        found += read_maf(path) if ".maf" in path.suffixes else read_alignment_fasta(path)
    return [alignment.without(source.exclude) for alignment in found]
