"""Depth against breadth: the same number of training windows from few or many species, scored on others.

    python benchmarks/pretraining/depth_breadth.py plastomes --out runs/depth --replicates 3 python
    benchmarks/pretraining/depth_breadth.py nuclear --corpus runs/corpus --out runs/depth --replicates 3

Plastomes: in every replicate whole families are held out (60 species; training uses none of their genera),
and 1,000 windows of 512 bases are taken from 4 species of the others (nearly all of a plastome, which has
about 300 windows), from 32 or from all of them. Nothing else differs: the same network, initial weights and
steps, every window read equally often on random strands. Held-out families, training species, windows and
initial weights are drawn anew in every replicate, so a t interval over replicates covers all of them.

Nuclear: a thousand stored windows of a corpus from one genome (recipes/depth.toml), from two, or from two and
the genes of hundreds of species (recipes/breadth.toml), scored on Arabidopsis and rice. Replicates draw other
windows and initial weights; the two scored species stay the same, so the interval does not cover other
species.

The encoder is compared with an order-5 Markov model (both sides) and a 12-mer model (6 bases before, 5
after), both counted on the same windows. The smoothing of long k-mers is fitted on a quarter of the families
(nuclear: of the windows) with counts of the others. Scores: surprisal (nats) and accuracy at masked bases,
one in 16. Finished runs are kept in --out; a second run makes only the missing ones.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy.sparse import csr_array

from benchmarks.common.arguments import parser_for
from benchmarks.common.panels import data_folder
from benchmarks.common.small_trainings import Ledger, Values, trained
from benchmarks.pretraining.ablation import UNSEEN, Questions, load_questions
from budwood.artifacts import sha256
from budwood.corpus.sampling.corpus_sampler import CorpusSampler
from budwood.corpus.sampling.store import Corpus, open_corpus
from budwood.corpus.sampling.window_set import WindowSet
from budwood.corpus.similarity.minhash import SketchConfig, sketch
from budwood.genomics.interval import Interval
from budwood.genomics.io.sequence.fasta_collection import open_collection
from budwood.genomics.io.tables.species_table import read_species_table
from budwood.genomics.sequence import N
from budwood.model.checkpoint import random_checkpoint
from budwood.model.encoder import BudwoodConfig
from budwood.probing.kmer_models import (
    KmerModel,
    both_strand_counts,
    combine_sides,
    fit_kmer_model,
    kmer_tables,
)
from budwood.probing.masked_bases import MaskedBases, encoder_probabilities, surprisal
from budwood.stats.evaluation.paired_difference import corrected_interval
from budwood.training.recipe.recipe import Recipe, read_recipe

WINDOW, WINDOWS, HELD_OUT, SCORED_WINDOWS, SPACING, K = 512, 1000, 60, 6, 16, 12
#: Shorter plastomes are of parasites or have lost much; and 4 species need 250 windows each.
SHORTEST = 140_000
NUCLEAR = {
    "Brassica": {"Brassica napus": 1.0},
    "Brassica + cacao": {"Brassica napus": 1.0, "Theobroma cacao": 1.0},
    "Brassica + cacao + 353 genes": {"Brassica napus": 1.0, "Theobroma cacao": 1.0, "Angiosperms353": 1.0},
}
KMERS = ("order-5 Markov", "12-mer")


@dataclass(frozen=True)
class Plastome:
    species: str
    family: str
    codes: NDArray[np.uint8]

    @property
    def genus(self) -> str:
        return self.species.split()[0]

    def windows(self, random: np.random.Generator) -> NDArray[np.uint8]:
        """Consecutive windows from a random start, in random order, without those of 20 % N or more."""
        offset = int(random.integers(WINDOW))
        whole = (len(self.codes) - offset) // WINDOW
        cut = self.codes[offset : offset + whole * WINDOW].reshape(whole, WINDOW)
        return random.permutation(cut[(cut == N).mean(1) < 0.2])


@dataclass(frozen=True)
class Draw:
    """One replicate: held-out species with their masked bases, and the other species in random order."""

    seed: int
    held_out: list[Plastome]
    others: list[Plastome]
    hidden: MaskedBases
    owner: NDArray[np.int64]


def load_plastomes() -> list[Plastome]:
    folder = data_folder() / "genomes/plastomes"
    assembly = open_collection(folder / "plastomes_733.fa.xz")
    table = read_species_table(folder / "plastomes.tsv", ranks=("family",))
    return [
        Plastome(table[name].species, table[name].lineage[0], assembly.sequence(Interval(name, 0, length)))
        for name, length in assembly.contigs.items()
        if length >= SHORTEST
    ]


def draw(plastomes: list[Plastome], seed: int) -> Draw:
    random = np.random.default_rng((seed, 11))
    families = random.permutation(sorted({p.family for p in plastomes}))
    sizes = [sum(p.family == family for p in plastomes) for family in families]
    last = int(np.searchsorted(np.cumsum(sizes), HELD_OUT)) + 1
    chosen = set(families[:last])
    held_out = [p for p in plastomes if p.family in chosen]
    genera = {p.genus for p in held_out}
    others = [p for p in plastomes if p.family not in chosen and p.genus not in genera]
    others = [others[index] for index in random.permutation(len(others))]
    codes = np.concatenate([p.windows(random)[:SCORED_WINDOWS] for p in held_out])
    phase = random.integers(0, SPACING, size=(len(codes), 1))
    rows, columns = np.nonzero((np.arange(WINDOW) % SPACING == phase) & (codes < N))
    hidden = MaskedBases(codes, rows, columns, np.zeros(len(rows), dtype=np.uint8))
    owner = np.repeat(np.arange(len(held_out)), SCORED_WINDOWS)[rows]
    return Draw(seed, held_out, others, hidden, owner)


def training_windows(drawn: Draw, species: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """WINDOWS windows, divided evenly among the first ``species`` species, and the species of each."""
    random = np.random.default_rng((drawn.seed, 12, species))
    chosen = drawn.others[:species]
    until = np.rint(np.arange(len(chosen) + 1) / len(chosen) * WINDOWS).astype(int)
    parts = [p.windows(random)[: b - a] for p, a, b in zip(chosen, until, until[1:], strict=False)]
    owner = np.repeat(np.arange(len(chosen)), [len(part) for part in parts])
    codes = np.concatenate(parts)
    if len(codes) != WINDOWS:
        raise SystemExit(f"only {len(codes)} windows in {species} species: raise SHORTEST")
    return codes, owner


def kmer_surprise(
    codes: NDArray[np.uint8], group: NDArray[np.integer], hidden: MaskedBases
) -> dict[str, NDArray[np.float64]]:
    """Probabilities by k-mer models counted on windows; a quarter of the groups fits their smoothing."""
    kinds = np.unique(group)
    apart = np.isin(group, kinds[: max(1, len(kinds) // 4)])
    # One sequence with an N behind every window: a table is filled per sequence, and it is a large one.
    joined = np.pad(codes, ((0, 0), (0, 1)), constant_values=N)
    counts, rest = (both_strand_counts([joined[rows].ravel()], K) for rows in (~apart, apart))
    reach = np.arange(-K, K + 1)
    places = np.arange(K, codes.shape[1] - K, 5)
    middles = codes[apart][:, places[:, None] + reach].reshape(-1, len(reach))
    middles = middles[np.random.default_rng(0).permutation(len(middles))[:20_000]]
    tables = kmer_tables(counts + rest, K)

    def ask(left: int, right: int) -> NDArray[np.float64]:
        fitted: KmerModel = replace(fit_kmer_model(counts, left, right, middles), tables=tables)
        return fitted.probabilities(hidden.masked_codes, hidden.rows, hidden.columns)

    prior = tables[0] / tables[0].sum()
    return {"order-5 Markov": combine_sides(ask(5, 0), ask(0, 5), prior), "12-mer": ask(6, 5)}


def by_group(
    hidden: MaskedBases, chances: NDArray[np.float64], group: NDArray[np.integer]
) -> dict[str, NDArray[np.float64]]:
    """Mean surprisal and accuracy in each group of masked bases."""
    size = np.bincount(group)
    right = chances.argmax(1) == hidden.truth
    return {
        "surprise": np.bincount(group, weights=surprisal(hidden, chances)) / size,
        "accuracy": np.bincount(group, weights=right) / size,
    }


def nearest_distance(drawn: Draw, species: int) -> NDArray[np.float64]:
    """Mash distance of every held-out species to the nearest training species.

    From the Jaccard index j of 16-mers, ``-ln(2 j / (1 + j)) / 16`` (Ondov et al. 2016, Genome Biology
    17:132): about the share of bases that differ.
    """
    config = SketchConfig(length=16, scale=50)
    both = [*drawn.held_out, *drawn.others[:species]]
    hashes = [np.unique(sketch(p.codes[None], config).hashes) for p in both]
    _, column = np.unique(np.concatenate(hashes), return_inverse=True)
    sizes = np.array([len(each) for each in hashes])
    holds = csr_array((np.ones(len(column)), column, np.concatenate([[0], np.cumsum(sizes)])))
    held = len(drawn.held_out)
    shared = (holds[:held] @ holds[held:].T).toarray()
    best = (shared / (sizes[:held, None] + sizes[None, held:] - shared)).max(1)
    return -np.log(np.maximum(2 * best / (1 + best), 1e-4)) / 16


def plastome_encoder(recipe: Recipe, drawn: Draw, species: int, folder: Path) -> dict[str, Any]:
    recipe = replace(recipe, seed=drawn.seed)
    if species:
        windows = WindowSet(*training_windows(drawn, species), seed=drawn.seed)
        checkpoint = trained(recipe, windows, folder)
    else:
        checkpoint = random_checkpoint(BudwoodConfig(**recipe.encoder), seed=drawn.seed)
    chances = encoder_probabilities(drawn.hidden, checkpoint, show=False)
    return with_means(by_group(drawn.hidden, chances, drawn.owner))


def plastome_kmers(drawn: Draw, species: int, _folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = {"distance": nearest_distance(drawn, species)}
    codes, owner = training_windows(drawn, species)
    # Whole families, as those that are scored: with a congener counted, long k-mers look trustworthy.
    families = [p.family for p in drawn.others[:species]]
    family = np.array([families.index(name) for name in families])[owner]
    for name, chances in kmer_surprise(codes, family, drawn.hidden).items():
        for what, values in by_group(drawn.hidden, chances, drawn.owner).items():
            found[f"{name}/{what}"] = values
    return with_means(found)


def with_means(found: dict[str, NDArray[np.float64]]) -> dict[str, Any]:
    """Values with their means, for the record of the run, and the time."""
    means = {f"mean {what}": round(float(values.mean()), 4) for what, values in found.items()}
    return found | means | {"cpu_seconds_of_process": round(time.process_time())}


def run_plastomes(arguments: argparse.Namespace, recipe: Recipe, ledger: Ledger, console: Console) -> None:
    plastomes = load_plastomes()
    design = [WINDOW, WINDOWS, HELD_OUT, SCORED_WINDOWS, SPACING, K, SHORTEST]
    found: dict[tuple[str, int], list[Values]] = {}
    for seed in range(1, arguments.replicates + 1):
        drawn = draw(plastomes, seed)
        levels = [count or len(drawn.others) for count in arguments.species]
        for count, level in zip(arguments.species, levels, strict=True):
            key = {"case": "plastomes", "species": count or "all", "replicate": seed}
            made = ledger.run(key | {"model": "k-mers"}, design, partial(plastome_kmers, drawn, level))
            for name in KMERS:
                values = {what: made[f"{name}/{what}"] for what in ("surprise", "accuracy")}
                found.setdefault((name, count), []).append(values | {"distance": made["distance"]})
        console.print(
            f"replicate {seed}: {len(drawn.held_out)} species of {len({p.family for p in drawn.held_out})} "
            f"families held out, {len(drawn.others)} others"
        )
        if seed > arguments.encoder_replicates:
            continue
        for count in (-1, *arguments.encoder_species):
            level = 0 if count < 0 else count or len(drawn.others)
            key = {"case": "plastomes", "species": count or "all", "replicate": seed, "model": "encoder"}
            make = partial(plastome_encoder, recipe, drawn, level)
            values = ledger.run(key, [design, asdict(recipe)], make)
            found.setdefault(("encoder", count), []).append(values)
            print(key, flush=True)
    report_plastomes(found, console)


def report_plastomes(found: dict[tuple[str, int], list[Values]], console: Console) -> None:
    table = Table("model", "species", "windows each", "surprise", "accuracy", "all species less these, nats")
    for (model, count), runs in found.items():
        label = {0: "all", -1: "random weights"}.get(count, str(count))
        surprise = np.array([run["surprise"].mean() for run in runs])
        accuracy = np.mean([run["accuracy"].mean() for run in runs])
        all_species = found.get((model, 0))
        gain = ""
        if all_species is not None and count > 0:
            gain = spoken([a["surprise"].mean() - s for a, s in zip(all_species, surprise, strict=True)])
        each = "" if count < 0 else f"{WINDOWS / count:.0f}" if count else "1 or 2"
        table.add_row(model, label, each, f"{surprise.mean():.4f}", f"{accuracy:.3f}", gain)
    console.print(table)
    for model in (*KMERS, "encoder"):
        for count in sorted(count for name, count in found if name == model and count > 0):
            if (model, 0) in found:
                by_distance(model, count, found, console)


def by_distance(model: str, count: int, found: dict[tuple[str, int], list[Values]], console: Console) -> None:
    """Gain of all species over few, by how much nearer the nearest training species is."""
    slopes, nearer, gains = [], [], []
    for number, (few, many) in enumerate(zip(found[model, count], found[model, 0], strict=True)):
        reach = found[KMERS[0], count][number]["distance"] - found[KMERS[0], 0][number]["distance"]
        gain = many["surprise"] - few["surprise"]
        slopes.append(float(np.polyfit(reach, gain, 1)[0]) / 100)
        nearer.append(reach)
        gains.append(gain)
    reach, gain = np.concatenate(nearer), np.concatenate(gains)
    edges = np.quantile(reach, [0, 1 / 3, 2 / 3, 1])
    thirds = [
        f"{100 * reach[inside].mean():.2f} % nearer: {gain[inside].mean():+.4f}"
        for inside in (
            (reach >= low) & ((reach < high) | (high == edges[-1])) for low, high in pairwise(edges)
        )
    ]
    console.print(
        f"{model}, all less {count}: {'; '.join(thirds)}; per % nearer {spoken(slopes)}", soft_wrap=True
    )


def spoken(differences: list[float]) -> str:
    """A mean difference with its t interval over replicates, as text."""
    if len(differences) < 2:
        return f"{differences[0]:+.4f} (one replicate)"
    found = corrected_interval(np.array(differences), 0.0)
    return f"{found.mean:+.4f} ({found.lower:+.4f} to {found.upper:+.4f})"


def asked_together(questions: dict[str, Questions]) -> tuple[MaskedBases, NDArray[np.int64]]:
    """The masked bases of all species as one, and twice the species' number of each, plus 1 if coding."""
    parts = list(questions.values())
    before = np.cumsum([0, *(len(part.bases.codes) for part in parts)])
    rows = np.concatenate([part.bases.rows + first for part, first in zip(parts, before, strict=False)])
    codes, columns, region = (
        np.concatenate([getattr(part.bases, name) for part in parts])
        for name in ("codes", "columns", "region")
    )
    group = np.concatenate([2 * number + part.coding for number, part in enumerate(parts)])
    return MaskedBases(codes, rows, columns, region), group


