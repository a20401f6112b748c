"""Multi-environment models on field trials, with and without covariates of the environments.

r within an environment of held-out lines, averaged over environments; the same cells for every model. The
last column of a table is the difference with its 95 % interval (over folds of lines for cv1 and cv2, over
environments for cv0, cv00 and forward, over lines where there are fewer than four). Lines, or groups of
environments, are divided into 5; cv0 of maize holds out each of its 15 places and years.

* maize_drops, grain yield: the 29 of 37 environments with all 246 hybrids (the other 8 have 32 hybrids).
  Covariates: watered or rainfed, place, year; "index" adds the mean of an environment's training records,
  which a new environment does not have.
* rice_uruguay_indica and _japonica, grain yield: 3 and 5 years at one place; 53 climate variables from the
  panel's .rda files (needs `pip install pyreadr`; MeanTemp_M is left out because it is 950 degrees in 2012).
* wheat_cimmyt599, grain yield in 4 environments without covariates.
* potato_stagewise, tetraploid: 16 of the 43 environments, those of 2013 and 2014, to save time, and all of
  them for forward; plots are averaged and weighted by their standard errors; covariates place and year.

    OMP_NUM_THREADS=1 python benchmarks/accuracy/maize_environments.py      # needs BUDWOOD_DATA
    python benchmarks/accuracy/maize_environments.py --panel maize_drops --scheme cv1
"""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np

from benchmarks.common.arguments import parser_for
from benchmarks.common.panels import data_folder
from budwood.genomics.environments import Environments
from budwood.genomics.io.tables.phenotypes.read_phenotypes import read_phenotypes
from budwood.genomics.io.variants.open_genotypes import read_genotypes
from budwood.genomics.phenotypes import Phenotypes
from budwood.prediction.environments.evaluation.evaluate import evaluate_environments
from budwood.prediction.environments.registry import environment_model_named
from budwood.prediction.environments.results import EnvironmentEvaluation
from budwood.prediction.environments.trials import match_trials
from budwood.prediction.kernels.panel_kernels import PanelKernels

MAIZE_EVERYWHERE, MISREAD = 246, "MeanTemp_M"
PLAIN, COVARIED = ("separate", "main", "deviations", "factor"), ("main", "deviations", "factor")
FOLDS = 5
POTATO_MODELS = ("main", "deviations", "reaction-norm")


@dataclass(frozen=True)
class Task:
    folder: str
    trait: str
    read: Callable[[Path], tuple[Phenotypes, Environments]]
    designs: dict[str, tuple[str, ...]]
    folds: dict[str, int] = field(default_factory=dict)


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--panel", action="append", help="only these panels")
    parser.add_argument("--scheme", action="append", help="only these schemes")
    parser.add_argument("--permutations", type=int, default=2)
    arguments = parser.parse_args()
    data = data_folder() / "panels"
    for task in TASKS:
        chosen = {s: m for s, m in task.designs.items() if not arguments.scheme or s in arguments.scheme}
        if chosen and (not arguments.panel or task.folder in arguments.panel):
            run(task, data / task.folder, chosen, arguments.permutations)


def run(task: Task, folder: Path, designs: dict[str, tuple[str, ...]], permutations: int) -> None:
    phenotypes, environments = task.read(folder)
    genotypes = read_genotypes(folder)
    trials = match_trials(genotypes, phenotypes, task.trait, environments)
    count = f"{len(trials.lines)} lines x {len(trials.seen)} environments, {len(trials):,} means"
    print(f"\n## {task.folder}, {task.trait}: {count}\n", flush=True)
    predictors = PanelKernels(genotypes)
    for scheme, names in designs.items():
        began = time.perf_counter()
        models = [environment_model_named(name) for name in names]
        found = evaluate_environments(
            predictors,
            trials,
            models,
            scheme,
            trait=task.trait,
            folds=task.folds.get(scheme, FOLDS),
            permutations=permutations,
        )
        show(found, time.perf_counter() - began)


def show(found: EnvironmentEvaluation, seconds: float) -> None:
    control = found.permutation
    print(f"### {found.scheme}, {found.folds} folds, {seconds:.0f} s; shuffled: {control.mean_r:+.3f}\n")
    print(f"| model | r | coverage | slope | seconds | difference (over {found.interval_over}) |")
    print("|---|--:|--:|--:|--:|---|")
    for score in found.scores:
        differences = "; ".join(
            f"{d.mean:+.3f} ({d.lower:+.3f}, {d.upper:+.3f}) to {d.baseline}"
            for d in found.paired
            if d.model == score.name
        )
        figures = f"{score.mean_r:.3f} | {score.coverage_90:.2f} | {score.slope:.2f} | {score.seconds:.0f}"
        print(f"| {score.name} | {figures} | {differences} |")
    print(f"\n{found.conclusion}\n", flush=True)


