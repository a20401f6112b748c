"""Results to report, and a browser to look at the report with."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from budwood.prediction.evaluation.results import Evaluation, TraitPrediction
from budwood.report.context import ReportContext
from budwood.report.pages.prediction import write_report
from report.plausible import make_context, make_evaluation, make_prediction


@pytest.fixture
def prediction() -> TraitPrediction:
    return make_prediction()


@pytest.fixture
def evaluation(prediction: TraitPrediction) -> Evaluation:
    return make_evaluation(prediction)


@pytest.fixture
def context() -> ReportContext:
    return make_context()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Headless chromium with an empty profile; records console messages and requests."""
    chromium, driver_path = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver_path:
        pytest.skip("chromium and chromedriver are not installed")
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    profile = tmp_path_factory.mktemp("profile")
    for flag in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        f"--user-data-dir={profile}",
    ):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver_path))
    yield driver
    driver.quit()


@pytest.fixture
def report_file(tmp_path: Path) -> Callable[..., Path]:
    """Writes a report of the results given and returns its path."""

    def write(prediction: TraitPrediction, evaluation: Evaluation | None, **changes: Any) -> Path:
        path = tmp_path / "report.html"
        write_report(path, prediction, evaluation, context=make_context(**changes))
        return path

    return write
