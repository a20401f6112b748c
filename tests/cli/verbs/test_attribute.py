"""``budwood attribute``."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest


def test_windows_and_bases_of_a_fresh_fit(run, panel, tiny_checkpoint: Path, tmp_path: Path) -> None:
    out, regions = tmp_path / "windows", tmp_path / "regions.bed"
    regions.write_text("chr1\t0\t600\ta\nchr1\t2000\t2500\tb\n")
    words = (*panel.words(), "--reference", panel.reference, "--checkpoint", tiny_checkpoint, "--bases", 2)
    ran = run("attribute", *words, "--regions", regions, "--permutations", 19, "--out", out, "--json")
    assert ran.code == 0, ran
    record = json.loads(ran.out)
    assert record["model"] == "GBLUP + DNA model"
    assert record["largest_error_of_the_sum"] < 1e-6
    assert record["bases"]["largest_relative_error_of_the_sum"] < 1e-3
    assert 0 < record["regions"]["p"] <= 1
    contributions = np.load(out / "contributions.npy")
    with (out / "predictions.csv").open() as handle:
        lines = list(csv.DictReader(handle))
    with (out / "windows.csv").open() as handle:
        windows = list(csv.DictReader(handle))
    assert contributions.shape == (len(lines), len(windows)) == (48, record["windows"])
    summed = contributions.sum(axis=1) + float(lines[0]["mean"])
    np.testing.assert_allclose(summed, [float(line["prediction"]) for line in lines], atol=1e-6)
    assert [row["in_region"] for row in windows].count("yes") == 4
    assert (out / "importance.bedgraph").read_text().count("\n") == len(windows) + 1
    with (out / "bases.csv").open() as handle:
        letters = {(row["reference"], row["base"]) for row in csv.DictReader(handle)}
    assert all(one != other for one, other in letters)
    assert "chr1" in (out / "report.html").read_text()
    assert run("verify", out).code == 0


def test_a_saved_model_gives_its_own_predictions(run, panel, tmp_path: Path) -> None:
    model, out = tmp_path / "model", tmp_path / "windows"
    words = (*panel.words(), "--model", "gblup")
    assert run("predict", *words, "--save-model", model, "--out", tmp_path / "predict").code == 0
    ran = run("attribute", "--model-folder", model, "--genotypes", panel.genotypes, "--out", out, "--json")
    assert ran.code == 0, ran
    assert json.loads(ran.out)["largest_error_of_the_sum"] < 1e-6


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--genotypes", "g.vcf"), "there is no model"),
        (("--genotypes", "g.vcf", "--model-folder", "m", "--trait", "t"), "not fitted again"),
        (
            ("--genotypes", "g.vcf", "--phenotypes", "p.csv", "--trait", "t", "--model", "auto"),
            "no sums over windows",
        ),
        (
            ("--genotypes", "g.vcf", "--phenotypes", "p.csv", "--trait", "t", "--bases", 3),
            "attributed through sequence",
        ),
    ],
)
def test_options_that_do_not_fit_are_refused(refused, words: tuple[object, ...], said: str) -> None:
    assert said in refused("attribute", *words)
