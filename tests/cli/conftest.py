"""What the tests of the command line share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from meristem.cli.app import main
from meristem.model.checkpoint import random_checkpoint
from meristem.model.encoder import MeristemConfig


@dataclass(frozen=True)
class Ran:
    """How a command left and what it printed."""

    code: int
    out: str
    err: str


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run ``meristem`` with the given words in this process."""

    def run_words(*words: object) -> Ran:
        code = main([str(word) for word in words])
        told = capsys.readouterr()
        return Ran(code, told.out, told.err)

    return run_words


@pytest.fixture
def refused(run: Callable[..., Ran], tmp_path: Path) -> Callable[..., str]:
    """Run a command that must refuse its input: exit code 2, one sentence, and nothing written to --out."""

    def run_refused(*words: object) -> str:
        out = tmp_path / "refused"
        ran = run(*words, "--out", out)
        assert ran.code == 2, ran
        assert ran.out == ""
        told = [line for line in ran.err.splitlines() if not line.startswith("estimate: ")]
        assert len(told) == 1, told
        assert told[0].startswith("error: ")
        assert told[0].endswith(".")
        assert not list(tmp_path.glob("*refused*"))
        return told[0]

    return run_refused


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of an untrained encoder that is small enough to be quick."""
    folder = tmp_path_factory.mktemp("checkpoint") / "tiny"
    shape = MeristemConfig(stem_channels=8, hidden_size=16, layers=1, heads=2)
    random_checkpoint(shape, seed=1).encoder.save_pretrained(folder)
    return folder
