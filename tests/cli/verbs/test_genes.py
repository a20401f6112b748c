"""``budwood genes`` from files to weights that predict takes."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from budwood.cli.app import main
from budwood.panel.example import write_example


def test_from_files_to_weights(tmp_path: Path) -> None:
    files = write_example(tmp_path / "data", lines=80, phenotyped=60)
    places, known = tmp_path / "places.csv", tmp_path / "known.csv"
    rows = [f"g{i},chr1,{1 + 200 * i},{100 + 200 * i}" for i in range(30)]
    places.write_text("gene,contig,start,end\n" + "\n".join(rows) + "\n")
    known.write_text("gene,term\ng3,TO:1\ng4,TO:1\ng9,TO:2\n")
    out = tmp_path / "genes"
    words = ["genes", "--genotypes", files.genotypes, "--phenotypes", files.phenotypes, "--trait", "height"]
    words += ["--genes", places, "--known", known, "--term", "TO:1", "--reach", "50", "--repeats", "1"]
    assert main([*map(str, words), "--out", str(out), "--quiet"]) == 0
    record = json.loads((out / "evaluation.json").read_text())
    assert record["known_genes"] == 2
    assert set(record["against_random_genes"]) == {"mean", "lower", "upper"}
    with (out / "marker_weights.csv").open(newline="") as handle:
        weights = {row["marker"]: float(row["weight"]) for row in csv.DictReader(handle)}
    assert sum(weights.values()) == record["markers_near"] > 0
    assert "known genes" in (out / "report.html").read_text()
    assert main(["verify", str(out)]) == 0
    predict = [
        "predict",
        "--genotypes",
        files.genotypes,
        "--phenotypes",
        files.phenotypes,
        "--trait",
        "height",
    ]
    predict += ["--marker-weights", out / "marker_weights.csv", "--out", tmp_path / "prediction", "--quiet"]
    assert main([*map(str, predict)]) == 0


def test_a_term_that_no_row_has_is_one_sentence(tmp_path: Path) -> None:
    files = write_example(tmp_path / "data", lines=40, phenotyped=30)
    places = tmp_path / "places.csv"
    places.write_text("gene,contig,start,end\ng,chr1,1,100\n")
    words = ["genes", "--genotypes", files.genotypes, "--phenotypes", files.phenotypes, "--trait", "height"]
    words += ["--genes", places, "--known", places, "--term", "TO:9", "--out", tmp_path / "out"]
    assert main([*map(str, words)]) == 2
    assert not (tmp_path / "out").exists()
