"""A file in parts: whole or absent, resumed, never mixed with another job's parts."""

from __future__ import annotations

from pathlib import Path

import pytest

from budwood.artifacts.parted_file import PartedFile, check_file
from budwood.errors import BudwoodError


def write(out: Path, key: dict[str, int], stop: int = 3) -> list[int]:
    """Write three parts, or fewer as an interrupted run does; which ones were written."""
    written = []
    with PartedFile(out, key) as parts:
        for number in range(3):
            if number == stop:
                raise KeyboardInterrupt
            if not parts.has(number):
                with parts.part(number) as path:
                    path.write_text(f"{key['a']}{number}")
                written.append(number)
        parts.publish(3)
    return written


def test_an_interrupted_run_resumes(tmp_path: Path) -> None:
    out = tmp_path / "out.txt"
    with pytest.raises(KeyboardInterrupt):
        write(out, {"a": 1}, stop=2)
    assert not out.exists()
    assert write(out, {"a": 1}) == [2]
    assert out.read_text() == "101112"
    assert [path.name for path in tmp_path.iterdir()] == ["out.txt"]


def test_parts_of_another_job_are_not_used(tmp_path: Path) -> None:
    out = tmp_path / "out.txt"
    with pytest.raises(KeyboardInterrupt):
        write(out, {"a": 1}, stop=2)
    assert write(out, {"a": 2}) == [0, 1, 2]
    assert out.read_text() == "202122"


def test_a_run_that_fails_at_once_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "out.txt", {"a": 1}, stop=0)
    assert not list(tmp_path.iterdir())


def test_two_runs_do_not_write_one_file(tmp_path: Path) -> None:
    out = tmp_path / "out.txt"
    with PartedFile(out, {"a": 1}), pytest.raises(BudwoodError, match="another run"):
        write(out, {"a": 1})


def test_an_earlier_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    out = tmp_path / "out.txt"
    out.write_text("earlier")
    with pytest.raises(KeyboardInterrupt):
        write(out, {"a": 1}, stop=2)
    assert out.read_text() == "earlier"


@pytest.mark.parametrize("kind", ["folder", "link", "input", "foreign", "exists"])
def test_destinations_that_are_refused(tmp_path: Path, kind: str) -> None:
    out, other = tmp_path / "out.vcf", tmp_path / "other.vcf"
    other.write_text("x")
    if kind == "folder":
        out.mkdir()
    elif kind == "link":
        out.symlink_to(other)
    else:
        out.write_text("x")
    inputs = [out] if kind == "input" else [other]
    with pytest.raises(BudwoodError):
        check_file(out, inputs=inputs, overwrite=kind != "exists", is_ours=lambda _: kind != "foreign")
    if kind in ("input", "foreign", "exists"):
        assert out.read_text() == "x"


def test_a_good_destination_passes(tmp_path: Path) -> None:
    check_file(tmp_path / "new" / "out.vcf", inputs=[], overwrite=False, is_ours=lambda _: False)
