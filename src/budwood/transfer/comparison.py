"""A source and a target compared: tests of every head, few-shot accuracies, shared loci, and the outcome."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

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
from budwood.transfer.heads import CarriedHeads
from budwood.transfer.locus_importance import association, locus_importance
from budwood.transfer.score_effect import score_effect, second_kernel_test

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
    overlap
        Whether both sides' important loci are the same; None without loci.
    carried
        Heads and scores of every target line.
    """

    results: FewShotResults
    tests: Mapping[str, DirectTest]
    main_arm: str
    outcome: TransferConclusion
    overlap: LocusOverlap | None
    carried: CarriedHeads


def compare_transfer(
    genotypes: Genotypes,
    phenotyped: Rows,
    y: Vector,
    carried: CarriedHeads,
    design: FewShotDesign,
    progress: Callable[[int], None] = lambda done: None,
) -> TransferComparison:
    """Compare what a source brings with the target alone.

    Parameters
    ----------
    genotypes
        All lines of the target.
    phenotyped, y
        (N,) its rows with trait values, and the values.
    carried
        What the source brings.
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
        If nothing of the source can be carried over, or too few target lines are phenotyped.
    """
    if not carried.heads:
        raise BudwoodError(
            "nothing of the source can be carried to the target",
            mend="give genotypes with shared markers, orthologs with both gene tables, or both references",
        )
    design.test_lines(len(y))
    lines = genotypes.take(phenotyped)
    target = TransferTarget.of(lines, y)
    tests = {head.name: _tested(target, head) for head in carried.heads}
    results = evaluate_few_shot(target, carried.heads, design, progress)
    arm = STACK if STACK in results.r else arm_name(carried.heads[0], WITH)
    return TransferComparison(
        results=results,
        tests=tests,
        main_arm=arm,
        outcome=outcome(results, arm, tests),
        overlap=_overlap(lines, target, carried, design.seed),
        carried=carried,
    )


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
    within = within_clusters(head.score, target.y, target.clusters)
    random = np.nan
    if head.random_scores is not None:
        others = [within_clusters(each, target.y, target.clusters) for each in head.random_scores]
        random = random_p(within, np.array(others))
    known = np.isfinite(effect.delta)
    return DirectTest(
        r=pearson_r(head.score, target.y),
        within_r=within,
        p_random=random,
        p_value=effect.p_value if known else 1.0,
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
