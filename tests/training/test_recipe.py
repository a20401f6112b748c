"""Recipes are read whole or refused with one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from meristem.errors import MeristemError
from meristem.training.recipe import read_recipe

RECIPES = Path(__file__).resolve().parents[2] / "recipes"


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda p: p.stem)
def test_committed_recipes_can_be_read(path):
    recipe = read_recipe(path)
    assert recipe.name == path.stem
    assert recipe.schedule.steps > 0


WHOLE = """
name = "x"
[[genome]]
species = "s"
fasta = "$NOWHERE_AT_ALL/s.fa"
[schedule]
steps = 1
"""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = ", "no TOML"),
        (WHOLE.replace("steps", "stairs"), "unknown key 'stairs'"),
        (WHOLE.replace('name = "x"', ""), "lacks 'name'"),
        (WHOLE.replace("steps = 1", ""), "key is missing"),
        (WHOLE + "[decorations]\nx = 1\n", "unknown entry 'decorations'"),
    ],
)
def test_what_is_wrong_is_told(tmp_path, text, message):
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    with pytest.raises(MeristemError, match=message):
        read_recipe(path)


def test_a_missing_file_or_variable_is_told(tmp_path):
    with pytest.raises(MeristemError, match="cannot be read"):
        read_recipe(tmp_path / "none.toml")
    path = tmp_path / "recipe.toml"
    path.write_text(WHOLE)
    source = read_recipe(path).genomes[0]
    with pytest.raises(MeristemError, match="variable is not set"):
        source.path(source.fasta)
