"""The lesson's page: whole, small, offline; the command writes it and destroys nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from budwood.cli.app import main
from budwood.errors import BudwoodError
from budwood.lesson.page import lesson_results, render_lesson, write_lesson
from report.parsed_page import Page


def test_the_page_is_well_formed_small_and_fetches_nothing() -> None:
    text = render_lesson()
    assert len(text.encode()) < 300_000
    page = Page(text)
    assert page.open == []
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {str(a["href"]).removeprefix("#") for tag, a in page.elements if tag == "a"}
    named = {str(a[key]) for _, a in page.elements for key in ("aria-labelledby", "for") if key in a}
    assert targets | named <= set(ids)
    assert not re.search(r"https?:|url\(|@import|fetch\(", text.replace("http://www.w3.org/2000/svg", ""))


def test_figures_of_the_ablation_are_those_of_the_log() -> None:
    log = (Path(__file__).parents[2] / "docs" / "log.md").read_text(encoding="utf-8")
    found = re.search(r'<table id="ablation">.*?</table>', render_lesson(), re.DOTALL)
    assert found
    cell = r'<td class="number">([^<]+)</td>'
    rows = re.findall(rf'<tr><th scope="row">([^<]+)</th>{cell}{cell}</tr>', found[0])
    names = {
        "none (random weights)": "random weights",
        "hidden spans": "span",
        "annotation": "region",
        "hidden spans and annotation": "span + region",
        "all four": "all four",
        "all but alignment columns": "all but column",
    }
    assert [row[0] for row in rows] == list(names)
    for name, *cells in rows:
        lines = [line for line in log.splitlines() if line.startswith(f"| {names[name]} |")]
        assert any(all(each.replace(" ± ", " +-") in line for each in cells) for line in lines)


def test_the_gene_is_the_one_of_the_record() -> None:
    record = (Path(__file__).parents[2] / "tools" / "lesson_gene.fa").read_text(encoding="ascii")
    gene = lesson_results()["real"]["gene"]
    assert gene["bases"] in "".join(record.splitlines()[1:])
    assert len(gene["bases"]) == len(gene["shares"]) == len(gene["regions"])
    start = gene["regions"].index("start codon")
    assert gene["bases"][start : start + 3] == "ATG"
    sites = [base for base, region in zip(gene["bases"], gene["regions"], strict=True) if "splice" in region]
    assert "".join(sites) == "GTAG"


def test_the_command_writes_the_page_and_asks_before_it_replaces_one(tmp_path: Path) -> None:
    out = tmp_path / "new" / "lesson.html"
    assert main(["lesson", "--out", str(out), "--quiet"]) == 0
    assert "What is a foundation model?" in out.read_text()
    assert main(["lesson", "--out", str(out), "--quiet"]) == 2
    assert main(["lesson", "--out", str(out), "--quiet", "--overwrite"]) == 0


def test_a_file_that_is_no_lesson_stays(tmp_path: Path) -> None:
    mine = tmp_path / "notes.html"
    mine.write_text("my notes")
    with pytest.raises(BudwoodError, match="not a lesson"):
        write_lesson(mine, overwrite=True)
    with pytest.raises(BudwoodError, match="a folder stands"):
        write_lesson(tmp_path, overwrite=True)
    assert mine.read_text() == "my notes"
    assert [path.name for path in tmp_path.iterdir()] == ["notes.html"]
