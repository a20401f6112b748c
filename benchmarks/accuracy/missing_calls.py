"""Coverage of 90 % intervals where calls are missing, on simulated panels.

GBLUP on 150 lines of four families, 150 candidates, 600 markers, heritability .5. Missing at random are a
share of the calls of the candidates, or of the candidates and of every second phenotyped line. "SE / RMSE" is
the root mean squared standard error over that of the errors of the genetic values: 1 is right, less promises
too much.

    OMP_NUM_THREADS=1 python benchmarks/accuracy/missing_calls.py      # a minute
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np
from numpy.typing import NDArray

from benchmarks.common.arguments import parser_for
from budwood.genomics.genotypes import Genotypes
from budwood.prediction.kernels.panel_kernels import PanelKernels
from budwood.prediction.models.registry import model_named
from budwood.stats.evaluation.metrics import coverage, pearson_r

PANELS, LINES, MARKERS = 12, 150, 600
SHARES = (0.0, 0.5, 0.8, 0.95)
Vector = NDArray[np.float64]


def outcome(seed: int, share: float, *, training: bool) -> tuple[float, float, float, float]:
    """Coverage of the candidates' observations, mean squares of error and standard error, and r."""
    generator = np.random.default_rng(seed)
    families = generator.uniform(0.05, 0.95, (4, MARKERS))
    dosage = generator.binomial(2, families[generator.integers(0, 4, 2 * LINES)]).astype(np.int8)
    genetic = dosage @ generator.standard_normal(MARKERS)
    genetic = (genetic - genetic.mean()) / genetic.std()
    y = genetic + generator.standard_normal(2 * LINES)
    lacking = np.arange(2 * LINES) >= LINES
    lacking[:LINES:2] = training
    dosage[(generator.random(dosage.shape) < share) & lacking[:, None]] = -1
    kernels = PanelKernels(Genotypes.from_matrix([f"l{i:03d}" for i in range(2 * LINES)], dosage))
    rows, left = np.arange(LINES), np.arange(LINES, 2 * LINES)
    said = model_named("gblup").fit(kernels, rows, y[rows]).predict(kernels.lines(left, rows))
    return (
        coverage(said.lower_90, said.upper_90, y[left]),
        float(np.mean((said.value - genetic[left]) ** 2)),
        float(np.mean(said.standard_error**2)),
        pearson_r(said.value, genetic[left]),
    )


def main() -> None:
    parser_for(__doc__).parse_args()
    print("| calls missing | of | covered | lowest and highest panel | SE / RMSE | r with genetic values |")
    print("|--:|---|--:|--:|--:|--:|")
    for training, who in ((False, "candidates"), (True, "candidates, half of the phenotyped lines")):
        for share in SHARES:
            found = np.array([outcome(seed, share, training=training) for seed in range(PANELS)])
            covered, error, variance, r = found.T
            print(
                f"| {share:.0%} | {who} | {covered.mean():.3f} | "
                f"{covered.min():.2f} to {covered.max():.2f} | "
                f"{np.sqrt(variance.mean() / error.mean()):.2f} | {r.mean():.2f} |"
            )


if __name__ == "__main__":
    main()
