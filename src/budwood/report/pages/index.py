"""The page of an index of several traits."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from budwood.errors import counted
from budwood.prediction.multi_trait_index import IndexRanking
from budwood.report.context import ReportContext
from budwood.report.frame import LAST_SECTIONS, PageSection, render_page, write_page
from budwood.report.numerals import decimals_for, fixed
from budwood.report.parts.selection import signed

SECTIONS = (PageSection("gains", "Traits"), PageSection("ranking", "Lines"), *LAST_SECTIONS)
#: Lines in the table of the page; index.csv has them all.
MOST_LINES = 1000


def write_index(path: Path, ranking: IndexRanking, *, context: ReportContext) -> None:
    """Write the page of an index.

    Parameters
    ----------
    path
        The file to write; it appears whole or not at all.
    ranking
        Lines by their index, best first.
    context
        Files, options and notes of the run.
    """
    write_page(path, render_index(ranking, context=context))


def render_index(ranking: IndexRanking, *, context: ReportContext) -> str:
    """The page as a string of HTML.

    Parameters
    ----------
    ranking
        Lines by their index, best first.
    context
        Files, options and notes of the run.

    Returns
    -------
    str
        HTML without external resources.
    """
    digits = [decimals_for(np.array([column.std()])) for column in ranking.predictions.T]
    on_index = decimals_for(np.array([ranking.score.std()]))
    by_trait = (ranking.weights, ranking.expected_gain, ranking.best_gain, digits)
    traits = [
        {
            "name": name,
            "weight": f"{weight:.4g}".replace("-", "\u2212"),
            "expected": signed(float(expected), digit),
            "gain": signed(float(gain), digit),
        }
        for name, weight, expected, gain, digit in zip(ranking.traits, *by_trait, strict=True)
    ]
    lines = zip(ranking.accessions, ranking.score, ranking.predictions, strict=True)
    rows = [
        {
            "rank": rank,
            "accession": accession,
            "cells": [
                fixed(float(score), on_index),
                *(fixed(float(value), digit) for value, digit in zip(values, digits, strict=True)),
            ],
        }
        for rank, (accession, score, values) in enumerate(lines, start=1)
        if rank <= MOST_LINES
    ]
    total = len(ranking.accessions)
    shown = f"the first {MOST_LINES:,} of {total:,}" if total > MOST_LINES else "all"
    gains = ", ".join(f"{each['name']} {each['gain']}" for each in traits)
    return render_page(
        "index.html",
        title="Index of " + ", ".join(ranking.traits),
        kind="Budwood selection index",
        context=context,
        sections=SECTIONS,
        facts={"lines": f"{total:,}", "traits": f"{len(ranking.traits)}", "best tenth": f"{ranking.best:,}"},
        notes=(*context.notes, *ranking.notes),
        skip=PageSection("ranking", "the ranked table"),
        show_identity=False,
        headline=f"Choosing the best tenth by this index changes the mean prediction by {gains}.",
        best=counted(ranking.best, "line"),
        traits=traits,
        correlations=[
            (name, [fixed(float(r), 2) for r in row])
            for name, row in zip(ranking.traits, ranking.correlation, strict=True)
        ],
        rows=rows,
        ranking_caption=f"Best first; {shown} are shown, with the predictions in units of the traits.",
    )
