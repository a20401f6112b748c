"""Coverage of nominal 90 % intervals in random folds and on held-out clusters, before and after calibration.

Random: two repeats of five folds. Clusters: five by Ward's clustering of the relationship of all accessions,
each predicted from the others; the mean over clusters gives each the same weight. Widths are means relative
to the model's own interval, because an endless interval always covers, and relative to an oracle: the one
width that covers exactly 90 % of all held-out records of a scheme. The interval score (Gneiting and Raftery
2007: width plus 20 times the distance of a record outside; lower is better) is in standard deviations of the
trait. A model without an interval of its own (trees, `auto`) is always calibrated; "unwidened" is its
interval without the widening learned from clusters held out inside the training set. Every finished result is
a line of the file `--out`; a second run resumes.

    OMP_NUM_THREADS=1 python benchmarks/accuracy/interval_coverage.py --out coverage.jsonl    # needs
    BUDWOOD_DATA ... --models gblup,gaussian --only wheat        # some models, some panels or traits ...
    --development                               # 29 other traits, on which constants were chosen ... --show
    # Markdown tables of the finished results
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from time import perf_counter

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from benchmarks.accuracy.scoreboard import Task, read
from benchmarks.common.arguments import parser_for
from benchmarks.common.panels import data_folder
from benchmarks.common.results_file import append_result, read_results
from budwood.prediction.contract import Estimator, FittedEstimator, Forecast, Lines
from budwood.prediction.kernels.panel_kernels import RELATIONSHIP, PanelKernels
from budwood.prediction.models.registry import model_named
from budwood.prediction.uncertainty.calibrated import Calibrated, FittedCalibrated
from budwood.prediction.uncertainty.cross_fit_model import CrossFitModel, FittedCrossFitModel
from budwood.stats.evaluation.splitters import Folds, cluster_folds, random_folds

REPEATS, FOLDS = 2, 5
SCHEMES = ("random", "clusters")
Vector = NDArray[np.float64]
Line = dict[str, object]

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
DEVELOPMENT = tuple(
    Task(panel, phenotypes, trait)
    for panel, phenotypes, traits in (
        ("wheat_cimmyt599", "pheno.csv", "X2 X5"),
        ("potato_gwaspoly", "pheno.csv", "total_yield tuber_eye_depth vine_maturity_95d malic_acid"),
        ("potato_stagewise", "pheno.csv", "yield_adj"),
        ("rice_rdp1_44k", "pheno.csv", "Flowering_time_at_Arkansas Seed_length Panicle_number_per_plant"),
        ("rice_rdp1_44k", "pheno.csv", "Seed_width Protein_content Alkali_spreading_value"),
        ("rice_rdp1_44k", "pheno.csv", "Florets_per_panicle Flag_leaf_width"),
        ("maize_drops", "pheno.csv", "grain.yield plant.height seed.size"),
        ("maize_282_55k", "pheno.csv", "EarHT dpoll"),
        ("rice_spindel2015", "pheno_DS.csv", "PH"),
        ("rice_spindel2015", "pheno_WS.csv", "YLD"),
        ("rice_uruguay_indica", "pheno.csv", "PHR"),
        ("rice_uruguay_japonica", "pheno.csv", "GC GY"),
        ("arabidopsis_ft16_chr5", "pheno.csv", "FT16"),
        ("sorghum_sbdiv", SORGHUM, "DTA TGW Starch"),
    )
    for trait in traits.split()
)


def folds_of(predictors: PanelKernels, scheme: str) -> list[Folds]:
    names = predictors.genotypes.accessions
    if scheme == "random":
        return [random_folds(names, FOLDS, repeat) for repeat in range(REPEATS)]
    relationship = predictors.kernel(RELATIONSHIP, np.arange(len(names)))
    return [cluster_folds(relationship, FOLDS, smallest=10)]


def kinds_of(model: Estimator) -> tuple[str, str]:
    return ("unwidened" if isinstance(model, CrossFitModel) else "own", "calibrated")


def intervals(fitted: FittedEstimator, lines: Lines) -> list[Forecast]:
    """Forecasts of one fit with either kind of interval."""
    if isinstance(fitted, FittedCrossFitModel):
        widening = replace(fitted.scale.widening, excess=0.0)
        plain: FittedEstimator = replace(fitted, scale=replace(fitted.scale, widening=widening))
    else:
        assert isinstance(fitted, FittedCalibrated)
        plain = fitted.fitted
    return [plain.predict(lines), fitted.predict(lines)]


def judge(predictors: PanelKernels, y: Vector, model: Estimator, scheme: str) -> list[Line]:
    """One line for each kind of interval."""
    begun, found = perf_counter(), []
    fit = model if isinstance(model, CrossFitModel | Calibrated) else Calibrated(model)
    for folds in folds_of(predictors, scheme):
        for fold in np.unique(folds):
            training, left = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
            forecasts = intervals(
                fit.fit(predictors, training, y[training]), predictors.lines(left, training)
            )
            half = [0.5 * (each.upper_90 - each.lower_90) for each in forecasts]
            found.append((half, np.abs(y[left] - forecasts[0].value)))
    seconds, unit = (perf_counter() - begun) / len(found), float(y.std())
    oracle = 2.0 * float(np.quantile(np.concatenate([error for _, error in found]), 0.9)) / unit
    lines: list[Line] = []
    for place, kind in enumerate(kinds_of(model)):
        folds = [(half[place], error) for half, error in found]
        score = [2.0 * half + 20.0 * np.maximum(error - half, 0.0) for half, error in folds]
        lines.append(
            {
                **{"interval": kind, "oracle": oracle, "seconds_per_fit": seconds},
                "covered": [float(np.mean(error <= half)) for half, error in folds],
                "width": 2.0 * float(np.mean([half.mean() for half, _ in folds])) / unit,
                "score": float(np.mean([each.mean() for each in score])) / unit,
            }
        )
    return lines


def finished(out: Path) -> dict[tuple[str, ...], Line]:
    return read_results(out, "task", "model", "scheme", "interval")


def compute(out: Path, data: Path, task: Task, names: list[str]) -> None:
    done = finished(out)
    todo = [
        (name, scheme)
        for name in names
        for scheme in SCHEMES
        if (task.name, name, scheme, "calibrated") not in done
    ]
    if not todo:
        return
    predictors, y = read(data, task)
    for name, scheme in todo:
        begun = {"task": task.name, "model": name, "scheme": scheme, "n": len(y)}
        for line in judge(predictors, y, model_named(name), scheme):
            append_result(out, begun | line)


def mean_interval(values: list[float]) -> str:
    """Mean over panel-trait pairs with a 95 % Student interval; pairs of a panel are not independent."""
    mean, n = float(np.mean(values)), len(values)
    if n < 2:
        return f"{mean:.3f}"
    half = float(stdtrit(n - 1, 0.975)) * float(np.std(values, ddof=1)) / np.sqrt(n)
    return f"{mean:.3f} ({mean - half:.3f} to {mean + half:.3f})"


def show(done: dict[tuple[str, str, str, str], Line], tasks: list[Task], names: list[str]) -> None:
    for name in names:
        kinds = kinds_of(model_named(name))
        columns = [f"{scheme}, {kind}" for scheme in SCHEMES for kind in kinds]
        print(f"\n{name}\n\n| panel, trait | " + " | ".join(columns) + " | worst cluster |")
        print("|---|" + "--:|" * (len(columns) + 1))
        rows, means = [], {(scheme, kind): [] for scheme in SCHEMES for kind in kinds}
        for task in tasks:
            found = {key: done.get((task.name, name, *key)) for key in means}
            if None in found.values():
                continue
            covered = {key: float(np.mean(line["covered"])) for key, line in found.items()}
            worst = " / ".join(f"{min(found['clusters', kind]['covered']):.2f}" for kind in kinds)
            rows.append(
                f"| {task.name} | " + " | ".join(f"{x:.2f}" for x in covered.values()) + f" | {worst} |"
            )
            for key, line in found.items():
                means[key].append(line | {"cover": covered[key], "own": found[key[0], kinds[0]]})
        print("\n".join(rows))
        if not rows:
            continue
        print(f"\n| {name}, mean of {len(rows)} | covers (95 %) | / own | / oracle | score | s / fit |")
        print("|---|--:|--:|--:|--:|--:|")
        for (scheme, kind), lines in means.items():
            own = np.mean([line["width"] / line["own"]["width"] for line in lines])
            oracle = np.mean([line["width"] / line["oracle"] for line in lines])
            score, seconds = (
                np.mean([line[part] for line in lines]) for part in ("score", "seconds_per_fit")
            )
            covers = mean_interval([line["cover"] for line in lines])
            print(f"| {scheme}, {kind} | {covers} | {own:.2f} | {oracle:.2f} | {score:.3f} | {seconds:.2f} |")


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--models", default="gblup,gaussian,multi-kernel,auto")
    parser.add_argument("--only", default="", help="part of a panel's or trait's name")
    parser.add_argument("--development", action="store_true", help="the other traits")
    parser.add_argument("--show", action="store_true", help="show what is there, compute nothing")
    options = parser.parse_args()
    names = options.models.split(",")
    tasks = [task for task in (DEVELOPMENT if options.development else TASKS) if options.only in task.name]
    for task in [] if options.show else tasks:
        compute(options.out, data_folder(), task, names)
    show(finished(options.out), tasks, names)


if __name__ == "__main__":
    main()
