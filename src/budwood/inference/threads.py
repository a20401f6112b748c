"""Threads that work through tasks and give the results in the order of the tasks."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from types import TracebackType
from typing import Self, TypeVar

import torch

Task = TypeVar("Task")
Result = TypeVar("Result")


class OrderedThreads:
    """Threads that work through tasks; a context manager where there is more than one.

    One thread is the caller's own: no other is started.

    Parameters
    ----------
    count
        Number of threads.

    Examples
    --------
    >>> with OrderedThreads(2) as threads:
    ...     list(threads.map(abs, [-3, 2, -1]))
    [3, 2, 1]
    """

    def __init__(self, count: int = 1) -> None:
        self.count = count
        self._pool: ThreadPoolExecutor | None = None

    def __enter__(self) -> Self:
        self._pool = ThreadPoolExecutor(self.count) if self.count > 1 else None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            # After an error or an interruption nobody waits for results: what has not begun never does.
            self._pool.shutdown(wait=kind is None, cancel_futures=True)
            self._pool = None

    def map(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """Results of tasks, in their order.

        Tasks are taken as results are: at most two for each thread are in work or wait. Several threads may
        call this at once.

        Parameters
        ----------
        function
            What each task is given to.
        tasks
            The tasks, read by the calling thread.

        Yields
        ------
        Result
            What the function returns for each task.
        """
        pool = self._pool
        if pool is None:
            yield from map(function, tasks)
            return
        waiting: deque[Future[Result]] = deque()
        try:
            for task in tasks:
                waiting.append(pool.submit(function, task))
                if len(waiting) >= 2 * self.count:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


@contextmanager
def one_core_each(threads: int | None, device: str) -> Iterator[int]:
    """Have every thread read windows on one core, instead of all cores reading each together.

    Where cores are shared with other work, those that read one window together wait for the slowest after
    each product and burn the time: beside four busy processes on two cores a batch took five to sixty times
    as long as on one core.

    Parameters
    ----------
    threads
        How many threads; where None, as many as PyTorch would use, for which ``OMP_NUM_THREADS`` counts.
    device
        Where the encoder runs; on GPUs one thread is enough.

    Yields
    ------
    int
        Number of threads to start.
    """
    if device != "cpu":
        yield 1
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield threads or before
    finally:
        torch.set_num_threads(before)
