"""What stands in the page, and that data never becomes markup."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budwood.prediction.evaluation.results import Evaluation, ModelScore, PermutationTest, TraitPrediction
from budwood.report.pages.prediction import render_report, write_report
from report.parsed_page import Page
from report.plausible import DNA, make_context, make_evaluation, make_prediction

HOSTILE = ('<b>x</b>&"', "</script><script>alert(1)</script>", "<!--", "it's `${1}` {{ 7*7 }}", "\u2028 end")


def render(prediction: TraitPrediction, evaluation: Evaluation | None, **changes: Any) -> Page:
    return Page(render_report(prediction, evaluation, context=make_context(**changes)))


def hostile_prediction() -> TraitPrediction:
    names = HOSTILE + tuple(f"line {k}" for k in range(25))
    return make_prediction(
        len(names),
        12,
        accessions=names,
        trait='<i>height</i> & "width"',
        nearest_training_accession=tuple(reversed(names)),
        variance_shares={"<u>kernel</u>": 0.4, "residual": 0.6},
        notes=("<script>assumed()</script>",),
    )


def test_the_page_is_well_formed_and_its_links_lead_somewhere(
    prediction: TraitPrediction, evaluation: Evaluation
) -> None:
    page = render(prediction, evaluation)
    assert page.open == []
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    named = {
        attributes[key]
        for _, attributes in page.elements
        for key in ("aria-labelledby", "for")
        if key in attributes
    }
    targets = {a["href"] for tag, a in page.elements if tag == "a"}
    assert named | {str(target).removeprefix("#") for target in targets} <= set(ids)


def test_nothing_is_fetched(prediction: TraitPrediction, evaluation: Evaluation) -> None:
    text = render_report(prediction, evaluation, context=make_context())
    page = Page(text)
    for tag, attributes in page.elements:
        assert "src" not in attributes
        assert str(attributes.get("href", "#")).startswith(("#", "data:")), tag
        assert not any(name.startswith("on") for name in attributes)
    outside = re.sub(r'"http://www\.w3\.org/2000/svg"', "", text)
    assert not re.search(r"https?:|url\(|@import|fetch\(|XMLHttp", outside)


def test_every_section_says_its_piece(prediction: TraitPrediction, evaluation: Evaluation) -> None:
    context = make_context()
    text = render(prediction, evaluation).text
    for expected in (
        prediction.trait,
        evaluation.conclusion,
        *prediction.notes,
        *context.identity,
        *context.inputs.values(),
        context.command,
        str(context.checkpoint),
        "2025-11-21 12:30 UTC",
        "numpy 2.4.0",
        *(score.name for score in evaluation.scores),
        f"{DNA}, trait values shuffled",
        "+0.018 (−0.006 to 0.042)",
        "Of the best quarter of the hidden lines, 52 % stood in the predicted best quarter (by chance 25 %)",
        "6.3 higher than all hidden lines (0.61 standard deviations)",
        "; the truly best quarter was 11.9 higher.",
        "−0.006 to 0.042 judged by the folds and of −0.004 to 0.039 by a bootstrap over lines.",
        "With a heritability of 0.55 (genomic h2 estimated by REML of GBLUP on all phenotyped lines)",
        "Two lines without a family take no part.",
        "Width of 90 % interval",
        "0.00 (−0.11 to 0.12)",
        "relationship 41 %",
        "Standard error",
        "Reliability",
        "90 % interval",
        "Extrapolation",
    ):
        assert " ".join(expected.split()) in text


def test_data_is_shown_literally_and_never_as_markup() -> None:
    prediction = hostile_prediction()
    page = render(
        prediction,
        make_evaluation(prediction, conclusion="<em>conclusion</em>"),
        identity=('<b onclick="x()">id</b>',),
        command="budwood predict --trait '<i>'",
        inputs={"<b>": "</dd>"},
    )
    assert page.open == []
    assert {"b", "i", "u", "em"}.isdisjoint(tag for tag, _ in page.elements)
    assert [tag for tag, _ in page.elements].count("script") == 2
    for shown in (
        "<em>conclusion</em>",
        "<u>kernel</u>",
        "<script>assumed()</script>",
        '<b onclick="x()">id</b>',
    ):
        assert shown in page.text
    assert '<i>height</i> & "width"' in page.text


def test_the_data_of_the_table_survives_the_script_element() -> None:
    prediction = hostile_prediction()
    data = render(prediction, None).data
    column = data["columns"].index
    assert [row[column("accession")] for row in data["rows"]] == list(prediction.accessions)
    assert [row[column("nearest_training_accession")] for row in data["rows"]] == list(
        prediction.nearest_training_accession
    )
    assert [row[column("rank")] for row in data["rows"]] == prediction.rank.tolist()
    assert [row[column("observed")] is None for row in data["rows"]] == np.isnan(prediction.observed).tolist()
    shown = [row[column("prediction")] for row in data["rows"]]
    np.testing.assert_allclose(shown, prediction.prediction, rtol=1e-6)


@settings(max_examples=12, deadline=None)
@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=30))
def test_any_accession_survives(name: str) -> None:
    prediction = make_prediction(4, 2)
    names = (name, *prediction.accessions[1:])
    page = render(make_prediction(4, 2, accessions=names), None)
    assert page.data["rows"][0][0] == name
    assert page.open == []


def test_only_the_scripts_own_digest_may_run(prediction: TraitPrediction) -> None:
    import base64
    import hashlib

    text = render_report(prediction, None, context=make_context())
    script = re.findall(r"<script>(.*?)</script>", text, re.S)[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in text
    assert "default-src 'none'" in text


def test_points_carry_the_rows_they_stand_for(prediction: TraitPrediction, evaluation: Evaluation) -> None:
    page = render(prediction, evaluation)
    rows = [int(str(a["data-row"])) for tag, a in page.elements if "data-row" in a]
    labelled = int(np.isfinite(prediction.observed).sum())
    assert len(rows) == labelled + len(prediction.accessions)
    assert sorted(rows[labelled:]) == list(range(len(prediction.accessions)))


def test_without_an_evaluation_the_reason_is_given(prediction: TraitPrediction) -> None:
    page = render(
        prediction, None, no_evaluation="3 phenotyped lines are too few.", checkpoint=None, identity=()
    )
    assert page.text.count("3 phenotyped lines are too few.") == 2
    assert "none: markers alone" in page.text
    assert "shuffled" not in page.text


def test_what_could_not_be_measured_is_never_nan(prediction: TraitPrediction) -> None:
    nan = math.nan
    score = ModelScore("GBLUP", (nan, nan), nan, nan, nan, nan, 0.1)
    evaluation = make_evaluation(
        prediction, scores=(score,), paired=(), permutation=PermutationTest("GBLUP", nan, nan, nan)
    )
    page = render(prediction, evaluation, model="GBLUP")
    assert "nan" not in re.sub(r"[a-z]*nan[a-z]+|[a-z]+nan[a-z]*", "", page.text.lower())
    assert "could not be measured" in page.text
    assert "No control on shuffled trait values was run." in page.text


def test_an_evaluation_without_its_control(prediction: TraitPrediction) -> None:
    page = render(prediction, make_evaluation(prediction, permutation=None))
    assert "No control on shuffled trait values was run." in page.text


@pytest.mark.parametrize("labelled", [0, 1, 7])
def test_panels_without_candidates_or_without_labels(labelled: int) -> None:
    prediction = make_prediction(7, labelled, structure=np.zeros((7, 2)), variance_shares={})
    page = render(prediction, None)
    assert page.open == []
    assert ("there is no candidate" in page.text) == (labelled == 7)


def test_the_file_appears_whole_or_not_at_all(
    tmp_path: Path, prediction: TraitPrediction, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(self: Path, text: str, **_: Any) -> int:
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full_disk)
    with pytest.raises(OSError, match="No space"):
        write_report(tmp_path / "report.html", prediction, None, context=make_context())
    assert list(tmp_path.iterdir()) == []


def test_five_thousand_lines_stay_a_light_file(report_file: Callable[..., Path]) -> None:
    prediction = make_prediction(5000, 1000)
    path = report_file(prediction, make_evaluation(prediction))
    assert path.stat().st_size < 1_500_000


def _luminance(colour: str) -> float:
    channels = (int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(first: str, second: str) -> float:
    light, dark = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [0, 1])
def test_contrast_meets_wcag_aa(theme: int, prediction: TraitPrediction) -> None:
    style = render_report(prediction, None, context=make_context())
    block = re.findall(r":root \{(.*?)\}", style, re.S)[theme]
    colour = dict(re.findall(r"--([\w-]+): (#\w{6})", block))
    for ground in ("paper", "card"):
        for text in ("ink", "soft", "leaf", "clay"):
            assert _contrast(colour[text], colour[ground]) >= 4.5, (text, ground)
        for graphic in ("control", "leaf", "clay", "slate"):
            assert _contrast(colour[graphic], colour[ground]) >= 3, (graphic, ground)
    for text, ground in (
        ("clay", "clay-wash"),
        ("leaf", "leaf-wash"),
        ("ink", "clay-wash"),
        ("paper", "ink"),
    ):
        assert _contrast(colour[text], colour[ground]) >= 4.5, (text, ground)
