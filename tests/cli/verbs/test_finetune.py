"""``budwood finetune``: what it writes, what it says, and what it refuses."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from budwood.artifacts import verify_artifact
from budwood.genomics.sequence import decode

QUICK = ("--epochs", 1, "--quiet")


@pytest.fixture
def promoters(tmp_path: Path) -> Path:
    """Table of 60 sequences: a value that is the share of G, a class and a family."""
    codes = np.random.default_rng(0).integers(0, 4, (60, 40), dtype=np.uint8)
    path = tmp_path / "promoters.csv"
    rows = [
        f"p{k},{decode(row)},{share:.3f},{'rich' if share > 0.25 else 'poor'},f{k // 2}"
        for k, (row, share) in enumerate(zip(codes, (codes == 2).mean(axis=1), strict=True))
    ]
    path.write_text("name,sequence,strength,kind,family\n" + "\n".join(rows) + "\n")
    return path


def test_a_table_gives_an_encoder_that_can_be_applied(
    run: Callable[..., object], tiny_checkpoint: Path, promoters: Path, tmp_path: Path
) -> None:
    out, again = tmp_path / "out", tmp_path / "again"
    words = ["finetune", "--sequences", promoters, "--target", "strength", "--predict", promoters]
    ran = run(*words, "--checkpoint", tiny_checkpoint, "--group", "family", "--json", "--out", out, *QUICK)
    assert ran.code == 0, ran  # type: ignore[attr-defined]
    found = json.loads(ran.out)  # type: ignore[attr-defined]
    assert set(found["models"]) == {"fine-tuned", "from scratch", "convolution", "k-mers"}
    assert sum(found["counts"].values()) == 60
    assert {each["other"] for each in found["differences"]} == {"from scratch", "convolution", "k-mers"}
    assert verify_artifact(out) == []
    assert found["conclusion"] in (out / "report.html").read_text()
    assert run("finetune", "--apply", out, "--predict", promoters, "--out", again, "--quiet").code == 0  # type: ignore[attr-defined]
    assert (out / "predictions.csv").read_bytes() == (again / "predictions.csv").read_bytes()
    by_model = list(csv.DictReader((out / "predictions_by_model.csv").read_text().splitlines()))
    assert [row["model"] for row in by_model[::60]] == list(found["models"])
    own = list(csv.DictReader((out / "predictions.csv").read_text().splitlines()))
    assert [row["strength"] for row in by_model[:60]] == [row["strength"] for row in own]
    kmers = np.array([float(row["strength"]) for row in by_model if row["model"] == "k-mers"])
    assert (
        np.corrcoef(kmers, [float(line.split(",")[2]) for line in promoters.read_text().split()[1:]])[0, 1]
        > 0.5
    )
    tested = {
        row["sequence"] for row in csv.DictReader((out / "test_predictions.csv").read_text().splitlines())
    }
    families = {int(name[1:]) // 2 for name in tested}
    assert len(tested) == 2 * len(families)


def test_a_low_rank_encoder_of_classes_is_an_adapter(
    run: Callable[..., object], tiny_checkpoint: Path, promoters: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    words = ["finetune", "--sequences", promoters, "--target", "kind", "--way", "low-rank", "--rank", 2]
    ran = run(*words, "--checkpoint", tiny_checkpoint, "--strand", "both", "--out", out, *QUICK)
    assert ran.code == 0, ran  # type: ignore[attr-defined]
    fasta = tmp_path / "x.fa"
    fasta.write_text(">a\nACGTACGTACGT\n")
    ran = run(
        *("embed", "--fasta", fasta, "--checkpoint", tiny_checkpoint, "--adapter", out, "--quiet"),
        *("--out", tmp_path / "vectors"),
    )
    assert ran.code == 0, ran  # type: ignore[attr-defined]
    assert "tiny+fine-tuned" in (tmp_path / "vectors" / "manifest.json").read_text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--target", "strenght"), "did you mean 'strength'"),
        (("--target", "strength,kind"), "several outputs at once must be numbers"),
        (("--target", "strength,strength"), "column 'strength' is named twice"),
        ((), "no column to predict is named"),
        (("--target", "strength", "--test-share", 2), "is not possible"),
        (("--target", "strength", "--rank", 999, "--way", "low-rank"), "rank 999"),
    ],
)
def test_wrong_options_are_refused(
    refused: Callable[..., str],
    tiny_checkpoint: Path,
    promoters: Path,
    words: tuple[object, ...],
    message: str,
) -> None:
    told = refused("finetune", "--sequences", promoters, "--checkpoint", tiny_checkpoint, *words, *QUICK)
    assert message in told


def test_too_few_or_too_long_sequences_are_refused(
    refused: Callable[..., str], tiny_checkpoint: Path, tmp_path: Path
) -> None:
    few = tmp_path / "few.csv"
    few.write_text("sequence,y\n" + "".join(f"ACGTACGT{'A' * k},{k}\n" for k in range(1, 12)))
    words = ("--checkpoint", tiny_checkpoint, "--target", "y", *QUICK)
    assert "too few" in refused("finetune", "--sequences", few, *words)
    long = tmp_path / "long.csv"
    long.write_text("sequence,y\n" + "".join(f"{'ACGT' * 130}{'A' * k},{k}\n" for k in range(1, 40)))
    assert "at most 512" in refused("finetune", "--sequences", long, *words)
    assert "no --sequences" in refused("finetune", "--sequences", few, "--apply", tmp_path)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (lambda k: "NA", "no sequence has a value of 'strength'"),
        (lambda k: f"name{k}", "fewer than two classes of 'strength' have two sequences"),
        (lambda k: "a" if k else "b", "fewer than two classes of 'strength' have two sequences"),
        (lambda k: "inf", "has a single class, 'inf'"),
        (lambda k: "5", "'strength' does not vary"),
    ],
)
def test_columns_that_teach_nothing_are_refused(
    refused: Callable[..., str],
    tiny_checkpoint: Path,
    tmp_path: Path,
    cell: Callable[[int], str],
    message: str,
) -> None:
    rng = np.random.default_rng(5)
    rows = [f"p{k}\t{''.join(rng.choice(list('ACGT'), 60))}\t{cell(k)}" for k in range(40)]
    table = tmp_path / "table.tsv"
    table.write_text("\n".join(["name\tseq\tstrength", *rows]) + "\n")
    given = ("--sequences", table, "--target", "strength", "--checkpoint", tiny_checkpoint)
    assert message in refused("finetune", *given, *QUICK)


def test_what_the_test_and_the_groups_lack_is_stated(
    run: Callable[..., object],
    refused: Callable[..., str],
    tiny_checkpoint: Path,
    promoters: Path,
    tmp_path: Path,
) -> None:
    words = ["finetune", "--sequences", promoters, "--checkpoint", tiny_checkpoint, *QUICK]
    told = refused(*words, "--target", "strength", "--test", promoters)
    assert "of 60 sequences to train on all but 0 are also among the test sequences" in told
    rows = list(csv.reader(promoters.read_text().splitlines()))
    test = tmp_path / "test.csv"
    with test.open("w", newline="") as handle:
        kinds = ("unseen", "rich", "poor")
        rows = [rows[0], *([n, s[::-1], v, kinds[k % 3], ""] for k, (n, s, v, _, _) in enumerate(rows[1:21]))]
        csv.writer(handle).writerows(rows)
    ran = run(
        *words, "--target", "kind", "--test", test, "--group", "family", "--out", tmp_path / "o", "--json"
    )
    assert ran.code == 0, ran  # type: ignore[attr-defined]
    notes = json.loads(ran.out)["notes"]  # type: ignore[attr-defined]
    assert "Warning: no sequence to train on is of 'unseen', which the test has." in notes
    assert "20 sequences without a group in 'family' stand alone." in notes
