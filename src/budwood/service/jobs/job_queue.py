"""The queue of jobs, in the database that the workers read: what waits, what runs, what has ended."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from budwood.service.jobs.job_folder import JobFolder
from budwood.service.jobs.states import ENDED, State
from budwood.service.settings import ServiceSettings

if TYPE_CHECKING:
    from dbos import DBOSClient, WorkflowStatus

#: Names in the database; changing one strands the jobs that wait.
APPLICATION: Final = "budwood"
APPLICATION_VERSION: Final = "jobs-1"
QUEUE: Final = "jobs"
WORKFLOW: Final = "job"

_STATES: Final[Mapping[str, State]] = MappingProxyType(
    {
        "ENQUEUED": State.QUEUED,
        "DELAYED": State.QUEUED,
        "PENDING": State.RUNNING,
        "CANCELLED": State.CANCELLED,
        "ERROR": State.FAILED,
        "MAX_RECOVERY_ATTEMPTS_EXCEEDED": State.FAILED,
    }
)
_FAILED: Final = {
    "what": "the service failed while it ran the job",
    "where": "",
    "mend": "start the job again; if it fails again, tell who runs the service",
}


@dataclass(frozen=True)
class Standing:
    """Where a job stands.

    Attributes
    ----------
    state
        Of the closed list.
    error
        What, where and mend of a job that was refused or failed.
    ended
        Seconds since 1970 when it ended; None before.
    """

    state: State
    error: Mapping[str, str] | None = None
    ended: float | None = None


class JobQueue:
    """Adds jobs, cancels them, and knows where they stand; it runs none.

    Parameters
    ----------
    settings
        Name the database and the folder of jobs.
    """

    def __init__(self, settings: ServiceSettings) -> None:
        self._url = settings.database_url
        self._opened: DBOSClient | None = None
        self._lock = threading.Lock()
        self.jobs = settings.folder / "jobs"

    def add(self, folder: JobFolder) -> None:
        """Let a job wait for a worker; added twice, it runs once.

        Parameters
        ----------
        folder
            The job, whose record is written.
        """
        self._client().enqueue(
            {
                "workflow_name": WORKFLOW,
                "queue_name": QUEUE,
                "workflow_id": folder.id,
                "app_version": APPLICATION_VERSION,
            },
            folder.id,
        )

    def add_forgotten(self) -> None:
        """Add jobs that were written down when the service was killed, before they were added."""
        folders = JobFolder.every(self.jobs)
        known = self.standings(folders)
        for folder in folders:
            if folder.id not in known:
                self.add(folder)

    def standing(self, folder: JobFolder) -> Standing:
        """Where a job stands.

        Parameters
        ----------
        folder
            The job.

        Returns
        -------
        Standing
            Queued where the database does not know it yet.
        """
        return self.standings([folder]).get(folder.id, Standing(State.QUEUED))

    def standings(self, folders: Sequence[JobFolder]) -> dict[str, Standing]:
        """Where jobs stand.

        Parameters
        ----------
        folders
            The jobs.

        Returns
        -------
        dict of str to Standing
            By id; jobs that the database does not know are absent.
        """
        if not folders:
            return {}
        by_id = {folder.id: folder for folder in folders}
        found = self._client().list_workflows(workflow_ids=list(by_id), load_input=False)
        return {each.workflow_id: _standing(each, by_id[each.workflow_id]) for each in found}

    def cancel(self, folder: JobFolder) -> None:
        """End a job, whether it waits or runs; one that has ended stays as it is.

        Parameters
        ----------
        folder
            The job.
        """
        if self.standing(folder).state in ENDED:
            return
        folder.ask_to_stop()
        if folder.noted_end() is not None:  # it ended a moment ago
            return
        self._client().cancel_workflow(folder.id)
        folder.add_event("state", state=State.CANCELLED)

    def close(self) -> None:
        """Close the database."""
        if self._opened is not None:
            self._opened.destroy()
            self._opened = None

    def _client(self) -> DBOSClient:
        from dbos import DBOSClient, DBOSPortableJSONSerializer, run_dbos_database_migrations

        with self._lock:
            if self._opened is None:
                if self._url.startswith("sqlite:///"):
                    Path(self._url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
                run_dbos_database_migrations(self._url)
                self._opened = DBOSClient(
                    system_database_url=self._url,
                    serializer=DBOSPortableJSONSerializer(),
                    application_name=APPLICATION,
                    # A request is refused where the database is away; it must not hang until it is back.
                    retry_connection_errors=False,
                )
            return self._opened


def _standing(found: WorkflowStatus, folder: JobFolder) -> Standing:
    ended_at = found.completed_at or found.updated_at
    ended = None if ended_at is None else ended_at / 1000
    if folder.is_expired:
        return Standing(State.EXPIRED, None, ended)
    if found.status == "SUCCESS":
        output: dict[str, Any] = found.output
        return Standing(State(output["state"]), output["error"], ended)
    state = _STATES[found.status]
    return Standing(state, _FAILED if state is State.FAILED else None, ended if state in ENDED else None)
