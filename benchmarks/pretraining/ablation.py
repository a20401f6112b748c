"""Contribution of each pre-training objective: small encoders, leaving out one objective at a time.

    python benchmarks/pretraining/ablation.py --corpus runs/corpus --out runs/ablation --seeds 3

Every row is the recipe with some objectives switched off: the same network and initial weights, the same
windows in the same order, the same masked bases, the same number of bases. (A row with alignments reads one
window of them instead of the last window of each batch.) Scored on Arabidopsis and rice, neither of which is
in the corpus: surprisal (nats) and accuracy at masked bases, one in 16, over all bases and in coding
sequence; AUROC of coding against other bases, at the masked bases, by a linear classifier on frozen vectors
of bases, and by the network's own region head where the row trains it; AUROC of splice donors against GT
decoys by a linear classifier on frozen centre-pooled vectors (of 256 bases). Both are fitted on Brassica
napus alone.

Difference to all four objectives: paired by seed and by scored window. Its interval adds the variance between
seeds (rows x seeds as blocks, one variance for all trained rows) to that of the scored windows (bootstrap).
Finished runs are kept in --out; a second run makes only the missing ones, so --seeds can be raised later.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy.special import stdtrit
from sklearn.linear_model import RidgeClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.common.arguments import parser_for
from benchmarks.common.small_trainings import Ledger, Values, trained
from benchmarks.common.unseen_species import TRAINING, open_species
from benchmarks.common.unseen_species import UNSEEN as UNSEEN_SPECIES
from budwood.artifacts import sha256
from budwood.genomics.annotation.base_class import CODING
from budwood.inference.embed import Pool, embed_windows
from budwood.model.checkpoint import Checkpoint, random_checkpoint
from budwood.model.encoder import BudwoodConfig
from budwood.probing.masked_bases import MaskedBases, mask_bases, surprisal
from budwood.probing.sites import collect_sites
from budwood.training.data.sources import load_alignments, open_training_data
from budwood.training.objective.alignment_columns import ColumnSampler
from budwood.training.objective.objectives import ObjectiveConfig
from budwood.training.recipe.recipe import CorpusSource, Recipe, read_recipe

REFERENCE = "all four"
#: Weights switched off, or other values of the objective, by row.
ROWS: dict[str, dict[str, Any] | None] = {
    "random weights": None,
    "span": {"region_weight": 0.0, "locus_weight": 0.0, "column_weight": 0.0},
    "span, single bases": {
        "region_weight": 0.0,
        "locus_weight": 0.0,
        "column_weight": 0.0,
        "single_share": 1.0,
    },
    "region": {"span_weight": 0.0, "locus_weight": 0.0, "column_weight": 0.0},
    "span + region": {"locus_weight": 0.0, "column_weight": 0.0},
    "all but span": {"span_weight": 0.0},
    "all but region": {"region_weight": 0.0},
    "all but locus": {"locus_weight": 0.0},
    "all but column": {"column_weight": 0.0},
    REFERENCE: {},
    "all four + order": {"order_weight": 0.1},
    "all four + mean vectors": {"pooled_weight": 0.5},
}
SPECIES = {
    "Brassica": TRAINING,
    "Arabidopsis": UNSEEN_SPECIES["Arabidopsis thaliana"],
    "rice": UNSEEN_SPECIES["Oryza sativa"],
}
FITTED_ON, UNSEEN = "Brassica", ("Arabidopsis", "rice")
#: Windows of 512 bases in which bases are scored, sites and bases on either side of them, draws of windows.
WINDOWS, SITES, SITE_REACH, DRAWS = 128, 128, 128, 200
METRICS = ("surprise", "coding surprise", "accuracy", "coding, probe", "coding, head", "donors, probe")


@dataclass(frozen=True)
class Questions:
    """Masked bases and donors of one species."""

    bases: MaskedBases
    donors: NDArray[np.uint8]
    is_donor: NDArray[np.bool_]

    @property
    def coding(self) -> NDArray[np.bool_]:
        return np.isin(self.bases.region, CODING)


def load_questions(name: str, ledger: Ledger) -> Questions:
    """Masked bases and donors of a species; stored with the runs because reading a genome takes a while."""
    asked = ledger.run({"questions": name}, [WINDOWS, SITES, SITE_REACH], lambda _: find_questions(name))
    bases = MaskedBases(asked["codes"], asked["rows"], asked["columns"], asked["region"])
    return Questions(bases, asked["donors"], asked["is_donor"])


def find_questions(name: str) -> dict[str, Any]:
    assembly, annotation = open_species(*SPECIES[name])
    tiles = sum(-(-length // 512) for length in assembly.contigs.values())
    bases = mask_bases(assembly, annotation, every=max(1, tiles // WINDOWS))
    donors = collect_sites(assembly, annotation, "donor", limit=SITES)
    middle = donors.windows.shape[1] // 2
    near = donors.windows[:, middle - SITE_REACH : middle + SITE_REACH]
    places = {"rows": bases.rows, "columns": bases.columns, "region": bases.region}
    return {"codes": bases.codes, **places, "donors": near, "is_donor": donors.is_site}


def read_bases(bases: MaskedBases, checkpoint: Checkpoint) -> tuple[NDArray[np.float64], ...]:
    """At every masked base: probabilities of A, C, G, T; its vector; its probability to be coding."""
    shown = bases.masked_codes
    parts = []
    with torch.inference_mode():
        for begin in range(0, len(shown), 32):
            reading = checkpoint.encoder(torch.from_numpy(shown[begin : begin + 32].astype(np.int64)))
            asked = (bases.rows >= begin) & (bases.rows < begin + 32)
            places = bases.rows[asked] - begin, bases.columns[asked]
            coding = reading.regions[places].softmax(-1)[:, list(CODING)].sum(-1)
            chances = reading.bases[places].softmax(-1)
            parts.append([t.double().numpy() for t in (chances, reading.last_hidden_state[places], coding)])
    return tuple(np.concatenate(track) for track in zip(*parts, strict=True))


def probe(vectors: NDArray[Any], truth: NDArray[np.bool_]) -> Any:
    """A linear classifier on standardised vectors; leave-one-out cross-validation chooses the penalty."""
    return make_pipeline(StandardScaler(), RidgeClassifierCV(np.logspace(0, 5, 11))).fit(vectors, truth)


def donor_vectors(asked: Questions, checkpoint: Checkpoint) -> NDArray[np.float32]:
    return embed_windows(asked.donors, checkpoint, pool=Pool.CENTRE, cache=False, show=False)


def score(checkpoint: Checkpoint, questions: Mapping[str, Questions]) -> dict[str, Any]:
    """Scores of an encoder at every masked base and donor of the unseen species."""
    known = questions[FITTED_ON]
    coding_probe = probe(read_bases(known.bases, checkpoint)[1], known.coding)
    donor_probe = probe(donor_vectors(known, checkpoint), known.is_donor)
    found: dict[str, Any] = {}
    for name in UNSEEN:
        asked = questions[name]
        chances, vectors, coding = read_bases(asked.bases, checkpoint)
        found[f"{name}/surprise"] = surprisal(asked.bases, chances)
        found[f"{name}/accuracy"] = (chances.argmax(1) == asked.bases.truth).astype(np.float64)
        found[f"{name}/coding, probe"] = coding_probe.decision_function(vectors)
        found[f"{name}/coding, head"] = coding
        found[f"{name}/donors, probe"] = donor_probe.decision_function(donor_vectors(asked, checkpoint))
    return found


def auroc_by_draw(
    decision: NDArray[np.floating], truth: NDArray[np.bool_], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """AUROC under each row of (draws, n) weights."""
    order = np.argsort(decision, kind="stable")
    drawn, positive = weights[:, order], truth[order]
    right, wrong = drawn * positive, drawn * ~positive
    areas: NDArray[np.float64] = (right * np.cumsum(wrong, axis=1)).sum(1) / (right.sum(1) * wrong.sum(1))
    return areas


def draws_of(metric: str, name: str, values: Values, asked: Questions) -> NDArray[np.float64]:
    """A metric, and its value under draws of the scored windows (the same draws for every run)."""
    random = np.random.default_rng(0)
    if metric == "donors, probe":
        truth = asked.is_donor
        counts = random.multinomial(len(truth), np.full(len(truth), 1 / len(truth)), size=DRAWS)
        weights = np.vstack([np.ones(len(truth)), counts])
        return auroc_by_draw(values[f"{name}/{metric}"], truth, weights)
    number = len(asked.bases.codes)
    counts = random.multinomial(number, np.full(number, 1 / number), size=DRAWS)
    weights = np.vstack([np.ones(number), counts])[:, asked.bases.rows]
    if metric.startswith("coding, "):
        return auroc_by_draw(values[f"{name}/{metric}"], asked.coding, weights)
    kind = "accuracy" if metric == "accuracy" else "surprise"
    if metric == "coding surprise":
        weights = weights * asked.coding
    return weights @ values[f"{name}/{kind}"] / weights.sum(1)


def interval(drawn: NDArray[np.float64], reference: int) -> list[tuple[float, float]]:
    """Difference of each row to the reference, and half the width of its 95 % interval.

    ``drawn`` is (rows, seeds, 1 + draws). Without a second seed the interval is over windows alone.
    """
    rows, seeds, _ = drawn.shape
    point = drawn[:, :, 0]
    residual = point - point.mean(0) - point.mean(1, keepdims=True) + point.mean()
    freedom = (rows - 1) * (seeds - 1)
    between = 2 * (residual**2).sum() / freedom / seeds if freedom else 0.0
    # Over windows alone the draws are many: the quantile is the normal one.
    factor = float(stdtrit(freedom or np.inf, 0.975))
    found = []
    for row in range(rows):
        difference = (drawn[row] - drawn[reference]).mean(0)
        half = factor * np.sqrt(between + difference[1:].var(ddof=1)) if row != reference else 0.0
        found.append((float(difference[0]), float(half)))
    return found


def report(
    name: str, runs: dict[str, list[Values]], asked: Questions, recipe: Recipe, console: Console
) -> None:
    rows = list(runs)
    table = Table("objectives", *METRICS, title=f"{name}: mean over seeds +- spread (SD) of seeds")
    other = Table("objectives", *METRICS, title=f"{name}: difference to all four +- half a 95 % interval")
    cells: dict[str, list[str]] = {row: [] for row in rows}
    apart: dict[str, list[str]] = {row: [] for row in rows}
    for metric in METRICS:
        asks = [row for row in rows if answers(row, metric, recipe)]
        drawn = np.array([[draws_of(metric, name, run, asked) for run in runs[row]] for row in asks])
        # Random weights vary in another way than trained ones: their seeds do not enter the shared variance.
        ours = [row for row in asks if row != "random weights"]
        kept = drawn[[asks.index(row) for row in ours]]
        differences = dict(zip(ours, interval(kept, ours.index(REFERENCE)), strict=True))
        for row in rows:
            point = drawn[asks.index(row), :, 0] if row in asks else None
            spread = "" if point is None or len(point) < 2 else f" +-{point.std(ddof=1):.3f}"
            cells[row].append("-" if point is None else f"{point.mean():.3f}{spread}")
            mean, half = differences.get(row, (np.nan, np.nan))
            difference = f"{mean:+.3f} +-{half:.3f}" + (" *" if abs(mean) > half else "")
            apart[row].append(difference if row in differences and row != REFERENCE else "-")
    for row in rows:
        table.add_row(row, *cells[row])
        other.add_row(row, *apart[row])
    console.print(table)
    console.print(other)


def answers(row: str, metric: str, recipe: Recipe) -> bool:
    """Whether the row trains the head that the metric reads."""
    changed = ROWS[row]
    if changed is None:
        return metric != "coding, head"
    objective = replace(recipe.objective, **changed)
    if metric == "coding, head":
        return bool(objective.region_weight)
    return "probe" in metric or bool(objective.span_weight)


def make_run(
    row: str, recipe: Recipe, columns: ColumnSampler, questions: Mapping[str, Questions], folder: Path
) -> dict[str, Any]:
    begun = time.process_time()
    changed = ROWS[row]
    if changed is None:
        checkpoint = random_checkpoint(BudwoodConfig(**recipe.encoder), seed=recipe.seed)
    else:
        objective = replace(recipe.objective, **changed)
        recipe = replace(recipe, objective=objective)
        windows = open_training_data(without_columns(recipe)).training
        checkpoint = trained(recipe, windows, folder, columns if objective.column_weight else None)
    training = time.process_time() - begun
    found = score(checkpoint, questions)
    scores = {what: values for what, values in found.items() if what.endswith(("surprise", "accuracy"))}
    means = {f"mean {what}": round(float(values.mean()), 4) for what, values in scores.items()}
    seconds = {"training_seconds": round(training, 1), "seconds": round(time.process_time() - begun, 1)}
    return found | means | seconds


def without_columns(recipe: Recipe) -> Recipe:
    """The recipe for what it draws from the corpus: alignments are read once for all runs."""
    return replace(recipe, objective=ObjectiveConfig())


def run_all(
    arguments: argparse.Namespace, recipe: Recipe, questions: Mapping[str, Questions], ledger: Ledger
) -> dict[str, list[Values]]:
    """Run every row of one seed before the next seed, so that whole seeds are finished first."""
    alignments = load_alignments(recipe.alignments)
    corpus = sha256(recipe.corpus.path / "manifest.json")
    runs: dict[str, list[Values]] = {row: [] for row in arguments.row or ROWS}
    for seed in range(1, arguments.seeds + 1):
        seeded = replace(recipe, seed=seed)
        columns = ColumnSampler(
            alignments, window=recipe.sampler.window, least_species=recipe.alignments.least_species, seed=seed
        )
        for row, done in runs.items():
            depends = [asdict(seeded), ROWS[row], corpus, WINDOWS, SITES]
            make = partial(make_run, row, seeded, columns, questions)
            done.append(ledger.run({"row": row, "seed": seed}, depends, make))
            print(f"seed {seed}: {row}", flush=True)
    return runs


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--recipe", type=Path, default=Path("recipes/ablation.toml"))
    parser.add_argument("--corpus", type=Path, help="instead of the recipe's")
    parser.add_argument(
        "--out", type=Path, default=Path("runs/ablation"), help="where finished runs are kept"
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, help="instead of the recipe's")
    parser.add_argument(
        "--row", action="append", choices=list(ROWS), help=f"only these rows and {REFERENCE!r}"
    )
    arguments = parser.parse_args()
    recipe = read_recipe(arguments.recipe)
    if arguments.corpus:
        recipe = replace(recipe, corpus=CorpusSource(str(arguments.corpus)))
    if arguments.steps:
        recipe = replace(recipe, schedule=replace(recipe.schedule, steps=arguments.steps))
    if arguments.row and REFERENCE not in arguments.row:
        arguments.row.append(REFERENCE)
    ledger = Ledger(arguments.out)
    questions = {name: load_questions(name, ledger) for name in SPECIES}
    runs = run_all(arguments, recipe, questions, ledger)
    console = Console(width=190)
    size = sum(p.numel() for p in random_checkpoint(BudwoodConfig(**recipe.encoder)).encoder.parameters())
    bases = recipe.schedule.steps * recipe.schedule.batch * recipe.sampler.window
    console.print(
        f"{size / 1e6:.2f} M parameters, {bases / 1e6:.2f} M bases per run, {arguments.seeds} seeds"
    )
    for name in UNSEEN:
        report(name, runs, questions[name], recipe, console)


if __name__ == "__main__":
    main()
