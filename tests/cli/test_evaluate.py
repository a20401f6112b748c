"""``meristem evaluate``."""

from __future__ import annotations

import json

import pytest

from meristem.cli.evaluate import Models
from meristem.prediction.models import MODEL_NAMES


def test_models_on_the_same_folds(run, panel, tiny_checkpoint, tmp_path) -> None:
    out = tmp_path / "out"
    words = ("--reference", panel.reference, "--checkpoint", tiny_checkpoint, "--models", "gblup,gblup+dna")
    design = ("--folds", 3, "--repeats", 2, "--seed", 7)
    ran = run("evaluate", *panel.words(), *words, *design, "--out", out, "--json")
    assert ran.code == 0, ran.err
    told = json.loads((out / "evaluation.json").read_text())
    assert list(told["models"]) == ["GBLUP", "GBLUP + DNA model"]
    assert (told["scheme"], told["folds"], told["repeats"]) == ("random", 3, 2)
    for score in told["models"].values():
        assert len(score["fold_r"]) == 6
        assert score["mean_r"] == pytest.approx(sum(score["fold_r"]) / 6)
        assert {"coverage_90", "seconds"} <= set(score)
    (difference,) = told["paired_differences"]
    assert difference["lower"] <= difference["mean"] <= difference["upper"]
    assert told["permutation_control"]["model"] == "GBLUP + DNA model"
    assert len(told["held_out"]) == 36
    assert json.loads(ran.out)["models"] == told["models"]
    assert run("verify", out).code == 0


def test_the_help_names_every_model() -> None:
    told = Models.__metadata__[0].help
    assert all(f" {name}" in told for name in MODEL_NAMES)


def test_models_that_are_no_kernels(run, panel, tmp_path) -> None:
    words = ("--models", "elastic-net,lightgbm,gblup", "--folds", 2, "--repeats", 1, "--json")
    ran = run("evaluate", *panel.words(), *words, "--out", tmp_path / "out")
    assert ran.code == 0, ran.err
    told = json.loads(ran.out)
    assert len(told["models"]) == 3
    assert told["paired_differences"][0]["baseline"] == next(iter(told["models"]))


def test_clusters_are_held_out_whole(run, panel, tmp_path) -> None:
    words = ("--scheme", "clusters", "--folds", 4, "--models", "gblup", "--out", tmp_path / "out")
    ran = run("evaluate", *panel.words(), *words)
    assert ran.code == 0, ran.err
    told = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert (told["scheme"], told["repeats"]) == ("clusters", 1)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--models", "gblup,forest"], "there is no trait model 'forest'"),
        (["--models", "gblup,gblup"], "the models are not distinct"),
        (["--models", "gblup,gblup+dna"], "give the reference genome"),
        (["--scheme", "leave-one-out"], "there is no scheme 'leave-one-out'"),
        (["--folds", "1"], "see meristem evaluate --help"),
        (["--folds", "30"], "use fewer folds"),
    ],
)
def test_what_cannot_be_evaluated(words: list[str], told: str, refused, panel) -> None:
    assert told in refused("evaluate", *panel.words(), *words)
