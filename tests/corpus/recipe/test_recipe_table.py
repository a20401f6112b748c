"""What every kind of recipe shares: its file, its tables, its paths."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from budwood.corpus.recipe.recipe import AssemblySource
from budwood.corpus.recipe.recipe_table import build_table, check_nothing_left, expanded, read_tables
from budwood.errors import BudwoodError
from budwood.training.recipe.schedule import Schedule


def test_values_are_taken_and_the_rest_is_default() -> None:
    assert build_table(Schedule, {"steps": 3, "learning_rate": 1}, "here") == Schedule(
        steps=3, learning_rate=1
    )


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"steps": "many"}, "steps is 'many', not a whole number"),
        ({"steps": True}, "steps is True, not a whole number"),
        ({"steps": 1, "clip": math.nan}, "clip is nan, not a number"),
        ({"steps": 1, "precision": 16}, "precision is 16, not text"),
        ({"stairs": 1}, "unknown key 'stairs'"),
        ({}, "a key is missing"),
        (3, "3 is not a table"),
    ],
)
def test_a_table_that_cannot_be_is_a_sentence(entry: object, told: str) -> None:
    with pytest.raises(BudwoodError, match=told):
        build_table(Schedule, entry, "here")


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"lineage": "Rosids"}, "lineage is 'Rosids', not a list of texts"),
        ({"exclude": [3]}, r"exclude is \[3\], not a list of texts"),
        ({"subgenomes": "A"}, "subgenomes is 'A', not a table of lists of texts"),
        ({"subgenomes": {"A": 3}}, "not a table of lists of texts"),
        ({"subgenomes": {"A": [["a1"]]}}, "not a table of lists of texts"),
    ],
)
def test_lists_and_tables_are_looked_into(entry: dict, told: str) -> None:
    with pytest.raises(BudwoodError, match=told):
        build_table(AssemblySource, {"species": "A b", "fasta": "a.fa", **entry}, "here")


def test_an_unknown_entry_is_named() -> None:
    check_nothing_left({}, "here")
    with pytest.raises(BudwoodError, match="unknown entry 'colour'"):
        check_nothing_left({"colour": 1}, "here")


def test_paths_and_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENOMES", str(tmp_path))
    monkeypatch.delenv("NOWHERE", raising=False)
    assert expanded("$GENOMES/a.fa", "here") == tmp_path / "a.fa"
    with pytest.raises(BudwoodError, match="that variable is not set"):
        expanded("$NOWHERE/a.fa", "here")
    with pytest.raises(BudwoodError, match="cannot be read"):
        read_tables(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff")
    with pytest.raises(BudwoodError, match="is not TOML"):
        read_tables(tmp_path / "bytes.toml")


@pytest.mark.parametrize("name", ["", "  "])
def test_an_empty_path_is_told(name: str) -> None:
    with pytest.raises(BudwoodError, match=r"a path of the recipe is empty \(rice\)"):
        expanded(name, "rice")
