"""Whole clusters as candidates: what is stated of their accuracy and intervals, and what is true.

Each cluster of 20 lines or more (five by Ward's clustering of the relationship) of four real panels, and a
pool of simulated panels whose phenotypes are in the other pools only, are predicted by GBLUP. Stated: the
mean r of held-out clusters as far away, and whether the coverage of 90 % intervals is promised (near, or at
least .80 in every set, nine of them disjoint), with the interval in which four in five clusters should lie.
"By chance" is the mean absolute error that r of so few lines has of itself. True: r and coverage of their
own values; 4,000 markers.

    OMP_NUM_THREADS=1 python benchmarks/accuracy/distant_candidates.py      # needs BUDWOOD_DATA, 6 minutes
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.scoreboard import Task, read
from benchmarks.common.arguments import parser_for
from budwood.genomics.genotypes import Genotypes
from budwood.prediction.evaluation.candidate_accuracy import CandidateAccuracy
from budwood.prediction.evaluation.results import CandidateSet
from budwood.prediction.kernels.panel_kernels import RELATIONSHIP, PanelKernels
from budwood.prediction.models.registry import model_named
from budwood.stats.evaluation.metrics import coverage, pearson_r
from budwood.stats.evaluation.splitters import cluster_folds, random_folds

SORGHUM = "pheno_sap_agron_2013_2014_2017.csv"
TASKS = (
    *(Task("rice_rdp1_44k", "pheno.csv", t) for t in ("Plant_height", "Amylose_content", "Seed_length")),
    *(Task("sorghum_sbdiv", SORGHUM, t) for t in ("PH", "TGW", "YPP")),
    *(Task("rice_uruguay_indica", "pheno.csv", t) for t in ("GY", "PHR")),
    *(Task("rice_uruguay_japonica", "pheno.csv", t) for t in ("GY", "PHR")),
)
MARKERS, SMALLEST, SIMULATED = 4000, 20, 12
Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """Candidates of a panel, and everybody's values."""

    panel: str
    kernels: PanelKernels
    y: Vector
    candidates: NDArray[np.bool_]


@dataclass(frozen=True)
class Outcome:
    """What was stated of the candidates, and what is true of them."""

    panel: str
    lines: int
    kinds: str
    flagged: float
    stated: float
    lower: float
    upper: float
    true: float
    covered: float
    promised: bool


def real(data: Path) -> Iterator[Case]:
    for task in TASKS:
        kernels, y = read(data, task)
        m = kernels.genotypes.dosage.shape[1]
        if m > MARKERS:
            columns = np.linspace(0, m - 1, MARKERS).round().astype(np.intp)
            kernels = PanelKernels(kernels.genotypes.take_markers(columns))
        clusters = cluster_folds(kernels.kernel(RELATIONSHIP, np.arange(len(y))), 5, SMALLEST)
        for cluster in np.unique(clusters):
            yield Case(task.name, kernels, y, clusters == cluster)


def simulated(pools: int) -> Iterator[Case]:
    """Pools that drifted apart from common founders; one has no phenotypes."""
    for seed in range(SIMULATED):
        generator = np.random.default_rng(seed)
        ancestral = generator.uniform(0.1, 0.9, 1000)
        drifted = [np.clip(generator.beta(ancestral, 1.0 - ancestral), 0.0, 1.0) for _ in range(pools)]
        pool = np.repeat(np.arange(pools), 160 if pools == 2 else 60)
        dosage = np.array(
            [2 * (generator.random(1000) < mosaic(drifted[each], generator)) for each in pool], dtype=np.int8
        )
        genetic = dosage @ (generator.standard_normal(1000) * (generator.random(1000) < 0.1))
        y = genetic / genetic.std() + 0.7 * generator.standard_normal(len(pool))
        names = [f"l{i:03d}" for i in range(len(pool))]
        kernels = PanelKernels(Genotypes.from_matrix(names, dosage))
        yield Case(f"simulated, {pools} pools", kernels, y, pool == pools - 1)


def mosaic(frequency: Vector, generator: np.random.Generator) -> Vector:
    """Families in a pool: frequencies pulled towards one of three founders of it."""
    founder = (
        np.random.default_rng(int(generator.integers(3)) + int(1e6 * frequency[0])).random(1000) < frequency
    )
    return 0.5 * frequency + 0.5 * founder


