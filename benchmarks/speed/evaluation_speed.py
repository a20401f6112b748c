"""CPU time of a whole evaluation compared with one relationship matrix and its eigendecomposition.

GBLUP and the Gaussian kernel, 5 x 5 folds and 20 shuffles of the second one's permutation test,
rice_rdp1_44k.

    OMP_NUM_THREADS=1 python benchmarks/speed/evaluation_speed.py      # needs BUDWOOD_DATA
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np
from scipy.linalg import eigh

from benchmarks.common.arguments import parser_for
from benchmarks.common.panels import data_folder
from benchmarks.common.timing import cpu_seconds
from budwood.genomics.io.tables.phenotypes.read_phenotypes import read_phenotypes
from budwood.genomics.io.variants.open_genotypes import read_genotypes
from budwood.prediction.compare import Design, compare_models
from budwood.stats.relationship.relationship import relationship


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--panel", default="rice_rdp1_44k")
    parser.add_argument("--trait", default="Plant_height")
    chosen = parser.parse_args()
    folder = data_folder() / "panels" / chosen.panel
    genotypes, values = read_genotypes(folder), read_phenotypes(folder / "pheno.csv").means(chosen.trait)
    n, m = genotypes.dosage.shape
    kernel = relationship(genotypes.dosage, genotypes.ploidy)
    one = cpu_seconds(lambda: relationship(genotypes.dosage, genotypes.ploidy), 5)[0]
    decomposed = cpu_seconds(lambda: eigh(kernel, driver="evd"), 5)[0]
    design = Design(("gblup", "gaussian"))
    found = compare_models(genotypes, values, chosen.trait, design)
    whole = cpu_seconds(lambda: compare_models(genotypes, values, chosen.trait, design), 1)[0]
    missing = float(np.mean(~(genotypes.dosage >= 0)))
    print(f"{chosen.panel}, {chosen.trait}: {n} x {m:,}, {missing:.1%} missing")
    print(f"one relationship matrix {one:.3f} s, its eigendecomposition {decomposed:.4f} s")
    print(f"evaluation {whole:.2f} s, {whole / (one + decomposed):.1f} times both together")
    for score in found.scores:
        print(f"{score.name}: r = {score.mean_r:.4f}, {score.seconds:.2f} s wall-clock if run alone")


if __name__ == "__main__":
    main()
