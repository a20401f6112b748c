"""Coverage of intervals for a paired difference: over folds, over resampled lines, and scaled.

Panels of six families are simulated repeatedly. GBLUP on all markers is compared with GBLUP on a part of them
by cross-validation; an interval should cover the mean difference of r over all panels.

    python benchmarks/accuracy/paired_intervals.py
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np

from benchmarks.common.arguments import parser_for
from budwood.stats.evaluation.metrics import pearson_r
from budwood.stats.evaluation.paired_difference import (
    bootstrap_difference,
    bootstrap_mean_r,
    corrected_interval,
)
from budwood.stats.evaluation.splitters import Folds, cluster_folds, random_folds

MARKERS, FAMILIES, FOLDS, REPEATS, DRAWS = 300, 6, 5, 5, 500


@dataclass
class Found:
    """Mean differences of the panels so far, and the limits of their intervals by kind."""

    mean: list[float] = field(default_factory=list)
    ends: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def add(self, kind: str, lower: float, upper: float) -> None:
        self.ends.setdefault(kind, []).append((lower, upper))

    def line(self) -> str:
        truth, cells = float(np.mean(self.mean)), []
        for kind, ends in self.ends.items():
            lower, upper = np.array(ends).T
            covered = np.mean((lower <= truth) & (truth <= upper))
            cells.append(f"{kind}: covers {covered:.2f}, width {np.mean(upper - lower):.3f}")
        return f"difference {truth:+.3f} (sd over panels {np.std(self.mean):.3f}); " + "; ".join(cells)


def predicted(x: np.ndarray, y: np.ndarray, training: np.ndarray, held_out: np.ndarray) -> np.ndarray:
    """GBLUP with a heritability of one half."""
    z = x - x[training].mean(axis=0)
    kernel = z @ z[training].T
    kernel /= np.trace(kernel[training]) / len(training)
    weights = np.linalg.solve(kernel[training] + np.eye(len(training)), y[training] - y[training].mean())
    return kernel[held_out] @ weights


def judge(found: Found, x: np.ndarray, y: np.ndarray, part: int, divisions: list[Folds], seed: int) -> None:
    held = np.zeros((2, len(divisions), len(y)))
    fold_r: tuple[list[float], list[float]] = ([], [])
    for repeat, folds in enumerate(divisions):
        for fold in np.unique(folds):
            training, rows = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
            for model, markers in enumerate((MARKERS, part)):
                held[model, repeat, rows] = predicted(x[:, :markers], y, training, rows)
                fold_r[model].append(pearson_r(held[model, repeat, rows], y[rows]))
    count = int(divisions[0].max()) + 1
    over_folds = corrected_interval(np.array(fold_r[1]) - np.array(fold_r[0]), 1.0 / (count - 1))
    draws = [bootstrap_mean_r(each, y, np.array(divisions), seed=seed, draws=DRAWS) for each in held]
    stretched = bootstrap_difference(draws[0], draws[1], over_folds.mean, count)
    found.mean.append(over_folds.mean)
    found.add("over folds", over_folds.lower, over_folds.upper)
    found.add("draws alone", *map(float, np.quantile(draws[1] - draws[0], [0.025, 0.975])))
    found.add("draws, stretched", stretched.lower, stretched.upper)


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--panels", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    generator = np.random.default_rng(chosen.seed)
    effects = generator.standard_normal(MARKERS)
    for part in (MARKERS // 3, 5 * MARKERS // 6):
        for lines in (60, 150):
            for scheme in ("random", "clusters"):
                found = Found()
                for panel in range(chosen.panels):
                    frequency = generator.uniform(0.05, 0.95, (FAMILIES, MARKERS))
                    x = generator.binomial(2, frequency[generator.integers(0, FAMILIES, lines)]).astype(float)
                    genetic = x @ effects
                    y = genetic / genetic.std() + generator.standard_normal(lines)
                    if scheme == "random":
                        names = [f"line{k:03d}" for k in range(lines)]
                        divisions = [random_folds(names, FOLDS, REPEATS * panel + r) for r in range(REPEATS)]
                    else:
                        divisions = [cluster_folds(x @ x.T, FOLDS)]
                    judge(found, x, y, part, divisions, panel)
                print(f"{part} of {MARKERS} markers, {lines} lines, {scheme}: {found.line()}", flush=True)


if __name__ == "__main__":
    main()
