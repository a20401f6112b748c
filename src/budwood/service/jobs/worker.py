"""The worker: takes jobs from the queue and runs each in a process of its own.

DBOS keeps in its database which job was taken by whom. A worker that was killed takes its jobs up again when
it starts under the same name; a job is one step that may run twice, since its result is an artifact that is
written whole or not at all.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from typing import Any, Final

from budwood.errors import BudwoodError
from budwood.service.jobs.command_process import CommandEnd, run_command
from budwood.service.jobs.job_folder import JobFolder, JobRecord
from budwood.service.jobs.job_queue import APPLICATION, APPLICATION_VERSION, QUEUE, WORKFLOW
from budwood.service.jobs.states import State
from budwood.service.metrics import Metrics
from budwood.service.refusal import is_full_disk
from budwood.service.server_paths import plain_text, shortened
from budwood.service.settings import ServiceSettings
from budwood.service.trait_models.model_list import keep_model

#: Starts of one job after which it fails: a job that takes the whole service down must not do so for ever.
_MOST_STARTS: Final = 20
_log = logging.getLogger("budwood.service")


class Worker:
    """Runs jobs in this process; one worker at most in a process.

    Parameters
    ----------
    settings
        Name the database, the folder of jobs and the worker.
    metrics
        Counts jobs.
    """

    def __init__(self, settings: ServiceSettings, metrics: Metrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self._stopping = threading.Event()
        self._started = False

    def start(self) -> None:
        """Take up the jobs of an earlier run of this worker, then those that wait."""
        from dbos import DBOS, DBOSPortableJSONSerializer

        DBOS(
            config={
                "name": APPLICATION,
                "system_database_url": self._settings.database_url,
                "executor_id": self._settings.worker,
                "application_version": APPLICATION_VERSION,
                "serializer": DBOSPortableJSONSerializer(),
                "log_level": "ERROR",
                "enable_otlp": False,
            }
        )

        @DBOS.step(name="run")
        def run(id: str) -> dict[str, Any]:
            return self.run_job(id)

        @DBOS.workflow(name=WORKFLOW, max_recovery_attempts=_MOST_STARTS)
        def job(id: str) -> dict[str, Any]:
            return run(id)

        DBOS.launch()
        DBOS.register_queue(
            QUEUE,
            worker_concurrency=self._settings.parallel_jobs,
            polling_interval_sec=0.5,
            on_conflict="always_update",
        )
        self._started = True

    def stop(self) -> None:
        """Stop: what runs is ended and taken up again at the next start."""
        from dbos import DBOS

        self._stopping.set()
        if self._started:
            DBOS.destroy(destroy_registry=True)

    def run_job(self, id: str) -> dict[str, Any]:
        """Run a job to its end.

        Parameters
        ----------
        id
            Of the job.

        Returns
        -------
        dict
            Its state and error, as the database keeps them.

        Raises
        ------
        Interrupted
            If the service stops: the job is not over.
        """
        folder = JobFolder.find(self._settings.folder / "jobs", id)
        if folder is None:
            error = {"what": "the folder of the job is gone", "where": id, "mend": "start the job again"}
            return CommandEnd(State.FAILED, error).plain()
        # The service ended before the database could note what is decided.
        noted = folder.noted_end()
        if noted is not None:
            return noted
        record = folder.record()
        self._metrics.job_started()
        outcome = CommandEnd(State.FAILED)
        try:
            _note_state(folder, State.RUNNING)
            outcome = self._outcome(folder, record)
            if outcome.state is not State.CANCELLED:  # noted by who cancelled it
                _note_end(folder, outcome)
        finally:
            self._metrics.job_ended(record.verb, outcome.state)
            if folder.is_expired:  # removed while the command was being ended, which may have written more
                folder.remove_files()
        return outcome.plain()

    def _without_server_paths(self, outcome: CommandEnd, folder: JobFolder) -> CommandEnd:
        """The sentence of a command that names files as the client knows them."""
        if outcome.error is None:
            return outcome
        named = {part: shortened(text, folder.path) for part, text in outcome.error.items()}
        return replace(
            outcome, error={part: plain_text(text, self._settings) for part, text in named.items()}
        )

    def _outcome(self, folder: JobFolder, record: JobRecord) -> CommandEnd:
        seconds = self._settings.job_hours * 3600
        try:
            outcome = run_command(folder, record, stopping=self._stopping, seconds=seconds)
            outcome = self._without_server_paths(outcome, folder)
            if outcome.state is State.DONE and record.save_as is not None:
                keep_model(self._settings, folder.path / "model", record.save_as)
            return outcome
        except BudwoodError as error:
            parts = {"what": error.what, "where": error.where, "mend": error.mend}
            return CommandEnd(State.REFUSED, parts)
        except OSError as error:
            _log.error("job %s failed", record.id, exc_info=error)
            full = is_full_disk(error)
            what = "the disk of the server is full" if full else "the server could not run the job"
            return CommandEnd(State.FAILED, {"what": what, "where": "", "mend": "tell who runs the service"})


def _note_state(folder: JobFolder, state: State) -> None:
    """Add the event; the state itself is in the database, so that a full disk does not end the job."""
    try:
        folder.add_event("state", state=state)
    except OSError as error:
        _log.warning("an event of job %s was not written: %s", folder.id, error)


def _note_end(folder: JobFolder, outcome: CommandEnd) -> None:
    """Write down how the job ended, then add the event: an end that was announced is final."""
    try:
        folder.note_end(outcome.plain())
    except OSError as error:
        _log.warning("the end of job %s was not written: %s", folder.id, error)
    else:
        if not folder.must_stop:  # else whoever cancelled it announces that
            _note_state(folder, outcome.state)
