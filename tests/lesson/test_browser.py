"""The lesson in a real browser: it tells its story without a click, and trains on a click."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from axe import serious_findings
from budwood.lesson.page import lesson_results, write_lesson

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def lesson(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lesson") / "lesson.html"
    write_lesson(path)
    return path


def visit(browser: Any, path: Path, width: int = 1300) -> None:
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 700},
    )
    browser.get_log("browser")
    browser.get(path.as_uri())


def text(browser: Any, selector: str) -> str:
    return str(browser.execute_script("return document.querySelector(arguments[0]).textContent", selector))


def column(browser: Any, table: str, place: int) -> list[str]:
    """Texts of a column of a table, counted from 1."""
    selector = f"{table} tbody tr > :nth-child({place})"
    script = "return [...document.querySelectorAll(arguments[0])].map((cell) => cell.textContent)"
    return list(browser.execute_script(script, selector))


def wait_for(browser: Any, selector: str, words: str, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while words not in text(browser, selector):
        assert time.monotonic() < deadline, text(browser, selector)
        time.sleep(0.1)


def test_the_story_stands_without_a_click(browser: Any, lesson: Path) -> None:
    visit(browser, lesson)
    assert column(browser, "#answers", 3) == ["M", "W", "stop"]
    assert "intervals do not overlap" in text(browser, "#examples-sentence")
    for chart in ("few", "many", "first-curve", "plane-0", "plane-1"):
        count = "return document.getElementById(arguments[0]).childElementCount"
        assert browser.execute_script(count, chart) > 5
    assert not [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]


@pytest.mark.parametrize(
    ("window", "answers"), [("TTGAGGGTT", ["nothing"] * 3), ("ATGGCTCAA", ["M", "A", "Q"])]
)
def test_a_reader_gives_a_window(browser: Any, lesson: Path, window: str, answers: list[str]) -> None:
    visit(browser, lesson)
    script = (
        "const w = document.getElementById('window');"
        "w.value = arguments[0]; w.dispatchEvent(new Event('input'))"
    )
    browser.execute_script(script, window)
    assert column(browser, "#answers", 3) == answers
    browser.execute_script(script, "ATGXX")
    assert "nine letters" in text(browser, "#window-note")


def test_it_trains_here_and_shows_what_came_out(browser: Any, lesson: Path) -> None:
    visit(browser, lesson)
    browser.execute_script("document.getElementById('train-second').click()")
    wait_for(browser, "#train-second-status", "Trained here")
    errors = [float(cell) for cell in column(browser, "#live-table", 2)]
    spread = lesson_results()["second"]["spread"]
    assert len(errors) == 3
    assert all(0.5 < error < spread for error in errors)
    assert errors[0] < errors[2]  # pre-trained and randomised


@pytest.mark.slow
def test_task_one_trains_here(browser: Any, lesson: Path) -> None:
    visit(browser, lesson)
    browser.execute_script("document.getElementById('train-first').click()")
    wait_for(browser, "#train-first-status", "Trained here", seconds=300)
    assert float(column(browser, "#first-table", 3)[-1]) > 0.99


def test_arrows_move_along_the_gene_and_tab_stops_there_once(browser: Any, lesson: Path) -> None:
    visit(browser, lesson)
    assert "A (start codon)" in text(browser, "#gene-note")
    stops = "return document.querySelectorAll('#gene button[tabindex=\"0\"]').length"
    assert browser.execute_script(stops) == 1
    browser.execute_script(
        "document.querySelector('#gene [aria-pressed=true]')"
        ".dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowRight', bubbles: true}))"
    )
    assert "T (start codon)" in text(browser, "#gene-note")
    assert browser.execute_script(stops) == 1


@pytest.mark.parametrize("width", [1300, 400])
def test_axe_finds_nothing_serious(browser: Any, lesson: Path, width: int) -> None:
    visit(browser, lesson, width)
    assert serious_findings(browser) == []


def test_nothing_runs_off_a_phone(browser: Any, lesson: Path) -> None:
    visit(browser, lesson, width=400)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 400
