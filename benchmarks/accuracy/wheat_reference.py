"""Our numbers compared with those of R rrBLUP on wheat_cimmyt599, all within a relative 1e-3.

python benchmarks/accuracy/wheat_reference.py      # needs BUDWOOD_DATA
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.common.arguments import parser_for
from benchmarks.common.panels import data_folder
from budwood.stats.evaluation.metrics import pearson_r
from budwood.stats.mixed_model.blup import LinePrediction, blup
from budwood.stats.mixed_model.fixed_effects import whitened_design
from budwood.stats.mixed_model.spectral_reml import spectral_reml
from budwood.stats.relationship.relationship import MarkerFilter, relationship

TOLERANCE = 1e-3


@dataclass(frozen=True)
class Wheat:
    kernel: NDArray[np.float64]
    traits: NDArray[np.float64]
    folds: NDArray[np.int64]
    fitted: pd.DataFrame
    hidden: pd.DataFrame
    relatives: NDArray[np.float64]


def main() -> None:
    parser_for(__doc__).parse_args()
    wheat = read(data_folder())
    table = Table("quantity", "rrBLUP", "Budwood", "relative difference", title="wheat_cimmyt599")
    worst = 0.0
    for name, theirs, ours in comparisons(wheat):
        scale = np.abs(theirs).max() if np.ndim(theirs) else abs(theirs)
        difference = float(np.max(np.abs(np.asarray(ours) - theirs))) / scale
        worst = max(worst, difference)
        shown = ("599 values", "599 values") if np.ndim(theirs) else (f"{theirs:.6g}", f"{ours:.6g}")
        table.add_row(name, *shown, f"{difference:.1e}")
    Console().print(table)
    print(
        f"largest relative difference {worst:.1e}; {'within' if worst < TOLERANCE else 'PAST'} {TOLERANCE:g}"
    )


def read(data: Path) -> Wheat:
    stored = np.load(data / "panels/wheat_cimmyt599/geno.npz")
    ids, reference, text = [str(i) for i in stored["ids"]], data / "reference", {"line": str, "id": str}
    traits = pd.read_csv(data / "panels/wheat_cimmyt599/pheno.csv", dtype=text).set_index("id").loc[ids]
    folds = pd.read_csv(reference / "wheat599_folds.csv", dtype=text).set_index("line").loc[ids]
    hidden = pd.read_csv(reference / "wheat599_env1_fold1_kinblup.csv", dtype=text).set_index("line")
    # rrBLUP's A.mat keeps every marker.
    every = MarkerFilter(maximum_missing=1.0, minimum_frequency=0.0)
    return Wheat(
        relationship(stored["dosage"], np.full(len(ids), 2, dtype=np.int8), keep=every),
        traits.to_numpy(dtype=np.float64),
        folds["fold"].to_numpy(),
        pd.read_csv(reference / "wheat599_rrblup.csv"),
        hidden.loc[ids],
        pd.read_csv(reference / "wheat599_Amat_10x10.csv", index_col=0).to_numpy(),
    )


def comparisons(wheat: Wheat):
    yield "relationship, 10 x 10, largest", wheat.relatives.max(), wheat.kernel[:10, :10].max()
    every = np.arange(599)
    first = None
    for environment, row in enumerate(wheat.fitted.itertuples()):
        y, name = wheat.traits[:, environment], f"environment {row.env}"
        components = spectral_reml(wheat.kernel, whitened_design(599)).fit(y)
        first = first or (row.LL, components.log_likelihood)
        yield f"{name} Vu", row.Vu, components.kernels[0]
        yield f"{name} Ve", row.Ve, components.residual
        if environment:
            yield f"{name} LL - LL 1", row.LL - first[0], components.log_likelihood - first[1]
        effect = predict(wheat, y, every).effect
        yield f"{name} u1", row.u1, effect[0]
        yield f"{name} 10-fold r", row.cv10_r, float(np.mean([fold_r(wheat, y, f) for f in range(1, 11)]))
    found = predict(wheat, wheat.traits[:, 0], np.flatnonzero(wheat.folds != 1))
    yield "fold 1 hidden, g", wheat.hidden["g"].to_numpy(), found.effect
    yield "fold 1 hidden, PEV", wheat.hidden["PEV"].to_numpy(), found.pev_effect
    yield "fold 1 hidden, prediction", wheat.hidden["pred"].to_numpy(), found.value


def fold_r(wheat: Wheat, y: NDArray[np.float64], fold: int) -> float:
    test = wheat.folds == fold
    return pearson_r(predict(wheat, y, np.flatnonzero(~test)).value[test], y[test])


def predict(wheat: Wheat, y: NDArray[np.float64], train: NDArray[np.intp]) -> LinePrediction:
    block = wheat.kernel[np.ix_(train, train)]
    components = spectral_reml(block, whitened_design(len(train))).fit(y[train])
    return blup(y[train], [block], components).predict([wheat.kernel[:, train]], [np.diagonal(wheat.kernel)])


if __name__ == "__main__":
    main()
