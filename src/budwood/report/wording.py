"""The report's sentences: what the numbers mean, in a breeder's words."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from budwood.errors import counted
from budwood.prediction.evaluation.results import (
    NOTHING_RANKED,
    CandidateSet,
    Evaluation,
    ModelScore,
    TraitPrediction,
)
from budwood.report.context import ReportContext
from budwood.report.numerals import between, fixed, percent
from budwood.report.parts.accuracy import (
    concordance,
    interval_of_mean,
    measured_control,
    pooled_r,
    reported_score,
)
from budwood.report.parts.selection import gain_sentence, signed
from budwood.stats.evaluation.paired_difference import side_of_zero

#: Mean r from which a ranking is called a strong and a moderate guide; 0.6 is the level that breeding
#: programmes commonly ask for before they select on predictions.
_STRONG, _MODERATE = 0.6, 0.3

_SCHEMES: Final = {
    "random": "Hidden lines were drawn at random, so their relatives stayed in the training set: the figures "
    "hold for candidates that are as related to the phenotyped lines as these are to one another.",
    "clusters": "Whole clusters of related lines were hidden together: the figures hold for candidates from "
    "families or populations without a phenotyped line.",
    "families": "Whole families were hidden together: the figures hold for candidates from families "
    "without a phenotyped line.",
}

_SHARES: Final = {
    "relationship": "resemblance over all markers",
    "gaussian": "resemblance over all markers, combinations of them included",
    "embedding": "resemblance of sequence windows as the DNA model sees them",
    "function": "resemblance over markers weighed by the part of the genome they lie in",
    "subgenome": "resemblance over the markers of one subgenome",
    "residual": "environment, measurement error, and genetics that no kernel here describes",
}


def headline(prediction: TraitPrediction, evaluation: Evaluation | None, context: ReportContext) -> str:
    """One sentence: how far the ranking can be trusted.

    Parameters
    ----------
    prediction
        Predictions of the trait.
    evaluation
        Results of the cross-validation.
    context
        Files, options and notes of the run.

    Returns
    -------
    str
        A sentence.
    """
    if prediction.ranks_nothing:
        return NOTHING_RANKED
    score = reported_score(evaluation, context.model) if evaluation is not None else None
    if evaluation is None or score is None:
        reason = context.no_evaluation or "too few phenotyped lines could be hidden"
        return f"How accurate this ranking is could not be measured: {reason.rstrip('.')}."
    control = measured_control(evaluation)
    lower, upper = interval_of_mean(score.fold_r, evaluation.folds)
    figures = f"r = {fixed(score.mean_r, 2)}"
    if math.isfinite(lower):
        figures += f", 95 % interval {between(lower, upper, 2)}"
    if control is not None and control.leaks:
        return f"Do not rely on this accuracy ({figures}): shuffled trait values are predicted as well."
    if side_of_zero(lower, upper) < 1:
        return f"Nothing shows that this ranking beats chance ({figures} on hidden lines)."
    if any(each.kind != "near" for each in evaluation.candidates):
        return _distant_candidates(evaluation.candidates, score.mean_r)
    return f"{_grade(score.mean_r)}: {_in_pairs(evaluation)} ({figures})."


def _distant_candidates(sets: tuple[CandidateSet, ...], random_r: float) -> str:
    """What to expect where candidates are not mixed among the phenotyped lines."""
    counts = {
        kind: sum(len(each.accessions) for each in sets if each.kind == kind)
        for kind in ("near", "near group", "far", "not judged")
    }
    total = sum(counts.values())
    if counts["not judged"] == total:
        return (
            f"Not judged: the {counted(total, 'candidate')} are further from the phenotyped lines than any "
            f"lines that could be hidden. Neither r = {fixed(random_r, 2)}, measured among the phenotyped "
            "lines, nor the 90 % intervals can be promised for them."
        )
    notes = []
    if counts["near"]:
        notes.append(
            f"for {counts['near']:,}, as near to the phenotyped lines as these are to one another, it is a "
            f"{_strength(random_r)} guide (r = {fixed(random_r, 2)})"
        )
    for kind, where, hidden in (
        ("near group", "near phenotyped lines but in groups of their own", "hidden groups as near"),
        ("far", "further away", "hidden clusters as far away"),
    ):
        if counts[kind]:
            alike = [each for each in sets if each.kind == kind]
            r = sum(each.mean_r * len(each.accessions) for each in alike) / counts[kind]
            notes.append(
                f"for {counts[kind]:,} {where} it is a {_strength(r)} guide (r = {fixed(r, 2)} in {hidden}"
                f"{_range_of_clusters(alike)})"
            )
    if counts["not judged"]:
        notes.append(
            f"for {counts['not judged']:,} no lines as far away could be hidden, so it is not judged"
        )
    whole = f"This ranking of {total:,} candidates is not equally sure: {'; '.join(notes)}."
    if all(each.promised for each in sets):
        return whole
    doubtful = [each for each in sets if not each.promised]
    lines = sum(len(each.accessions) for each in doubtful)
    seen = [each.lowest_coverage for each in doubtful if each.held_out_sets]
    held = f"; in hidden clusters like theirs they held {percent(min(seen))} or more" if seen else ""
    return f"{whole} For {lines:,} candidates the 90 % intervals cannot be promised to hold{held}."


def _range_of_clusters(alike: list[CandidateSet]) -> str:
    """Between which values r of a cluster is to be expected; nothing where too few could be hidden."""
    known = [each for each in alike if math.isfinite(each.lower_r)]
    lines = sum(len(each.accessions) for each in known)
    if not lines:
        return ""
    lower, upper = (
        sum(getattr(each, end) * len(each.accessions) for each in known) / lines
        for end in ("lower_r", "upper_r")
    )
    return f", where four in five lie between {fixed(lower, 2)} and {fixed(upper, 2)}"


def _strength(mean_r: float) -> str:
    return "strong" if mean_r >= _STRONG else "moderate" if mean_r >= _MODERATE else "weak"


def _grade(mean_r: float) -> str:
    return f"This ranking is a {_strength(mean_r)} guide"


def _in_pairs(evaluation: Evaluation) -> str:
    share = concordance(evaluation.held_out_prediction, evaluation.held_out_observed)
    if not math.isfinite(share):
        return "predictions of hidden lines followed their observed values"
    return (
        "of two phenotyped lines hidden from the model, the one predicted higher was observed higher "
        f"{round(100 * share)} times in 100"
    )


def coverage_sentence(prediction: TraitPrediction) -> str:
    """One sentence: how many candidates the training set does not cover.

    Parameters
    ----------
    prediction
        Predictions of the trait.

    Returns
    -------
    str
        A sentence.
    """
    candidates = ~np.isfinite(prediction.observed)
    total = int(candidates.sum())
    far = int((candidates & prediction.extrapolation).sum())
    if total == 0:
        return "Every line has been phenotyped: there is no candidate to predict."
    if far == 0:
        return "Every candidate is about as related to the phenotyped lines as these are to one another."
    verb = "is" if far == 1 else "are"
    return (
        f"{far:,} of {counted(total, 'candidate')} {verb} marked “extrapolation”: less related to the "
        "phenotyped lines than almost all of these are to one another, so trust their rank less."
    )


def evaluation_notes(evaluation: Evaluation, context: ReportContext) -> tuple[str, ...]:
    """Sentences beside the accuracy: what was hidden, what selection brings, how far off, the control.

    Parameters
    ----------
    evaluation
        Results of the cross-validation.
    context
        Files, options and notes of the run.

    Returns
    -------
    tuple[str, ...]
        Sentences.
    """
    score = reported_score(evaluation, context.model)
    notes = [] if score is None else _score_notes(score, evaluation)
    return (_design(evaluation), *filter(None, notes), *evaluation.notes, _control(evaluation))


def _score_notes(score: ModelScore, evaluation: Evaluation) -> list[str]:
    """Sentences on the model behind the predictions, ``""`` for what was not measured."""
    covered = (
        f"90 % intervals held {percent(score.coverage_90)} of the hidden observations; 90 % would be exact."
    )
    return [
        gain_sentence(score, evaluation),
        _genetic(score, evaluation),
        _over_lines(score, evaluation),
        covered if math.isfinite(score.coverage_90) else "",
        _slope(score.slope) if math.isfinite(score.slope) else "",
    ]


def _genetic(score: ModelScore, evaluation: Evaluation) -> str:
    h2 = evaluation.heritability
    if h2 is None or not math.isfinite(score.accuracy):
        return ""
    sentence = (
        f"With a heritability of {fixed(h2.value, 2)} ({h2.source}), r / h is {fixed(score.accuracy, 2)}: "
        "about how closely predictions follow the genetic values behind the observations"
    )
    return (
        f"{sentence}; above 1 it only says that the heritability is too low."
        if score.accuracy > 1.0
        else f"{sentence}."
    )


def _over_lines(score: ModelScore, evaluation: Evaluation) -> str:
    """How the model compares with the baseline if other lines had been there."""
    for paired in evaluation.paired:
        if paired.model == score.name and math.isfinite(paired.bootstrap_lower):
            return (
                f"Against {paired.baseline} r differs by {signed(paired.mean, 3)}, with a 95 % interval of "
                f"{between(paired.lower, paired.upper, 3)} judged by the folds and of "
                f"{between(paired.bootstrap_lower, paired.bootstrap_upper, 3)} by a bootstrap over lines."
            )
    return ""


def _design(evaluation: Evaluation) -> str:
    times = "once" if evaluation.repeats == 1 else f"{evaluation.repeats} times"
    scheme = _SCHEMES.get(evaluation.scheme, f"Folds were drawn by the scheme “{evaluation.scheme}”.")
    return (
        f"The phenotyped lines were split into {evaluation.folds} folds, {times}; each fold in turn was "
        f"hidden and predicted. {scheme}"
    )


def _slope(slope: float) -> str:
    if slope < 0.8:
        meaning = "differences between lines are smaller in the field than predicted"
    elif slope > 1.25:
        meaning = "differences between lines are larger in the field than predicted"
    else:
        meaning = "predicted differences have about the right size"
    return f"The slope of observed on predicted values is {fixed(slope, 2)}: {meaning}."


def _control(evaluation: Evaluation) -> str:
    control = measured_control(evaluation)
    if control is None:
        return "No control on shuffled trait values was run."
    figures = f"r = {fixed(control.mean_r, 2)}, central 95 % {between(control.lower, control.upper, 2)}"
    if side_of_zero(control.lower, control.upper) == 0:
        return f"With shuffled trait values nothing is found ({figures}), as it should be."
    return f"With shuffled trait values r should be about 0 but is not ({figures}): the evaluation is biased."


def agreement_note(evaluation: Evaluation) -> str:
    """One sentence under the picture of predicted and observed values.

    Parameters
    ----------
    evaluation
        Results of the cross-validation.

    Returns
    -------
    str
        A sentence.
    """
    r = pooled_r(evaluation)
    shown = int(
        (np.isfinite(evaluation.held_out_prediction) & np.isfinite(evaluation.held_out_observed)).sum()
    )
    if not math.isfinite(r):
        return f"{counted(shown, 'hidden line')}; r has no meaning here."
    return (
        f"{counted(shown, 'hidden line')} of the first repeat, all folds together: r = {fixed(r, 2)}. On the "
        "diagonal, prediction and observation are equal."
    )


def share_meaning(kernel: str) -> str:
    """What a variance share stands for, ``""`` where its name says it.

    Parameters
    ----------
    kernel
        Name of the kernel.

    Returns
    -------
    str
        A phrase.
    """
    return _SHARES.get(kernel.split(" ", 1)[0], "")