def judge(case: Case) -> Outcome:
    kernels, y, model = case.kernels, case.y, model_named("gblup")
    rows, held = np.flatnonzero(~case.candidates), np.flatnonzero(case.candidates)
    folds, random_r, inside = random_folds([kernels.genotypes.accessions[row] for row in rows], 5, 0), [], []
    for fold in range(5):
        training, left = rows[folds != fold], rows[folds == fold]
        said = model.fit(kernels, training, y[training]).predict(kernels.lines(left, training))
        random_r.append(pearson_r(said.value, y[left]))
        inside.append(coverage(said.lower_90, said.upper_90, y[left]))
    accuracy = CandidateAccuracy(
        kernels,
        rows,
        y[rows],
        model,
        random_r=float(np.mean(random_r)),
        random_coverage=float(np.mean(inside)),
    )
    sets, far = accuracy.judge()
    said = model.fit(kernels, rows, y[rows]).predict(kernels.lines(held, rows))
    judged = [each for each in sets if each.kind != "not judged"]
    return Outcome(
        case.panel,
        len(held),
        "+".join(dict.fromkeys(each.kind for each in sets)),
        float(far[held].mean()),
        *(_mean_of_lines(judged, name) for name in ("mean_r", "lower_r", "upper_r")),
        pearson_r(said.value, y[held]),
        coverage(said.lower_90, said.upper_90, y[held]),
        all(each.promised for each in sets),
    )


def _mean_of_lines(judged: list[CandidateSet], name: str) -> float:
    """Mean over candidates of what is stated of their sets, those left out of which it is not."""
    known = [each for each in judged if np.isfinite(getattr(each, name))]
    lines = [len(each.accessions) for each in known]
    return float(np.average([getattr(each, name) for each in known], weights=lines)) if known else np.nan


def summary(name: str, found: list[Outcome]) -> str:
    judged = [each for each in found if np.isfinite(each.stated)]
    kept = [each.covered for each in found if each.promised]
    every = [each.covered for each in found]
    off = [each.stated - each.true for each in judged]
    chance = [0.8 * (1.0 - each.true**2) / np.sqrt(each.lines - 1) for each in judged]
    ranged = [each for each in judged if np.isfinite(each.lower)]
    inside = [each.lower <= each.true <= each.upper for each in ranged]
    return (
        f"| {name} | {len(found)} | {np.mean(every):.2f} ({min(every):.2f}) | {len(kept)} | "
        + (f"{np.mean(kept):.2f} ({min(kept):.2f})" if kept else "-")
        + f" | {len(judged)} | "
        + (
            f"{np.mean([e.stated for e in judged]):.2f} | {np.mean([e.true for e in judged]):.2f} | "
            f"{np.mean(off):+.2f} | {np.mean(np.abs(off)):.2f} | {np.mean(chance):.2f} | "
            + (f"{np.mean(inside):.2f} of {len(ranged)} |" if ranged else "- |")
            if judged
            else "- | - | - | - | - | - |"
        )
    )


def main() -> None:
    parser_for(__doc__).parse_args()
    found = []
    for case in (*simulated(2), *simulated(5), *real(Path(os.environ["BUDWOOD_DATA"]))):
        each = judge(case)
        found.append(each)
        print(
            f"{each.panel}: {each.lines} candidates, {each.kinds}, {each.flagged:.0%} flagged, r stated "
            f"{each.stated:.2f} true {each.true:.2f}, covered {each.covered:.2f}"
            f"{'' if each.promised else ', not promised'}",
            flush=True,
        )
    print(
        "\n| panel | candidate clusters | covered (lowest) | promised | covered where promised (lowest) | "
        "judged | r stated | true | mean difference | mean absolute | by chance | in the stated interval |\n"
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    )
    panels = dict.fromkeys(
        each.panel.split(" ")[0] if "," not in each.panel else each.panel for each in found
    )
    for panel in panels:
        print(summary(panel, [each for each in found if each.panel.startswith(panel)]))
    print(summary("all real", [each for each in found if "simulated" not in each.panel]))


if __name__ == "__main__":
    main()
