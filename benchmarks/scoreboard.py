"""Our models beside the peers' on the 25 tasks of `reference/scoreboard_peers.csv`, on the peers' folds.

Folds: accession ids sorted, fold = `default_rng(repeat).permutation(n) % 5`, repeats 0 and 1. Every finished
task is a line of the file given as `--out`; a second run goes on where the first stopped. Only the mean over
folds is known of the peers, so the interval (95 %, Nadeau and Bengio 2003) is of our own: the last model less
GBLUP.

    OMP_NUM_THREADS=1 python benchmarks/scoreboard.py --out scores.jsonl          # needs MERISTEM_DATA
    ... --models gblup,auto --only wheat_cimmyt599        # some models, some panels or traits
    ... --show                                            # the table of what is there
"""

from __future__ import annotations

import argparse
import csv
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from meristem.genomics.genotypes import Genotypes
from meristem.prediction.models import model_named
from meristem.prediction.predictors import Predictors
from meristem.stats.metrics import coverage, pearson_r
from meristem.stats.paired import corrected_interval
from meristem.stats.splits import random_folds

REPEATS, FOLDS = 2, 5
TETRAPLOID = {"potato_gwaspoly", "potato_stagewise"}
PEERS = ("GBLUP", "RKHS", "RF", "LightGBM")


@dataclass(frozen=True)
class Task:
    panel: str
    phenotypes: str
    trait: str
    peers: dict[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.panel} {self.trait}"


def tasks(data: Path) -> Iterator[Task]:
    with (data / "reference/scoreboard_peers.csv").open(newline="", encoding="utf-8") as handle:
        for row in csv.DictReader(handle):
            peers = {peer: float(row[peer]) for peer in PEERS}
            yield Task(row["panel"], row["phenotypes"], row["trait"], peers)


def read(data: Path, task: Task) -> tuple[Predictors, NDArray[np.float64]]:
    """Labelled accessions in sorted order."""
    folder = data / "panels" / task.panel
    stored = np.load(folder / "geno.npz")
    row = {str(name): i for i, name in enumerate(stored["ids"])}
    values = {}
    with (folder / task.phenotypes).open(newline="", encoding="utf-8") as handle:
        reader = csv.DictReader(handle)
        first = reader.fieldnames[0]
        for record in reader:
            text = record[task.trait]
            if record[first] in row and text not in ("", "NA", "nan", "NaN"):
                values[record[first]] = float(text)
    names = sorted(values)
    dosage = stored["dosage"][[row[name] for name in names]]
    genotypes = Genotypes.from_matrix(names, dosage, ploidy=4 if task.panel in TETRAPLOID else 2)
    return Predictors(genotypes), np.array([values[name] for name in names])


def score(data: Path, task: Task, name: str) -> dict[str, object]:
    predictors, y = read(data, task)
    model = model_named(name)
    fold_r, inside, begun = [], [], perf_counter()
    for repeat in range(REPEATS):
        folds = random_folds(predictors.genotypes.accessions, FOLDS, repeat)
        for fold in range(FOLDS):
            training, held_out = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
            found = model.fit(predictors, training, y[training]).predict(held_out)
            fold_r.append(pearson_r(found.value, y[held_out]))
            inside.append(coverage(found.lower_90, found.upper_90, y[held_out]))
    seconds = (perf_counter() - begun) / len(fold_r)
    return {
        **{"task": task.name, "model": name, "n": len(y), "fold_r": fold_r},
        **{"coverage_90": float(np.mean(inside)), "seconds_per_fit": seconds},
    }


def finished(out: Path) -> dict[tuple[str, str], dict]:
    if not out.exists():
        return {}
    lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines() if line]
    return {(line["task"], line["model"]): line for line in lines}


def show(done: dict[tuple[str, str], dict], chosen: list[Task], models: list[str]) -> None:
    table = Table(
        "task", "n", "peers' GBLUP", "their best", *models, "last less GBLUP (95 %)", "covers", "s / fit"
    )
    complete = [task for task in chosen if all((task.name, model) in done for model in models)]
    for task in complete:
        ours = [done[task.name, model] for model in models]
        last, difference = ours[-1], "-"
        if "gblup" in models[:-1]:
            gains = np.subtract(last["fold_r"], done[task.name, "gblup"]["fold_r"])
            found = corrected_interval(gains, test_to_train=1 / (FOLDS - 1))
            difference = f"{found.mean:+.3f} ({found.lower:+.3f} to {found.upper:+.3f})"
        best = max(task.peers, key=lambda peer: task.peers[peer])
        table.add_row(
            *(task.name, str(last["n"]), f"{task.peers['GBLUP']:.3f}", f"{task.peers[best]:.3f} {best}"),
            *(f"{np.mean(each['fold_r']):.3f}" for each in ours),
            *(difference, f"{last['coverage_90']:.2f}", f"{last['seconds_per_fit']:.1f}"),
        )
    if complete:
        means = [np.mean([np.mean(done[t.name, model]["fold_r"]) for t in complete]) for model in models]
        theirs = np.mean([task.peers["GBLUP"] for task in complete])
        best_mean = np.mean([max(task.peers.values()) for task in complete])
        table.add_section()
        table.add_row(
            f"mean of {len(complete)}", "", f"{theirs:.3f}", f"{best_mean:.3f}", *(f"{m:.3f}" for m in means)
        )
    Console(width=190).print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--models", default="gblup,gaussian,random-forest,lightgbm,auto")
    parser.add_argument("--only", default="", help="part of a panel's or trait's name")
    parser.add_argument("--show", action="store_true", help="show what is there, compute nothing")
    options = parser.parse_args()
    data, models = Path(os.environ["MERISTEM_DATA"]), options.models.split(",")
    chosen = [task for task in tasks(data) if options.only in task.name]
    for task in [] if options.show else chosen:
        for model in models:
            if (task.name, model) not in finished(options.out):
                line = json.dumps(score(data, task, model))
                with options.out.open("a", encoding="utf-8") as handle:
                    handle.write(line + "\n")
    show(finished(options.out), chosen, models)


if __name__ == "__main__":
    main()
