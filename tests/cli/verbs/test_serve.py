"""The keys of the service on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from budwood.config import service_directory
from budwood.service.server import run_server
from budwood.service.settings import ServiceSettings


def test_keys_are_made_listed_and_revoked(run: Callable[..., Any], tmp_path: Path) -> None:
    folder = ("--folder", tmp_path / "service")
    made = run("serve", "keys", "add", "Potato programme", "--scope", "jobs", "--json", *folder)
    assert made.code == 0
    secret = json.loads(made.out)["key"]
    listed = run("serve", "keys", "list", "--json", *folder)
    (key,) = json.loads(listed.out)["keys"]
    assert (key["name"], key["scopes"], key["revoked"]) == ("Potato programme", ["jobs"], None)
    assert secret not in listed.out
    assert run("serve", "keys", "revoke", "Potato programme", *folder).code == 0
    assert "revoked 2" in run("serve", "keys", "list", *folder).out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("keys", "add", "x", "--scope", "everything"), "there is no scope 'everything'"),
        (("keys", "add", "x", "--rate", "often"), "'often' is no limit"),
        (("keys", "add", "../x"), "cannot be the name of a key"),
        (("keys", "revoke", "nobody"), "there is no key 'nobody'"),
        (("--rate", "often"), "'often' is no limit"),
    ],
)
def test_what_cannot_be_is_refused(
    run: Callable[..., Any], tmp_path: Path, words: tuple[str, ...], sentence: str
) -> None:
    folder = ("--folder", str(tmp_path))
    ran = run("serve", *words, *folder)
    assert ran.code == 2
    assert sentence in ran.err


def test_a_name_is_used_once(run: Callable[..., Any], tmp_path: Path) -> None:
    words = ("serve", "keys", "add", "x", "--folder", tmp_path)
    assert run(*words).code == 0
    again = run(*words)
    assert again.code == 2
    assert "there is a key 'x' already" in again.err


def test_nothing_is_written_where_it_is_started(
    run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, data = tmp_path / "here", tmp_path / "data"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("BUDWOOD_SERVICE", str(data))
    assert run("serve", "keys", "add", "x").code == 0
    assert list(here.iterdir()) == []
    assert (data / "keys.sqlite").is_file()
    monkeypatch.delenv("BUDWOOD_SERVICE")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    assert not service_directory().is_relative_to(here)
    taken: list[ServiceSettings] = []
    monkeypatch.setattr("budwood.service.server.run_server", taken.append)
    monkeypatch.setenv("BUDWOOD_SERVICE", str(data))
    monkeypatch.setenv("BUDWOOD_LIBRARY", str(tmp_path / "library"))
    assert run("serve").code == 0
    assert (taken[0].folder, taken[0].library) == (data, tmp_path / "library")


def test_the_folder_is_said_on_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(uvicorn.Server, "run", lambda self: None)
    run_server(ServiceSettings(folder=tmp_path / "service", port=1024 + 41_000))
    said = capsys.readouterr().err
    assert str(tmp_path / "service") in said
    assert "http://127.0.0.1:42024" in said


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("read", "nowhere", "--out", "study"), "reached"),
        (("read", "http://[", "--out", "study"), "reached"),
        (("read", "http://127.0.0.1:1", "--out", "study"), "reached"),
        (("read", "http://127.0.0.1:1", "--out", "."), "working folder"),
        (("read", "http://127.0.0.1:1", "--out", "mine"), "did not write"),
        (("read", "http://127.0.0.1:1"), "--out"),
        (("write", "http://127.0.0.1:1", "--study", "s", "--predictions", "nowhere"), "no artifact"),
        (("write", "http://127.0.0.1:1", "--study", "s", "--predictions", "mine"), "no artifact"),
        (("write", "http://127.0.0.1:1", "--study", "s"), "--predictions"),
        (("write", "http://127.0.0.1:1", "--study", "s", "--predictions", "mine", "--best", "0"), "--best"),
    ],
)
def test_brapi_refuses(
    run: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    expected: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").write_text("mine")
    ran = run("serve", "brapi", *words)
    assert ran.code == 2
    assert expected in ran.err
    assert "Traceback" not in ran.err
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["mine", "notes.txt"]
