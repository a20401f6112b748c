"""Why GBLUP is low on SoyNAM: what the calls, the missing ones and the families say of the yield.

    OMP_NUM_THREADS=1 python benchmarks/accuracy/soynam_missing_calls.py      # needs BUDWOOD_DATA

2,000 lines to learn from and 500 others; each row is one kernel, or two with half the variance each.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.common.arguments import parser_for
from benchmarks.common.panels import data_folder, read_panel
from benchmarks.speed.trait_model_scale import read_families, within
from budwood.prediction.kernels.panel_kernels import RELATIONSHIP, PanelKernels
from budwood.stats.evaluation.metrics import pearson_r
from budwood.stats.mixed_model.blup import blup
from budwood.stats.mixed_model.reml import reml

Matrix = NDArray[np.float64]


def kernels_of(panel: PanelKernels, families: NDArray[np.str_], learn: NDArray[np.intp]) -> dict[str, Matrix]:
    """By name, each of mean diagonal 1."""
    dosage = panel.genotypes.dosage.astype(np.float64)
    missing = dosage < 0
    hub = np.where(missing, 0.0, dosage) / 2.0
    hub -= hub[learn].mean(axis=0)
    absent = missing - missing[learn].mean(axis=0)
    own = (families[:, None] == families[None, :]).astype(np.float64)
    markers = panel.markers(learn)
    single = {
        "GBLUP": panel.kernel(RELATIONSHIP, learn),
        "GBLUP, missing = mean": markers @ markers.T,
        "missing = hub's allele": hub @ hub.T,
        "which calls are missing": absent @ absent.T,
        "families": own,
    }
    single = {name: kernel / np.diagonal(kernel).mean() for name, kernel in single.items()}
    both = {
        "GBLUP + families": single["GBLUP, missing = mean"] + single["families"],
        "GBLUP + which are missing": single["GBLUP, missing = mean"] + single["which calls are missing"],
    }
    return single | both


def main() -> None:
    parser_for(__doc__).parse_args()
    folder = data_folder() / "panels" / "soynam"
    genotypes, y = read_panel(folder, "pheno.csv", "yield", ordered=False)
    family = read_families(folder)
    every = np.array([family[name] for name in genotypes.accessions])
    inside = sum(((y[every == each] - y[every == each].mean()) ** 2).sum() for each in np.unique(every))
    print(f"share of the variance between families {1.0 - inside / ((y - y.mean()) ** 2).sum():.2f}")
    rows = np.sort(np.random.default_rng(0).permutation(len(y))[:2500])
    panel, y, families = PanelKernels(genotypes.take(rows)), y[rows], every[rows]
    held = np.sort(np.random.default_rng(1).permutation(len(rows))[:500])
    learn = np.setdiff1d(np.arange(len(rows)), held)
    table = Table("kernel", "r on 500 others", "r within families", "log-likelihood")
    for name, kernel in kernels_of(panel, families, learn).items():
        own = kernel[np.ix_(learn, learn)]
        components = reml(y[learn], [own])
        value = blup(y[learn], [own], components).predict(
            [kernel[np.ix_(held, learn)]], [np.diagonal(kernel)[held]]
        )
        r, apart = pearson_r(value.value, y[held]), within(value.value, y[held], families[held].tolist())
        table.add_row(name, f"{r:.3f}", f"{apart:.3f}", f"{components.log_likelihood:.1f}")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
