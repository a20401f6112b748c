"""Pages of evaluations, training sets and indices; data never becomes markup."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from budwood.prediction.environments.results import EnvironmentEvaluation, EnvironmentScore
from budwood.prediction.evaluation.results import CandidateSet, PairedDifference, PermutationTest
from budwood.prediction.multi_trait_index import IndexRanking
from budwood.prediction.phenotype_next import ChosenLine, CurvePoint, PhenotypeNext
from budwood.report.pages.comparison import render_comparison
from budwood.report.pages.index import MOST_LINES, render_index
from budwood.report.pages.prediction import render_report
from budwood.report.pages.training_set import render_training_set
from report.parsed_page import Page
from report.plausible import make_context, make_evaluation, make_prediction

HOSTILE = "<script>alert(1)</script>"


def comparison(name: str) -> str:
    evaluation = replace(make_evaluation(make_prediction()), trait=name)
    return render_comparison(evaluation, context=make_context())


def in_environments(name: str) -> str:
    scores = tuple(
        EnvironmentScore(model, (0.4, 0.5, r), {"dry": r, name: math.nan}, r, 0.9, 2.0, 1.0, 3.0)
        for model, r in (("main effect", 0.4), ("reaction norm", 0.6))
    )
    paired = (PairedDifference("reaction norm", "main effect", 0.2, 0.1, 0.3),)
    control = PermutationTest("reaction norm", 0.0, -0.1, 0.1)
    found = EnvironmentEvaluation(name, "cv1", 3, 1, scores, paired, "folds", control, ("a note",), "Yes.")
    return render_comparison(found, context=make_context())


def training_set(name: str) -> str:
    lines = (
        ChosenLine(name, "north", 2.0, 0.1, 0.61, f"closest relative of {name}"),
        ChosenLine("b", "south", 1.0, 0.1, 0.62, "related to many"),
    )
    curve = (CurvePoint(25, 0.7, 0.6), CurvePoint(50, 0.8, 0.7))
    chosen = PhenotypeNext(
        lines=lines,
        criterion="cdmean",
        candidates=30,
        phenotyped=20,
        settled=True,
        heritability=0.5,
        heritability_source="assumed",
        accuracy_before=0.6,
        accuracy_after=0.62,
        curve=curve,
        notes=("a note",),
    )
    return render_training_set(chosen, trait=name, context=make_context())


def index(name: str, lines: int = 30) -> str:
    values = np.random.default_rng(0).normal(size=(lines, 2)) * [1.0, 10.0]
    ranking = IndexRanking(
        traits=(name, "width"),
        accessions=(name, *(f"line {i}" for i in range(1, lines))),
        score=np.sort(values[:, 0])[::-1],
        predictions=values,
        weights=np.array([1.0, -0.5]),
        expected_gain=np.array([0.4, -0.2]),
        best=3,
        best_gain=np.array([0.5, -0.1]),
        correlation=np.eye(2),
        notes=("a note",),
    )
    return render_index(ranking, context=make_context())


PAGES = (comparison, in_environments, training_set, index)


@pytest.mark.parametrize("make", PAGES)
def test_a_page_is_well_formed_and_fetches_nothing(
    make: Callable[[str], str],
) -> None:
    text = make("height")
    page = Page(text)
    assert page.open == []
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {str(a["href"]).removeprefix("#") for tag, a in page.elements if tag == "a"}
    assert targets <= set(ids)
    assert not re.search(r"https?:|url\(|@import|fetch\(", text.replace("http://www.w3.org/2000/svg", ""))


@pytest.mark.parametrize("make", PAGES)
def test_names_never_become_markup(make: Callable[[str], str]) -> None:
    page = Page(make(HOSTILE))
    assert page.open == []
    assert HOSTILE in page.text
    assert len(page.scripts) == 2  # the style and the page's own script


def test_an_evaluation_says_which_models_beat_the_baseline() -> None:
    page = Page(in_environments("height"))
    assert "More accurate than main effect: reaction norm. Yes." in page.text
    assert "r in each environment" in page.text
    assert "0.60" in page.text


def test_a_training_set_shows_groups_costs_and_the_curve() -> None:
    page = Page(training_set("height"))
    assert (
        "With these 2 lines phenotyped, the expected accuracy for the lines left is 0.62 instead of 0.60."
        in page.text
    )
    assert "north" in page.text
    lines = [a["points"] for tag, a in page.elements if tag == "polyline"]
    starts = {str(points).split()[0] for points in lines}
    assert len(lines) == 2
    assert len(starts) == 1  # both begin at the accuracy without a further line


def test_an_index_shows_the_first_lines_only() -> None:
    page = Page(index("height", lines=MOST_LINES + 20))
    assert f"line {MOST_LINES - 1}" in page.text
    assert f"line {MOST_LINES} " not in page.text
    assert f"the first {MOST_LINES:,} of {MOST_LINES + 20:,} are shown" in page.text


def test_the_report_has_a_histogram_and_groups_of_candidates() -> None:
    prediction = make_prediction(60, 25)
    far = CandidateSet("far", prediction.accessions[30:34], 2.0, 0.31, 0.8, 0.85, 4)
    evaluation = replace(make_evaluation(prediction), candidates=(far,))
    page = Page(render_report(prediction, evaluation, context=make_context()))
    bars = [a for tag, a in page.elements if tag == "rect" and "height" in a]
    assert len(bars) > 10
    assert "Groups of candidates" in page.text
    assert "further away" in page.text
    assert "0.31" in page.text
