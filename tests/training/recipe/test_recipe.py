"""Recipes are read whole or refused with one sentence."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from budwood.errors import BudwoodError
from budwood.training.recipe.recipe import build_recipe, read_recipe
from budwood.training.recipe.recipe_check import check_recipe

RECIPES = Path(__file__).resolve().parents[3] / "recipes"


TRAININGS = [path for path in sorted(RECIPES.glob("*.toml")) if "[schedule]" in path.read_text()]


@pytest.mark.parametrize("path", TRAININGS, ids=lambda p: p.stem)
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
CORPUS = 'name = "x"\n[corpus]\nfolder = "c"\n[schedule]\nsteps = 1\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = ", "not TOML"),
        (WHOLE.replace("steps", "stairs"), "unknown key 'stairs'"),
        (WHOLE.replace('name = "x"', ""), "lacks 'name'"),
        (WHOLE.replace("steps = 1", ""), "key is missing"),
        (WHOLE + "[decorations]\nx = 1\n", "unknown entry 'decorations'"),
        (WHOLE + "[corpus]\nfolder = 'c'\n", "either genomes or the folder of a corpus"),
        ('name = "x"\n[schedule]\nsteps = 1\n', "either genomes or the folder of a corpus"),
        (WHOLE + "[objective]\ncolumn_weight = 1.0\n", "names no alignment"),
        (CORPUS + "[sampler]\nlong_window = 2048\n", "from genomes alone"),
    ],
)
def test_what_is_wrong_is_told(tmp_path, text, message):
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    with pytest.raises(BudwoodError, match=message):
        read_recipe(path)


@pytest.mark.parametrize(
    ("tracks", "message"),
    [('{open = ""}', "the track 'open' names no file"), ('{"" = "a.bed"}', "a track has no name")],
)
def test_a_track_without_a_file_or_name_is_told(tmp_path, tracks, message):
    path = tmp_path / "recipe.toml"
    path.write_text(WHOLE.replace("[schedule]", f"tracks = {tracks}\n[schedule]"))
    with pytest.raises(BudwoodError, match=message):
        check_recipe(read_recipe(path), "recipe.toml")


def test_a_missing_file_or_variable_is_told(tmp_path):
    with pytest.raises(BudwoodError, match="cannot be read"):
        read_recipe(tmp_path / "none.toml")
    path = tmp_path / "recipe.toml"
    path.write_text(WHOLE)
    source = read_recipe(path).genomes[0]
    with pytest.raises(BudwoodError, match="variable is not set"):
        source.path(source.fasta)


def test_a_manifest_gives_the_recipe_back(tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text(WHOLE + "[corpus]\n[alignments]\nfiles = ['a.fa']\nexclude = ['Oryza']\n")
    recipe = read_recipe(path)
    stored = json.loads(json.dumps(asdict(recipe)))
    assert build_recipe(stored, "manifest") == recipe
    # A manifest from before a key existed means its default.
    del stored["corpus"], stored["objective"]["locus_weight"]
    assert build_recipe(stored, "manifest") == recipe


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("genome = 5", "genome is '5', not a list of tables"),
        ("name = 5", "name is '5', not text"),
        ("seed = 'x'", "seed is 'x', not a whole number"),
        ("seed = -1", "seed is '-1', not a whole number"),
        ("seed = 18446744073709551616", "not a whole number"),
        ("encoder = 5", "encoder is '5', not a table"),
        ("start = [1]", "start is .*, not text"),
        ("schedule = 7", "not a table"),
    ],
)
def test_values_of_another_type_are_refused_by_name(tmp_path, text, message):
    lines = {"name": 'name = "t"', "schedule": "schedule = {steps = 1}", "genome": ""}
    lines[text.split(" ")[0]] = text
    path = tmp_path / "r.toml"
    path.write_text("\n".join(lines.values()))
    with pytest.raises(BudwoodError, match=message):
        read_recipe(path)