def nuclear_run(
    recipe: Recipe, corpus: Corpus, questions: dict[str, Questions], folder: Path
) -> dict[str, Any]:
    """Scores of an encoder and of k-mer models of one set of windows, by species and by coding or not."""
    windows = CorpusSampler(
        corpus,
        recipe.sampler,
        seed=recipe.seed,
        weights=recipe.corpus.weights,
        windows=recipe.corpus.windows,
    )
    checkpoint = trained(recipe, windows, folder)
    hidden, group = asked_together(questions)
    stored = np.stack([corpus.row(int(row)).codes for row in windows.rows])
    chances = kmer_surprise(stored, np.random.default_rng(0).permutation(len(stored)) % 4, hidden)
    chances["encoder"] = encoder_probabilities(hidden, checkpoint, show=False)
    found: dict[str, Any] = {}
    for model, values in chances.items():
        for what, score in by_group(hidden, values, group).items():
            found |= {f"{model}/{name}/{what}": score[2 * i : 2 * i + 2] for i, name in enumerate(questions)}
    return with_means(found)


def run_nuclear(arguments: argparse.Namespace, recipe: Recipe, ledger: Ledger, console: Console) -> None:
    folder = arguments.corpus or recipe.corpus.path
    corpus = open_corpus(folder)
    digest = sha256(folder / "manifest.json")
    questions = {name: load_questions(name, ledger) for name in UNSEEN}
    found: dict[str, list[Values]] = {}
    for seed in range(1, arguments.replicates + 1):
        for name in arguments.genomes:
            weights = NUCLEAR[name]
            source = replace(recipe.corpus, weights=weights)
            plan = replace(recipe, seed=seed, corpus=source)
            key = {"case": "nuclear", "species": name, "replicate": seed}
            make = partial(nuclear_run, plan, corpus, questions)
            values = ledger.run(key, [asdict(plan), digest, K], make)
            found.setdefault(name, []).append(values)
            print(key, flush=True)
    for species, asked in questions.items():
        weights = np.bincount(np.asarray(asked.coding, dtype=int)) / len(asked.bases.rows)
        report_nuclear(species, weights, found, console)


