"""One batch after another: APScheduler with one job that never overlaps and never piles up.

A batch that was missed (the machine slept) runs once, late. A batch that ends with `resume_at`
moves the next one there. SIGTERM lets the calls on their way finish; the batch then ends by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.background import BackgroundScheduler

from syncjob.clock import Clock
from syncjob.core.reports import BatchReport
from syncjob.errors import RetryLater, SyncJobError
from syncjob.logs import get_logger
from syncjob.signals import StopFlag

#: How soon a request to stop is noticed while no batch runs.
STOP_POLL_SECONDS = 0.5

#: Opens the connection, runs one batch and says what it did; called in the scheduler's thread.
Batch = Callable[[Callable[[], bool]], BatchReport]

_JOB = "batch"
log = get_logger(__name__)


def serve(batch: Batch, *, every: timedelta, clock: Clock, stop: StopFlag) -> int:
    """Run batches until somebody asks to stop; returns how many ran.

    APScheduler works in a thread of its own and the main thread only watches the flag, so that no
    signal arrives inside a batch. Errors of a batch are logged, and the next one runs as planned.
    """
    scheduler = BackgroundScheduler(timezone=UTC)
    served = _Served(batch, scheduler, clock, stop)
    scheduler.add_job(
        served.run,
        "interval",
        seconds=every.total_seconds(),
        id=_JOB,
        max_instances=1,
        coalesce=True,
        misfire_grace_time=None,
        next_run_time=clock.now(),
    )
    log.info("serve.started", every_seconds=int(every.total_seconds()))
    scheduler.start()
    while not stop.asked:
        clock.sleep(STOP_POLL_SECONDS)
    log.info("serve.stopping")
    scheduler.shutdown(wait=True)
    log.info("serve.stopped", batches=served.number)
    return served.number


class _Served:
    """The one job: a batch, then when the next one is due."""

    def __init__(
        self, batch: Batch, scheduler: BackgroundScheduler, clock: Clock, stop: StopFlag
    ) -> None:
        self._batch, self._scheduler, self._clock, self._stop = batch, scheduler, clock, stop
        self.number = 0

    def run(self) -> None:
        if self._stop.asked:
            return
        self.number += 1
        resume_at = None
        try:
            report = self._batch(self._stop)
            # Outside the office hours it goes on asking: the monitor hears that it still runs.
            resume_at = None if report.result == "outside_hours" else report.resume_at
        except RetryLater as error:
            resume_at = error.resume_at
            self._refused(error)
        except SyncJobError as error:
            self._refused(error)
        except Exception:
            # The outermost frame of a thread that nobody else watches: a bug is written down and
            # the next batch, which settles what this one left open, runs all the same.
            log.error("run.crashed", exc_info=True)
        if resume_at is not None:
            self._not_before(resume_at)

    def _refused(self, error: SyncJobError) -> None:
        log.error("serve.refused", exit_code=int(error.exit_code), error=str(error))

    def _not_before(self, resume_at: datetime) -> None:
        job = self._scheduler.get_job(_JOB)
        if job is None or job.next_run_time is None or job.next_run_time >= resume_at:
            return
        job.modify(next_run_time=resume_at)
        log.info("serve.scheduled", next_run=resume_at.isoformat(), why="the vendor's limit")
