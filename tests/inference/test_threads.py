"""Tasks in threads: results in order, errors passed on, nothing begun after them."""

from __future__ import annotations

import threading
import time

import pytest

from budwood.inference.threads import OrderedThreads


@pytest.mark.parametrize("count", [1, 2, 5])
def test_results_come_in_the_order_of_the_tasks(count: int) -> None:
    def slow_if_even(task: int) -> int:
        time.sleep(0.002 * (task % 2 == 0))
        return -task

    with OrderedThreads(count) as threads:
        assert list(threads.map(slow_if_even, range(20))) == [-task for task in range(20)]
        assert list(threads.map(slow_if_even, [])) == []


def test_tasks_are_taken_no_faster_than_they_are_done() -> None:
    taken = []
    with OrderedThreads(2) as threads:
        results = threads.map(abs, (taken.append(task) or task for task in range(100)))
        next(results)
        assert len(taken) == 4
        results.close()


@pytest.mark.parametrize("count", [1, 2])
def test_an_error_ends_the_work(count: int) -> None:
    begun = []

    def fail_at_third(task: int) -> None:
        begun.append(task)
        if task == 2:
            raise ValueError("third")

    with pytest.raises(ValueError, match="third"), OrderedThreads(count) as threads:
        list(threads.map(fail_at_third, range(1000)))
    assert len(begun) < 10


def test_several_threads_may_hand_in_tasks() -> None:
    found: dict[int, list[int]] = {}
    with OrderedThreads(2) as threads:

        def work(number: int) -> None:
            found[number] = list(threads.map(lambda task: task + number, range(10)))

        callers = [threading.Thread(target=work, args=(number,)) for number in (100, 200)]
        for each in callers:
            each.start()
        for each in callers:
            each.join()
    assert found == {number: [number + task for task in range(10)] for number in (100, 200)}
