"""Multi-environment trials on the command line."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from budwood.cli.verbs.evaluate import Models
from budwood.prediction.environments.registry import ENVIRONMENT_MODELS

TABLE = (
    "environment,year,location,treatment,provenance,rain\n"
    "a1,2010,A,watered,field,300\na2,2011,A,rainfed,field,120\n"
    "b1,2010,B,watered,field,280\nb2,2012,B,rainfed,field,90\n"
)


@pytest.fixture
def trials(panel) -> Path:
    """The panel's heights as long records in four environments; the table of environments beside them."""
    rng = np.random.default_rng(2)
    with panel.phenotypes.open(newline="") as handle:
        height = {row["accession"]: float(row["height"]) for row in csv.DictReader(handle)}
    lines = ["accession,trait,environment,value"]
    for shift, place in enumerate(("a1", "a2", "b1", "b2")):
        lines += [f"{name},height,{place},{h + 5 * shift + rng.normal():.3f}" for name, h in height.items()]
    panel.phenotypes.write_text("\n".join(lines) + "\n")
    table = panel.folder / "environments.csv"
    table.write_text(TABLE)
    return table


def test_evaluate_in_environments(run, panel, trials, tmp_path) -> None:
    out = tmp_path / "out"
    words = ("--environments", trials, "--scheme", "cv1", "--folds", 3, "--repeats", 1, "--json")
    ran = run("evaluate", *panel.words(), *words, "--out", out)
    assert ran.code == 0, ran.err
    told = json.loads((out / "evaluation.json").read_text())
    assert list(told["models"]) == [
        "main effect",
        "main effect + deviations",
        "reaction norm",
        "factor-analytic 1",
    ]
    for score in told["models"].values():
        assert len(score["fold_r"]) == 3
        assert list(score["environment_r"]) == ["a1", "a2", "b1", "b2"]
        assert score["mean_r"] == pytest.approx(np.mean(list(score["environment_r"].values())))
    assert {"mean", "lower", "upper", "interval_over"} <= set(told["paired_differences"][0])
    assert told["conclusion"].startswith("Covariates of the environments")
    assert json.loads(ran.out)["models"] == told["models"]
    manifest = json.loads((out / "manifest.json").read_text())
    assert "environments.csv" in {given["name"] for given in manifest["inputs"]}
    assert run("verify", out).code == 0


@pytest.mark.parametrize("scheme", ["cv2", "cv0", "cv00", "forward"])
def test_every_scheme_runs(scheme: str, run, panel, trials, tmp_path) -> None:
    words = ("--environments", trials, "--scheme", scheme, "--folds", 2, "--repeats", 1, "--models", "main")
    ran = run("evaluate", *panel.words(), *words, "--out", tmp_path / "out")
    assert ran.code == 0, ran.err
    assert "main effect: r within environments" in ran.out


def test_schemes_without_a_table_of_environments(run, panel, trials, tmp_path) -> None:
    words = ("--scheme", "cv2", "--folds", 2, "--repeats", 1, "--models", "main,deviations")
    ran = run("evaluate", *panel.words(), *words, "--out", tmp_path / "out")
    assert ran.code == 0, ran.err


