"""Hidden bases of unseen species: the encoder, random weights and k-mer models, by region.

    python benchmarks/masked_bases.py --checkpoint runs/small/checkpoint --out masked.json

One base in every 16 of the Arabidopsis and rice pieces is hidden. Every model gives the chances of A, C, G, T
there. The k-mer models are counted on the genomes of the recipe, contigs kept for validation left out. How
strongly long k-mers are smoothed is fitted on the last of these genomes with counts of the others: fitted on
contigs of a counted genome, the copies that all genomes have of themselves make long k-mers look trustworthy.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from meristem.corpus.genome import TrainingGenome
from meristem.genomics.io.annotation import read_annotation
from meristem.genomics.io.fasta import open_fasta
from meristem.model.checkpoint import Checkpoint, load_checkpoint, random_checkpoint
from meristem.probing.kmer_models import (
    KmerModel,
    count_kmers,
    fit_kmer_model,
    join_sides,
    kmer_tables,
    pool,
    pool_weights,
)
from meristem.probing.masked_bases import (
    HiddenBases,
    encoder_probabilities,
    error_of_mean,
    hide_bases,
    region_groups,
    score_masked,
    surprise_of,
)
from meristem.training.recipe import read_recipe
from meristem.training.sources import load_source

HELD_OUT_WINDOWS = 40_000
UNSEEN = (
    (
        "Arabidopsis thaliana",
        "arabidopsis_thaliana/korf_1pct.fa.xz",
        "arabidopsis_thaliana/korf_1pct.gff3.xz",
    ),
    ("Oryza sativa", "oryza_sativa/chr02_first_1Mb.fa.xz", "oryza_sativa/chr02_first_1Mb.gff3.xz"),
)
Guess = Callable[[HiddenBases], NDArray[np.float64]]


def held_out_windows(genome: TrainingGenome, reach: int = 12) -> NDArray[np.uint8]:
    """Windows around random bases."""
    random = np.random.default_rng(0)
    whole = np.concatenate([contig.codes for contig in genome.training])
    drawn = random.integers(reach, len(whole) - reach, HELD_OUT_WINDOWS)
    return whole[drawn[:, None] + np.arange(-reach, reach + 1)]


def kmer_guesses(genomes: list[TrainingGenome]) -> dict[str, Guess]:
    counts = [count_kmers([contig.codes for contig in genome.training], 12) for genome in genomes]
    # How far a count is to be trusted in an unseen species is learned on a species that was not counted.
    others, held_out = np.sum(counts[:-1], axis=0), held_out_windows(genomes[-1])
    shapes = {"before": (5, 0), "after": (0, 5), "long before": (11, 0), "long after": (0, 11)}
    shapes |= {"six before": (6, 5), "six after": (5, 6)}
    fitted = {name: fit_kmer_model(others, *shape, held_out) for name, shape in shapes.items()}
    whole = kmer_tables(np.sum(counts, axis=0), 12)
    models = {name: replace(model, tables=whole) for name, model in fitted.items()}
    prior = models["before"].tables[0] / models["before"].tables[0].sum()

    def sides(one: str, other: str) -> Guess:
        def guess(hidden: HiddenBases) -> NDArray[np.float64]:
            return join_sides(ask(models[one], hidden), ask(models[other], hidden), prior)

        return guess

    middle = HiddenBases(
        held_out, np.arange(len(held_out)), np.full(len(held_out), held_out.shape[1] // 2), np.zeros(0)
    )
    known = middle.truth < 4
    held = [ask(model, middle)[known] for model in fitted.values()]
    weights = pool_weights(held, middle.truth[known])

    def pooled(hidden: HiddenBases) -> NDArray[np.float64]:
        return pool([ask(model, hidden) for model in models.values()], weights)

    def centred(hidden: HiddenBases) -> NDArray[np.float64]:
        return pool([ask(models[name], hidden) for name in ("six before", "six after")], np.array([0.5, 0.5]))

    return {
        "composition": lambda hidden: np.tile(prior, (len(hidden.rows), 1)),
        "order-5 Markov, letters before": lambda hidden: ask(models["before"], hidden),
        "order-5 Markov, both sides": sides("before", "after"),
        "12-mer, letters before": lambda hidden: ask(models["long before"], hidden),
        "12-mer, both sides": sides("long before", "long after"),
        "12-mer, centred": centred,
        "all k-mer models pooled": pooled,
    }


def ask(model: KmerModel, hidden: HiddenBases) -> NDArray[np.float64]:
    return model.probabilities(hidden.shown, hidden.rows, hidden.columns)


def encoder_guess(checkpoint: Checkpoint) -> Guess:
    return lambda hidden: encoder_probabilities(hidden, checkpoint)


def compare(
    species: str, hidden: HiddenBases, surprises: dict[str, NDArray[np.float64]]
) -> list[dict[str, object]]:
    """The encoder against the best k-mer model of each region, base by base."""
    rows = []
    kmers = [name for name in surprises if name not in ("encoder", "random weights")]
    for region, inside in region_groups(hidden).items():
        best = min(kmers, key=lambda name: float(surprises[name][inside].mean()))
        difference = (surprises["encoder"] - surprises[best])[inside]
        error = error_of_mean(difference, hidden.rows[inside])
        mean = float(difference.mean())
        print(f"{species:21s} encoder - {best:26s} {region:11s} {mean:+.4f} +-{error:.4f}", flush=True)
        rows.append(
            {"species": species, "best_kmer": best, "region": region, "difference": mean, "error": error}
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", type=Path, help="default: the packaged one")
    parser.add_argument("--recipe", type=Path, default=Path("recipes/small.toml"), help="what k-mers are of")
    parser.add_argument("--spacing", type=int, default=16, help="one base in this many is hidden")
    parser.add_argument("--every", type=int, default=1, help="score one window in this many")
    parser.add_argument("--only-kmers", action="store_true", help="leave the encoders out")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    arguments = parser.parse_args()
    genomes = [load_source(source) for source in read_recipe(arguments.recipe).genomes]
    guesses = kmer_guesses(genomes)
    del genomes
    if not arguments.only_kmers:
        guesses["random weights"] = encoder_guess(random_checkpoint())
        guesses["encoder"] = encoder_guess(load_checkpoint(arguments.checkpoint))
    rows = []
    folder = Path(os.environ["MERISTEM_DATA"]) / "genomes"
    for species, fasta, gff in UNSEEN:
        annotation = read_annotation(folder / gff)
        hidden = hide_bases(
            open_fasta(folder / fasta), annotation, spacing=arguments.spacing, every=arguments.every
        )
        surprises = {}
        for name, guess in guesses.items():
            found = guess(hidden)
            surprises[name] = surprise_of(hidden, found)
            for region, score in score_masked(hidden, found).items():
                rows.append({"species": species, "model": name, "region": region, **asdict(score)})
                print(
                    f"{species:21s} {name:31s} {region:11s} {score.bases:7,} {score.cross_entropy:.4f} "
                    f"+-{score.cross_entropy_error:.4f} {score.accuracy:.3f}",
                    flush=True,
                )
        if "encoder" in surprises:
            rows += compare(species, hidden, surprises)
    if arguments.out:
        arguments.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
