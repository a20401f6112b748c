"""The public names: all there, loaded when used, and shown in docs/api.md."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import budwood
from budwood.errors import BudwoodError
from budwood.panel.example import example_panel, write_example

PAGE = Path(__file__).parents[1] / "docs" / "api.md"


@pytest.mark.parametrize("name", budwood.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    assert getattr(budwood, name).__doc__
    assert name in dir(budwood)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'frobnicate'"):
        _ = budwood.frobnicate


def test_reading_tables_brings_no_torch() -> None:
    code = "import sys, budwood; budwood.read_genotypes; budwood.Panel; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_page_has_eleven_tasks_under_eight_lines_each() -> None:
    tasks = PAGE.read_text(encoding="utf-8").split("\n## ")[1:]
    assert len(tasks) == 11
    assert not [task for task in tasks if task.count(">>> ") + task.count("... ") >= 8]


def test_files_of_the_example_hold_its_panel(tmp_path: Path) -> None:
    panel, files = example_panel(seed=3), write_example(tmp_path, seed=3)
    read = budwood.Panel(
        genotypes=budwood.read_genotypes(files.genotypes),
        phenotypes=budwood.read_phenotypes(files.phenotypes),
    )
    assert (read.genotypes.dosage == panel.genotypes.dosage).all()
    assert read.markers == panel.markers
    assert read.values("yield") == pytest.approx(panel.values("yield"), abs=1e-4)


def test_a_data_frame_without_pandas_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = budwood.select_training_set(example_panel(), 3)
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(BudwoodError, match="pip install pandas"):
        chosen.to_frame()
