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


def _words(tmp_path: Path, places: str) -> list[str]:
    files = write_example(tmp_path / "data", lines=60, phenotyped=50)
    (tmp_path / "places.csv").write_text(places)
    words = ["genes", "--genotypes", files.genotypes, "--phenotypes", files.phenotypes, "--trait", "height"]
    words += [
        "--genes",
        tmp_path / "places.csv",
        "--reach",
        "50",
        "--repeats",
        "1",
        "--draws",
        "1",
        "--quiet",
    ]
    return [*map(str, words), "--out", str(tmp_path / "out")]


def test_several_lists_each_with_a_term(tmp_path: Path) -> None:
    rows = "".join(f"g{i},chr1,{1 + 200 * i},{100 + 200 * i}\n" for i in range(30))
    words = _words(tmp_path, "gene,contig,start,end\n" + rows)
    table, cloned = tmp_path / "table.csv", tmp_path / "cloned.txt"
    table.write_text("gene,term\n" + "".join(f"g{i},TO:{1 + i % 3}\n" for i in range(30)))
    cloned.write_text("g0\ng3\ng4\n")
    words += ["--known", str(table), "--known", str(cloned), "--term", "TO:1", "--term", "-"]
    assert main(words) == 0
    record = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert record["known_genes"] == 11
    assert set(record["against_genes_of_other_terms"]) == {"mean", "lower", "upper"}
    with (tmp_path / "out" / "marker_weights.csv").open(newline="") as handle:
        assert {row["weight"] for row in csv.DictReader(handle)} == {"0", "1", "2"}
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["parameters"]["terms"] == [
        "TO:1",
        None,
    ]


def test_genes_of_another_species_by_orthologs(tmp_path: Path) -> None:
    rows = "".join(f"g{i},chr1,{1 + 200 * i},{100 + 200 * i}\n" for i in range(30))
    words = _words(tmp_path, "gene,contig,start,end\n" + rows)
    known, pairs = tmp_path / "rice.txt", tmp_path / "pairs.csv"
    known.write_text("os1\nos2\nos99\n")
    joined = [("os1", "g1"), ("os1", "g2"), ("g9", "os2"), ("os3", "g12"), ("os4", "elsewhere")]
    pairs.write_text("rice,here\n" + "".join(f"{a},{b}\n" for a, b in joined))
    words += ["--known", str(known), "--orthologs", str(pairs)]
    assert main(words) == 0
    record = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert record["known_genes"] == 3
    note = (
        "2 known genes of the other species have 3 counterparts with a place here, by pairs.csv; random "
        "genes are drawn from the 4 genes that have a counterpart."
    )
    assert note in record["notes"]
    assert "pairs.csv" in (tmp_path / "out" / "manifest.json").read_text()
    pairs.write_text("".join(f"{a},{b}\n" for a, b in joined))  # without a header
    assert main([*words, "--overwrite"]) == 0
    again = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert (again["notes"], again["conclusion"]) == (record["notes"], record["conclusion"])


def test_pairs_and_terms_that_do_not_fit_are_refused(tmp_path: Path, capsys) -> None:
    words = _words(tmp_path, "gene,contig,start,end\ng1,chr1,1,100\n")
    known, pairs = tmp_path / "rice.txt", tmp_path / "pairs.csv"
    known.write_text("os1\n")
    pairs.write_text("rice,here\nos1,Sb1\n")
    assert main([*words, "--known", str(known), "--orthologs", str(pairs)]) == 2
    assert "no pair joins" in capsys.readouterr().err
    assert main([*words, "--known", str(known), "--orthologs", str(pairs), "--blocks", str(pairs)]) == 2
    assert "both given" in capsys.readouterr().err
    assert main([*words, "--known", str(known), "--term", "a", "--term", "b"]) == 2
    assert "2 terms for 1 list" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
