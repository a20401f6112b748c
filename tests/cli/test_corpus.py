"""``meristem corpus build``: a recipe in, a corpus that verifies out."""

from __future__ import annotations

import json
import sys

import pytest

from corpus.genomes import write_genomes


def test_a_recipe_becomes_a_corpus(run, tmp_path):
    recipe = write_genomes(tmp_path)
    ran = run("corpus", "build", recipe, "--out", tmp_path / "out", "--json", "--quiet")
    assert ran.code == 0
    told = json.loads(ran.out)
    assert told["training_windows"] > told["validation_windows"] > 0
    assert run("verify", tmp_path / "out").code == 0


def test_the_estimate_writes_nothing(run, tmp_path):
    recipe = write_genomes(tmp_path)
    ran = run("corpus", "build", recipe, "--out", tmp_path / "out", "--estimate")
    assert ran.code == 0
    assert "GB of disk" in ran.out
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "names no genome"),
        ("[[assembly]]\nspecies = 'a'\nfasta = 'none.fa'\n", "a file of the recipe is missing"),
    ],
)
def test_a_recipe_that_cannot_be_built_is_one_sentence(run, tmp_path, text, message):
    (tmp_path / "r.toml").write_text(text)
    ran = run("corpus", "build", tmp_path / "r.toml", "--out", tmp_path / "out")
    assert ran.code == 2
    assert message in ran.err
    assert ran.err.count("\n") == 1


def test_ray_that_is_not_installed_is_told(run, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    ran = run("corpus", "build", write_genomes(tmp_path), "--out", tmp_path / "out", "--ray", "auto", "-q")
    assert ran.code == 2
    assert "pip install 'meristem[ray]'" in ran.err
