"""Each scheduled batch tells a monitor that it began and how it ended.

What no batch can tell, that none runs at all, is what the monitor is for.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from syncjob.clock import Clock, SystemClock
from syncjob.config import Config
from syncjob.core.reports import BatchReport
from syncjob.errors import Exit, SyncJobError
from syncjob.logs import get_logger
from syncjob.transport.heartbeat import Sign, ping

log = get_logger(__name__)

#: Deals that wait for a person, and a pause that a person asked for, are work done as told.
_WELL = frozenset({Exit.DONE, Exit.ISSUES, Exit.PAUSED})
#: A vendor that is away for an hour, or a batch of another process that still runs, is no news;
#: if it lasts, the success that stays away is.
_NO_NEWS = frozenset({Exit.UNREACHABLE, Exit.RUNNING})


@contextlib.contextmanager
def beating(config: Config, *, clock: Clock | None = None) -> Iterator[Callable[[int], None]]:
    """Say that a batch starts, and at the end how it went; call what is given with its exit code.

    An error that leaves the block is the end that it stands for. A monitor that does not answer
    changes nothing.
    """
    ended = [int(Exit.BUG)]
    _tell(config, "start", clock)
    try:
        yield lambda code: ended.__setitem__(0, int(code))
    except SyncJobError as error:
        ended[0] = _heard(error.exit_code, stopped=error.exit_code != Exit.PAUSED)
        raise
    finally:
        if ended[0] not in _NO_NEWS:
            _tell(config, "success" if ended[0] in _WELL else "fail", clock)


def news(report: BatchReport) -> int:
    """The exit code that a monitor hears of: outside the office hours all is well, unless the last
    batch was not, which is no news. Nor is a batch that was asked to end; one that something
    strange has stopped is a failure, though it ends with the code of one that has issues."""
    if report.result == "interrupted" or (report.result == "outside_hours" and report.stopped_by):
        return Exit.UNREACHABLE
    return _heard(report.exit_code, stopped=report.result == "failed")


def _heard(code: int, *, stopped: bool) -> int:
    return Exit.BUG if stopped and code in _WELL else code


def _tell(config: Config, sign: Sign, clock: Clock | None) -> None:
    address = config.notices.operator.heartbeat
    if address is None:
        return
    why = ping(address, sign, clock=clock or SystemClock())
    if why is None:
        log.info("heartbeat.sent", sign=sign)
    else:
        log.warning("heartbeat.lost", sign=sign, why=why)
