"""Whole clusters as candidates: what is stated of their accuracy and intervals, and what is true.

Predicted by GBLUP: each cluster of 20 lines or more (five by Ward's clustering of the relationship) of four
real panels; a pool of simulated panels whose phenotypes are in the other pools only; and a simulated family
whose parents and five families of other parents are phenotyped. Stated: the mean r of held-out clusters as
far away, and whether the coverage of 90 % intervals is promised (mixed among the phenotyped lines, or at
least .80 in every set, nine of them disjoint), with the interval in which four in five clusters should lie.
"By chance" is the mean absolute error that r of so few lines has of itself. True: r and coverage of their own
values; 4,000 markers. The last rows take the clusters by the kind that most of their lines have.

    OMP_NUM_THREADS=1 python benchmarks/accuracy/distant_candidates.py      # needs BUDWOOD_DATA, 1 minute
    ... --wide      # the 25 tasks of the scoreboard, 3, 5, 8 and 12 clusters: 15 minutes
    ... --mixed     # the ordinary case: candidates drawn at random, and of which kind they are held: 1 minute
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # finds the package `benchmarks`

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.scoreboard import Task, read, tasks
from benchmarks.common.arguments import parser_for
from budwood.genomics.genotypes import Genotypes
from budwood.prediction.evaluation.candidate_accuracy import CandidateAccuracy
from budwood.prediction.evaluation.results import CandidateSet
from budwood.prediction.kernels.distant_lines import DistantLines
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
MARKERS, SMALLEST, FEWEST_PHENOTYPED, SIMULATED = 4000, 20, 60, 12
KINDS = ("near", "near group", "far", "not judged")
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
    mostly: str
    flagged: float
    stated: float
    lower: float
    upper: float
    true: float
    covered: float
    promised: bool


def real(data: Path, chosen: Sequence[Task] = TASKS, counts: Sequence[int] = (5,)) -> Iterator[Case]:
    """Each cluster of each division of each panel, once."""
    for task in chosen:
        kernels, y = read(data, task)
        kernels = thinned(kernels)
        relationship = kernels.kernel(RELATIONSHIP, np.arange(len(y)))
        divisions = [cluster_folds(relationship, count, SMALLEST) for count in counts]
        masks = [division == cluster for division in divisions for cluster in np.unique(division)]
        for mask in {each.tobytes(): each for each in masks}.values():
            if len(y) - mask.sum() >= FEWEST_PHENOTYPED:
                yield Case(task.name, kernels, y, mask)


def thinned(kernels: PanelKernels) -> PanelKernels:
    """The panel with at most so many of its markers, at even steps."""
    m = kernels.genotypes.dosage.shape[1]
    if m <= MARKERS:
        return kernels
    columns = np.linspace(0, m - 1, MARKERS).round().astype(np.intp)
    return PanelKernels(kernels.genotypes.take_markers(columns))


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


def families(parents: int) -> Iterator[Case]:
    """Six inbred families of 40 lines, whose parents are among 60 phenotyped lines; one has no phenotypes."""
    markers, linked = 1000, 20
    for seed in range(SIMULATED):
        generator = np.random.default_rng(seed)
        founders = generator.random((60, markers)) < generator.uniform(0.1, 0.9, markers)
        lines = [founders]
        for _ in range(6):
            chosen = generator.choice(60, parents, replace=False)
            origin = generator.integers(parents, size=(40, markers // linked)).repeat(linked, axis=1)
            lines.append(founders[chosen[origin], np.arange(markers)])
        dosage = (2 * np.concatenate(lines)).astype(np.int8)
        genetic = dosage @ (generator.standard_normal(markers) * (generator.random(markers) < 0.1))
        y = genetic / genetic.std() + 0.7 * generator.standard_normal(len(genetic))
        kernels = PanelKernels(Genotypes.from_matrix([f"l{i:03d}" for i in range(len(y))], dosage))
        yield Case(f"simulated, family of {parents}", kernels, y, np.arange(len(y)) >= len(y) - 40)


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
        max(KINDS, key=lambda kind: sum(len(each.accessions) for each in sets if each.kind == kind)),
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


def print_mixed(data: Path) -> None:
    """Of which kind candidates are held that are drawn at random from each panel of the scoreboard."""
    panels = {task.panel: task for task in tasks(data)}.values()
    kernels = [thinned(read(data, task)[0]) for task in panels]
    relationships = [each.kernel(RELATIONSHIP, np.arange(len(each))) for each in kernels]
    for share in (0.1, 0.3, 0.5, 0.7, 0.9):
        counts = dict.fromkeys(KINDS, 0)
        for relationship in relationships:
            lines = len(relationship)
            for seed in range(4):
                order = np.random.default_rng(seed).permutation(lines)
                _, clusters = DistantLines(relationship, np.sort(order[round(share * lines) :])).judge()
                for each in clusters:
                    counts[each.kind] += len(each.rows)
        whole = sum(counts.values())
        told = ", ".join(f"{kind} {count / whole:.1%}" for kind, count in counts.items() if count)
        print(f"{share:.0%} of the lines as candidates ({whole:,}): {told}")


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--wide", action="store_true", help="more panels, traits and numbers of clusters")
    parser.add_argument("--mixed", action="store_true", help="kinds of candidates drawn at random")
    given = parser.parse_args()
    data, found = Path(os.environ["BUDWOOD_DATA"]), []
    if given.mixed:
        print_mixed(data)
        return
    if given.wide:
        cases = real(data, list(tasks(data)), (3, 5, 8, 12))
    else:
        cases = chain(simulated(2), simulated(5), families(2), families(4), real(data))
    for case in cases:
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
    every = [each for each in found if "simulated" not in each.panel]
    print(summary("all real", every))
    for kind in KINDS:
        of_kind = [each for each in every if each.mostly == kind]
        if of_kind:
            print(summary(f"real, mostly {kind}", of_kind))


if __name__ == "__main__":
    main()
