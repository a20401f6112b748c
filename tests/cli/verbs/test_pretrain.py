"""``budwood pretrain``: a recipe in, a checkpoint that verifies out."""

from __future__ import annotations

import errno
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors import SafetensorError
from safetensors.torch import save_file

from budwood.cli.app import main
from budwood.errors import BudwoodError
from budwood.genomics.sequence import decode
from budwood.training.recipe.recipe import read_recipe
from budwood.training.recipe.recipe_check import keep_recipe
from corpus.conftest import built as built

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


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """The recipe of a tiny training."""
    letters = decode(np.random.default_rng(0).integers(0, 4, 200, dtype=np.uint8))
    (tmp_path / "g.fa").write_text(f">c\n{letters}\n")
    path = tmp_path / "tiny.toml"
    path.write_text(RECIPE.format(fasta=tmp_path / "g.fa"))
    return path


def change(path: Path, before: str, after: str) -> None:
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("window = 32", "window = 0", "window is 0"),
        ("window = 32", "window = 32\nlong_window = 128", "fewer bases than a long window of 128"),
        ("steps = 2", "steps = 0", "steps is 0"),
        ("batch = 2", "batch = 0", "batch is 0"),
        ("batch = 2", "batch = 2\nsave_every = 0", "save_every is 0"),
        ('"no"', '"fp8"', "precision is 'fp8'"),
        ("heads = 2", "heads = 3", "cannot be shared out among 3 heads"),
        ("hidden_size", "hiden_size", "unknown key 'hiden_size'"),
        ("hidden_size = 16", 'hidden_size = "x"', "hidden_size is 'x'"),
        ("layers = 1", "layers = -1", "layers is -1"),
        ("g.fa", "none.fa", "does not exist"),
        ("[[genome]]", '[corpus]\nfolder = "none"\n[[genome]]', "either genomes or the folder of a corpus"),
    ],
)
def test_a_recipe_that_cannot_be_trained_leaves_nothing(refused, recipe, before, after, message) -> None:
    change(recipe, before, after)
    assert message in refused("pretrain", recipe, "--quiet")


def test_a_corpus_that_is_missing_or_damaged_is_named(refused, recipe, built, tmp_path) -> None:
    text = recipe.read_text()
    source = text[text.index("[[genome]]") : text.index("[encoder]")]
    change(recipe, source, f'[corpus]\nfolder = "{tmp_path / "none"}"\n')
    assert "this is no artifact" in refused("pretrain", recipe, "--quiet")
    copy = tmp_path / "none"
    shutil.copytree(built, copy)
    shard = copy / "shards" / "00000.region.npy"
    shard.write_bytes(shard.read_bytes()[:-1])
    assert "shards/00000.region.npy has changed" in refused("pretrain", recipe, "--quiet")


def test_a_training_goes_on_by_the_recipe_it_was_begun_with(run, recipe, tmp_path) -> None:
    words = ("pretrain", recipe, "--quiet", "--out", tmp_path / "run")
    assert run(*words).code == 0
    for before, after in (
        ("batch = 2", "batch = 3"),
        ("steps = 2", "steps = 3"),
        ('"tiny"', '"tiny"\nseed = 4'),
    ):
        text = recipe.read_text()
        change(recipe, before, after)
        ran = run(*words)
        assert ran.code == 2
        assert "and the training was begun with" in ran.err
        recipe.write_text(text)
    change(recipe, "steps = 2", "steps = 2\nsave_every = 1")
    ran = run(*words)
    assert (ran.code, ran.err) == (0, "")


def test_a_state_from_before_recipes_were_kept_is_taken_as_it_is(recipe, tmp_path) -> None:
    plan = read_recipe(recipe)
    (tmp_path / "training" / "state").mkdir(parents=True)
    keep_recipe(plan, tmp_path / "training")
    keep_recipe(plan, tmp_path / "training")
    assert (tmp_path / "training" / "recipe.json").exists()
    with pytest.raises(BudwoodError, match=r"seed is 9 now, and the training was begun with 0"):
        keep_recipe(replace(plan, seed=9), tmp_path / "training")


@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOSPC, "No space left on device"), SafetensorError("No space left (os error 28)")],
)
def test_a_full_disk_keeps_the_last_state(run, recipe, tmp_path, monkeypatch, error) -> None:
    change(recipe, "steps = 2", "steps = 2\nsave_every = 1")
    written: list[str] = []

    def fill_up(tensors, path) -> None:
        written.append(str(path))
        if len(written) > 2:  # the first state is two files
            raise error
        save_file(tensors, path)

    words = ("pretrain", recipe, "--quiet", "--out", tmp_path / "run")
    with monkeypatch.context() as patch:
        patch.setattr("budwood.training.loop.state.save_file", fill_up)
        ran = run(*words)
    assert ran.code == 2
    assert "the disk is full; the last saved state is kept" in ran.err
    folder = tmp_path / "run" / "training"
    assert json.loads((folder / "state" / "step.json").read_text())["step"] == 1
    assert not (folder / "state.partial").exists()


def test_a_training_that_diverges_keeps_the_last_good_state(run, recipe, tmp_path) -> None:
    change(recipe, "steps = 2", "steps = 9\nsave_every = 1\nwarmup = 1\nlearning_rate = 1e12\nclip = 1e12")
    ran = run("pretrain", recipe, "--quiet", "--out", tmp_path / "run")
    assert ran.code == 2
    assert "the last good state is kept" in ran.err
    assert not (tmp_path / "run" / "checkpoint").exists()
