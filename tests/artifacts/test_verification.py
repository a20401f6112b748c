"""Edits of an artifact are found, those of its manifest too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from budwood.artifacts import MANIFEST, read_manifest, verification_notes, verify_artifact, write_artifact
from budwood.errors import BudwoodError


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("verification") / "out"
    parameters = {"trait": "height", "shares": (0.1, float("nan")), "file": Path("g.vcf"), "name": "é"}
    with write_artifact(out, kind="test", seeds={"seed": 1}, parameters=parameters) as draft:
        draft.path("values.csv").write_text("1\n")
        draft.metrics["r"] = {"gblup": 0.5, "folds": [0.4, 0.6]}
    return out


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of all plain values in nested mappings and lists."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return [place for key, inner in items for place in places(inner, (*path, key))]
    return [path]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_edit_of_a_manifest_is_found(artifact: Path, data: st.DataObject) -> None:
    path = artifact / MANIFEST
    text = path.read_text()
    manifest = json.loads(text)
    place = data.draw(st.sampled_from([p for p in places(manifest) if p[0] != "schema_version"]))
    inner = manifest
    for key in place[:-1]:
        inner = inner[key]
    old = inner[place[-1]]
    inner[place[-1]] = f"{old}x" if isinstance(old, str) else 7.25
    try:
        path.write_text(json.dumps(manifest))
        assert f"{MANIFEST} has changed since it was written" in verify_artifact(artifact)
    finally:
        path.write_text(text)


def test_a_manifest_that_is_only_laid_out_anew_is_sound(artifact: Path) -> None:
    path = artifact / MANIFEST
    text = path.read_text()
    path.write_text(json.dumps(json.loads(text)))
    assert verify_artifact(artifact) == []
    assert verification_notes(artifact) == []
    path.write_text(text)


@pytest.mark.parametrize("key", ["digest", "budwood"])
def test_a_digest_that_was_taken_out_is_missed(artifact: Path, key: str) -> None:
    path = artifact / MANIFEST
    text = path.read_text()
    manifest = json.loads(text)
    del manifest[key]
    path.write_text(json.dumps(manifest))
    assert verify_artifact(artifact) == [f"{MANIFEST} has changed since it was written"]
    path.write_text(text)


def test_a_manifest_of_an_early_release_verifies_with_a_note(artifact: Path) -> None:
    path = artifact / MANIFEST
    text = path.read_text()
    manifest = json.loads(text)
    del manifest["digest"], manifest["budwood"]
    path.write_text(json.dumps(manifest))
    assert verify_artifact(artifact) == []
    assert "without its own digest" in verification_notes(artifact)[0]
    path.write_text(text)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("files", None),
        ("files", ["values.csv"]),
        ("files", {"values.csv": 5}),
        ("files", {"../values.csv": "0"}),
        ("files", {"/etc/passwd": "0"}),
        ("schema_version", None),
        ("schema_version", "1"),
        ("schema_version", True),
        ("schema_version", 2.5),
        ("kind", 3),
        ("inputs", {}),
        ("metrics", []),
    ],
)
def test_wrong_types_in_a_manifest_are_one_sentence(artifact: Path, key: str, value: object) -> None:
    path = artifact / MANIFEST
    text = path.read_text()
    path.write_text(json.dumps(json.loads(text) | {key: value}))
    with pytest.raises(BudwoodError, match="this is no artifact"):
        read_manifest(artifact)
    path.write_text(text)


@pytest.mark.parametrize("text", ["", "[]", "null", "{", '{"a": 1', "[" * 100_000, "\0"])
def test_what_is_no_manifest_is_one_sentence(text: str, tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(BudwoodError, match="this is no artifact"):
        verify_artifact(tmp_path)


def test_a_newer_schema_asks_for_an_update(artifact: Path) -> None:
    path = artifact / MANIFEST
    text = path.read_text()
    path.write_text(json.dumps(json.loads(text) | {"schema_version": 2}))
    with pytest.raises(BudwoodError, match="update budwood"):
        read_manifest(artifact)
    path.write_text(text)
