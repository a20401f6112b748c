"""docs/training-recipe.md has every key of a recipe, with its default."""

from __future__ import annotations

import inspect
import re
import tomllib
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest

from budwood.corpus.sampling.sampler import SamplerConfig
from budwood.model.encoder_config import BudwoodConfig
from budwood.training.objective.objectives import ObjectiveConfig
from budwood.training.recipe.recipe import AlignmentSource, CorpusSource, GenomeSource, Recipe
from budwood.training.recipe.schedule import Schedule

PAGE = Path(__file__).parents[3] / "docs" / "training-recipe.md"
TABLES = {
    "[schedule]": Schedule,
    "[objective]": ObjectiveConfig,
    "[sampler]": SamplerConfig,
    "[corpus]": CorpusSource,
    "[[genome]]": GenomeSource,
    "[alignments]": AlignmentSource,
}


def documented(title: str) -> dict[str, Any]:
    """Keys of a section with their defaults, None where required."""
    text = PAGE.read_text(encoding="utf-8").split(f"\n## {title}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (?:`([^`]+)`|required) \|", text, flags=re.MULTILINE)
    return {key: tomllib.loads(f"x = {value}")["x"] if value else None for key, value in rows}


def defaults(kind: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in fields(kind):
        value = each.default_factory() if each.default_factory is not MISSING else each.default
        found[each.name] = None if value is MISSING else list(value) if isinstance(value, tuple) else value
    return found


@pytest.mark.parametrize("title", TABLES)
def test_the_keys_of_a_table_are_its_fields(title: str) -> None:
    assert documented(f"`{title}`") == defaults(TABLES[title])


def test_the_keys_of_the_encoder_are_its_arguments() -> None:
    shape = inspect.signature(BudwoodConfig).parameters
    assert documented("`[encoder]`") == {k: p.default for k, p in shape.items() if k != "others"}
    assert "`hidden_size + 2 * stem_channels`" in PAGE.read_text(encoding="utf-8")
    assert BudwoodConfig(stem_channels=16, hidden_size=32, layers=1, heads=2).embedding_size == 64


def test_the_page_has_every_table_and_the_keys_above_them() -> None:
    above = documented("Above the tables")
    tables = {title.strip("[]") for title in TABLES} | {"encoder"}
    names = {"genome" if each.name == "genomes" else each.name for each in fields(Recipe)}
    assert set(above) | tables == names
    assert above == {"name": None, "seed": 0, "start": ""}
