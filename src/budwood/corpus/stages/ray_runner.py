"""Run the stages of a corpus build on a Ray cluster (extra ``ray``)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from budwood.corpus.stages.stage import Task, run_task
from budwood.errors import BudwoodError
from budwood.progress import Advance


def connect(address: str) -> Any:
    """Connect to a Ray cluster, or reuse the connection of this process.

    Parameters
    ----------
    address
        ``"auto"`` or the cluster's address; ``"local"`` starts Ray on this machine alone.

    Returns
    -------
    module
        The connected module ``ray``.

    Raises
    ------
    BudwoodError
        If Ray is not installed or no cluster answers.
    """
    try:
        import ray
    except ImportError as error:
        raise BudwoodError(
            "Ray is not installed", where="--ray or RayRanges", mend="pip install 'budwood[ray]'"
        ) from error
    if not ray.is_initialized():
        try:
            ray.init(address=address, log_to_driver=False, configure_logging=False)
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise BudwoodError(
                "no Ray cluster answers", where=address, mend="check the address, or start one with ray start"
            ) from error
    return ray


class RayRunner:
    """Runs the tasks of a stage on the workers of a cluster.

    Tasks and their output bytes are the same as without Ray. All machines must see the input files and the
    output folder under the same paths. A task whose worker dies is run again elsewhere; its unfinished files
    are in a temporary folder that nothing reads.

    Parameters
    ----------
    address
        As for :func:`connect`.
    """

    def __init__(self, address: str) -> None:
        self._ray = ray = connect(address)
        # Every retry is safe: a task writes its folder completely or not at all.
        self._remote = ray.remote(max_retries=-1)(run_task)

    def run(self, tasks: Sequence[Task], work: Path, advance: Advance) -> list[Path]:
        """Run tasks that do not depend on one another.

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
        pending = [self._remote.remote(task, work) for task in tasks]
        try:
            while pending:
                done, pending = self._ray.wait(pending)
                self._ray.get(done)
                advance(len(done))
        except self._ray.exceptions.RayTaskError as error:
            for reference in pending:
                self._ray.cancel(reference)
            cause = error.cause
            raise cause if isinstance(cause, BudwoodError) else error from error
        return [task.folder(work) for task in tasks]
