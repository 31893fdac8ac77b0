"""One screen of facts about a connection, from the state alone."""

from __future__ import annotations

import fcntl
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from syncjob.clock import Clock, SystemClock
from syncjob.config import Config
from syncjob.core.hours import Pace
from syncjob.core.records import CrmReference, LedgerReference, Side
from syncjob.core.reports import BatchReport, StatusReport, StreamStatus
from syncjob.engine.backup_folder import last_backup
from syncjob.engine.door import pauses, stop_file
from syncjob.engine.health import BATCHES_SEEN, health, last_good_of, unwell_since
from syncjob.engine.nights import chore_statuses
from syncjob.engine.purses import budgets, left_out, pace_of
from syncjob.engine.streams import HOME, LEDGER
from syncjob.engine.titles import titles_of
from syncjob.notices.alarm import troubles
from syncjob.state.database import State

#: The time that the figures of speed are about (BOOKKEEPING: "the last week's").
WEEK = timedelta(days=7)


def status_report(
    config: Config, state: State, now: datetime, *, counted: bool = True
) -> StatusReport:
    """Who is connected to whom, what was done last, what waits, what needs a person.

    `counted` False leaves out how many records and links there are, which are scans of the state:
    a batch with nothing to do makes none (DESIGN 8).
    """
    batches = [b for b in state.book.last_batches(BATCHES_SEEN) if b["ended"]]
    last = _report(config, batches[0]) if batches else None
    crm = state.book.reference("crm", CrmReference)
    ledger = state.book.reference("ledger", LedgerReference)
    issues = tuple(f.issue for f in state.book.open_issues() if not f.ignored(now))
    pace = pace_of(config, state)
    return StatusReport(
        connection=config.connection.name, mode=config.mode, now=now,
        crm=crm[0].organisation if crm else None,
        ledger=ledger[0].organisation if ledger else None,
        won_since=config.invoices.won_since, last=last,
        last_good=last_good_of(batches),
        next_run=_next_run(pace, last), running=_running(state.path),
        outside_hours=not pace.inside(now),
        recovering=state.book.fact("recovering_since") is not None,
        stop_file=stop_file(state.path).exists(), pauses=tuple(pauses(state, now)),
        streams=_streams(state) if counted else (), links=_links(state) if counted else {},
        open_intents=len(state.journal.open_intents()),
        issues=issues, titles=titles_of(state, issues), oldest_issue=state.issues.oldest(now),
        ignored_issues=state.issues.ignored_count(now),
        calls_today=_calls_since(batches, now - timedelta(days=1)),
        budgets=budgets(config, state, now), left_out=left_out(state),
        chores=chore_statuses(config, state, now),
        troubles=tuple(
            troubles(health(state, now, pace), config.notices.operator.hours_without_batch)
        ),
        unwell_since=unwell_since(state),
        draft_waits=state.speed.waits("draft", now - WEEK),
        payment_waits=state.speed.waits("payment", now - WEEK),
        last_backup=last_backup(config), heartbeat=config.notices.operator.heartbeat is not None,
    )  # fmt: skip


def status_now(config: Config, clock: Clock | None = None) -> StatusReport:
    """How a connection stands, from its state alone. Raises StateError."""
    state = State(config.resolve(config.connection.state))
    try:
        return status_report(config, state, (clock or SystemClock()).now())
    finally:
        state.close()


def batch_reports(config: Config, state: State, number: int) -> tuple[BatchReport, ...]:
    """The last batches that ended, newest first."""
    ended = (b for b in state.book.last_batches(number) if b["ended"])
    return tuple(_report(config, batch) for batch in ended)


def _report(config: Config, batch: dict[str, Any]) -> BatchReport:
    started = datetime.fromisoformat(batch["started"])
    return BatchReport(
        batch=str(batch["id"]), connection=config.connection.name, started=started,
        ended=datetime.fromisoformat(batch["ended"]), result=batch["result"],
        exit_code=batch["exit_code"],
        counts=msgspec.json.decode(batch["counts"] or "{}", type=dict[str, int]),
        calls=msgspec.json.decode(batch["calls"] or "{}", type=dict[str, int]),
        resume_at=datetime.fromisoformat(batch["resume_at"]) if batch["resume_at"] else None,
    )  # fmt: skip


def _next_run(pace: Pace, last: BatchReport | None) -> datetime | None:
    """When the next batch is expected: the interval after the last, or when a vendor said."""
    if last is None:
        return None
    usual = pace.following(last.started)
    return max(usual, last.resume_at) if last.resume_at else usual


def _running(path: Path) -> bool:
    """Whether a process holds the lease now."""
    lock = path.with_name(path.name + ".lock")
    if not lock.exists():
        return False
    with lock.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def _streams(state: State) -> tuple[StreamStatus, ...]:
    found = []
    walked = state.snapshots.walked("crm")
    deals = [s for s in walked if HOME.get(s, s) == "deals"] or ["deals"]
    crm: list[tuple[Side, str]] = [("crm", stream) for stream in deals]
    for side, stream in (*LEDGER, *crm):
        cursor = state.snapshots.cursor(side, stream)
        count = state.snapshots.count(side, stream) if stream not in HOME else 0
        found.append(
            StreamStatus(
                side=side,
                stream=stream,
                cursor=cursor.since,
                walking=cursor.position is not None,
                records=count,
            )
        )
    return tuple(found)


def _links(state: State) -> dict[str, int]:
    count = state.db.execute("SELECT count(*) FROM contact_link").fetchone()[0]
    return {"invoice": state.links.live_count(), "contact": int(count)}


def _calls_since(batches: list[dict[str, Any]], since: datetime) -> dict[str, int]:
    total: dict[str, int] = {}
    for batch in batches:
        if datetime.fromisoformat(batch["started"]) >= since:
            for vendor, calls in msgspec.json.decode(batch["calls"] or "{}").items():
                total[vendor] = total.get(vendor, 0) + calls
    return total
