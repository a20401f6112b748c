"""``budwood select`` as a contract: files, columns, JSON and one-sentence refusals."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from budwood.artifacts import read_manifest, verify_artifact
from budwood.workflows.select import COLUMNS


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """Genotypes of 40 lines in two families, phenotypes of the first 12, groups and costs."""
    generator = np.random.default_rng(1)
    frequency = generator.uniform(0.1, 0.9, (2, 80))
    dosage = generator.binomial(2, frequency[np.arange(40) % 2])
    names = [f"L{i:02d}" for i in range(40)]
    tables = {
        "genotypes": [
            ["id", *(f"m{j}" for j in range(80))],
            *([n, *d] for n, d in zip(names, dosage, strict=True)),
        ],
        "phenotypes": [["id", "height"], *([n, f"{i * 0.7 % 5:.2f}"] for i, n in enumerate(names[:12]))],
        "groups": [["id", "family", "origin"], *([n, "AB"[i % 2], "x"] for i, n in enumerate(names))],
        "costs": [["id", "cost"], *([n, 1 + i % 3] for i, n in enumerate(names))],
        "candidates": [["accession"], *([n] for n in names[10:30])],
    }
    for name, rows in tables.items():
        with (tmp_path / f"{name}.csv").open("w", newline="") as handle:
            csv.writer(handle).writerows(rows)
    return {name: tmp_path / f"{name}.csv" for name in tables}


def test_the_files_and_their_columns(files: dict[str, Path], run: Callable, tmp_path: Path) -> None:
    out = tmp_path / "next"
    ran = run(
        *(
            "select",
            "--genotypes",
            files["genotypes"],
            "--phenotypes",
            files["phenotypes"],
            "--trait",
            "height",
        ),
        *(
            "--groups",
            files["groups"],
            "--group-column",
            "family",
            "--quota",
            "A=4:",
            "--costs",
            files["costs"],
        ),
        *("--budget", 14, "--candidates", files["candidates"], "--count", 7, "--out", out),
    )
    assert ran.code == 0, ran
    assert "of 18 candidates to phenotype" in ran.out
    with (out / "selection.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert tuple(rows[0]) == COLUMNS
    assert [row["order"] for row in rows] == [str(i + 1) for i in range(len(rows))]
    assert {row["accession"] for row in rows} <= {f"L{i:02d}" for i in range(12, 30)}
    assert sum(row["group"] == "A" for row in rows) >= 4
    assert sum(float(row["cost"]) for row in rows) <= 14
    accuracy = [float(row["expected_accuracy_after"]) for row in rows]
    assert accuracy == sorted(accuracy)
    assert all(row["reason"] for row in rows)
    record = json.loads((out / "selection.json").read_text())
    assert [line["accession"] for line in record["lines"]] == [row["accession"] for row in rows]
    assert record["notes"]
    assert not verify_artifact(out)
    manifest = read_manifest(out)
    assert (manifest["kind"], len(manifest["inputs"])) == ("select", 5)


def test_json_and_seed(files: dict[str, Path], run: Callable, tmp_path: Path) -> None:
    words = ("select", "--genotypes", files["genotypes"], "--count", 6, "--criterion", "pevmean", "--json")
    first, again = (
        json.loads(run(*words, "--seed", 3, "--out", tmp_path / name).out) for name in ("one", "two")
    )
    assert first.pop("out") != again.pop("out")
    assert first == again
    assert (first["criterion"], first["phenotyped"], len(first["lines"])) == ("pevmean", 0, 6)
    assert [point["count"] for point in first["curve"]] == [25]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--count", 40], "40 of 40 candidates cannot be chosen"),
        (["--count", 0], "greater than or equal to 1"),
        (["--count", 5, "--trait", "height"], "phenotypes and trait go together"),
        (["--count", 5, "--phenotypes", "phenotypes", "--trait", "mass"], "'mass' is not in the phenotypes"),
        (["--count", 5, "--quota", "A=1:2"], "needs a table of groups"),
        (["--count", 5, "--quota", "A=²:"], "is not understood"),
        (["--count", 5, "--quota", f"A={'9' * 5000}:"], "is not understood"),
        (["--count", 5, "--groups", "groups"], "not clear which column"),
        (
            ["--count", 5, "--groups", "groups", "--group-column", "family", "--quota", "A"],
            "'A' is not understood",
        ),
        (["--count", 5, "--groups", "groups", "--group-column", "family", "--quota", "C=1:"], "group 'C'"),
        (
            ["--count", 5, "--groups", "groups", "--group-column", "family", "--quota", "A=9:"],
            "more than the 5 lines",
        ),
        (["--count", 5, "--costs", "groups"], "not clear which column"),
        (["--count", 5, "--costs", "costs", "--budget", "0.5"], "budget of 0.5"),
        (["--count", 5, "--heritability", "2"], "heritability of 2 is impossible"),
        (["--count", 5, "--candidates", "costs"], "are not in the genotypes"),
    ],
)
def test_bad_requests(files: dict[str, Path], refused: Callable, words: list[object], told: str) -> None:
    named = [files.get(str(word), word) for word in words]
    assert told in refused("select", "--genotypes", files["genotypes"], *named, "--quiet")


def test_lines_of_different_ploidy(run, panel, tmp_path) -> None:
    """Diploids, and the same counts as tetraploids: the table of ploidies tells them apart."""
    table = tmp_path / "ploidy.csv"
    table.write_text("accession,ploidy\n" + "".join(f"line{i:02d},4\n" for i in range(24)))
    words = ("--genotypes", panel.genotypes, "--count", 5, "--ploidies", table)
    ran = run("select", *words, "--out", tmp_path / "out")
    assert ran.code == 0, ran.err
    assert [entry["name"] for entry in read_manifest(tmp_path / "out")["inputs"]] == [
        "panel.vcf",
        "ploidy.csv",
    ]


@pytest.mark.parametrize("budget", ["nan", "inf", "-inf"])
def test_a_budget_that_is_no_amount_is_refused(refused, panel, budget) -> None:
    words = ("--genotypes", panel.genotypes, "--count", "3", f"--budget={budget}")
    assert "is no amount" in refused("select", *words)


def test_a_chosen_line_that_may_be_phenotyped_already_is_named(
    files: dict[str, Path], run: Callable, tmp_path: Path
) -> None:
    table = files["phenotypes"]
    table.write_text(table.read_text().replace("L03,", "l-03,"))
    chosen = tmp_path / "chosen.csv"
    chosen.write_text("accession\nL03\nL20\nL21\n")
    words = ("--genotypes", files["genotypes"], "--phenotypes", table, "--trait", "height")
    ran = run("select", *words, "--count", 2, "--candidates", chosen, "--out", tmp_path / "out")
    assert ran.code == 0, ran.err
    assert "Spelled almost alike in genotypes and phenotypes: 'L03' and 'l-03'" in ran.out
    assert "Warning: A chosen line may be phenotyped already: 'L03' (as 'l-03')." in ran.out
