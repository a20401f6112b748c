"""The report: one HTML file that needs nothing beside itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from budwood.prediction.evaluation.results import Evaluation, TraitPrediction
from budwood.report import wording
from budwood.report.context import ReportContext
from budwood.report.frame import LAST_SECTIONS, PageSection, render_page, write_page
from budwood.report.numerals import fixed, percent
from budwood.report.parts.accuracy import accuracy, reported_score
from budwood.report.parts.clusters import cluster_rows
from budwood.report.parts.environments import EnvironmentSection
from budwood.report.parts.leaders import leaders
from budwood.report.parts.rows import script_json, table_data
from budwood.report.parts.selection import selection
from budwood.report.pictures import scatter
from budwood.report.pictures.histogram import trait_histogram

ENVIRONMENTS = PageSection("environments", "Environments")
SECTIONS = (
    PageSection("leaders", "Leading candidates"),
    PageSection("ranking", "All lines"),
    PageSection("accuracy", "Accuracy"),
    ENVIRONMENTS,
    PageSection("panel", "Panel"),
    LAST_SECTIONS[0],
    PageSection("reading", "How to read this page"),
    LAST_SECTIONS[1],
)


@dataclass(frozen=True)
class Share:
    """A kernel's share of the phenotypic variance: text, and length of its bar in percent.

    Attributes
    ----------
    kernel
        Its name.
    text
        The share in words.
    length
        Of the bar in percent.
    meaning
        What the kernel stands for.
    """

    kernel: str
    text: str
    length: float
    meaning: str


def write_report(
    path: Path,
    prediction: TraitPrediction,
    evaluation: Evaluation | None,
    *,
    context: ReportContext,
    environments: EnvironmentSection | None = None,
) -> None:
    """Write one trait's report: a single HTML file, readable offline, on a phone and on paper.

    Parameters
    ----------
    path
        The file to write; it appears whole or not at all.
    prediction
        Predictions of every line.
    evaluation
        Held-out accuracy; None where it could not be measured, and then ``context.no_evaluation`` says why.
    context
        The run behind the numbers.
    environments
        What is shown of several environments; None where there is no table of them.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    write_page(path, render_report(prediction, evaluation, context=context, environments=environments))


def render_report(
    prediction: TraitPrediction,
    evaluation: Evaluation | None,
    *,
    context: ReportContext,
    environments: EnvironmentSection | None = None,
) -> str:
    """The report as a string of HTML.

    Parameters
    ----------
    prediction
        Predictions of the trait.
    evaluation
        Results of the cross-validation.
    context
        Files, options and notes of the run.
    environments
        As for :func:`write_report`.

    Returns
    -------
    str
        A whole page without external resources.
    """
    shown = [each for each in SECTIONS if each != ENVIRONMENTS or environments is not None]
    return render_page(
        "report.html",
        title=prediction.trait,
        kind="Budwood report",
        context=context,
        sections=tuple(shown),
        environments=environments,
        facts=_facts(prediction, evaluation, context),
        notes=(*context.notes, *prediction.notes),
        skip=PageSection("ranking", "the ranked table"),
        scripts=("report.js", "pictures.js"),
        data=Markup(script_json(table_data(prediction))),
        headline=wording.headline(prediction, evaluation, context),
        coverage=wording.coverage_sentence(prediction),
        nothing_ranked=prediction.ranks_nothing,
        lower_is_better=prediction.lower_is_better,
        highest=leaders(prediction),
        lowest=leaders(prediction, lowest=True),
        structure=scatter.structure(prediction),
        histogram=trait_histogram(prediction),
        clusters=cluster_rows(evaluation, prediction),
        side=scatter.SIDE,
        shares=_shares(prediction.variance_shares),
        evaluation=_evaluation(prediction, evaluation, context),
    )


def _facts(
    prediction: TraitPrediction, evaluation: Evaluation | None, context: ReportContext
) -> dict[str, str]:
    """The figures beside the headline."""
    candidates = ~np.isfinite(prediction.observed)
    facts = {
        "lines": f"{len(candidates):,}",
        "phenotyped": f"{int((~candidates).sum()):,}",
        "candidates": f"{int(candidates.sum()):,}",
        "extrapolations": f"{int((candidates & prediction.extrapolation).sum()):,}",
    }
    score = reported_score(evaluation, context.model) if evaluation is not None else None
    if score is not None:
        facts["accuracy r"] = fixed(score.mean_r, 2)
    return facts


def _shares(shares: Mapping[str, float]) -> tuple[Share, ...]:
    return tuple(
        Share(
            kernel, percent(share), round(100 * min(max(share, 0.0), 1.0), 2), wording.share_meaning(kernel)
        )
        for kernel, share in shares.items()
    )


def _evaluation(
    prediction: TraitPrediction, evaluation: Evaluation | None, context: ReportContext
) -> dict[str, Any] | None:
    """What the section on accuracy shows, None where nothing was measured."""
    if evaluation is None or not evaluation.scores:
        return None
    return {
        "conclusion": evaluation.conclusion,
        "accuracy": accuracy(evaluation, context.model),
        "selection": selection(evaluation, context.model),
        "notes": wording.evaluation_notes(evaluation, context),
        "agreement": scatter.agreement(evaluation, prediction),
        "agreement_note": wording.agreement_note(evaluation),
    }
