"""Whether a batch that is asked for is due: outside the office hours few are, or none.

Who asks does not matter: `syncjob serve`, cron and a systemd timer go on asking at their interval,
and outside the hours most are answered here, before anything is sent or locked.
"""

from __future__ import annotations

from datetime import datetime

from syncjob.config import Config
from syncjob.core.reports import BatchReport, RunOptions
from syncjob.engine.health import unwell_since
from syncjob.engine.purses import pace_of
from syncjob.errors import Exit
from syncjob.logs import get_logger
from syncjob.state.database import State

log = get_logger(__name__)

#: Looked through for the last batch that ended; a check begins a batch and ends none.
_BATCHES_SEEN = 20


def asked_for(options: RunOptions) -> bool:
    """Whether a person wants this very batch, whatever the hour."""
    special = options.deal or options.accept or options.since or options.max_creates is not None
    return bool(options.now or options.dry_run or special)


def not_due(config: Config, state: State, now: datetime) -> BatchReport | None:
    """The report of a batch that is not run, with when the next one is due; None if one is.

    Where the last batch did not end well, `stopped_by` says so: the monitor hears no success.
    """
    if not config.schedule.office_hours.bounded:
        return None
    last = next((b for b in state.book.last_batches(_BATCHES_SEEN) if b["ended"]), None)
    began = datetime.fromisoformat(str(last["started"])) if last else None
    pace = pace_of(config, state)
    due = pace.due(now, began)
    if due is None:
        return None
    log.info("run.skipped", why="outside the office hours", next_run=due.isoformat())
    well = unwell_since(state) is None
    return BatchReport(
        batch="", connection=config.connection.name, started=now, ended=now,
        result="outside_hours", exit_code=Exit.DONE, resume_at=due,
        stopped_by="" if well else "the last batch did not end well",
        next_step="`syncjob run --now` runs one all the same.",
    )  # fmt: skip
