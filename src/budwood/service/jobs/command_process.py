"""A job runs the command line in a process of its own: it can be ended, and its faults stay its own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import psutil

from budwood.service.jobs.job_folder import JobFolder, JobRecord
from budwood.service.jobs.states import State

#: Seconds that a command has to leave by itself after it was asked to.
_PATIENCE: Final = 10.0
_POLL: Final = 0.1
_OUTPUT: Final = "output.json"
_PROCESS: Final = "process.json"
#: Most of a line of standard error that becomes an event.
_LONGEST_LINE: Final = 500


class Interrupted(BaseException):
    """The service stops: the job is not over and goes on when it runs again."""


@dataclass(frozen=True)
class CommandEnd:
    """How a command left.

    Attributes
    ----------
    state
        Of the job.
    error
        What, where and mend, where it is not done.
    """

    state: State
    error: dict[str, str] | None = None

    def plain(self) -> dict[str, Any]:
        """As the database of jobs keeps it.

        Returns
        -------
        dict
            State and error.
        """
        return {"state": str(self.state), "error": self.error}


def run_command(
    folder: JobFolder, record: JobRecord, *, stopping: threading.Event, seconds: float
) -> CommandEnd:
    """Run the command of a job until it ends, is cancelled or takes too long.

    Parameters
    ----------
    folder, record
        The job. A command of it that an ended service left behind is ended first.
    stopping
        Set when the service stops.
    seconds
        Longest time.

    Returns
    -------
    CommandEnd
        How it left.

    Raises
    ------
    Interrupted
        If the service stops; the command is ended first.
    """
    end_leftover(folder)
    # The command had finished before the service could note it.
    if folder.has_result() and (record.save_as is None or (folder.path / "model").is_dir()):
        return CommandEnd(State.DONE)
    with (folder.path / _OUTPUT).open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "budwood", *record.words, "--overwrite"],
            cwd=folder.path,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.PIPE,
            env=os.environ | {"BUDWOOD_PROGRESS": "lines", "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )
    _note_process(folder, process.pid)
    assert process.stderr is not None, "piped"
    reader = threading.Thread(target=_read_events, args=(folder, process.stderr), daemon=True)
    reader.start()
    try:
        deadline = time.monotonic() + seconds
        while process.poll() is None:
            if stopping.is_set():
                _end(process.pid)
                raise Interrupted
            if folder.must_stop:
                _end(process.pid)
                return CommandEnd(State.CANCELLED)
            if time.monotonic() > deadline:
                _end(process.pid)
                return _failed(
                    f"the job took over {seconds / 3600:g} h", "give it less, or ask for more time"
                )
            time.sleep(_POLL)
    finally:
        process.wait()
        reader.join(timeout=5)
        process.stderr.close()
        (folder.path / _PROCESS).unlink(missing_ok=True)
    return _outcome(folder, process.returncode)


def end_leftover(folder: JobFolder) -> None:
    """End the command that a killed service left running.

    Parameters
    ----------
    folder
        The job.
    """
    try:
        noted = json.loads((folder.path / _PROCESS).read_text())
        process = psutil.Process(noted["pid"])
        if abs(process.create_time() - noted["began"]) < 1:
            _end(noted["pid"])
    except (OSError, ValueError, KeyError, TypeError, psutil.Error):
        return


def _note_process(folder: JobFolder, pid: int) -> None:
    with contextlib.suppress(psutil.Error):
        noted = {"pid": pid, "began": psutil.Process(pid).create_time()}
        (folder.path / _PROCESS).write_text(json.dumps(noted))


def _end(pid: int) -> None:
    """Ask a process and its children to leave, then end those that stay."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for each in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            each.send_signal(signal.SIGTERM)
    _, alive = psutil.wait_procs(family, timeout=_PATIENCE)
    for each in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()
    psutil.wait_procs(alive, timeout=_PATIENCE)


def _read_events(folder: JobFolder, lines: IO[bytes]) -> None:
    """Standard error of the command as events."""
    for raw in lines:
        line = raw.decode("utf-8", "replace").strip()[:_LONGEST_LINE]
        kind, _, text = line.partition(": ")
        with contextlib.suppress(OSError):
            if kind == "progress":
                what, _, numbers = text.rpartition(" ")
                done, _, total = numbers.partition("/")
                if done.isdecimal() and total.isdecimal():
                    folder.add_event("progress", what=what, done=int(done), total=int(total))
            elif kind == "estimate":
                folder.add_event("estimate", text=text)


def _outcome(folder: JobFolder, code: int) -> CommandEnd:
    """What the exit code and the printed JSON say."""
    if code == 0 and folder.has_result():
        return CommandEnd(State.DONE)
    error = _printed_error(folder.path / _OUTPUT)
    if error is not None:
        return CommandEnd(State.REFUSED if code == 2 else State.FAILED, error)
    if code < 0:
        name = signal.Signals(-code).name
        return _failed(
            f"the command was ended by the system ({name})",
            "the machine may lack memory: give it fewer lines or markers, or ask who runs the service",
        )
    return _failed(f"the command left with code {code}", "tell who runs the service")


def _printed_error(path: Path) -> dict[str, str] | None:
    try:
        printed = json.loads(path.read_text(encoding="utf-8"))
        return {part: str(printed["error"][part]) for part in ("what", "where", "mend")}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _failed(what: str, mend: str) -> CommandEnd:
    return CommandEnd(State.FAILED, {"what": what, "where": "", "mend": mend})
