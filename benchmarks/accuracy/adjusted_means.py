"""Trials with unbalanced environments: accession values before and after their adjustment.

For each trial, GBLUP predicts every line from plain means over records and from means adjusted for
environments (:func:`budwood.panel.accession_means.accession_means`), each with the others held out in 5
folds, 5 times. Both are compared with the adjusted column that comes with the data, which another analysis
made: r of the values, how many of the 20 best values agree, how many of the 20 best predictions agree with
predictions from that column, and r of held-out predictions with that column and with the adjusted means.

    OMP_NUM_THREADS=1 python benchmarks/accuracy/adjusted_means.py          # needs BUDWOOD_DATA; minutes
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

from benchmarks.common.arguments import parser_for
from benchmarks.common.panels import data_folder
from budwood.genomics.io.tables.phenotypes.read_phenotypes import read_phenotypes
from budwood.genomics.io.variants.open_genotypes import read_genotypes
from budwood.panel.accession_means import accession_means
from budwood.prediction.kernels.kernel_model import GBLUP
from budwood.prediction.kernels.panel_kernels import PanelKernels
from budwood.stats.evaluation.splitters import random_folds

Vector = NDArray[np.float64]

#: Panel, trait of the records, and the column of ``pheno.csv`` that holds it adjusted.
TRIALS = (
    ("potato_stagewise", "Yield.Mg.ha", "yield_adj"),
    ("maize_drops", "grain.yield", "grain.yield"),
    ("maize_drops", "anthesis", "anthesis"),
    ("rice_uruguay_indica", "GY", "GY"),
    ("rice_uruguay_japonica", "GY", "GY"),
    ("rice_uruguay_japonica", "PH", "PH"),
)
BEST, FOLDS, REPEATS = 20, 5, 5


def best(values: Vector) -> set[int]:
    """Rows of the best lines."""
    return set(np.argsort(-values, kind="stable")[:BEST].tolist())


def held_out(kernels: PanelKernels, y: Vector, weights: Vector | None) -> NDArray[np.float64]:
    """(repeats, n) predictions of held-out lines by GBLUP."""
    found = np.empty((REPEATS, len(y)))
    for repeat in range(REPEATS):
        folds = random_folds(kernels.genotypes.accessions, FOLDS, repeat)
        for fold in range(FOLDS):
            training, held = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
            fitted = GBLUP.fit(kernels, training, y[training], None if weights is None else weights[training])
            found[repeat, held] = fitted.predict(kernels.lines(held, training)).value
    return found


def ranking(kernels: PanelKernels, y: Vector, weights: Vector | None) -> Vector:
    """(n,) predictions of all lines by GBLUP on all of them."""
    everything = np.arange(len(y))
    return GBLUP.fit(kernels, everything, y, weights).predict(kernels.lines(everything, everything)).value


def mean_r(predicted: NDArray[np.float64], y: Vector) -> float:
    """Mean correlation over the repeats."""
    return float(np.mean([np.corrcoef(each, y)[0, 1] for each in predicted]))


def rows(folder: Path, trait: str, column: str) -> list[str]:
    """Lines of the table: plain means, adjusted means."""
    phenotypes = read_phenotypes(folder / "pheno_met.csv")
    published = read_phenotypes(folder / "pheno.csv").means(column)
    adjusted, plain = accession_means(phenotypes, trait), phenotypes.means(trait)
    genotypes = read_genotypes(folder)
    names = [n for n in genotypes.accessions if n in adjusted.values and n in published]
    kernels = PanelKernels(genotypes.take([genotypes.row[name] for name in names]))
    reference, target = (np.array([d[n] for n in names]) for d in (published, adjusted.values))
    weights = np.array([adjusted.weights[n] for n in names]) if adjusted.weights else None
    expected = ranking(kernels, reference, None)
    lines = []
    for label, values, w in (("plain", plain, None), ("adjusted", adjusted.values, weights)):
        y = np.array([values[name] for name in names])
        ranked = ranking(kernels, y, w)
        predicted = held_out(kernels, y, w)
        cells = (
            f"{np.corrcoef(y, reference)[0, 1]:.3f}",
            len(best(y) & best(reference)),
            len(best(ranked) & best(expected)),
            f"{mean_r(predicted, reference):.3f}",
            f"{mean_r(predicted, target):.3f}",
        )
        lines.append(f"| {folder.name} {trait}, {len(names)} | {label} | {' | '.join(map(str, cells))} |")
    return lines


def main() -> None:
    """Print the table."""
    parser_for(__doc__).parse_args()
    print(
        "| trial | means | r of values | best 20, values | best 20, predictions | r, column | r, adjusted |"
    )
    for panel, trait, column in TRIALS:
        print("\n".join(rows(data_folder() / "panels" / panel, trait, column)), flush=True)


if __name__ == "__main__":
    main()
