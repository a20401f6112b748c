"""The command line as a contract: help, exit codes, the one error shape."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from budwood.cli.app import app, main
from budwood.errors import BudwoodError

COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]
VERBS = sorted(COMMANDS)
#: A verb with parts (``corpus build``) stands for each of them.
WORDS = [
    (verb, *part)
    for verb in VERBS
    for part in [(name,) for name in getattr(COMMANDS[verb], "commands", ())] or [()]
]


def test_help_lists_every_verb() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "budwood", "--help"], capture_output=True, text=True, check=True
    )
    assert all(verb in done.stdout for verb in VERBS)


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_every_verb_has_help_with_an_example(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert f"Example: budwood {' '.join(words)} " in shown
    assert "--json" in shown


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_no_help_holds_brackets_which_are_shown_as_nothing(words: tuple[str, ...]) -> None:
    command = COMMANDS[words[0]]
    for word in words[1:]:
        command = command.commands[word]
    shown = [command.help or "", *(getattr(each, "help", None) or "" for each in command.params)]
    assert not [text for text in shown if re.search(r"\[[a-z]+\]", text)]


def test_without_words_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "Usage: budwood" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "where_to_look"),
    [
        (["frobnicate"], "see budwood --help"),
        (["verify"], "see budwood verify --help"),
        (["verify", "--frob", "x"], "see budwood verify --help"),
    ],
)
def test_wrong_usage_is_one_sentence(
    words: list[str], where_to_look: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("error: ")
    assert told.err.count("\n") == 1
    assert where_to_look in told.err


def test_errors_have_one_json_shape(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["verify", str(tmp_path), "--json"], ["frobnicate", "--json"]):
        assert main(words) == 2
        error = json.loads(capsys.readouterr().out)
        assert list(error) == ["error"]
        assert set(error["error"]) == {"what", "where", "mend"}


@pytest.mark.parametrize(
    ("raised", "code", "told"),
    [
        (BudwoodError("too dry", where="the field", mend="water it"), 2, "too dry (the field): water it."),
        (PermissionError(13, "Permission denied", "secret.vcf"), 2, "Permission denied (secret.vcf)."),
        (OSError(28, "No space left on device"), 2, "No space left on device."),
        (KeyError("lost"), 1, "which is its own fault: KeyError: 'lost'"),
    ],
)
def test_no_exception_comes_out(
    raised: Exception,
    code: int,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(_: Path) -> list[str]:
        raise raised

    monkeypatch.setattr("budwood.cli.verbs.verify.verify_artifact", fail)
    monkeypatch.delenv("BUDWOOD_DEBUG", raising=False)
    assert main(["verify", "anything"]) == code
    shown = capsys.readouterr().err
    assert told in shown
    assert "Traceback" not in shown


def test_debugging_shows_the_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("budwood.cli.verbs.verify.verify_artifact", lambda _: 1 / 0)
    monkeypatch.setenv("BUDWOOD_DEBUG", "1")
    assert main(["verify", "anything"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_interruption_leaves_with_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(_: Path) -> list[str]:
        raise KeyboardInterrupt

    monkeypatch.setattr("budwood.cli.verbs.verify.verify_artifact", interrupt)
    assert main(["verify", "anything"]) == 130
    assert "interrupted" in capsys.readouterr().err


def test_the_installed_command_runs() -> None:
    command = Path(sys.executable).with_name("budwood")
    environment = {**os.environ, "COLUMNS": "100"}
    done = subprocess.run([command, "--version"], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.startswith("budwood ")
