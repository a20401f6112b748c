"""Options as a kind: given twice, from a file, misspelled, and of help and completion."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from budwood.cli.app import app, main
from budwood.panel.example import write_example


def leaves(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that is no group of others, by its words."""
    for name, each in getattr(command, "commands", {}).items():
        yield from leaves(each, (*words, name))
    if words and not hasattr(command, "commands"):
        yield words, command


LEAVES = dict(leaves(typer.main.get_command(app)))
SINGLE = [
    (words, max(param.opts, key=len))
    for words, command in LEAVES.items()
    for param in command.params
    if param.param_type_name == "option" and not param.multiple and not param.is_flag
]


@pytest.mark.parametrize(("words", "option"), SINGLE, ids=lambda part: " ".join(part) if part else "")
def test_an_option_with_one_value_is_refused_twice(
    words: tuple[str, ...], option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, option, "1", option, "2"]) == 2
    error = capsys.readouterr().err
    assert f"{option} is given 2 times" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_every_verb_reads_a_file_of_options(
    words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "options.toml"
    config.write_text("frobnicate = 1\n")
    assert main([*words, "--config", str(config)]) == 2
    assert "there is no option 'frobnicate'" in capsys.readouterr().err
    config.write_text("not toml")
    assert main([*words, "--config", str(config)]) == 2
    assert "not TOML" in capsys.readouterr().err


def test_options_of_a_file_are_those_of_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files, config = write_example(tmp_path), tmp_path / "select.toml"
    config.write_text(f'genotypes = "{files.genotypes}"\ncount = 3\nseed = 4\nheritability = 0.4\n')
    shared = ["select", "--config", str(config), "--json", "--quiet"]
    assert main([*shared, "--out", str(tmp_path / "a")]) == 0
    from_file = capsys.readouterr().out
    typed = ["--genotypes", str(files.genotypes), "--count", "3", "--seed", "4", "--heritability", "0.4"]
    assert main(["select", *typed, "--json", "--quiet", "--out", str(tmp_path / "b")]) == 0
    assert capsys.readouterr().out.replace(str(tmp_path / "b"), str(tmp_path / "a")) == from_file
    assert main([*shared, "--count", "2", "--out", str(tmp_path / "c")]) == 0
    assert len((tmp_path / "c" / "selection.csv").read_text().splitlines()) == 3


@pytest.mark.parametrize("words", [(), *LEAVES], ids=" ".join)
def test_a_single_h_shows_the_help(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words, "-h"]) == 0
    assert "Usage: budwood" in capsys.readouterr().out


def test_inspect_takes_files_as_other_verbs_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = write_example(tmp_path)
    named = ["--genotypes", str(files.genotypes), "--phenotypes", str(files.phenotypes)]
    assert main(["inspect", *named, "--json"]) == 0
    as_options = capsys.readouterr().out
    assert main(["inspect", str(files.genotypes), str(files.phenotypes), "--json"]) == 0
    assert capsys.readouterr().out == as_options
    assert main(["inspect"]) == 2
    assert "there is no file to look at" in capsys.readouterr().err
