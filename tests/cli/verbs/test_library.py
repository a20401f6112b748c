"""``budwood library``: from a saved model to another library."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


def test_a_model_goes_from_one_library_to_another(run, panel, tmp_path: Path) -> None:
    model = tmp_path / "models" / "height"
    saved = run(
        "predict", *panel.words(), "--model", "gblup", "--save-model", model, "--out", tmp_path / "out"
    )
    assert saved.code == 0, saved.err
    here, there = ("--library", tmp_path / "here"), ("--library", tmp_path / "there")
    added = run(
        *(
            "library",
            "add",
            model,
            "rice-height",
            *here,
            "--species",
            "Oryza sativa",
            "--provenance",
            "field",
        ),
        *("--term", "height=CO_320:0000074"),
    )
    assert added.code == 0, added.err
    assert "height (CO_320:0000074)" in added.out
    listed = json.loads(run("library", "list", *here, "--json").out)
    assert [entry["name"] for entry in listed["entries"]] == ["rice-height"]
    accuracy = listed["entries"][0]["accuracy"][0]
    assert accuracy["measure"].startswith("height: mean r of ")
    assert accuracy["lower"] < accuracy["value"] < accuracy["upper"]
    archive = tmp_path / "height.tar.gz"
    assert run("library", "export", "rice-height", archive, *here).code == 0
    assert run("library", "import", archive, *there).code == 0
    assert "rice-height" in run("library", "search", "sativa", "--kind", "trait-model", *there).out
    shown = json.loads(run("library", "show", "rice-height", *there, "--json").out)
    applied = run(
        "apply", shown["path"], "--genotypes", panel.genotypes, "--out", tmp_path / "applied", "--quiet"
    )
    assert applied.code == 0, applied.err
    assert run("library", "verify", *there).code == 0
    (Path(shown["path"]) / "model.json").write_text("{}")
    checked = run("library", "verify", *there)
    assert checked.code == 1
    assert "damaged" in checked.out or "changed" in checked.out


def test_what_is_no_model_is_refused(run, panel, tmp_path: Path) -> None:
    ran = run("library", "add", tmp_path, "x", "--library", tmp_path / "lib")
    assert ran.code == 2
    assert "manifest" in ran.err
    assert not (tmp_path / "lib").exists()


@pytest.mark.parametrize(
    "words",
    [("list",), ("search", "x"), ("show", "x"), ("export", "x", "x.tar.gz"), ("remove", "x"), ("verify",)],
)
def test_a_named_library_that_is_not_there_is_no_empty_one(
    run, words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = tmp_path / "missing"
    ran = run("library", *words, "--library", missing)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"error: there is no such library ({missing})")
    assert not missing.exists()
    if words in (("list",), ("verify",)):
        monkeypatch.setenv("BUDWOOD_LIBRARY", str(missing))
        ran = run("library", *words)
        assert (ran.code, ran.out) == (0, f"the library is empty: {missing}\n")
