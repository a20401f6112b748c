"""What may stand in the way of an output folder, and that none of it is ever deleted."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from budwood.artifacts import (
    MANIFEST,
    check_apart,
    check_destination,
    read_manifest,
    verify_artifact,
    write_artifact,
)
from budwood.artifacts.parted_file import check_file
from budwood.errors import BudwoodError


def write(out: Path, value: str = "1", **options: object) -> Path:
    with write_artifact(out, kind="test", **options) as draft:
        draft.path("values.csv").write_text(value)
        draft.path("parts").mkdir()
        draft.path("parts/one.txt").write_text(value)
    return out


def contents(folder: Path) -> dict[str, bytes | str]:
    """Everything under a folder: bytes of files, targets of links, names of folders."""
    found: dict[str, bytes | str] = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        found[name] = (
            str(path.readlink()) if path.is_symlink() else path.read_bytes() if path.is_file() else "/"
        )
    return found


def foreign_manifest(out: Path) -> None:
    out.mkdir()
    (out / MANIFEST).write_text('{"name": "an app", "version": 3}')
    (out / "thesis.txt").write_text("mine")


def foreign_files(out: Path) -> None:
    out.mkdir()
    (out / "thesis.txt").write_text("mine")


def notes_in_a_result(out: Path) -> None:
    (write(out) / "notes.txt").write_text("mine")


def a_folder_in_a_result(out: Path) -> None:
    (write(out) / "pictures").mkdir()


def a_link_in_a_result(out: Path) -> None:
    (write(out) / "genomes").symlink_to(out.parent)


def a_link_for_a_listed_file(out: Path) -> None:
    (write(out) / "values.csv").unlink()
    (out / "values.csv").symlink_to(__file__)


def an_edited_result(out: Path) -> None:
    (write(out) / "values.csv").write_text("1, and what I think of it")


def an_edited_manifest(out: Path) -> None:
    path = write(out, seeds={"seed": 1}) / MANIFEST
    path.write_text(path.read_text().replace('"seed": 1', '"seed": 2'))


def a_link(out: Path) -> None:
    out.symlink_to(write(out.with_name("elsewhere")))


def a_dangling_link(out: Path) -> None:
    out.symlink_to(out.with_name("nowhere"))


def a_file(out: Path) -> None:
    out.write_text("mine")


def a_pipe(out: Path) -> None:
    os.mkfifo(out)


def a_manifest_with_a_way_out(out: Path) -> None:
    path = write(out) / MANIFEST
    manifest = json.loads(path.read_text())
    manifest["files"]["../thesis.txt"] = "0" * 64
    path.write_text(json.dumps(manifest))


KINDS = [
    *(foreign_manifest, foreign_files, notes_in_a_result, a_folder_in_a_result, a_link_in_a_result),
    *(a_link_for_a_listed_file, an_edited_result, an_edited_manifest, a_link, a_dangling_link, a_file),
    *(a_pipe, a_manifest_with_a_way_out),
]


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("prepare", KINDS, ids=lambda kind: kind.__name__)
def test_what_budwood_did_not_write_stays(
    prepare: Callable[[Path], None], overwrite: bool, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    prepare(out)
    before = contents(tmp_path) if not out.is_fifo() else None
    with pytest.raises(BudwoodError) as refused:
        check_destination(out, overwrite=overwrite)
    assert refused.value.mend
    reached = False
    with pytest.raises(BudwoodError), write_artifact(out, kind="test", overwrite=overwrite):
        reached = True
    assert not reached
    assert out.is_fifo() or contents(tmp_path) == before


@pytest.mark.parametrize(
    "words", [".", "", "..", "/", "here/..", "../here", "result/.."], ids=lambda words: words or "empty"
)
def test_the_working_folder_is_no_output(words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = tmp_path / "here"
    (here / "here").mkdir(parents=True)
    write(here / "result")
    monkeypatch.chdir(here)
    before = contents(tmp_path)
    for overwrite in (False, True):
        with pytest.raises(BudwoodError, match="working folder"):
            check_destination(Path(words), overwrite=overwrite)
    assert contents(tmp_path) == before


def test_an_earlier_result_is_replaced_when_asked(tmp_path: Path) -> None:
    out = write(tmp_path / "out")
    with pytest.raises(BudwoodError, match=r"earlier result of kind 'test'.*--overwrite"):
        write(out, "2")
    assert (out / "values.csv").read_text() == "1"
    (out / "parts" / "one.txt").unlink()  # a file that is missing is no loss
    (out / ".DS_Store").write_text("of the desktop")
    write(out, "2", overwrite=True)
    assert (out / "values.csv").read_text() == "2"
    assert verify_artifact(out) == []
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert verify_artifact(write(tmp_path / "out")) == []


@pytest.mark.parametrize("name", ["out/values.csv", "out", "linked.csv", "linked/parts/one.txt"])
def test_an_input_in_the_output_stays(name: str, tmp_path: Path) -> None:
    out = write(tmp_path / "out")
    (tmp_path / "linked.csv").symlink_to(out / "values.csv")
    (tmp_path / "linked").symlink_to(out)
    before = contents(tmp_path)
    with pytest.raises(BudwoodError, match="lies in the output folder"):
        check_destination(out, inputs=[tmp_path / name], overwrite=True)
    assert contents(tmp_path) == before


def test_what_comes_to_the_output_while_computing_stays(tmp_path: Path) -> None:
    out = write(tmp_path / "out")
    with pytest.raises(BudwoodError, match=r"notes\.txt"), write_artifact(out, kind="test", overwrite=True):
        (out / "notes.txt").write_text("mine")
    assert (out / "notes.txt").read_text() == "mine"
    assert (out / "values.csv").read_text() == "1"
    other = tmp_path / "other"
    with pytest.raises(BudwoodError, match="earlier result"), write_artifact(other, kind="late"):
        write(other)
    assert read_manifest(other)["kind"] == "test"


def test_a_manifest_of_an_early_release_is_known(tmp_path: Path) -> None:
    path = write(tmp_path / "out") / MANIFEST
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps({k: v for k, v in manifest.items() if k not in ("digest", "budwood")}))
    write(tmp_path / "out", "2", overwrite=True)
    assert (tmp_path / "out" / "values.csv").read_text() == "2"


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(BudwoodError, match="is a file"):
        check_destination(tmp_path / "file" / "out")
    for name in ("n" * 161, "n" * 5000):
        with pytest.raises(BudwoodError):
            check_destination(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("out", "model"),
    [
        ("same", "same"),
        ("nest2/res", "nest2"),
        ("nest", "nest/model"),
        ("a/../same", "same/."),
        ("linked/res", "same"),
        ("same", "linked/deep/model"),
    ],
)
def test_two_destinations_of_one_run_lie_apart(
    out: str, model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "linked").symlink_to("same")
    with pytest.raises(BudwoodError, match=r"same place|lies inside"):
        check_apart({"--out": Path(out), "--save-model": Path(model)})
    check_apart({"--out": Path(out), "--save-model": None})
    check_apart({"--out": Path(out), "--save-model": Path("elsewhere")})


def test_a_result_of_a_newer_release_is_left_alone(tmp_path: Path) -> None:
    out = write(tmp_path / "out")
    newer = {"kind": "test", "schema_version": 99, "written": "otherwise"}
    (out / MANIFEST).write_text(json.dumps(newer))
    before = contents(out)
    for name in ("out/new", "out/parts/a/b"):
        with pytest.raises(BudwoodError, match="lies inside a result of kind 'test'"):
            write(tmp_path / name, overwrite=True)
    for overwrite in (False, True):
        with pytest.raises(BudwoodError, match="a result of kind 'test' of a newer release"):
            write(out, overwrite=overwrite)
    assert contents(out) == before


@pytest.mark.parametrize("name", ["out/new", "out/parts/new", "out/a/b/c", "linked/new", "out/../out/new"])
def test_nothing_is_written_into_a_result(name: str, tmp_path: Path) -> None:
    out = write(tmp_path / "out")
    (tmp_path / "linked").symlink_to(out)
    with pytest.raises(BudwoodError, match=rf"lies inside a result of kind 'test', {out},"):
        write(tmp_path / name, overwrite=True)
    with pytest.raises(BudwoodError, match="lies inside a result"):
        check_file(tmp_path / name, inputs=(), overwrite=True, is_ours=Path.is_file)
    assert verify_artifact(out) == []
