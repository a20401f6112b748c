"""Masked bases of unseen species: the encoder, random weights and k-mer models, by base class.

    python benchmarks/probes/masked_bases.py --checkpoint runs/small/checkpoint --out masked.json

One base in every 16 of the Arabidopsis and rice pieces is masked. Every model gives the probabilities of A,
C, G, T there. The k-mer models are counted on the training windows of a corpus (``--corpus``), or on the
genomes of a recipe without their validation contigs. The smoothing of long k-mers is fitted on the species
with the second most windows (the last genome of the recipe) with counts of all others. Fitted on other
sequence of a counted genome, the repeats of a genome would make long k-mers look more reliable than they are.

Results that do not depend on the checkpoint are stored beside ``--out`` in ``<name>.baselines.json``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np
from numpy.typing import NDArray

from benchmarks.common.arguments import parser_for
from benchmarks.common.result_cache import ResultCache
from benchmarks.common.unseen_species import UNSEEN, open_species
from budwood.artifacts import MANIFEST, sha256
from budwood.corpus.sampling.store import open_corpus
from budwood.genomics.sequence import N
from budwood.model.checkpoint import Checkpoint, load_checkpoint
from budwood.probing.comparison.features import same_shape
from budwood.probing.kmer_models import (
    KmerModel,
    both_strand_counts,
    combine_sides,
    fit_kmer_model,
    fit_pool_weights,
    kmer_tables,
    logarithmic_pool,
)
from budwood.probing.masked_bases import (
    MaskedBases,
    clustered_standard_error,
    encoder_probabilities,
    is_correct,
    mask_bases,
    region_groups,
    score_predictions,
    surprisal,
)
from budwood.training.data.sources import load_source
from budwood.training.recipe.recipe import read_recipe

HELD_OUT_WINDOWS = 40_000
Guess = Callable[[MaskedBases], NDArray[np.float64]]


def of_recipe(recipe: Path) -> list[list[NDArray[np.uint8]]]:
    genomes = [load_source(source) for source in read_recipe(recipe).genomes]
    return [[contig.codes for contig in genome.training] for genome in genomes]


def of_corpus(folder: Path) -> list[list[NDArray[np.uint8]]]:
    """Training windows of all species but one, and of that one, with an N between windows."""
    corpus = open_corpus(folder)
    species = np.where(corpus.windows["validation"], -1, corpus.windows["species"])
    held_out = np.argsort([-each.training for each in corpus.species], kind="stable")[1]
    print(f"smoothing fitted on {corpus.species[held_out].name}", flush=True)
    groups = []
    for inside in ((species >= 0) & (species != held_out), species == held_out):
        codes = np.full((int(inside.sum()), corpus.length + 1), N, dtype=np.uint8)
        for row, number in zip(codes, np.flatnonzero(inside), strict=True):
            row[:-1] = corpus.row(int(number)).codes
        groups.append([codes.ravel()])
    return groups


def held_out_windows(sequences: list[NDArray[np.uint8]], reach: int = 12) -> NDArray[np.uint8]:
    """Windows around random bases."""
    random = np.random.default_rng(0)
    whole = np.concatenate(sequences)
    drawn = random.integers(reach, len(whole) - reach, HELD_OUT_WINDOWS)
    return whole[drawn[:, None] + np.arange(-reach, reach + 1)]


def kmer_guesses(groups: list[list[NDArray[np.uint8]]]) -> dict[str, Guess]:
    counts = [both_strand_counts(group, 12) for group in groups]
    # The smoothing for an unseen species is fitted on a species that was not counted.
    others, held_out = np.sum(counts[:-1], axis=0), held_out_windows(groups[-1])
    shapes = {"before": (5, 0), "after": (0, 5), "long before": (11, 0), "long after": (0, 11)}
    shapes |= {"six before": (6, 5), "six after": (5, 6)}
    fitted = {name: fit_kmer_model(others, *shape, held_out) for name, shape in shapes.items()}
    whole = kmer_tables(np.sum(counts, axis=0), 12)
    models = {name: replace(model, tables=whole) for name, model in fitted.items()}
    prior = models["before"].tables[0] / models["before"].tables[0].sum()

    def sides(one: str, other: str) -> Guess:
        def guess(hidden: MaskedBases) -> NDArray[np.float64]:
            return combine_sides(ask(models[one], hidden), ask(models[other], hidden), prior)

        return guess

    middle = MaskedBases(
        held_out, np.arange(len(held_out)), np.full(len(held_out), held_out.shape[1] // 2), np.zeros(0)
    )
    known = middle.truth < 4
    held = [ask(model, middle)[known] for model in fitted.values()]
    weights = fit_pool_weights(held, middle.truth[known])

    def pooled(hidden: MaskedBases) -> NDArray[np.float64]:
        return logarithmic_pool([ask(model, hidden) for model in models.values()], weights)

    def centred(hidden: MaskedBases) -> NDArray[np.float64]:
        return logarithmic_pool(
            [ask(models[name], hidden) for name in ("six before", "six after")], np.array([0.5, 0.5])
        )

    return {
        "composition": lambda hidden: np.tile(prior, (len(hidden.rows), 1)),
        "order-5 Markov, letters before": lambda hidden: ask(models["before"], hidden),
        "order-5 Markov, both sides": sides("before", "after"),
        "12-mer, letters before": lambda hidden: ask(models["long before"], hidden),
        "12-mer, both sides": sides("long before", "long after"),
        "12-mer, centred": centred,
        "all k-mer models pooled": pooled,
    }


def ask(model: KmerModel, hidden: MaskedBases) -> NDArray[np.float64]:
    return model.probabilities(hidden.masked_codes, hidden.rows, hidden.columns)


def encoder_guess(checkpoint: Checkpoint) -> Guess:
    return lambda hidden: encoder_probabilities(hidden, checkpoint)


@dataclass(frozen=True)
class Found:
    """Surprisal and correctness of each model at the masked bases of a species."""

    surprise: dict[str, NDArray[np.float64]]
    right: dict[str, NDArray[np.bool_]]


def ask_all(hidden: MaskedBases, guesses: dict[str, Guess]) -> dict[str, list[list[float]]]:
    found = {}
    for name, guess in guesses.items():
        chances = guess(hidden)
        surprise = np.round(surprisal(hidden, chances), 5)
        found[name] = [surprise.tolist(), is_correct(hidden, chances).astype(int).tolist()]
    return found


def compare(species: str, hidden: MaskedBases, found: Found) -> list[dict[str, object]]:
    """Compare the encoder with the best k-mer model of each region, base by base."""
    rows = []
    kmers = [name for name in found.surprise if name not in ("encoder", "random weights")]
    for region, inside in region_groups(hidden).items():
        best = min(kmers, key=lambda name: float(found.surprise[name][inside].mean()))
        difference = (found.surprise["encoder"] - found.surprise[best])[inside]
        error = clustered_standard_error(difference, hidden.rows[inside])
        mean = float(difference.mean())
        print(f"{species:21s} encoder - {best:26s} {region:11s} {mean:+.4f} +-{error:.4f}", flush=True)
        rows.append(
            {"species": species, "best_kmer": best, "region": region, "difference": mean, "error": error}
        )
    return rows


def tabulate(species: str, hidden: MaskedBases, found: Found) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for name, surprise in found.surprise.items():
        for region, score in score_predictions(hidden, surprise, found.right[name]).items():
            rows.append({"species": species, "model": name, "region": region, **asdict(score)})
            print(
                f"{species:21s} {name:31s} {region:11s} {score.bases:7,} {score.cross_entropy:.4f} "
                f"+-{score.cross_entropy_error:.4f} {score.accuracy:.3f}",
                flush=True,
            )
    return rows


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--checkpoint", type=Path, help="default: the packaged one")
    parser.add_argument("--corpus", type=Path, help="what k-mers are of: a built corpus")
    genomes = Path("recipes/small-first.toml")
    parser.add_argument("--recipe", type=Path, default=genomes, help="or these genomes")
    parser.add_argument("--spacing", type=int, default=16, help="one base in this many is hidden")
    parser.add_argument("--every", type=int, default=1, help="score one window in this many")
    parser.add_argument("--only-kmers", action="store_true", help="leave the encoders out")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    arguments = parser.parse_args()
    cache = ResultCache(arguments.out.with_suffix(".baselines.json") if arguments.out else None)
    source = arguments.corpus / MANIFEST if arguments.corpus else arguments.recipe
    key = f"{sha256(source)}/{arguments.spacing}/{arguments.every}"
    hidden = {}
    for species, files in UNSEEN.items():
        assembly, annotation = open_species(*files)
        hidden[species] = mask_bases(assembly, annotation, spacing=arguments.spacing, every=arguments.every)

    def ask_kmers() -> dict[str, dict[str, list[list[float]]]]:
        groups = of_corpus(arguments.corpus) if arguments.corpus else of_recipe(arguments.recipe)
        guesses = kmer_guesses(groups)
        return {species: ask_all(each, guesses) for species, each in hidden.items()}

    answers = [cache.get(f"k-mers/{key}", ask_kmers)]
    if not arguments.only_kmers:
        trained = load_checkpoint(arguments.checkpoint)
        for name, checkpoint in (("random weights", same_shape(trained)), ("encoder", trained)):
            keep = cache if checkpoint is not trained else ResultCache(None)
            one = {name: encoder_guess(checkpoint)}
            answers.append(
                keep.get(
                    f"{checkpoint.digest}/{key}",
                    lambda one=one: {species: ask_all(each, one) for species, each in hidden.items()},
                )
            )
    rows: list[dict[str, object]] = []
    for species, each in hidden.items():
        merged = {name: two for answer in answers for name, two in answer[species].items()}
        found = Found(
            {name: np.array(surprise) for name, (surprise, _) in merged.items()},
            {name: np.array(right, dtype=np.bool_) for name, (_, right) in merged.items()},
        )
        rows += tabulate(species, each, found)
        if "encoder" in found.surprise:
            rows += compare(species, each, found)
    if arguments.out:
        arguments.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
