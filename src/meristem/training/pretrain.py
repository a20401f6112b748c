"""From a recipe to a checkpoint."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Final

import torch

from meristem.artifacts import write_artifact
from meristem.corpus.genome import TrainingGenome, load_training_genome
from meristem.corpus.sampler import WindowSampler
from meristem.genomics.io.fasta import open_fasta
from meristem.genomics.io.gff import read_gff
from meristem.model.encoder import MeristemConfig, MeristemEncoder
from meristem.progress import estimate
from meristem.training.loop import train
from meristem.training.objectives import PretrainingObjective
from meristem.training.recipe import GenomeSource, Recipe
from meristem.training.validation import validate

#: Validation draws its windows from another stream than training.
_VALIDATION_SEED: Final = 1_000_003

#: Measured on one core of a Xeon with AMX for the `small` shape (docs/log.md).
_BASES_PER_SECOND: Final = 22_000


def pretrain(recipe: Recipe, out: Path, *, show: bool | None = None) -> Path:
    """Train an encoder by a recipe; run again, it goes on where it stopped.

    ``out/training`` holds the state and the log while training; ``out/checkpoint`` is written at the end.

    Returns
    -------
    Path
        The checkpoint folder, which :func:`meristem.model.checkpoint.load_checkpoint` opens.
    """
    genomes = [load_source(source) for source in recipe.genomes]
    weights = [source.weight for source in recipe.genomes]
    sampler = WindowSampler(genomes, weights, recipe.sampler, seed=recipe.seed)
    torch.manual_seed(recipe.seed)
    encoder = MeristemEncoder(MeristemConfig(**recipe.encoder))
    _tell(recipe, genomes, encoder)
    objective = PretrainingObjective(encoder, recipe.objective)
    schedule = recipe.schedule
    follow = None
    if any(genome.validation for genome in genomes):
        kept = WindowSampler(
            genomes, weights, recipe.sampler, seed=recipe.seed + _VALIDATION_SEED, validation=True
        )

        def follow(current: PretrainingObjective) -> dict[str, float]:
            return validate(current, kept, schedule.validation_batches, schedule.batch)

    train(objective, sampler, schedule, Path(out) / "training", validate=follow, show=show)
    return write_checkpoint(encoder, recipe, Path(out) / "checkpoint")


def load_source(source: GenomeSource) -> TrainingGenome:
    """Read one genome of a recipe."""
    annotation = read_gff(source.path(source.annotation)) if source.annotation else None
    return load_training_genome(
        source.species,
        open_fasta(source.path(source.fasta)),
        annotation,
        validation_contigs=source.validation_contigs,
    )


def write_checkpoint(encoder: MeristemEncoder, recipe: Recipe, folder: Path) -> Path:
    """Write float16 weights with the recipe they were trained by."""
    files = [s.path(name) for s in recipe.genomes for name in (s.fasta, s.annotation) if name]
    with write_artifact(
        folder,
        kind="checkpoint",
        inputs=files,
        parameters={"recipe": asdict(recipe)},
        seeds={"recipe": recipe.seed},
    ) as draft:
        # Single precision weights survive the rounding to half: it moves no weight by more than 0.05 %.
        half = MeristemEncoder(encoder.config)
        half.load_state_dict(encoder.state_dict())
        half.half().save_pretrained(draft.folder)
        schedule = recipe.schedule
        draft.metrics["training_bases"] = schedule.steps * schedule.batch * recipe.sampler.window
    return Path(folder)


def _tell(recipe: Recipe, genomes: list[TrainingGenome], encoder: MeristemEncoder) -> None:
    parameters = sum(p.numel() for p in encoder.parameters())
    seen = recipe.schedule.steps * recipe.schedule.batch * recipe.sampler.window
    corpus = sum(genome.bases for genome in genomes)
    hours = seen / _BASES_PER_SECOND / 3600
    size = f"{parameters / 1e6:.1f} M parameters, {seen / 1e6:.0f} M bases to see of {corpus / 1e6:.0f} Mb"
    time = f"about {hours:.1f} h on one core with bf16 matrix units, {3 * hours:.1f} h without"
    estimate(f"{recipe.name}: {size}; {time}")
