"""``budwood verify``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from budwood.artifacts import write_artifact
from budwood.cli.app import main


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    with write_artifact(tmp_path / "made", kind="test") as draft:
        draft.path("values.csv").write_text("1\n")
    return tmp_path / "made"


def test_a_sound_artifact(artifact: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(artifact)]) == 0
    assert capsys.readouterr().out == f"{artifact}: sound\n"


def test_a_changed_file_is_found(artifact: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (artifact / "values.csv").write_text("2\n")
    assert main(["verify", str(artifact), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)["artifacts"]
    assert told == [
        {
            "folder": str(artifact),
            "sound": False,
            "problems": ["values.csv has changed since it was written"],
            "notes": [],
        }
    ]


def test_any_other_folder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(tmp_path)]) == 2
    assert "this is no artifact" in capsys.readouterr().err


@pytest.mark.parametrize("other", ["absent", "", "made/values.csv"])
def test_every_folder_is_checked(artifact: Path, other: str, capsys: pytest.CaptureFixture[str]) -> None:
    folders = [str(artifact.parent / other), str(artifact)]
    whys = {"absent": "there is no such folder", "": "holds 1: made"}
    why = whys.get(other, "its manifest cannot be read")
    for order in (folders, folders[::-1]):
        assert main(["verify", *order]) == 2
        lines = capsys.readouterr().out.splitlines()
        assert f"{artifact}: sound" in lines
        (told,) = set(lines) - {f"{artifact}: sound"}
        assert told.startswith(f"{folders[0]}: this is no artifact")
        assert told.endswith(why)
    assert main(["verify", *folders, "--json"]) == 2
    assert [each["sound"] for each in json.loads(capsys.readouterr().out)["artifacts"]] == [False, True]
