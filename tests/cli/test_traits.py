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


def test_many_lines_are_predicted_in_the_same_passes(run, traits, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("budwood.prediction.kernels.dense_limit.DENSE_LINES", 10)
    monkeypatch.setattr("budwood.prediction.trait_model._SAMPLE", 10)
    files = ("--genotypes", traits.genotypes, "--phenotypes", traits.phenotypes, "--model", "gblup")
    several = ("--trait", "height", "--trait", "bad", "--trait", "plant width")
    ran = run("predict", *files, *several, "--out", tmp_path / "all", "--save-model", tmp_path / "models")
    assert ran.code == 0, ran.err
    assert "for 2 traits together" in ran.out
    assert "Trait 'bad' was not analysed" in ran.out
    assert run("predict", *files, "--trait", "plant width", "--out", tmp_path / "one").code == 0
    found = [row for row in _table(tmp_path / "all" / "predictions.csv") if row["trait"] == "plant width"]
    alone = _table(tmp_path / "one" / "predictions.csv")
    assert [row["accession"] for row in found] == [row["accession"] for row in alone]
    columns = [np.array([float(row["prediction"]) for row in rows]) for rows in (found, alone)]
    np.testing.assert_allclose(columns[0], columns[1], atol=0.02 * columns[1].std())
    assert (tmp_path / "models" / "plant-width" / "manifest.json").exists()


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
    none = refused("evaluate", *files, *design, "--trait", "same", "--trait", "bad")
    assert "none of the 2 traits can be analysed" in none
    assert "distinct" in refused("predict", *files, "--trait", "height", "--trait", "height")
    manifest = tmp_path / "m" / "manifest.json"
    manifest.parent.mkdir()
    manifest.write_text("{}")
    saved = ("--save-model", tmp_path / "m")
    assert "something else" in refused("predict", *files, "--trait", "height", "--trait", "same", *saved)


@pytest.mark.parametrize("verb", ["predict", "evaluate"])
def test_a_misspelt_trait_among_several_is_refused_before_the_others_are_analysed(
    refused, traits, monkeypatch, verb
) -> None:
    for place in ("run_traits.compute_prediction", "run_traits.evaluate"):
        monkeypatch.setattr(f"budwood.workflows.traits.{place}", None)
    files = ("--genotypes", traits.genotypes, "--phenotypes", traits.phenotypes)
    told = refused(verb, *files, "--trait", "height", "--trait", "plant_width")
    assert "trait 'plant_width' is not in the phenotypes" in told
    assert "did you mean 'plant width'?" in told


def test_models_effects_and_environments_of_several_traits_are_those_of_each_alone(
    run, traits, tmp_path
) -> None:
    rng = np.random.default_rng(3)
    lines = ["accession,trait,environment,value"]
    for row in _table(traits.phenotypes):
        for place, shift in (("e1", 0.0), ("e2", 4.0), ("e3", 9.0)):
            for trait in ("height", "plant width"):
                value = float(row[trait]) + shift + rng.normal()
                lines.append(f"{row['accession']},{trait},{place},{value:.3f}")
    traits.phenotypes.write_text("\n".join(lines) + "\n")
    table = tmp_path / "environments.csv"
    table.write_text("environment,rain\ne1,100\ne2,200\ne3,300\ne4,600\n")
    files = ("--genotypes", traits.genotypes, "--phenotypes", traits.phenotypes, "--environments", table)
    wanted = ("--model", "gblup", "--marker-effects", "--lower-is-better")
    both = ("--trait", "height", "--trait", "plant width", "--save-model", tmp_path / "models")
    ran = run("predict", *files, *wanted, *both, "--out", tmp_path / "all")
    assert ran.code == 0, ran.err
    assert f"budwood apply {tmp_path / 'models' / 'plant-width'} predicts other lines" in ran.out
    alone = ("--trait", "plant width", "--save-model", tmp_path / "model")
    assert run("predict", *files, *wanted, *alone, "--out", tmp_path / "one").code == 0
    for name in ("predictions.csv", "environments.csv", "stability.csv", "marker_effects.csv"):
        rows = [row for row in _table(tmp_path / "all" / name) if row["trait"] == "plant width"]
        single = _table(tmp_path / "one" / name)
        assert [{**row, "trait": "plant width"} for row in single] == rows
    for folder in (tmp_path / "models" / "plant-width", tmp_path / "model"):
        words = ("apply", folder, "--genotypes", traits.genotypes, "--out", tmp_path / f"by-{folder.name}")
        assert run(*words).code == 0
    found = [(tmp_path / f"by-{name}" / "predictions.csv").read_text() for name in ("plant-width", "model")]
    assert found[0] == found[1]
    means = [float(row["mean"]) for row in _table(tmp_path / "one" / "stability.csv")]
    assert means == sorted(means)
    again = run("predict", *files, *wanted, *both, "--out", tmp_path / "again")
    assert again.code == 2, "models are not replaced without --overwrite"
    assert not (tmp_path / "again").exists()


def test_an_index_takes_the_folder_of_several_traits(run, refused, traits, tmp_path) -> None:
    files = ("--genotypes", traits.genotypes, "--phenotypes", traits.phenotypes, "--csv-dialect", "excel-de")
    both = ("--trait", "height", "--trait", "plant width")
    assert run("predict", *files, *both, "--model", "gblup", "--out", tmp_path / "all").code == 0
    for trait in ("height", "plant width"):
        assert (
            run("predict", *files, "--trait", trait, "--model", "gblup", "--out", tmp_path / trait).code == 0
        )
    goal = ("--desired", "height=-1", "--desired", "plant width=2")
    assert run("index", tmp_path / "all", *goal, "--out", tmp_path / "a").code == 0
    assert (
        run("index", tmp_path / "height", tmp_path / "plant width", *goal, "--out", tmp_path / "b").code == 0
    )
    assert (tmp_path / "a" / "index.csv").read_text() == (tmp_path / "b" / "index.csv").read_text()
    told = refused("index", tmp_path / "all", tmp_path / "height", *goal)
    assert "'height' was predicted in two of the folders" in told
