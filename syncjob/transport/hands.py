"""Several exchanges on the way at the same time: threads that each carry one and bring it back.

A thread knows nothing but its job: no state, no log, no chance. What came back is read by whoever
gave the jobs, in the order in which they were given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from queue import SimpleQueue
from threading import Thread
from typing import Generic, TypeVar

T = TypeVar("T")

_Job = tuple[int, Callable[[], T]]
_Done = tuple[int, T | None, BaseException | None]


class Hands(Generic[T]):
    """Threads for one caller; each is made when it is first needed, and none holds up an exit."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[_Job[T] | None] = SimpleQueue()
        self._done: SimpleQueue[_Done[T]] = SimpleQueue()
        self._threads = 0

    def all(self, jobs: Sequence[Callable[[], T]]) -> list[T]:
        """Do all jobs at the same time, one of them here, and give what they returned in their
        order. What a job raises is raised once all have ended."""
        while self._threads < len(jobs) - 1:
            Thread(target=self._work, daemon=True, name="syncjob-exchange").start()
            self._threads += 1
        for number, job in enumerate(jobs[1:], 1):
            self._jobs.put((number, job))
        ended = [_tried(0, jobs[0])] if jobs else []
        ended += [self._done.get() for _ in jobs[1:]]
        raised = [error for _, _, error in sorted(ended, key=_number) if error is not None]
        if raised:
            raise raised[0]
        return [result for _, result, _ in sorted(ended, key=_number)]  # type: ignore[misc]

    def close(self) -> None:
        """Let the threads end, each after the job that it may be at."""
        for _ in range(self._threads):
            self._jobs.put(None)
        self._threads = 0

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._done.put(_tried(*job))


def _tried(number: int, job: Callable[[], T]) -> _Done[T]:
    try:
        return number, job(), None
    except BaseException as error:
        return number, None, error


def _number(done: _Done[T]) -> int:
    return done[0]