def test_predict_in_environments(run, panel, trials, tmp_path) -> None:
    trials.write_text(TABLE + "box,2013,B,watered,greenhouse,300\n")
    out = tmp_path / "out"
    ran = run("predict", *panel.words(), "--environments", trials, "--out", out)
    assert ran.code == 0, ran.err
    assert "Warning: the model learnt from field environments and predicts controlled ones ('box')" in ran.out
    with (out / "environments.csv").open(newline="") as handle:
        cells = list(csv.DictReader(handle))
    assert len(cells) == 48 * 5
    assert all(
        float(cell["lower_90"]) < float(cell["prediction"]) < float(cell["upper_90"]) for cell in cells
    )
    assert {cell["environment"] for cell in cells if cell["observed"]} == {"a1", "a2", "b1", "b2"}
    with (out / "stability.csv").open(newline="") as handle:
        lines = list(csv.DictReader(handle))
    means = [float(line["mean"]) for line in lines]
    assert len(lines) == 48
    assert means == sorted(means, reverse=True)
    assert np.mean([float(line["slope"]) for line in lines]) == pytest.approx(1.0)
    with (out / "predictions.csv").open(newline="") as handle:
        rows = {row["accession"]: row for row in csv.DictReader(handle)}
    assert {name: row["environment_mean"] for name, row in rows.items()} == {
        line["accession"]: line["mean"] for line in lines
    }
    assert [int(rows[line["accession"]]["environment_rank"]) for line in lines] == list(range(1, 49))
    assert "Means over the 5 environments of the table, 1 of them without records," in ran.out
    page = (out / "report.html").read_text()
    assert 'id="environments"' in page
    assert "Rank by the mean" in page
    assert run("verify", out).code == 0


def test_the_help_names_every_model() -> None:
    told = Models.__metadata__[0].help
    assert all(f" {name}" in told for name in ENVIRONMENT_MODELS)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--scheme", "cv1", "--models", "gblup"], "there is no multi-environment model 'gblup'"),
        (["--scheme", "cv1", "--h2", "0.5"], "which do not use --h2"),
        (["--scheme", "cv1", "--lower-is-better"], "which do not use --lower-is-better"),
        (["--scheme", "random"], "the scheme 'random' does not use environments"),
    ],
)
def test_what_does_not_fit_is_refused(words: list[str], told: str, refused, panel, trials) -> None:
    assert told in refused("evaluate", *panel.words(), "--environments", trials, *words)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (TABLE.replace("b2,", "b9,"), "environment 'b2' is not in the environment table"),
        (TABLE.replace("field", "moon"), "provenance 'moon' is not known"),
        (TABLE.replace(",90", ",dry"), "covariate 'rain' of environment 'b2': 'dry' is no number"),
        ("environment,location\na1,\na2,\nb1,\nb2,\n", "the reaction norm needs covariates"),
    ],
)
def test_bad_tables_are_refused(text: str, told: str, refused, panel, trials) -> None:
    trials.write_text(text)
    words = ("--environments", trials, "--scheme", "cv1", "--models", "reaction-norm")
    assert told in refused("evaluate", *panel.words(), *words)


def test_wide_phenotypes_name_no_environment(refused, panel) -> None:
    assert "name no environment" in refused("evaluate", *panel.words(), "--scheme", "cv1")


def test_predict_adjusts_unbalanced_environments(run, panel, trials, tmp_path) -> None:
    records = panel.phenotypes.read_text().splitlines()
    # Half of the lines were tried in two environments only: the high ones, then the low ones.
    kept = [
        line
        for number, line in enumerate(records)
        if not number
        or line.split(",")[2] in (("a1", "b1", "a2")[: 2 + number % 2], ("b1", "b2"))[number % 3 == 0]
    ]
    for line in kept[1:]:
        name, trait, place, value = line.split(",")
        kept[kept.index(line)] = f"{name},{trait},{place},{float(value) + 100 * (place == 'b2')}"
    panel.phenotypes.write_text("\n".join(kept) + "\n")
    out = tmp_path / "out"
    ran = run("predict", *panel.words(), "--out", out)
    assert ran.code == 0, ran.err
    assert "Values are adjusted for 4 environments" in ran.out
    assert "Values are adjusted for 4 environments" in (out / "report.html").read_text()
    with (out / "predictions.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    means: dict[str, list[float]] = {}
    for line in kept[1:]:
        means.setdefault(line.split(",")[0], []).append(float(line.split(",")[3]))
    plain = [np.mean(means[row["accession"]]) for row in rows if row["observed"]]
    adjusted = [float(row["observed"]) for row in rows if row["observed"]]
    # The added 100 of one environment is gone from the differences between accessions.
    assert np.std(adjusted) < 0.5 * np.std(plain)
