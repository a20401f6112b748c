"""Stages of the corpus build: pure functions from files to a folder of files, each run once.

A task's folder is filled beside its destination and renamed when everything is on disk, with a manifest that
holds the SHA-256 of its files and a key made from the function, its version, its parameters and the digests
of what it read. A task whose folder has the right key and intact files is not run again, which is how builds
resume, and why a build that was killed at any point ends in the same bytes.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from budwood.artifacts import sha256
from budwood.errors import BudwoodError
from budwood.progress import Advance

SHARD_MANIFEST: Final = "shard.json"

#: Part of every key: raised when keys are made in another way.
_SCHEME: Final = 2

Inputs = Mapping[str, Path]
Parameters = Mapping[str, Any]
StageFunction = Callable[[Inputs, Parameters, Path], None]


def stage(version: int) -> Callable[[StageFunction], StageFunction]:
    """Mark a function as a stage and give it a version, which is part of the keys of its tasks.

    The version is raised when the stage, or anything that it calls, computes something else from the same
    inputs: what an earlier release left is then made again. A test fails when the code of a stage changes
    and its version does not.

    Parameters
    ----------
    version
        1 for a new stage.

    Returns
    -------
    Callable
        The decorator; the function itself stays as it is, so that workers find it by its name.

    Examples
    --------
    >>> @stage(version=3)
    ... def nothing(inputs, parameters, folder):
    ...     pass
    >>> nothing.version
    3
    """

    def mark(function: StageFunction) -> StageFunction:
        vars(function)["version"] = version
        return function

    return mark


@dataclass(frozen=True)
class Task:
    """One shard of one stage.

    Attributes
    ----------
    stage, shard
        Name of the stage's folder, and of the task's folder in it.
    function
        Reads ``inputs`` and writes files into the folder it is given; marked by :func:`stage`, and a function
        of a module, so that a worker on another machine finds it.
    inputs
        Files, or folders of other tasks, by the name the function uses for them.
    parameters
        Plain values that JSON can store.
    digests
        SHA-256 of inputs where known, so that a genome is not read again for each of its shards.
    """

    stage: str
    shard: str
    function: StageFunction
    inputs: Mapping[str, Path] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)

    def folder(self, work: Path) -> Path:
        """Folder of the task's files.

        Parameters
        ----------
        work
            Work folder of the build.

        Returns
        -------
        pathlib.Path
            The folder; it exists once the task is done.
        """
        return work / self.stage / self.shard


class Runner(Protocol):
    """Runs the tasks of a stage, which do not depend on one another."""

    def run(self, tasks: Sequence[Task], work: Path, advance: Advance) -> list[Path]:
        """Run tasks.

        Parameters
        ----------
        tasks
            The tasks.
        work
            Work folder of the build.
        advance
            Called with the number of tasks that just finished.

        Returns
        -------
        list of pathlib.Path
            Folders of the tasks, in their order.
        """


class LocalRunner:
    """Runs tasks one after another in this process."""

    def run(self, tasks: Sequence[Task], work: Path, advance: Advance) -> list[Path]:
        """Run tasks.

        Parameters
        ----------
        tasks
            The tasks.
        work
            Work folder of the build.
        advance
            Called with 1 after each task.

        Returns
        -------
        list of pathlib.Path
            Folders of the tasks, in their order.
        """
        folders = []
        for task in tasks:
            folders.append(run_task(task, work))
            advance(1)
        return folders


def run_task(task: Task, work: Path) -> Path:
    """Run a task unless its folder is complete.

    Parameters
    ----------
    task
        The task.
    work
        Work folder of the build.

    Returns
    -------
    pathlib.Path
        Folder of the task.

    Raises
    ------
    BudwoodError
        If the disk is full or the folder cannot be written; no incomplete folder is left under its name.
    """
    folder = task.folder(work)
    try:
        key = _key(task)
        if _is_done(folder, key):
            return folder
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{task.shard}.", dir=folder.parent))
        try:
            task.function(task.inputs, task.parameters, draft)
            _seal(draft, key)
            _place(draft, folder, key)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        raise unwritable_stage(folder, error) from error
    return folder


def digest_of(path: Path) -> str:
    """SHA-256 of a file, or of the manifest of a task's folder, which contains the digests of its files.

    Parameters
    ----------
    path
        A file or a task's folder.

    Returns
    -------
    str
        Hexadecimal digest.
    """
    return sha256(path / SHARD_MANIFEST if path.is_dir() else path)


def unwritable_stage(path: Path, error: OSError) -> BudwoodError:
    """Convert a failure to read or write a file of the build into a message.

    Parameters
    ----------
    path
        The file or folder.
    error
        The failure.

    Returns
    -------
    BudwoodError
        The message.
    """
    # numpy reports an incomplete write without an error number.
    cut_short = error.errno is None and "written" in str(error)
    if cut_short or error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return BudwoodError(
            "the disk is full; what is finished so far stays",
            where=str(path),
            mend="free some space and run the same command again",
        )
    where = str(error.filename or path)
    return BudwoodError(f"{error.strerror or error}", where=where, mend="check the path and its permissions")


def _key(task: Task) -> str:
    function = f"{task.function.__module__}.{task.function.__qualname__}"
    inputs = {name: task.digests.get(name) or digest_of(path) for name, path in sorted(task.inputs.items())}
    version = vars(task.function)["version"]
    made_from = [_SCHEME, task.stage, task.shard, function, version, inputs, task.parameters]
    return hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()


def _is_done(folder: Path, key: str) -> bool:
    try:
        manifest = json.loads((folder / SHARD_MANIFEST).read_text(encoding="utf-8"))
        if manifest["key"] != key:
            return False
        return all(sha256(folder / name) == digest for name, digest in manifest["files"].items())
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _seal(draft: Path, key: str) -> None:
    files = sorted(path for path in draft.rglob("*") if path.is_file())
    for path in files:
        with path.open("rb") as handle:
            os.fsync(handle.fileno())
    listed = {str(path.relative_to(draft)): sha256(path) for path in files}
    with (draft / SHARD_MANIFEST).open("w", encoding="utf-8") as handle:
        json.dump({"key": key, "files": listed}, handle, indent=1, sort_keys=True)
        handle.flush()
        os.fsync(handle.fileno())


def _place(draft: Path, folder: Path, key: str) -> None:
    if folder.exists() and _is_done(folder, key):
        return  # another worker was faster
    shutil.rmtree(folder, ignore_errors=True)
    draft.chmod(0o755)
    draft.rename(folder)
