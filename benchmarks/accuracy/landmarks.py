"""What the Gaussian kernel loses through landmarks, beside the dense kernel.

    OMP_NUM_THREADS=1 python benchmarks/accuracy/landmarks.py soynam              # needs BUDWOOD_DATA
    OMP_NUM_THREADS=1 python benchmarks/accuracy/landmarks.py simulated --lines 2500
    OMP_NUM_THREADS=1 python benchmarks/accuracy/landmarks.py soynam --landmarks 1000,2000
                                                    --ways random,k-means,fourier --bandwidth gaussian:0.25
    OMP_NUM_THREADS=1 python benchmarks/accuracy/landmarks.py coverage --lines 7000 --landmarks 1500

SoyNAM: r with the yield of a fifth of the lines, the others learn. Simulated: mosaics of 40 founders as in
large_panel.py, 3,000 markers, r with the true value of 500 lines without records. Coverage: how often the
truth of new and of phenotyped lines lies within 1.645 standard errors, and a new record inside its 90 %
interval, where the truth is additive or drawn from a Gaussian kernel (heritability .5), at the bandwidth that
the model chooses and at the truth's own.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.linalg import cholesky
from scipy.spatial import cKDTree
from sklearn.cluster import MiniBatchKMeans

from benchmarks.common.arguments import parser_for
from benchmarks.common.panels import data_folder, read_panel
from benchmarks.common.timing import cpu_seconds
from benchmarks.speed import large_panel
from budwood.genomics.genotypes import Genotypes
from budwood.prediction.kernels import landmark_model
from budwood.prediction.kernels.kernel_model import GAUSSIAN_KERNEL
from budwood.prediction.kernels.landmark_model import fit_landmark_model
from budwood.prediction.kernels.panel_kernels import GAUSSIAN, KernelName, PanelKernels
from budwood.stats.evaluation.metrics import coverage, pearson_r
from budwood.stats.evaluation.splitters import random_folds
from budwood.stats.matrix_free.marker_components import marker_components
from budwood.stats.mixed_model.fixed_effects import whitened_design
from budwood.stats.mixed_model.landmark_blup import landmark_blup

MARKERS = 3_000


def simulated(lines: int, *, everything: bool = False) -> tuple[PanelKernels, np.ndarray, np.ndarray, int]:
    """Panel, records, what predictions are compared with, and how many lines learn."""
    with tempfile.TemporaryDirectory() as folder:
        large_panel.simulate(Path(folder), lines, MARKERS)
        calls, value, y = large_panel.read(Path(folder), lines, MARKERS)
        names = [f"line{number:05d}" for number in range(len(value))]
        panel = PanelKernels(Genotypes.from_matrix(names, np.array(calls)))
    return panel, y, value if everything else value[lines:], lines


def soynam() -> tuple[PanelKernels, np.ndarray, np.ndarray, int]:
    genotypes, y = read_panel(data_folder() / "panels" / "soynam", "pheno.csv", "yield", ordered=False)
    held = random_folds(genotypes.accessions, 5, 0) == 0
    order = np.concatenate([np.flatnonzero(~held), np.flatnonzero(held)])
    learn = int((~held).sum())
    return PanelKernels(genotypes.take(order)), y[order][:learn], y[order][learn:], learn


def features(
    way: str, panel: PanelKernels, name: str, learn: int, count: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What stands for the kernel with landmarks, of training lines and of others, and of the landmarks."""
    training, others = np.arange(learn), np.arange(learn, len(panel))
    rng = np.random.default_rng(0)
    if way == "fourier":
        # The kernel is a mean of cosines of projections on normal directions (Rahimi and Recht 2007).
        markers, summary = panel.markers(training), panel.summary(training)
        unit = float(KernelName.parse(name).setting or 1.0) * panel.mean_distance(training) * summary.scale
        directions = rng.normal(size=(markers.shape[1], count)) * (2.0 / unit) ** 0.5
        phase = rng.uniform(0.0, 2.0 * np.pi, count)
        every = (2.0 / count) ** 0.5 * np.cos(markers @ directions + phase)
        return every[training], every[others], np.eye(count)
    if way == "k-means":
        components = marker_components(panel.centred_markers(training, training), 12).scores
        centres = MiniBatchKMeans(count, random_state=0, n_init=1).fit(components).cluster_centers_
        chosen = np.unique(cKDTree(components).query(centres)[1])
        rest = rng.permutation(np.setdiff1d(training, chosen))[: count - len(chosen)]
        chosen = np.sort(np.concatenate([chosen, rest]))
    else:
        chosen = np.sort(rng.permutation(learn)[:count])
    made = [panel.landmark_kernel(name, rows, training, chosen) for rows in (training, others)]
    return made[0], made[1], made[0][chosen].astype(np.float64)


