"""Several traits in one run of ``predict`` and ``evaluate``."""

import csv
import json

import numpy as np
import pytest


@pytest.fixture
def traits(panel):
    """The panel with a second trait, one that does not vary and one of which a cell is bad."""
    with panel.phenotypes.open() as handle:
        rows = list(csv.reader(handle))
    rng = np.random.default_rng(2)
    table = [["accession", "height", "plant width", "same", "bad"]]
    for name, height, *_ in rows[1:]:
        table.append([name, height, f"{float(height) / 2 + rng.normal():.3f}", "4", "x!"])
    with panel.phenotypes.open("w", newline="") as handle:
        csv.writer(handle).writerows(table)
    return panel


def _table(path):
    with path.open() as handle:
        return list(csv.DictReader(handle))


def test_traits_are_predicted_as_each_alone(run, traits, tmp_path) -> None:
    files = ("--genotypes", traits.genotypes, "--phenotypes", traits.phenotypes)
    several = ("--trait", "height", "--trait", "same", "--trait", "bad", "--trait", "plant width")
    ran = run("predict", *files, *several, "--out", tmp_path / "all", "--json")
    assert ran.code == 0, ran.err
    told = json.loads(ran.out)
    assert [each["trait"] for each in told["traits"]] == ["height", "plant width"]
    assert list(told["not_analysed"]) == ["same", "bad"]
    evaluation = json.loads((tmp_path / "all" / "evaluation.json").read_text())
    manifest = json.loads((tmp_path / "all" / "manifest.json").read_text())
    assert any("'same' was not analysed" in note for note in manifest["notes"])
    rows = _table(tmp_path / "all" / "predictions.csv")
    for trait, report in zip(("height", "plant width"), ("1-height", "2-plant-width"), strict=True):
        out = tmp_path / trait.replace(" ", "-")
        assert run("predict", *files, "--trait", trait, "--out", out).code == 0
        assert [row for row in rows if row["trait"] == trait] == _table(out / "predictions.csv")
        alone = json.loads((out / "evaluation.json").read_text())
        for record in (alone, evaluation["traits"][trait]):
            for model in record["models"].values():
                del model["seconds"]
        assert evaluation["traits"][trait] == alone
        assert trait in (tmp_path / "all" / f"report-{report}.html").read_text()


def test_traits_are_evaluated_together(run, refused, traits, tmp_path) -> None:
    files = ("--genotypes", traits.genotypes, "--phenotypes", traits.phenotypes)
    design = ("--models", "gblup", "--folds", 3, "--repeats", 1)
    ran = run(
        "evaluate", *files, *design, "--trait", "plant width", "--trait", "same", "--out", tmp_path / "e"
    )
    assert ran.code == 0, ran.err
    assert "plant width:" in ran.out
    assert "Trait 'same' was not analysed" in ran.out
    record = json.loads((tmp_path / "e" / "evaluation.json").read_text())
    assert list(record["traits"]) == ["plant width"]
    assert record["traits"]["plant width"]["models"]["GBLUP"]["mean_r"] > 0
    none = refused("evaluate", *files, *design, "--trait", "same", "--trait", "absent")
    assert "none of the 2 traits can be analysed" in none
    assert "distinct" in refused("predict", *files, "--trait", "height", "--trait", "height")
    saved = ("--save-model", tmp_path / "m")
    assert "one trait" in refused("predict", *files, "--trait", "height", "--trait", "same", *saved)
