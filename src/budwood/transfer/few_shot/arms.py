"""Predictions of the test lines by every arm of a few-shot comparison."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from budwood.stats.evaluation.stacking import stacking_weights
from budwood.stats.mixed_model.blup import Blup
from budwood.transfer.few_shot.design import Rows
from budwood.transfer.few_shot.target import TransferHead, TransferTarget
from budwood.transfer.score_effect import decomposed, fit_transfer, gblup

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]

#: Names of arms; those of a head begin with its name.
TARGET_ALONE: Final = "GBLUP, target alone"
TARGET_GAUSSIAN: Final = "Gaussian kernel, target alone"
STRUCTURE: Final = "principal components alone"
STACK: Final = "stack"
DIRECT: Final = "source alone"
WITH: Final = "GBLUP + source"
RANDOM_TRAIT: Final = "random source trait"
FROM_SCRATCH: Final = "from scratch"
RANDOM_WEIGHTS: Final = "random weights"
SHUFFLED: Final = "shuffled orthology"
ALL_SOURCES: Final = "all sources"


def arm_name(head: TransferHead, way: str, control: str = "") -> str:
    """Name of an arm of a head.

    Examples
    --------
    >>> arm_name(TransferHead(name="gene burdens"), DIRECT)
    'gene burdens: source alone'
    >>> arm_name(TransferHead(name="gene burdens"), WITH, RANDOM_TRAIT)
    'gene burdens: GBLUP + source, random source trait'
    """
    return f"{head.name}: {way}" + (f", {control}" if control else "")


def direct_predictions(heads: Sequence[TransferHead], test: Rows, draw: int) -> dict[str, Vector]:
    """Scores of the test lines without any target phenotype, with controls of this draw.

    With several sources, ``all sources`` is the mean of all scores, each in standard deviations over the
    target's lines: without phenotypes nothing says which source is better.
    """
    found: dict[str, Vector] = {}
    scored = [head for head in heads if head.score is not None]
    if len({head.source for head in scored}) > 1:
        joined = np.mean([_in_deviations(head.score) for head in scored], axis=0)
        found[f"{ALL_SOURCES}: {DIRECT}"] = joined[test]
    for head in heads:
        if head.score is None:
            continue
        found[arm_name(head, DIRECT)] = head.score[test]
        for control, scores in _score_controls(head):
            found[arm_name(head, DIRECT, control)] = scores[draw % len(scores)][test]
    return found


def few_shot_predictions(
    target: TransferTarget, heads: Sequence[TransferHead], training: Rows, test: Rows, draw: int
) -> tuple[dict[str, Vector], dict[str, float]]:
    """Predictions of the test lines by all arms, and the p-value of delta by head.

    Parameters
    ----------
    target, heads
        The target and what sources bring.
    training, test
        Rows of the target.
    draw
        Number of the draw, which chooses the control's random trait.
    """
    y, square, between = target.y[training], np.ix_(training, training), np.ix_(test, training)
    g, c = target.relationship[square], target.relationship[between]
    own = np.diagonal(target.relationship)[test]
    known = decomposed(g)
    alone = gblup(y, [g], known)
    found = {TARGET_ALONE: alone.predict([c], [own]).value}
    found[TARGET_GAUSSIAN] = _best_gaussian(target, training, test)
    found[STRUCTURE] = _structure(target, training, test)
    held_out, tested, p_values = [alone.leave_one_out()], [found[TARGET_ALONE]], {}
    for head in heads:
        if head.score is not None:
            fit = fit_transfer(y, head.score[training], g, known)
            name = arm_name(head, WITH)
            found[name] = fit.predict(c, own, head.score[test])
            p_values[head.name] = fit.effect.p_value
            held_out.append(fit.leave_one_out())
            tested.append(found[name])
            for control, scores in _score_controls(head):
                score = scores[draw % len(scores)]
                other = fit_transfer(y, score[training], g, known)
                found[arm_name(head, WITH, control)] = other.predict(c, own, score[test])
        for control, kernel in (("", head.own), (RANDOM_WEIGHTS, head.own_random)):
            if kernel is not None:
                solved = gblup(y, [kernel[square]])
                value = solved.predict([kernel[between]], [np.diagonal(kernel)[test]]).value
                found[arm_name(head, FROM_SCRATCH, control)] = value
        if head.kernel is not None:
            name = arm_name(head, WITH)
            solved = gblup(y, [g, head.kernel[square]])
            found[name] = _two_kernels(solved, target, head.kernel, between, test)
            held_out.append(solved.leave_one_out())
            tested.append(found[name])
            for control, kernels in _kernel_controls(head):
                kernel = kernels[draw % len(kernels)]
                solved = gblup(y, [g, kernel[square]])
                found[arm_name(head, WITH, control)] = _two_kernels(solved, target, kernel, between, test)
    if len(tested) > 2:
        prior = np.eye(len(tested))[0]  # the target alone, until the records say otherwise
        weights = stacking_weights(np.column_stack(held_out), y, prior=prior)
        found[STACK] = weights.combine(np.column_stack(tested))
    return found, p_values


def _in_deviations(score: Vector | None) -> Vector:
    """A score in its standard deviations; zeros where it does not vary."""
    assert score is not None, "the caller leaves out heads without a score"
    spread = float(np.std(score))
    return (score - score.mean()) / spread if spread > 0.0 else np.zeros(len(score))


def _score_controls(head: TransferHead) -> list[tuple[str, Matrix]]:
    pairs = [
        (RANDOM_TRAIT, head.random_scores),
        (SHUFFLED, head.shuffled_scores),
        (RANDOM_WEIGHTS, head.random_weight_scores),
    ]
    return [(name, scores) for name, scores in pairs if scores is not None and len(scores)]


def _kernel_controls(head: TransferHead) -> list[tuple[str, tuple[Matrix, ...]]]:
    pairs = [(RANDOM_TRAIT, head.random_kernels), (SHUFFLED, head.shuffled_kernels)]
    return [(name, kernels) for name, kernels in pairs if kernels]


def _two_kernels(
    solved: Blup, target: TransferTarget, kernel: Matrix, between: tuple[NDArray[np.intp], ...], test: Rows
) -> Vector:
    relationship = target.relationship
    cross = [relationship[between], kernel[between]]
    return solved.predict(cross, [np.diagonal(relationship)[test], np.diagonal(kernel)[test]]).value


def _best_gaussian(target: TransferTarget, training: Rows, test: Rows) -> Vector:
    """The bandwidth of the highest likelihood predicts."""
    square, between = np.ix_(training, training), np.ix_(test, training)
    fits = [(gblup(target.y[training], [kernel[square]]), kernel) for kernel in target.gaussian]
    solved, kernel = max(fits, key=lambda fit: fit[0].components.log_likelihood)
    return solved.predict([kernel[between]], [np.ones(len(test))]).value


def _structure(target: TransferTarget, training: Rows, test: Rows) -> Vector:
    """Least squares on the first axes of structure, one for each eight training lines."""
    count = min(target.axes.shape[1], max(1, len(training) // 8))
    design = np.column_stack([np.ones(len(target.y)), target.axes[:, :count]])
    effects = np.linalg.lstsq(design[training], target.y[training], rcond=None)[0]
    return np.asarray(design[test] @ effects, dtype=np.float64)
