"""Hidden folders beside a destination in which an artifact is written, and what killed runs leave of them."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
import tempfile
from pathlib import Path


def make_draft(out: Path, suffix: str = ".partial") -> tuple[Path, int | None]:
    """Make a hidden folder beside a destination, and hold it as long as this process lives.

    Parameters
    ----------
    out
        Destination of an artifact.
    suffix
        End of the folder's name: ``.partial`` for a new artifact, ``.old`` for one that is being replaced.

    Returns
    -------
    folder : Path
        The folder, named after the destination, the machine and the process.
    lock : int or None
        To be passed to :func:`release`; None where folders cannot be locked.

    Raises
    ------
    OSError
        If the folder cannot be made.
    """
    here = true_path(out)
    while True:
        prefix = f".{here.name}.{_host()}-{os.getpid()}-"
        folder = Path(tempfile.mkdtemp(prefix=prefix, suffix=suffix, dir=here.parent))
        lock = _hold(folder, wait=True)
        if folder.exists():
            return folder, lock
        release(lock)  # another run removed it as a leftover before it was locked


def remove_folder(folder: Path) -> None:
    """Delete a folder, so that under its name it is there whole or not at all, whenever the process ends.

    Parameters
    ----------
    folder
        The folder. What is left of it when the process is killed goes with the next :func:`clear_leftovers`.

    Raises
    ------
    OSError
        If the folder cannot be moved.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as made:
    ...     (Path(made) / "old").mkdir()
    ...     remove_folder(Path(made) / "old")
    ...     os.listdir(made)
    []
    """
    draft, lock = make_draft(folder)
    try:
        folder.rename(draft / folder.name)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        release(lock)


def release(lock: int | None) -> None:
    """Give up the lock on a draft.

    Parameters
    ----------
    lock
        The lock that :func:`make_draft` returned.
    """
    if lock is not None:
        os.close(lock)


def clear_leftovers(out: Path) -> None:
    """Remove what killed runs left beside a destination; drafts of running processes stay.

    A run that was killed while it replaced an earlier artifact left that artifact beside the destination:
    it is put back.

    Parameters
    ----------
    out
        Destination of an artifact.

    Raises
    ------
    OSError
        If the folder of the destination cannot be read.
    """
    out = true_path(out)
    # Drafts of earlier releases have no process in their names.
    pattern = re.compile(rf"\.{re.escape(out.name)}\.(?:\w+-\d+-)?[a-z0-9_]{{8}}\.(partial|old)")
    if not out.parent.is_dir():
        return
    for folder in sorted(out.parent.iterdir()):
        found = pattern.fullmatch(folder.name)
        if found is None or folder.is_symlink() or not folder.is_dir():
            continue
        try:
            lock = _hold(folder)
        except BlockingIOError:
            continue
        if lock is None and not _is_of_ended_process(folder):
            continue
        earlier = folder / out.name
        if found.group(1) == "old" and earlier.is_dir() and not out.exists():
            earlier.rename(out)
        shutil.rmtree(folder, ignore_errors=True)
        release(lock)


def true_path(out: Path) -> Path:
    """Absolute path of a destination, with the links of its parent folders followed.

    Parameters
    ----------
    out
        Destination of an artifact.

    Returns
    -------
    Path
        The path; a destination that is itself a link keeps its name.

    Examples
    --------
    >>> true_path(Path("results/..")) == true_path(Path(""))
    True
    """
    if out.name in ("", ".."):
        return Path(os.path.realpath(out))
    return Path(os.path.realpath(out.parent)) / out.name


def _hold(folder: Path, *, wait: bool = False) -> int | None:
    """Lock a folder until the process ends; None where folders cannot be locked.

    Raises BlockingIOError where another process holds it.
    """
    if sys.platform == "win32":
        return None
    import fcntl

    try:
        lock = os.open(folder, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        os.close(lock)
        raise
    except OSError:  # some network file systems
        os.close(lock)
        return None
    return lock


def _is_of_ended_process(folder: Path) -> bool:
    """Whether a process of this machine made a draft and has ended; decides where nothing can be locked."""
    import psutil

    made_by = re.search(r"\.(\w+)-(\d+)-[a-z0-9_]{8}\.\w+$", folder.name)
    if made_by is None or made_by.group(1) != _host():
        return False
    return not psutil.pid_exists(int(made_by.group(2)))


def _host() -> str:
    """Name of the machine, as part of a file name."""
    return re.sub(r"\W", "_", platform.node(), flags=re.ASCII)[:32] or "machine"
