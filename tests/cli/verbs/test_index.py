"""``budwood index``: one ranking from predictions of several traits."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from budwood.artifacts import read_manifest, write_artifact


def predicted(folder: Path, trait: str, values: np.ndarray, kind: str = "predict") -> Path:
    """A folder as ``budwood predict`` leaves it, as far as an index reads it."""
    out = folder / trait
    with write_artifact(out, kind=kind, parameters={"trait": trait}) as draft:
        rows = "".join(f"line{i},{trait},,{value}\n" for i, value in enumerate(values.tolist()))
        draft.path("predictions.csv").write_text(f"accession,trait,observed,prediction\n{rows}")
    return out


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    rng = np.random.default_rng(1)
    tall = rng.normal(100, 10, 60)
    grain = 5 + 0.03 * tall + rng.normal(0, 0.3, 60)
    return [predicted(tmp_path, "yield", grain), predicted(tmp_path, "height", tall)]


def test_desired_gains(run, folders, tmp_path) -> None:
    out = tmp_path / "index"
    ran = run("index", *folders, "--desired", "yield=2", "--desired", "height=-1", "--out", out)
    assert ran.code == 0, ran.err
    assert "60 lines ranked on 2 traits" in ran.out
    assert "gains in the proportions yield +2, height -1" in ran.out
    told = json.loads((out / "index.json").read_text())
    gain = told["expected_gain_per_intensity"]
    assert gain["yield"] / gain["height"] == pytest.approx(-2.0)
    with (out / "index.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    assert list(rows[0]) == ["rank", "accession", "index", "yield", "height"]
    assert [int(row["rank"]) for row in rows] == list(range(1, 61))
    score = [float(row["index"]) for row in rows]
    assert score == sorted(score, reverse=True)
    assert len(read_manifest(out)["inputs"]) == 2
    assert run("verify", out).code == 0


def test_economic_weights_with_a_trait_held_among_candidates(run, folders, tmp_path) -> None:
    names = tmp_path / "candidates.txt"
    names.write_text("\n".join(f"line{i}" for i in range(40)))
    words = ("--economic", "yield=1", "--hold", "height", "--candidates", names, "--json")
    ran = run("index", *folders, *words, "--out", tmp_path / "index")
    assert ran.code == 0, ran.err
    told = json.loads(ran.out)
    assert told["candidates"] == 40
    assert told["best_tenth"] == 4
    assert told["expected_gain_per_intensity"]["height"] == pytest.approx(0.0, abs=1e-9)
    assert "no expected change of height" in told["notes"][0]


def test_what_predict_writes_is_read(run, panel, tmp_path) -> None:
    text = panel.phenotypes.read_text().splitlines()
    rng = np.random.default_rng(3)
    rows = [f"{line.rpartition(',')[0]},{rng.normal():.3f}" for line in text[1:]]
    panel.phenotypes.write_text("accession,height,width\n" + "\n".join(rows) + "\n")
    for trait in ("height", "width"):
        assert run("predict", *panel.words(trait), "--quiet", "--out", tmp_path / trait).code == 0
    words = ("--economic", "height=1", "--out", tmp_path / "index")
    assert run("index", tmp_path / "height", tmp_path / "width", *words).code == 0


def test_bad_input_is_one_sentence(refused, folders, tmp_path) -> None:
    goal = ("--desired", "yield=1", "--desired", "height=0")
    assert "either desired gains or economic weights" in refused("index", *folders)
    assert "'yield' is not understood" in refused("index", *folders, "--desired", "yield")
    assert "'yield=inf' is not understood" in refused("index", *folders, "--economic", "yield=inf")
    assert "trait 'yield' is named twice" in refused("index", *folders, *goal, "--desired", "yield=2")
    assert "predicted in two of the folders" in refused("index", *folders, folders[0], *goal)
    assert "this is no artifact" in refused("index", folders[0], tmp_path, *goal)
    names = tmp_path / "names.txt"
    names.write_text("line1\nline99\n")
    told = refused("index", *folders, *goal, "--candidates", names)
    assert "candidate 'line99' has no prediction of yield" in told
    with write_artifact(tmp_path / "chosen", kind="select") as draft:
        draft.path("selection.csv").write_text("order\n")
    assert "the folder holds no predictions" in refused("index", folders[0], tmp_path / "chosen", *goal)


@pytest.mark.parametrize("change", ["edited", "added", "missing", "manifest"])
def test_predictions_that_were_changed_are_refused(refused, folders, change) -> None:
    table, manifest = folders[1] / "predictions.csv", folders[1] / "manifest.json"
    if change == "edited":
        table.write_text(table.read_text().replace("line3,height,,", "line3,height,,9"))
    elif change == "added":
        (folders[1] / "notes.txt").write_text("mine")
    elif change == "missing":
        table.unlink()
    else:
        manifest.write_text(manifest.read_text().replace('"height"', '"height "'))
    said = refused("index", *folders, "--desired", "yield=2", "--desired", "height=-1")
    assert str(folders[1]) in said
    assert change == "missing" or "not as it was written" in said


@pytest.mark.parametrize("goal", ["-1e308", "1e308", "1e-308", "-1e55"])
@pytest.mark.parametrize("option", ["--economic", "--desired"])
def test_goals_beyond_what_can_be_computed_are_refused(refused, folders, option, goal) -> None:
    said = refused("index", *folders, option, "yield=1", option, f"height={goal}")
    assert "to compute with" in said
