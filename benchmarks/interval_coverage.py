"""What nominal 90 % intervals cover, at random and on clusters held out, before and after calibration.

Random: two repeats of five folds. Clusters: five by Ward's clustering of the relationship of all accessions,
each predicted from the others; the mean over clusters weighs each the same. Widths are means relative to the
model's own, so that an interval cannot be right by being endless.

    OMP_NUM_THREADS=1 python benchmarks/interval_coverage.py                    # needs MERISTEM_DATA
    ... --models gblup,gaussian --only wheat
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from meristem.prediction.calibrated import Calibrated
from meristem.prediction.models import model_named
from meristem.prediction.predictors import RELATIONSHIP, Predictors
from meristem.prediction.trait_model import TraitModel
from meristem.stats.splits import Folds, cluster_folds, random_folds
from scoreboard import Task, read

REPEATS, FOLDS = 2, 5


SORGHUM = "pheno_sap_agron_2013_2014_2017.csv"
TASKS = (
    Task("wheat_cimmyt599", "pheno.csv", "X1"),
    Task("wheat_cimmyt599", "pheno.csv", "X4"),
    Task("potato_gwaspoly", "pheno.csv", "tuber_shape"),
    Task("potato_gwaspoly", "pheno.csv", "chip_color"),
    Task("sorghum_sbdiv", SORGHUM, "PH"),
    Task("sorghum_sbdiv", SORGHUM, "YPP"),
    Task("rice_rdp1_44k", "pheno.csv", "Plant_height"),
    Task("rice_rdp1_44k", "pheno.csv", "Amylose_content"),
    Task("maize_drops", "pheno.csv", "anthesis"),
)


def schemes(predictors: Predictors) -> Iterator[tuple[str, list[Folds]]]:
    names = predictors.genotypes.accessions
    yield "random", [random_folds(names, FOLDS, repeat) for repeat in range(REPEATS)]
    relationship = predictors.kernel(RELATIONSHIP, np.arange(len(names)))
    yield "clusters", [cluster_folds(relationship, FOLDS, smallest=10)]


def covered(
    model: TraitModel, predictors: Predictors, y: NDArray[np.float64], drawn: list[Folds]
) -> tuple[list[float], float]:
    """Share inside the interval in each fold, and the mean width."""
    inside, width = [], []
    for folds in drawn:
        for fold in np.unique(folds):
            training, held_out = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
            found = model.fit(predictors, training, y[training]).predict(held_out)
            within = (found.lower_90 <= y[held_out]) & (y[held_out] <= found.upper_90)
            inside.append(float(within.mean()))
            width.append(float(np.mean(found.upper_90 - found.lower_90)))
    return inside, float(np.mean(width))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", default="gblup")
    parser.add_argument("--only", default="", help="part of a panel's or trait's name")
    options = parser.parse_args()
    data, means = Path(os.environ["MERISTEM_DATA"]), {}
    columns = ("own", "calibrated", "width, calibrated / own", "worst fold, own", "worst fold, calibrated")
    table = Table("panel, trait", "model", "held out", *columns)
    for task in (task for task in TASKS if options.only in task.name):
        predictors, y = read(data, task)
        for name in options.models.split(","):
            for scheme, drawn in schemes(predictors):
                model = model_named(name)
                own, width = covered(model, predictors, y, drawn)
                calibrated, wider = covered(Calibrated(model), predictors, y, drawn)
                means.setdefault((name, scheme), []).append((np.mean(own), np.mean(calibrated)))
                row = (f"{np.mean(own):.2f}", f"{np.mean(calibrated):.2f}", f"{wider / width:.2f}")
                worst = (f"{min(own):.2f}", f"{min(calibrated):.2f}")
                table.add_row(task.name, name, scheme, *row, *worst)
                print(task.name, name, scheme, *row, *worst, flush=True)
    table.add_section()
    for (name, scheme), each in means.items():
        own, calibrated = np.mean(each, axis=0)
        table.add_row(f"mean of {len(each)}", name, scheme, f"{own:.3f}", f"{calibrated:.3f}")
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
