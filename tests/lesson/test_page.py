"""The lesson's page: whole, small, offline; the command writes it and destroys nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from budwood.cli.app import main
from budwood.errors import BudwoodError
from budwood.lesson.page import render_lesson, write_lesson
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