def read_maize(folder: Path) -> tuple[Phenotypes, Environments]:
    phenotypes = read_phenotypes(folder / "pheno_met.csv")
    names, counts = np.unique(phenotypes.environment[phenotypes.trait == "grain.yield"], return_counts=True)
    names = names[counts == MAIZE_EVERYWHERE]
    treatment = {"W": "watered", "R": "rainfed"}
    environments = Environments(
        tuple(names),
        tuple(f"20{name[3:5]}" for name in names),
        tuple(name[:3] for name in names),
        tuple(treatment[name[5]] for name in names),
        ("field",) * len(names),
    )
    return only(phenotypes, np.isin(phenotypes.environment.astype(str), names)), environments


def read_rice(folder: Path) -> tuple[Phenotypes, Environments]:
    phenotypes = read_phenotypes(folder / "pheno_met.csv")
    years = sorted({name.split("_")[0] for name in phenotypes.environment})
    names = tuple(f"{year}_TreintayTres" for year in years)
    try:
        import pyreadr
    except ImportError:
        raise SystemExit("the climate of rice_uruguay stands in .rda files: pip install pyreadr") from None
    (table,) = pyreadr.read_r(str(next((folder / "raw").glob("climate*.rda")))).values()
    table = table.set_index("year").loc[[int(year) for year in years]]
    climate = {
        name: table[name].to_numpy(dtype=np.float64)
        for name in table.columns
        if name not in ("location", MISREAD)
    }
    blank = ("",) * len(names)
    return phenotypes, Environments(names, tuple(years), blank, blank, ("field",) * len(names), climate)


def read_wheat(folder: Path) -> tuple[Phenotypes, Environments]:
    wide = read_phenotypes(folder / "pheno.csv")
    yields = np.full(len(wide.value), "yield", dtype=object)
    long = Phenotypes(wide.accession, yields, wide.trait, wide.value, wide.standard_error)
    return long, Environments.named(sorted(set(wide.trait)), "field")


def read_potato(folder: Path, years: tuple[str, ...]) -> tuple[Phenotypes, Environments]:
    with (folder / "pheno_met.csv").open(newline="") as handle:
        rows = [row for row in csv.DictReader(handle) if row["env"].endswith(years)]
    columns = [np.array([row[name] for row in rows], dtype=object) for name in ("id", "env")]
    value = np.array([float(row["Yield.Mg.ha"]) for row in rows])
    trait, unknown = np.full(len(rows), "yield", dtype=object), np.full(len(rows), np.nan)
    names = sorted({row["env"] for row in rows})
    place, year = zip(*(name.split("_") for name in names), strict=True)
    blank, field = ("",) * len(names), ("field",) * len(names)
    environments = Environments(tuple(names), tuple(year), tuple(place), blank, field)
    return Phenotypes(columns[0], trait, columns[1], value, unknown), environments


def only(phenotypes: Phenotypes, kept: np.ndarray) -> Phenotypes:
    columns = ("accession", "trait", "environment", "value", "standard_error")
    return Phenotypes(*(getattr(phenotypes, name)[kept] for name in columns), phenotypes.provenance)


TASKS = (
    Task(
        "maize_drops",
        "grain.yield",
        read_maize,
        {
            "cv1": (*PLAIN, "factor-2", "index-norm", "reaction-norm"),
            "cv0": (*COVARIED, "factor-2", "index-norm", "reaction-norm"),
            "cv00": (*COVARIED, "index-norm", "reaction-norm"),
            "cv2": (*PLAIN, "index-norm", "reaction-norm"),
        },
        {"cv0": 15},
    ),
    Task(
        "rice_uruguay_indica",
        "GY",
        read_rice,
        dict.fromkeys(("cv1", "cv2", "cv0", "cv00", "forward"), (*COVARIED, "reaction-norm")),
    ),
    Task(
        "rice_uruguay_japonica",
        "GY",
        read_rice,
        dict.fromkeys(("cv1", "cv2", "cv0", "cv00", "forward"), (*COVARIED, "reaction-norm")),
    ),
    Task("wheat_cimmyt599", "yield", read_wheat, dict.fromkeys(("cv1", "cv2", "cv0"), (*PLAIN, "factor-2"))),
    Task(
        "potato_stagewise",
        "yield",
        partial(read_potato, years=("2013", "2014")),
        dict.fromkeys(("cv1", "cv2", "cv0", "cv00"), POTATO_MODELS),
    ),
    Task("potato_stagewise", "yield", partial(read_potato, years=("",)), {"forward": POTATO_MODELS}),
)


if __name__ == "__main__":
    main()
