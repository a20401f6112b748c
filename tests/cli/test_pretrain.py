"""``meristem pretrain``: a recipe in, a checkpoint that verifies out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from meristem.cli.app import main
from meristem.genomics.sequence import decode

RECIPE = """
name = "tiny"
[[genome]]
species = "synthetic"
fasta = "{fasta}"
[encoder]
stem_channels = 8
hidden_size = 16
layers = 1
heads = 2
[sampler]
window = 32
[schedule]
steps = 2
batch = 2
precision = "no"
"""


def test_a_recipe_becomes_a_checkpoint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    letters = decode(np.random.default_rng(0).integers(0, 4, 200, dtype=np.uint8))
    (tmp_path / "g.fa").write_text(f">c\n{letters}\n")
    recipe = tmp_path / "tiny.toml"
    recipe.write_text(RECIPE.format(fasta=tmp_path / "g.fa"))
    assert main(["pretrain", str(recipe), "--out", str(tmp_path / "run"), "--quiet", "--json"]) == 0
    folder = json.loads(capsys.readouterr().out)["checkpoint"]
    assert main(["verify", folder]) == 0


def test_an_estimate_is_printed_and_nothing_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tmp_path / "tiny.toml"
    recipe.write_text(RECIPE.format(fasta=tmp_path / "not needed.fa"))
    given = ["pretrain", str(recipe), "--out", str(tmp_path / "run"), "--estimate", "--json"]
    assert main(given) == 0
    cost = json.loads(capsys.readouterr().out)
    assert cost["bases"] == 2 * 2 * 32
    assert cost["bases_per_second"] > 0
    assert not (tmp_path / "run").exists()


def test_a_missing_recipe_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pretrain", str(tmp_path / "none.toml"), "--out", str(tmp_path / "run")]) == 2
    assert capsys.readouterr().err.startswith("error: the recipe cannot be read")
    assert not (tmp_path / "run").exists()
