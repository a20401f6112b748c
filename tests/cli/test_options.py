"""A packaged checkpoint by its name, in the place of a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from budwood.cli.options import named_checkpoint
from budwood.model.checkpoint import packaged_checkpoint


def test_the_name_of_a_packaged_checkpoint_is_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert named_checkpoint(Path("small")) == packaged_checkpoint("small")
    assert named_checkpoint(None) is None
    assert named_checkpoint(Path("smal")) == Path("smal")
    assert named_checkpoint(Path("runs/small")) == Path("runs/small")


def test_a_folder_comes_before_the_packaged_checkpoint_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small").mkdir()
    assert named_checkpoint(Path("small")) == Path("small")
