"""What killed runs leave is removed by the next run, and nothing else is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from budwood.artifacts import read_manifest, verify_artifact, write_artifact
from budwood.artifacts.drafts import clear_leftovers, make_draft, release

#: Writes an artifact, and waits within it for a line or for its end.
WRITER = """
import signal, sys
from pathlib import Path
from budwood.artifacts import stop_on_signals, write_artifact
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # a run under nohup ignores it, and its children do too
with stop_on_signals(), write_artifact(Path(sys.argv[1]), kind="test") as draft:
    draft.path("values.csv").write_text("1")
    print("begun", flush=True)
    sys.stdin.readline()
"""


def begin(out: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(out)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    return process


def write(out: Path) -> None:
    with write_artifact(out, kind="test", overwrite=True) as draft:
        draft.path("values.csv").write_text("1")


def end(process: subprocess.Popen[str], number: int) -> None:
    process.send_signal(number)
    process.communicate()


def test_the_draft_of_a_killed_run_is_removed_and_that_of_a_running_one_stays(tmp_path: Path) -> None:
    out = tmp_path / "out"
    killed, running = begin(out), begin(out)
    end(killed, signal.SIGKILL)
    assert len(list(tmp_path.glob(".out.*.partial"))) == 2
    write(out)
    left = [path.name for path in tmp_path.glob(".out.*.partial")]
    assert len(left) == 1
    assert f"-{running.pid}-" in left[0]
    end(running, signal.SIGKILL)
    write(out)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert verify_artifact(out) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_signals_leave_nothing(number: int, tmp_path: Path) -> None:
    process = begin(tmp_path / "out")
    end(process, number)
    assert process.returncode != 0
    assert list(tmp_path.iterdir()) == []


def test_an_artifact_that_was_being_replaced_is_put_back(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(out)
    retired, lock = make_draft(out, suffix=".old")
    out.rename(retired / "out")
    clear_leftovers(out)
    assert not out.exists()  # this process holds the folder still
    release(lock)
    clear_leftovers(out)
    assert read_manifest(out)["kind"] == "test"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize(
    ("name", "stays"),
    [
        (".out.abcd_123.partial", False),  # of an early release
        (".out.node7-99999999-abcd_123.partial", False),
        (".out.x.abcd_123.partial", True),
        (".out.mine.partial", True),
        (".out.partial", True),
        (".outabcd_123.partial", True),
        ("out.abcd_123.partial", True),
    ],
)
def test_only_drafts_of_this_destination_are_removed(name: str, stays: bool, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "file").write_text("x")
    (tmp_path / ".out.abcd_124.partial").write_text("a file is no draft")
    clear_leftovers(tmp_path / "out")
    assert (tmp_path / name).exists() == stays
    assert (tmp_path / ".out.abcd_124.partial").exists()


def test_without_locks_the_process_in_the_name_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("budwood.artifacts.drafts._hold", lambda folder, wait=False: None)
    mine, lock = make_draft(tmp_path / "out")
    assert lock is None
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    gone = mine.with_name(mine.name.replace(f"-{os.getpid()}-", f"-{ended.pid}-"))
    gone.mkdir()
    elsewhere = mine.with_name(f".out.anothermachine-{ended.pid}-abcd_123.partial")
    elsewhere.mkdir()
    clear_leftovers(tmp_path / "out")
    assert (mine.exists(), gone.exists(), elsewhere.exists()) == (True, False, True)
