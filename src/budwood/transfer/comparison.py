"""A source and a target compared: tests of every head, few-shot accuracies, shared loci, and the outcome."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from budwood.errors import BudwoodError
from budwood.genomics.genotypes import Genotypes
from budwood.stats.evaluation.metrics import pearson_r
from budwood.stats.relationship.relationship import centre, summarise_markers
from budwood.transfer.attribution import LocusOverlap, locus_overlap
from budwood.transfer.few_shot.arms import STACK, WITH, arm_name
from budwood.transfer.few_shot.conclusion import DirectTest, TransferConclusion, outcome, random_p
from budwood.transfer.few_shot.design import FewShotDesign
from budwood.transfer.few_shot.evaluate import evaluate_few_shot, within_clusters
from budwood.transfer.few_shot.results import FewShotResults
from budwood.transfer.few_shot.target import TransferHead, TransferTarget
from budwood.transfer.geometry import AxisGeometry, axis_geometry
from budwood.transfer.heads import CarriedHeads
from budwood.transfer.locus_importance import association, locus_importance
from budwood.transfer.score_effect import p_of, score_effect, score_statistics, second_kernel_test

Vector = NDArray[np.float64]
Rows = NDArray[np.intp]


@dataclass(frozen=True, kw_only=True, eq=False)
class TransferComparison:
    """What a source does for a target.

    Attributes
    ----------
    results
        Few-shot accuracies of every arm.
    tests
        Of each head with all phenotyped lines.
    main_arm
        The arm that the outcome is about: the stack where there are several heads, else the only one.
    outcome
        In one word.
    geometry
        Of each head: how the source's axis lies among the target's lines; heads that do not vary are left
        out.
    overlaps
        Of each source: whether both sides' important loci are the same; None without loci.
    carried
        Of each source: heads and scores of every target line.
    """

    results: FewShotResults
    tests: Mapping[str, DirectTest]
    main_arm: str
    outcome: TransferConclusion
    geometry: Mapping[str, AxisGeometry]
    overlaps: Mapping[str, LocusOverlap | None]
    carried: Mapping[str, CarriedHeads]


def compare_transfer(
    genotypes: Genotypes,
    phenotyped: Rows,
    y: Vector,
    carried: Mapping[str, CarriedHeads],
    design: FewShotDesign,
    progress: Callable[[int], None] = lambda done: None,
) -> TransferComparison:
    """Compare what sources bring with the target alone.

    Parameters
    ----------
    genotypes
        All lines of the target.
    phenotyped, y
        (N,) its rows with trait values, and the values.
    carried
        What each source brings, by its name; the stack joins the heads of all of them.
    design
        Sizes and draws.
    progress
        Receives the number of finished draws.

    Returns
    -------
    TransferComparison
        Tests, accuracies and the outcome.

    Raises
    ------
    BudwoodError
        If nothing of a source can be carried over, or too few target lines are phenotyped.
    """
    for name, each in carried.items():
        if not each.heads:
            found = "".join(f"; {note[0].lower()}{note[1:].rstrip('.')}" for note in each.notes[-2:])
            raise BudwoodError(
                f"nothing of the source can be carried to the target{found}",
                where=name if len(carried) > 1 else "",
                mend="give genotypes with shared markers, 20 or more orthologs with both gene tables, or "
                "both references",
            )
    heads = _heads_of_all(carried)
    design.test_lines(len(y))
    lines = genotypes.take(phenotyped)
    target = TransferTarget.of(lines, y)
    tests = {head.name: _tested(target, head) for head in heads}
    placed = {head.name: axis_geometry(target, head) for head in heads}
    results = evaluate_few_shot(target, heads, design, progress)
    arm = STACK if STACK in results.r else arm_name(heads[0], WITH)
    return TransferComparison(
        results=results,
        tests=tests,
        main_arm=arm,
        outcome=outcome(results, arm, tests),
        geometry={name: each for name, each in placed.items() if each is not None},
        overlaps={name: _overlap(lines, target, each, design.seed) for name, each in carried.items()},
        carried=carried,
    )


def _heads_of_all(carried: Mapping[str, CarriedHeads]) -> list[TransferHead]:
    """Heads of all sources; they bear the source's name where there are several."""
    if len(carried) == 1:
        return [head for each in carried.values() for head in each.heads]
    return [
        replace(head, name=f"{head.name} of {name}", source=name)
        for name, each in carried.items()
        for head in each.heads
    ]


def _tested(target: TransferTarget, head: TransferHead) -> DirectTest:
    """Test one head on all phenotyped lines."""
    if head.score is None:
        assert head.kernel is not None, "a head is a score or a kernel"
        p_value, components = second_kernel_test(target.y, target.relationship, head.kernel)
        return DirectTest(
            r=np.nan,
            within_r=np.nan,
            p_random=np.nan,
            p_value=p_value,
            positive=components.kernels[1] > 0.0,
        )
    effect = score_effect(target.y, head.score, target.relationship)
    p_value, inflation = effect.p_value, 1.0
    within = within_clusters(head.score, target.y, target.clusters)
    random = np.nan
    if head.random_scores is not None:
        others = [within_clusters(each, target.y, target.clusters) for each in head.random_scores]
        random = random_p(within, np.array(others))
        every = np.vstack([head.score, head.random_scores])
        statistics = score_statistics(target.y, every, target.relationship)
        inflation = max(1.0, float(statistics[1:].mean()))
        p_value = float(p_of(statistics[:1] / inflation, len(target.y))[0])
    known = np.isfinite(effect.delta)
    return DirectTest(
        r=pearson_r(head.score, target.y),
        within_r=within,
        p_random=random,
        p_value=p_value if known else 1.0,
        inflation=inflation,
        positive=bool(known and effect.delta > 0.0),
    )


def _overlap(
    lines: Genotypes, target: TransferTarget, carried: CarriedHeads, seed: int
) -> LocusOverlap | None:
    if carried.loci is None or carried.source_importance is None or carried.target_members is None:
        return None
    summary = summarise_markers(lines.dosage, lines.ploidy)
    kept = np.flatnonzero(summary.kept)
    markers = centre(lines.dosage, lines.ploidy, summary)
    statistics = association(markers, target.y[None], target.relationship)[0]
    theirs = locus_importance(statistics, carried.target_members[:, kept])
    return locus_overlap(carried.loci, carried.source_importance, theirs, seed=seed)
