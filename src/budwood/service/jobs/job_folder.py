"""The folder of a job: what was asked, the uploaded files, the events, the result.

``job.json`` is written once, ``events.jsonl`` grows, ``result`` is an artifact that the command line writes
whole or not at all. The state of a job is in the database of jobs.
"""

from __future__ import annotations

import errno
import json
import os
import re
import secrets
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from budwood.artifacts import read_manifest
from budwood.errors import BudwoodError

_ID: Final = re.compile(r"[0-9]{8}-[0-9a-f]{24}")
#: Folder of the result within that of the job, and the file that stands in it where a command writes one VCF.
RESULT: Final = "result"
SCORED_FILE: Final = "scored.vcf.gz"
#: Table that ranks accessions, and the verbs that write it; that of ``attribute`` has other columns.
RANKED_FILE: Final = "predictions.csv"
_RANKING: Final = ("predict", "apply")
#: Events that are kept of a job; the rest of a chatty command is left out.
_MOST_EVENTS: Final = 5000
#: Errors of disks that give no file a second name.
_NO_LINKS: Final = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)


@dataclass(frozen=True, kw_only=True)
class JobRecord:
    """What was asked.

    Attributes
    ----------
    id
        Of the job; nobody guesses it.
    owner
        Name of the key that started it.
    verb, options, files
        What to do, and with which files by role, relative to the folder.
    words
        The command, without ``budwood``.
    created
        Time in ISO 8601.
    save_as
        Name of the model that the job saves, if any.
    """

    id: str
    owner: str
    verb: str
    options: Mapping[str, Any]
    files: Mapping[str, str]
    words: tuple[str, ...]
    created: str
    save_as: str | None = None


