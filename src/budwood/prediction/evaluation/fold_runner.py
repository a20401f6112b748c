"""Folds in processes of their own, on this machine or on a Ray cluster (extra ``ray``)."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, Final, Protocol, TypeVar

from budwood.corpus.stages.ray_runner import connect
from budwood.errors import BudwoodError

T = TypeVar("T")

#: Options of glibc's mallopt(3), and the largest size below which freed memory is kept, in bytes.
_MMAP_THRESHOLD: Final = -3
_TRIM_THRESHOLD: Final = -1
_KEPT: Final = 2**30


class FoldRunner(Protocol):
    """Runs tasks that do not depend on one another."""

    def run(self, tasks: Sequence[Callable[[], T]]) -> list[T]:
        """Results of the tasks, in their order.

        Parameters
        ----------
        tasks
            Functions that can be sent to another process.
        """


class LocalProcesses:
    """Runs tasks in processes of this machine, with one thread of linear algebra each.

    A script that uses it runs under ``if __name__ == "__main__":``, as the processes read it again.

    Parameters
    ----------
    processes
        How many.

    Examples
    --------
    >>> LocalProcesses(1).run([int, str])
    [0, '']
    """

    def __init__(self, processes: int) -> None:
        self.processes = processes

    def run(self, tasks: Sequence[Callable[[], T]]) -> list[T]:
        """Results of the tasks, in their order.

        Parameters
        ----------
        tasks
            Functions that can be sent to another process.

        Returns
        -------
        list
            One result for each task.
        """
        if self.processes == 1:
            return [task() for task in tasks]
        # A copy of a process that has threads of linear algebra can hang, so each one starts anew.
        with ProcessPoolExecutor(self.processes, get_context("spawn"), _prepare_process) as pool:
            futures = [pool.submit(task) for task in tasks]
            try:
                return [future.result() for future in futures]
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise


class RayFolds:
    """Runs tasks on the workers of a Ray cluster, one core each.

    A task whose worker dies is run again elsewhere. Workers need no files.

    Parameters
    ----------
    address
        As for :func:`budwood.corpus.stages.ray_runner.connect`.
    """

    def __init__(self, address: str) -> None:
        self._ray = ray = connect(address)
        # Every retry is safe: results depend on nothing but the arguments.
        self._remote = ray.remote(max_retries=-1)(_called)

    def run(self, tasks: Sequence[Callable[[], T]]) -> list[T]:
        """Results of the tasks, in their order.

        Parameters
        ----------
        tasks
            Functions that can be sent to another process.

        Returns
        -------
        list
            One result for each task.

        Raises
        ------
        BudwoodError
            If a task refuses its data.
        """
        pending = [self._remote.remote(task) for task in tasks]
        try:
            found: list[T] = self._ray.get(pending)
        except self._ray.exceptions.RayTaskError as error:
            for reference in pending:
                self._ray.cancel(reference)
            cause = error.cause
            raise cause if isinstance(cause, BudwoodError) else error from error
        return found


def _prepare_process() -> None:
    """One thread of linear algebra; freed memory stays with the process.

    Matrices of lines by lines are made and freed by the hundred. glibc gives such blocks back to the system
    each time, and getting them again takes a tenth of an evaluation of thousands of lines.
    """
    from threadpoolctl import threadpool_limits

    threadpool_limits(limits=1)
    if sys.platform == "linux":
        set_option = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
        if set_option is not None:
            for option in (_MMAP_THRESHOLD, _TRIM_THRESHOLD):
                set_option(option, _KEPT)


def _called(task: Callable[[], Any]) -> Any:
    return task()
