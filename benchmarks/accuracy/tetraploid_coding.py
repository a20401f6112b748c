"""Effect of counting all four copies: GBLUP on potato with tetraploid and with diploidised dosages.

Diploidised (the pseudodiploid coding of Slater et al. 2016, Plant Genome 9): both homozygotes and one class
of heterozygotes, as a diploid caller would report them. The lines and folds are the same; only the coding
differs. Intervals (95 %) are for the mean difference over folds (Nadeau and Bengio 2003).

    OMP_NUM_THREADS=1 python benchmarks/accuracy/tetraploid_coding.py      # needs BUDWOOD_DATA; a minute or
    two
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np
from numpy.typing import NDArray

from benchmarks.common.arguments import parser_for
from benchmarks.common.panels import data_folder, phenotyped_rows
from budwood.genomics.genotypes import Genotypes
from budwood.genomics.io.tables.phenotypes.read_phenotypes import read_phenotypes
from budwood.genomics.io.variants.open_genotypes import read_genotypes
from budwood.prediction.kernels.kernel_model import GBLUP
from budwood.prediction.kernels.panel_kernels import PanelKernels
from budwood.stats.evaluation.metrics import pearson_r
from budwood.stats.evaluation.paired_difference import corrected_interval
from budwood.stats.evaluation.splitters import random_folds

PANELS = ("potato_gwaspoly", "potato_stagewise")
#: Columns of the phenotypes that are no traits.
STRUCTURE = ("Grp1", "Grp2", "Grp3", "Grp4")


def diploidised(genotypes: Genotypes) -> Genotypes:
    """0, 1 to 3 and 4 copies as 0, 1 and 2."""
    dosage = genotypes.dosage
    classes = np.select([dosage < 0, dosage == 0, dosage == 4], [-1, 0, 2], default=1).astype(np.int8)
    return Genotypes(genotypes.accessions, genotypes.markers, classes, np.full_like(genotypes.ploidy, 2))


def fold_r(
    genotypes: Genotypes, rows: NDArray[np.intp], y: NDArray[np.float64], folds: int, repeats: int
) -> NDArray[np.float64]:
    """Correlation of each fold."""
    predictors = PanelKernels(genotypes).take(rows)
    found = []
    for repeat in range(repeats):
        fold_of = random_folds(predictors.genotypes.accessions, folds, repeat)
        for fold in range(folds):
            training, held_out = np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
            forecast = GBLUP.fit(predictors, training, y[training]).predict(
                predictors.lines(held_out, training)
            )
            found.append(pearson_r(forecast.value, y[held_out]))
    return np.array(found)


def tasks(data: Path) -> Iterator[tuple[str, str, Genotypes, NDArray[np.intp], NDArray[np.float64]]]:
    for panel in PANELS:
        folder = data / "panels" / panel
        genotypes = read_genotypes(folder, ploidy=4)
        phenotypes = read_phenotypes(folder / "pheno.csv")
        for trait in phenotypes.traits:
            if trait in STRUCTURE:
                continue
            values = phenotypes.means(trait)
            rows, y = phenotyped_rows(genotypes, values)
            yield panel, trait, genotypes, rows, y


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=5)
    chosen = parser.parse_args()
    print("| panel, trait | lines | tetraploid | diploidised | difference (95 % interval) |")
    print("|---|--:|--:|--:|--:|")
    means = []
    for panel, trait, genotypes, rows, y in tasks(data_folder()):
        codings = (genotypes, diploidised(genotypes))
        four, two = (fold_r(coding, rows, y, chosen.folds, chosen.repeats) for coding in codings)
        difference = corrected_interval(four - two, 1.0 / (chosen.folds - 1))
        means.append((four.mean(), two.mean()))
        interval = f"{difference.mean:+.3f} ({difference.lower:+.3f} to {difference.upper:+.3f})"
        print(
            f"| {panel} {trait} | {len(y)} | {four.mean():.3f} | {two.mean():.3f} | {interval} |", flush=True
        )
    four, two = np.mean(means, axis=0)
    print(f"| mean of {len(means)} | | {four:.3f} | {two:.3f} | {four - two:+.3f} |")


if __name__ == "__main__":
    main()