class JobFolder:
    """One job on disk.

    Parameters
    ----------
    path
        Its folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def new(cls, jobs: Path) -> JobFolder:
        """A new empty folder.

        Parameters
        ----------
        jobs
            Folder of all jobs.

        Returns
        -------
        JobFolder
            With an id that begins with the day.
        """
        folder = jobs / f"{datetime.now(UTC):%Y%m%d}-{secrets.token_hex(12)}"
        folder.mkdir(parents=True)
        return cls(folder)

    @classmethod
    def find(cls, jobs: Path, id: str) -> JobFolder | None:
        """The folder of a job that was started.

        Parameters
        ----------
        jobs
            Folder of all jobs.
        id
            As a request gives it.

        Returns
        -------
        JobFolder or None
            None where there is none.
        """
        folder = cls(jobs / id)
        return folder if is_job_id(id) and (folder.path / "job.json").is_file() else None

    @classmethod
    def every(cls, jobs: Path) -> list[JobFolder]:
        """All jobs, the newest first.

        Parameters
        ----------
        jobs
            Folder of all jobs.

        Returns
        -------
        list of JobFolder
            Those that were started.
        """
        if not jobs.is_dir():
            return []
        found = []
        for path in jobs.iterdir():
            folder = cls.find(jobs, path.name)
            if folder is not None:
                with suppress(OSError):  # withdrawn a moment ago
                    found.append((folder.record().created, folder.id, folder))
        return [folder for _, _, folder in sorted(found, key=lambda each: each[:2], reverse=True)]

    @property
    def id(self) -> str:
        """Name of the job."""
        return self.path.name

    @property
    def result(self) -> Path:
        """The artifact that the job writes, or the folder of the one file that it writes."""
        return self.path / RESULT

    def write_record(self, record: JobRecord) -> None:
        """Write what was asked; the job exists from then on, and no other is written in its place.

        Parameters
        ----------
        record
            What was asked.

        Raises
        ------
        FileExistsError
            If the folder is that of a job already.
        """
        partial = self.path / f"job.json.{secrets.token_hex(4)}.partial"
        try:
            partial.write_text(json.dumps(asdict(record), ensure_ascii=False, indent=1), encoding="utf-8")
            self._become(partial)
        finally:
            partial.unlink(missing_ok=True)

    def _become(self, partial: Path) -> None:
        """Give a written record its name, unless the name is taken."""
        target = self.path / "job.json"
        try:
            target.hardlink_to(partial)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            if target.exists():
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from error
            partial.replace(target)

    def withdraw_record(self) -> None:
        """Take back what was asked: the job does not exist from then on."""
        (self.path / "job.json").unlink(missing_ok=True)

    def record(self) -> JobRecord:
        """What was asked.

        Returns
        -------
        JobRecord
            As it was written.
        """
        values = json.loads((self.path / "job.json").read_text(encoding="utf-8"))
        return JobRecord(**values | {"words": tuple(values["words"])})

    def note_end(self, end: Mapping[str, Any]) -> None:
        """Write down how the job ended; whatever happens to the database, it does not end in another way.

        Parameters
        ----------
        end
            State and error, as plain values.
        """
        partial = self.path / "end.json.partial"
        partial.write_text(json.dumps(dict(end), ensure_ascii=False), encoding="utf-8")
        partial.replace(self.path / "end.json")

    def noted_end(self) -> dict[str, Any] | None:
        """How the job ended.

        Returns
        -------
        dict or None
            State and error; None where it has not ended.
        """
        try:
            found: dict[str, Any] = json.loads((self.path / "end.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return found

    def has_result(self) -> bool:
        """Whether the artifact, or the one file of the result, is there; it is whole where it is.

        Returns
        -------
        bool
            False while the command writes.
        """
        if (self.result / SCORED_FILE).is_file():
            return True
        try:
            read_manifest(self.result)
        except BudwoodError:
            return False
        return True

    def result_files(self) -> list[str]:
        """Names of the files of the result, sorted.

        Returns
        -------
        list of str
            None where there is no result.
        """
        if (self.result / SCORED_FILE).is_file():
            return [SCORED_FILE]
        try:
            return sorted([*read_manifest(self.result)["files"], "manifest.json"])
        except BudwoodError:
            return []

    def has_ranking(self) -> bool:
        """Whether the result is a ranking of accessions: that of predict or apply.

        Returns
        -------
        bool
            False for every other verb.
        """
        return self.record().verb in _RANKING and RANKED_FILE in self.result_files()

    def add_event(self, kind: str, **entries: Any) -> None:
        """Add an event; each is one write of one line.

        Parameters
        ----------
        kind
            ``state``, ``estimate``, ``progress`` or ``note``.
        **entries
            What happened.
        """
        event = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "kind": kind, **entries}
        line = json.dumps(event, ensure_ascii=False) + "\n"
        path = self.path / "events.jsonl"
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(handle, line.encode("utf-8", "backslashreplace"))
        finally:
            os.close(handle)

    def events_after(self, known: int = 0) -> list[tuple[int, dict[str, Any]]]:
        """Events with their numbers, counted from 1.

        Parameters
        ----------
        known
            Number of the last event that is known.

        Returns
        -------
        list of tuple
            Number and event of each later one.
        """
        try:
            lines = (self.path / "events.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
        except FileNotFoundError:
            return []
        whole = enumerate((line for line in lines[:_MOST_EVENTS] if line.endswith("\n")), start=1)
        return [(number, json.loads(line)) for number, line in whole if number > known]

    def remove_files(self) -> None:
        """Remove uploads and result; what was asked and the events stay."""
        (self.path / "expired").touch()  # first, so that whoever reads now knows why a file is gone
        for name in ("inputs", RESULT, "model"):
            shutil.rmtree(self.path / name, ignore_errors=True)

    @property
    def is_expired(self) -> bool:
        """Whether the files were removed."""
        return (self.path / "expired").exists()

    def ask_to_stop(self) -> None:
        """Ask whichever process runs the job to end it."""
        (self.path / "stop").touch()

    @property
    def must_stop(self) -> bool:
        """Whether somebody cancelled the job."""
        return (self.path / "stop").exists()


def is_job_id(id: str) -> bool:
    """Whether a text has the form of a job's id.

    Parameters
    ----------
    id
        As a request gives it.

    Returns
    -------
    bool
        Whether such a job may exist.

    Examples
    --------
    >>> is_job_id("20261128-" + 24 * "a"), is_job_id("../20261128")
    (True, False)
    """
    return _ID.fullmatch(id) is not None