def report_nuclear(
    species: str, shares: NDArray[np.float64], found: dict[str, list[Values]], console: Console
) -> None:
    table = Table(
        "windows from", "model", "surprise", "coding", "other", "less Brassica alone: all", "coding", "other"
    )
    parts: dict[str, Callable[[NDArray[np.float64]], float]] = {
        "all": lambda v: float(v @ shares),
        "coding": lambda v: float(v[1]),
        "other": lambda v: float(v[0]),
    }
    for name, runs in found.items():
        for model in ("encoder", *KMERS):
            what = f"{model}/{species}/surprise"
            scores = {part: [pick(run[what]) for run in runs] for part, pick in parts.items()}
            alone = {part: [pick(run[what]) for run in found["Brassica"]] for part, pick in parts.items()}
            gains = [spoken(list(np.subtract(scores[part], alone[part]))) for part in parts]
            cells = [f"{np.mean(values):.4f}" for values in scores.values()]
            table.add_row(name, model, *cells, *(gains if name != "Brassica" else ["", "", ""]))
    table.title = species
    console.print(table)


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("case", choices=["plastomes", "nuclear"])
    parser.add_argument("--recipe", type=Path, default=Path("recipes/depth.toml"), help="network, schedule")
    parser.add_argument("--steps", type=int, help="instead of the recipe's")
    parser.add_argument("--corpus", type=Path, help="nuclear: instead of the recipe's")
    parser.add_argument("--out", type=Path, default=Path("runs/depth"), help="where finished runs are kept")
    parser.add_argument("--replicates", type=int, default=3)
    parser.add_argument("--species", type=int, nargs="+", default=[4, 32, 0], help="0 for all")
    parser.add_argument("--encoder-species", type=int, nargs="+", default=[4, 0])
    parser.add_argument("--genomes", nargs="+", default=list(NUCLEAR), choices=list(NUCLEAR))
    parser.add_argument("--encoder-replicates", type=int, default=100, help="k-mer models cost much less")
    arguments = parser.parse_args()
    run = run_plastomes if arguments.case == "plastomes" else run_nuclear
    recipe = read_recipe(arguments.recipe)
    if arguments.steps:
        recipe = replace(recipe, schedule=replace(recipe.schedule, steps=arguments.steps))
    run(arguments, recipe, Ledger(arguments.out), Console(width=190))


if __name__ == "__main__":
    main()
