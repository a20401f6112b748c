"""Signals end a run with one line and leave nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from budwood.cli.app import main
from budwood.panel.example import write_example


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_leaves_one_line_and_no_files(tmp_path: Path, number: signal.Signals) -> None:
    files = write_example(tmp_path / "data", lines=300, phenotyped=250)
    words = ["predict", "--genotypes", files.genotypes, "--phenotypes", files.phenotypes, "--trait", "height"]
    out = tmp_path / "results" / "height"
    command = [sys.executable, "-m", "budwood", *map(str, words), "--quiet", "--model", "auto"]
    running = subprocess.Popen([*command, "--out", str(out)], stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not (out.parent.is_dir() and list(out.parent.iterdir())) and time.monotonic() < deadline:
        time.sleep(0.02)
    running.send_signal(number)
    _, error = running.communicate(timeout=60)
    assert running.returncode == 130
    assert error == "interrupted: no result was written\n"
    assert not list(out.parent.iterdir())


def test_an_interrupted_import_is_an_interruption(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: Path) -> list[str]:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt as stop:
            raise ImportError("a part of the library is missing") from stop
        return []

    monkeypatch.setattr("budwood.cli.verbs.verify.verify_artifact", fail)
    assert main(["verify", "anything"]) == 130
    assert capsys.readouterr().err == "interrupted: no result was written\n"


INTERRUPTS_ITSELF = """
import sys
def hook(event, arguments):
    if event == "open" and str(arguments[0]).endswith("interrupts.csv"):
        exec("import signal; signal.raise_signal(signal.SIGINT)")
sys.addaudithook(hook)
"""


def test_an_interrupt_inside_the_exec_of_a_string_keeps_the_exit_code(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(INTERRUPTS_ITSELF)
    table = tmp_path / "interrupts.csv"
    table.write_text("accession,height\na,1\nb,2\n")
    path = os.pathsep.join([str(tmp_path), *sys.path])
    command = [sys.executable, "-m", "budwood", "inspect", str(table)]
    run = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True)
    assert run.returncode == 130
    assert run.stderr == "interrupted: no result was written\n"
