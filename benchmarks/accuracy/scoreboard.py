"""Our models and four peers on the 25 tasks of `reference/scoreboard_peers.csv`, on the same folds.

Folds: accession ids sorted, fold = `default_rng(repeat).permutation(n) % 5`, repeats 0 and 1. Every finished
task is a line of the file `--out`; a second run resumes. Only the mean over folds is known for the peers, so
the interval (95 %, Nadeau and Bengio 2003) is for our own: the last model minus GBLUP. "Their best" is the
peer with the highest mean r on that task, which nobody can know beforehand.

    OMP_NUM_THREADS=1 python benchmarks/accuracy/scoreboard.py --out scores.jsonl          # needs
    BUDWOOD_DATA ... --models gblup,auto --only wheat_cimmyt599        # some models, some panels or traits
    ... --show                                            # the table of the finished results ... --show
    --markdown                                 # the same for the docs
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.common.arguments import parser_for
from benchmarks.common.panels import data_folder, read_panel
from benchmarks.common.results_file import append_result, read_results
from budwood.prediction.kernels.panel_kernels import PanelKernels
from budwood.prediction.models.registry import model_named
from budwood.stats.evaluation.metrics import coverage, pearson_r
from budwood.stats.evaluation.paired_difference import corrected_interval
from budwood.stats.evaluation.splitters import random_folds

REPEATS, FOLDS = 2, 5
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


def read(data: Path, task: Task) -> tuple[PanelKernels, NDArray[np.float64]]:
    """Phenotyped accessions in sorted order."""
    genotypes, y = read_panel(data / "panels" / task.panel, task.phenotypes, task.trait)
    return PanelKernels(genotypes), y


def score(data: Path, task: Task, name: str) -> dict[str, object]:
    predictors, y = read(data, task)
    model = model_named(name)
    fold_r, inside, begun = [], [], perf_counter()
    for repeat in range(REPEATS):
        folds = random_folds(predictors.genotypes.accessions, FOLDS, repeat)
        for fold in range(FOLDS):
            training, held_out = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
            found = model.fit(predictors, training, y[training]).predict(predictors.lines(held_out, training))
            fold_r.append(pearson_r(found.value, y[held_out]))
            inside.append(coverage(found.lower_90, found.upper_90, y[held_out]))
    seconds = (perf_counter() - begun) / len(fold_r)
    return {
        **{"task": task.name, "model": name, "n": len(y), "fold_r": fold_r},
        **{"coverage_90": float(np.mean(inside)), "seconds_per_fit": seconds},
    }


def rows(
    done: dict[tuple[str, str], dict], chosen: list[Task], models: list[str]
) -> tuple[list[str], list[list[str]]]:
    """Header and one row for each task that every model has finished, the means last."""
    header = ["task", "n", "peers' GBLUP", "their best", *models]
    paired = "gblup" in models[:-1]
    header += [*([f"{models[-1]} minus gblup (95 %)"] if paired else []), f"{models[-1]} minus their best"]
    header += ["covers", "s / fit"]
    complete = [task for task in chosen if all((task.name, model) in done for model in models)]
    found, means = [], []
    for task in complete:
        ours = [done[task.name, model] for model in models]
        best = max(task.peers, key=lambda peer: task.peers[peer])
        r = [float(np.mean(each["fold_r"])) for each in ours]
        means.append([task.peers["GBLUP"], task.peers[best], *r])
        row = [task.name, str(ours[-1]["n"]), f"{task.peers['GBLUP']:.3f}", f"{task.peers[best]:.3f} {best}"]
        row += [f"{value:.3f}" for value in r]
        if paired:
            gains = np.subtract(ours[-1]["fold_r"], done[task.name, "gblup"]["fold_r"])
            gain = corrected_interval(gains, test_to_train=1 / (FOLDS - 1))
            row.append(f"{gain.mean:+.3f} ({gain.lower:+.3f} to {gain.upper:+.3f})")
        row.append(f"{r[-1] - task.peers[best]:+.3f}")
        found.append([*row, f"{ours[-1]['coverage_90']:.2f}", f"{ours[-1]['seconds_per_fit']:.1f}"])
    if complete:
        found.append(_mean_row(np.mean(means, axis=0), models, paired, done, complete))
    return header, found


def _mean_row(
    means: NDArray[np.float64],
    models: list[str],
    paired: bool,
    done: dict[tuple[str, str], dict],
    complete: list[Task],
) -> list[str]:
    row = [f"mean of {len(complete)}", "", *(f"{value:.4f}" for value in means)]
    row += [f"{means[-1] - means[2 + models.index('gblup')]:+.4f}"] if paired else []
    last = [done[task.name, models[-1]] for task in complete]
    covers, seconds = (np.mean([each[key] for each in last]) for key in ("coverage_90", "seconds_per_fit"))
    return [*row, f"{means[-1] - means[1]:+.4f}", f"{covers:.2f}", f"{seconds:.1f}"]


def show(header: list[str], body: list[list[str]], markdown: bool) -> None:
    if markdown:
        aligned = ["---" if name in {"task", "their best"} else "--:" for name in header]
        for row in (header, aligned, *body):
            print(f"| {' | '.join(row)} |")
        return
    table = Table(*header)
    for row in body:
        table.add_row(*row)
    Console(width=200).print(table)


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--models", default="gblup,gaussian,auto")
    parser.add_argument("--only", default="", help="part of a panel's or trait's name")
    parser.add_argument("--show", action="store_true", help="show what is there, compute nothing")
    parser.add_argument("--markdown", action="store_true", help="print the table as markdown")
    options = parser.parse_args()
    data, models = data_folder(), options.models.split(",")
    chosen = [task for task in tasks(data) if options.only in task.name]
    for task in [] if options.show else chosen:
        for model in models:
            if (task.name, model) not in read_results(options.out, "task", "model"):
                append_result(options.out, score(data, task, model))
    show(*rows(read_results(options.out, "task", "model"), chosen, models), options.markdown)


if __name__ == "__main__":
    main()
