"""``--kinship`` from the command line."""

import csv
import json

import numpy as np


def _kinship(panel, path, leave_out: int = 0):
    with panel.genotypes.open() as handle:
        names = next(line for line in handle if line.startswith("#CHROM")).split()[9:]
    names = names[leave_out:]
    features = np.random.default_rng(4).normal(size=(len(names), 80))
    rows = [["id", *names]]
    rows += [[name, *row] for name, row in zip(names, (features @ features.T).tolist(), strict=True)]
    with path.open("w", newline="") as handle:
        csv.writer(handle).writerows(rows)
    return path


def test_predict_with_a_kinship_matrix(run, refused, panel, tmp_path) -> None:
    kinship = _kinship(panel, tmp_path / "kinship.csv")
    words = panel.words()
    out = tmp_path / "with"
    ran = run("predict", *words, "--kinship", kinship, "--out", out)
    assert ran.code == 0, ran.err
    assert "kinship matrix stands in the place" in ran.out
    manifest = json.loads((out / "manifest.json").read_text())
    assert any("kinship.csv" in str(each) for each in manifest["inputs"])
    assert "excludes" in refused("predict", *words, "--kinship", kinship, "--save-model", tmp_path / "m")
    short = _kinship(panel, tmp_path / "short.csv", leave_out=2)
    assert "not in the kinship" in refused("predict", *words, "--kinship", short)
    words = ("--kinship", kinship, "--environments", panel.phenotypes)
    assert "exclude each other" in refused("predict", *panel.words(), *words)