def ways(panel: PanelKernels, y: np.ndarray, truth: np.ndarray, learn: int, options: Any) -> Table:
    """r of as many features made in different ways."""
    table = Table("features", "number", "r", "CPU s")
    folds = np.arange(learn) % 5
    for count in map(int, options.landmarks.split(",")):
        for way in options.ways.split(","):

            def fit(way: str = way, count: int = count) -> np.ndarray:
                own, others, square = features(way, panel, options.bandwidth, learn, count)
                solved = landmark_blup(own, square, y, whitened_design(learn), folds).solved
                return np.asarray(solved.predict(others.astype(np.float64)).value)

            seconds, value = cpu_seconds(fit)
            table.add_row(way, str(count), f"{pearson_r(value, truth):.3f}", f"{seconds:.1f}")
    return table


def coverages(lines: int, count: int) -> Table:
    """A row for each truth and bandwidth."""
    panel, _, value, _ = simulated(lines, everything=True)
    rng, every, training = np.random.default_rng(5), np.arange(lines + large_panel.NEW), np.arange(lines)
    new = every[lines:]
    truths = {"additive": value / value[:lines].std()}
    for bandwidth in (1, 4):
        name = f"{GAUSSIAN}:{bandwidth}"
        kernel = panel.landmark_kernel(name, every, every, every)
        kernel[np.diag_indices(len(kernel))] += 1e-4
        drawn = cholesky(kernel, lower=True, overwrite_a=True) @ rng.standard_normal(len(every))
        truths[name] = (drawn - drawn[:lines].mean()) / drawn[:lines].std()
    noise = rng.normal(size=len(every))
    landmark_model.__dict__["_LANDMARKS"] = count
    table = Table("truth", "bandwidth", "r, new lines", "new lines", "phenotyped lines", "new records")
    choices = landmark_model.GAUSSIAN_KERNEL
    for truth, effect in truths.items():
        own = () if truth == "additive" else (((truth,),),)
        for alternatives in (choices.alternatives, *own):
            landmark_model.__dict__["GAUSSIAN_KERNEL"] = replace(choices, alternatives=alternatives)
            fitted = fit_landmark_model(panel, training, effect[:lines] + noise[:lines])
            found, known = (fitted.predict(panel.lines(rows, training)) for rows in (new, training))
            inside = [
                f"{np.mean(np.abs(each.value - effect[rows]) <= 1.645 * each.standard_error):.3f}"
                for each, rows in ((found, new), (known, training))
            ]
            records = coverage(found.lower_90, found.upper_90, effect[new] + noise[new])
            r = f"{pearson_r(found.value, effect[new]):.3f}"
            table.add_row(truth, fitted.names[0], r, *inside, f"{records:.3f}")
    return table


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("panel", choices=["soynam", "simulated", "coverage"])
    parser.add_argument("--lines", type=int, default=2_500)
    parser.add_argument("--landmarks", default="1000,2000,3000")
    parser.add_argument("--ways", default="", help="random, k-means, fourier: features instead of the model")
    parser.add_argument("--bandwidth", default="gaussian:1", help="kernel of --ways")
    options = parser.parse_args()
    if options.panel == "coverage":
        Console(width=120).print(coverages(options.lines, int(options.landmarks.split(",")[0])))
        return
    panel, y, truth, learn = soynam() if options.panel == "soynam" else simulated(options.lines)
    if options.ways:
        Console(width=100).print(ways(panel, y, truth, learn, options))
        return
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
