"""Training sets chosen by CDmean or PEVmean, compared with random ones: r of GBLUP on the remaining lines.

The 25 tasks of the scoreboard, eight panels. For each task the lines with a value of the trait are candidates
without phenotypes. 50 or 100 are chosen from the markers alone (heritability assumed to be 0.5, nothing
learned from the trait), GBLUP is fitted on them and predicts the others. Random: the mean of 20 draws with
its 95 % interval (t). "on the same lines" is paired: chosen minus random on the lines in neither training
set, so that a choice does not win by removing lines that are hard to predict. Its 95 % interval is over
draws, for these panels and phenotypes only. Panels with more than 4,000 markers are thinned evenly to 4,000.

    OMP_NUM_THREADS=1 python benchmarks/accuracy/phenotype_next.py      # needs BUDWOOD_DATA
    python benchmarks/accuracy/phenotype_next.py --panel wheat_cimmyt599   # one panel
"""

from __future__ import annotations

import csv
import sys
import time
from itertools import groupby
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.common.arguments import parser_for
from benchmarks.common.panels import data_folder
from budwood.genomics.genotypes import Genotypes
from budwood.genomics.io.tables.phenotypes.read_phenotypes import read_phenotypes
from budwood.genomics.io.variants.open_genotypes import read_genotypes
from budwood.prediction.kernels.kernel_model import GBLUP
from budwood.prediction.kernels.panel_kernels import PanelKernels
from budwood.prediction.phenotype_next import phenotype_next
from budwood.stats.evaluation.metrics import pearson_r
from budwood.stats.evaluation.paired_difference import corrected_interval
from budwood.stats.training_set.training_design import Criterion

COUNTS, DRAWS, MARKERS = (50, 100), 20, 4000
CRITERIA: tuple[Criterion, ...] = ("cdmean", "pevmean")


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--panel", action="append", help="only these panels")
    parser.add_argument("--draws", type=int, default=DRAWS)
    arguments = parser.parse_args()
    data = data_folder()
    with (data / "reference/scoreboard_peers.csv").open(newline="") as handle:
        tasks = [(row["panel"], row["phenotypes"], row["trait"]) for row in csv.DictReader(handle)]
    console = Console(width=190)
    found = {}
    for panel, members in groupby(tasks, key=lambda task: task[0]):
        if not arguments.panel or panel in arguments.panel:
            began = time.perf_counter()
            found[panel] = run_panel(data / "panels" / panel, list(members), arguments.draws)
            figures = "; ".join(line_of(count, found[panel][:, i]) for i, count in enumerate(COUNTS))
            console.print(f"{panel}: {figures}; {time.perf_counter() - began:.0f} s", soft_wrap=True)
    for place, count in enumerate(COUNTS):
        console.print(table_of(count, {panel: scores[:, place] for panel, scores in found.items()}))


def run_panel(folder: Path, tasks: list[tuple[str, str, str]], draws: int) -> NDArray[np.float64]:
    """(tasks, counts, criteria, draws, 3): r chosen, r random, and the difference on the same lines."""
    genotypes = read_genotypes(folder)
    columns = np.linspace(0, len(genotypes.markers) - 1, min(MARKERS, len(genotypes.markers))).astype(np.intp)
    genotypes = genotypes.take_markers(columns)
    return np.array([run_task(genotypes, folder / file, trait, draws) for _, file, trait in tasks])


def run_task(genotypes: Genotypes, path: Path, trait: str, draws: int) -> NDArray[np.float64]:
    values = read_phenotypes(path).means(trait)
    lines = sorted(name for name in values if name in genotypes.row)
    panel = genotypes.take([genotypes.row[name] for name in lines])
    predictors, y = PanelKernels(panel), np.array([values[name] for name in lines])
    scores = np.empty((len(COUNTS), len(CRITERIA), draws, 3))
    for i, count in enumerate(COUNTS):
        random = [np.sort(np.random.default_rng(seed).permutation(len(y))[:count]) for seed in range(draws)]
        by_chance = [predicted(predictors, rows, y) for rows in random]
        for j, criterion in enumerate(CRITERIA):
            chosen = phenotype_next(panel, count, criterion=criterion)
            rows = np.sort([panel.row[line.accession] for line in chosen.lines])
            forecast = predicted(predictors, rows, y)
            for draw, (drawn, other) in enumerate(zip(random, by_chance, strict=True)):
                scores[i, j, draw] = compare(rows, forecast, drawn, other, y)
    return scores


def predicted(
    predictors: PanelKernels, training: NDArray[np.intp], y: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(n,) GBLUP predictions from the training rows."""
    everyone = predictors.lines(np.arange(len(y)), training)
    return GBLUP.fit(predictors, training, y[training]).predict(everyone).value


def compare(
    chosen: NDArray[np.intp],
    forecast: NDArray[np.float64],
    drawn: NDArray[np.intp],
    other: NDArray[np.float64],
    y: NDArray[np.float64],
) -> tuple[float, float, float]:
    every = np.arange(len(y))
    left, left_by_chance = np.setdiff1d(every, chosen), np.setdiff1d(every, drawn)
    same = np.intersect1d(left, left_by_chance)
    return (
        pearson_r(forecast[left], y[left]),
        pearson_r(other[left_by_chance], y[left_by_chance]),
        pearson_r(forecast[same], y[same]) - pearson_r(other[same], y[same]),
    )


def line_of(count: int, scores: NDArray[np.float64]) -> str:
    """A panel's figures in brief, from its scores (tasks, criteria, draws, 3)."""
    mean = scores.mean(axis=0)
    parts = [f"{count} lines: random {mean[0, :, 1].mean():.3f}"]
    for criterion, score in zip(CRITERIA, mean, strict=True):
        same = corrected_interval(score[:, 2], 0.0)
        parts.append(
            f"{criterion} {score[0, 0]:.3f}, {same.mean:+.3f} ({same.lower:+.3f} to {same.upper:+.3f})"
        )
    return ", ".join(parts)


def table_of(count: int, found: dict[str, NDArray[np.float64]]) -> Table:
    """One row for each panel, means over its traits; ``found`` holds (tasks, criteria, draws, 3)."""
    heads = ["panel", "traits", "r at random"]
    for criterion in CRITERIA:
        heads += [f"r {criterion}", "minus random", "on the same lines"]
    table = Table(*heads, title=f"{count} lines phenotyped, GBLUP on the others")
    won = np.zeros(len(CRITERIA), dtype=int)
    won_same = np.zeros(len(CRITERIA), dtype=int)
    for panel, scores in found.items():
        mean = scores.mean(axis=0)
        chance = corrected_interval(mean[0, :, 1], 0.0)
        cells = [panel, str(len(scores)), f"{chance.mean:.3f} ({chance.lower:.3f} to {chance.upper:.3f})"]
        for j in range(len(CRITERIA)):
            same = corrected_interval(mean[j, :, 2], 0.0)
            difference = mean[j, 0, 0] - chance.mean
            won[j] += difference > 0.0
            won_same[j] += same.mean > 0.0
            cells += [f"{mean[j, 0, 0]:.3f}", f"{difference:+.3f}"]
            cells.append(f"{same.mean:+.3f} ({same.lower:+.3f} to {same.upper:+.3f})")
        table.add_row(*cells)
    total = ["panels won", "", ""]
    for j in range(len(CRITERIA)):
        total += ["", f"{won[j]} of {len(found)}", f"{won_same[j]} of {len(found)}"]
    table.add_row(*total)
    return table


if __name__ == "__main__":
    main()
