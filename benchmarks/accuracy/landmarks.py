"""What the Gaussian kernel loses through landmarks, beside the dense kernel.

    OMP_NUM_THREADS=1 python benchmarks/accuracy/landmarks.py soynam              # needs BUDWOOD_DATA
    OMP_NUM_THREADS=1 python benchmarks/accuracy/landmarks.py simulated --lines 2500

SoyNAM: r with the yield of a fifth of the lines, the others learn. Simulated: mosaics of 40 founders as in
large_panel.py, 3,000 markers, r with the true value of 500 lines without records.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.common.arguments import parser_for
from benchmarks.common.panels import data_folder, read_panel
from benchmarks.common.timing import cpu_seconds
from benchmarks.speed import large_panel
from budwood.genomics.genotypes import Genotypes
from budwood.prediction.kernels import landmark_model
from budwood.prediction.kernels.kernel_model import GAUSSIAN_KERNEL
from budwood.prediction.kernels.landmark_model import fit_landmark_model
from budwood.prediction.kernels.panel_kernels import PanelKernels
from budwood.stats.evaluation.metrics import coverage, pearson_r
from budwood.stats.evaluation.splitters import random_folds

MARKERS = 3_000


def simulated(lines: int) -> tuple[PanelKernels, np.ndarray, np.ndarray, int]:
    """Panel, records, what predictions are compared with, and how many lines learn."""
    with tempfile.TemporaryDirectory() as folder:
        large_panel.simulate(Path(folder), lines, MARKERS)
        calls, value, y = large_panel.read(Path(folder), lines, MARKERS)
        names = [f"line{number:05d}" for number in range(len(value))]
        panel = PanelKernels(Genotypes.from_matrix(names, np.array(calls)))
    return panel, y, value[lines:], lines


def soynam() -> tuple[PanelKernels, np.ndarray, np.ndarray, int]:
    genotypes, y = read_panel(data_folder() / "panels" / "soynam", "pheno.csv", "yield", ordered=False)
    held = random_folds(genotypes.accessions, 5, 0) == 0
    order = np.concatenate([np.flatnonzero(~held), np.flatnonzero(held)])
    learn = int((~held).sum())
    return PanelKernels(genotypes.take(order)), y[order][:learn], y[order][learn:], learn


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("panel", choices=["soynam", "simulated"])
    parser.add_argument("--lines", type=int, default=2_500)
    parser.add_argument("--landmarks", default="1000,2000,3000")
    options = parser.parse_args()
    panel, y, truth, learn = soynam() if options.panel == "soynam" else simulated(options.lines)
    training, others = np.arange(learn), np.arange(learn, len(panel))
    table = Table("landmarks", "bandwidth", "r", "inside 90 %", "CPU s")
    for count in [0, *map(int, options.landmarks.split(","))]:
        if count:
            # The number is no option of the model; here it is varied.
            landmark_model.__dict__["_LANDMARKS"] = count
        fit = fit_landmark_model if count else GAUSSIAN_KERNEL.fit
        seconds, fitted = cpu_seconds(lambda fit=fit: fit(panel, training, y))
        found = fitted.predict(panel.lines(others, training))
        inside = coverage(found.lower_90, found.upper_90, truth)
        r = f"{pearson_r(found.value, truth):.3f}"
        table.add_row(str(count or "dense"), fitted.names[0], r, f"{inside:.3f}", f"{seconds:.1f}")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
