"""The page of an evaluation: every model on the same folds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from budwood.errors import counted
from budwood.prediction.environments.results import EnvironmentEvaluation, EnvironmentScore
from budwood.prediction.evaluation.results import Evaluation, PermutationTest
from budwood.report.context import ReportContext
from budwood.report.frame import LAST_SECTIONS, PageSection, render_page, write_page
from budwood.report.numerals import fixed
from budwood.report.parts.accuracy import AccuracyPart, accuracy, accuracy_of_rows, interval_of_mean
from budwood.report.parts.selection import Selection, selection
from budwood.report.wording import evaluation_notes

SECTIONS = (PageSection("accuracy", "Accuracy"), PageSection("folds", "Each fold"), *LAST_SECTIONS)
#: Rows of the table of folds; an evaluation with more shows its repeats' means in evaluation.json alone.
_MOST_FOLDS = 200


def write_comparison(
    path: Path, evaluation: Evaluation | EnvironmentEvaluation, *, context: ReportContext
) -> None:
    """Write the page of an evaluation.

    Parameters
    ----------
    path
        The file to write; it appears whole or not at all.
    evaluation
        Results of the cross-validation, of lines or of lines in environments.
    context
        Files, options and notes of the run.
    """
    write_page(path, render_comparison(evaluation, context=context))


def render_comparison(evaluation: Evaluation | EnvironmentEvaluation, *, context: ReportContext) -> str:
    """The page as a string of HTML.

    Parameters
    ----------
    evaluation
        Results of the cross-validation, of lines or of lines in environments.
    context
        Files, options and notes of the run.

    Returns
    -------
    str
        HTML without external resources.
    """
    if isinstance(evaluation, Evaluation):
        shown, gains = accuracy(evaluation, ""), selection(evaluation, "")
        unit, rows = "fold", _folds(evaluation)
        notes = evaluation_notes(evaluation, context)
    else:
        shown, gains = _environment_accuracy(evaluation), Selection((), ())
        unit, rows = "environment", _environments(evaluation)
        notes = evaluation.notes
    names = [score.name for score in evaluation.scores]
    facts = {"models": f"{len(names)}", "folds": f"{evaluation.folds}", "repeats": f"{evaluation.repeats}"}
    if isinstance(evaluation, Evaluation):
        facts = {"phenotyped": f"{len(evaluation.held_out_observed):,}", **facts}
    measured = [score.mean_r for score in evaluation.scores if math.isfinite(score.mean_r)]
    if measured:
        facts["best mean r"] = fixed(max(measured), 2)
    return render_page(
        "comparison.html",
        title=evaluation.trait,
        kind="Budwood evaluation",
        context=context,
        sections=SECTIONS,
        facts=facts,
        notes=(*context.notes, *notes),
        skip=PageSection("accuracy", "the table of models"),
        headline=_headline(evaluation),
        accuracy=shown,
        selection=gains,
        unit=unit,
        fold_caption=_caption(evaluation, len(rows)),
        fold_models=names,
        fold_rows=rows[:_MOST_FOLDS],
    )


def _headline(evaluation: Evaluation | EnvironmentEvaluation) -> str:
    """Whether a model beats the baseline, by the intervals of the paired differences."""
    if not evaluation.scores:
        return "No model was measured."
    baseline = evaluation.scores[0].name
    own = [each for each in evaluation.paired if each.baseline == baseline]
    better = [each.model for each in own if each.lower > 0]
    worse = [each.model for each in own if each.upper < 0]
    sentences = []
    if better:
        sentences.append(f"More accurate than {baseline}: {', '.join(better)}.")
    if worse:
        sentences.append(f"Less accurate than {baseline}: {', '.join(worse)}.")
    even = [each.model for each in own if each.model not in (*better, *worse)]
    if even:
        sentences.append(f"No difference from {baseline} is shown for {', '.join(even)}.")
    if not own:
        sentences.append(f"{baseline} is the only model, so nothing is compared.")
    if evaluation.conclusion:
        sentences.append(evaluation.conclusion)
    return " ".join(sentences)


def _caption(evaluation: Evaluation | EnvironmentEvaluation, rows: int) -> str:
    text = f"Scheme {evaluation.scheme}: {counted(evaluation.folds, 'fold')}, "
    text += f"{counted(evaluation.repeats, 'repeat')}; every model saw the same ones."
    return text + (f" The first {_MOST_FOLDS} of {rows:,} are shown." if rows > _MOST_FOLDS else "")


def _folds(evaluation: Evaluation) -> list[tuple[str, list[str]]]:
    columns = [score.fold_r for score in evaluation.scores]
    return [
        (f"repeat {place // evaluation.folds + 1}, fold {place % evaluation.folds + 1}", _cells(row))
        for place, row in enumerate(zip(*columns, strict=True))
    ]


def _environments(evaluation: EnvironmentEvaluation) -> list[tuple[str, list[str]]]:
    names = dict.fromkeys(name for score in evaluation.scores for name in score.environment_r)
    return [
        (name, _cells([score.environment_r.get(name, math.nan) for score in evaluation.scores]))
        for name in names
    ]


def _cells(row: Sequence[float]) -> list[str]:
    return [fixed(float(r), 2) if np.isfinite(r) else "–" for r in row]


def _environment_accuracy(evaluation: EnvironmentEvaluation) -> AccuracyPart:
    baseline = evaluation.scores[0].name if evaluation.scores else ""
    paired = {each.model: each for each in evaluation.paired if each.baseline == baseline}
    entries = [(each, _span(each, evaluation), paired.get(each.name)) for each in evaluation.scores]
    return accuracy_of_rows(entries, _control(evaluation.permutation), baseline)


def _span(score: EnvironmentScore, evaluation: EnvironmentEvaluation) -> tuple[float, float]:
    """Interval over folds, where the same lines and environments are divided; none otherwise."""
    if evaluation.interval_over != "folds":
        return math.nan, math.nan
    return interval_of_mean(score.fold_r, evaluation.folds)


def _control(control: PermutationTest) -> PermutationTest | None:
    return control if math.isfinite(control.mean_r) else None
