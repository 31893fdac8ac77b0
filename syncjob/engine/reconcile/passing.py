"""One pass in its stages: read everything, ask for what no list showed, compare, tell.

Keeps invariants 2, 5, 6 and 7. Nothing is written at a vendor: what is wrong is corrected in the
snapshots and queued, so that the next ordinary batch mends it under its own guard; what only a
person can mend becomes an issue, which closes when a later pass finds it no more.
"""

from __future__ import annotations

from collections import Counter
from datetime import date

import msgspec

from syncjob.core.actions import Issue
from syncjob.core.reconcile import Finding, Numbers, ReconcileReport, sequences
from syncjob.core.records import Side
from syncjob.engine.batch import Batch
from syncjob.engine.reconcile.comparing import compare_customers, compare_deals, tie_strays
from syncjob.engine.reconcile.links import ask_for_unseen, check_customers
from syncjob.engine.reconcile.reading import read_all, read_doubtful, read_lines, streams
from syncjob.engine.reconcile.session import (
    PASS,
    REPORT,
    Session,
    Stage,
    known_pass,
    new_pass,
)
from syncjob.errors import Interrupted, Park, RetryLater

#: Issues of this begin so; their subjects are `reconcile:` and the record.
SUBJECT = "reconcile:"
#: What follows the lists, in this order: what is corrected first need not be compared wrongly.
_AFTER: dict[str, Stage] = {
    "doubts": read_doubtful,
    "unseen": ask_for_unseen,
    "lines": read_lines,
    "strays": tie_strays,
    "customers": check_customers,
    "deals": compare_deals,
    "pairs": compare_customers,
}
_END = "end"
#: So many findings of a report are kept in the state, the rest counted.
KEPT_MAX = 1000


def go_on(batch: Batch, *, since: date | None, until: float) -> ReconcileReport:
    """Begin a pass, or go on with the one under way, until it is done or `until` (monotonic).

    Raises Park before any batch has read both sides; AuthFailed and other stops.
    """
    _ready(batch)
    first = _stages(batch)[0]
    given = known_pass(batch, since) or new_pass(batch, first, since)
    share = batch.config.schedule.reconcile_share_percent
    session = Session(batch, given, until=until, share_percent=share)
    batch.log.info("reconcile.started", stage=given.stage, since=str(since or ""))
    try:
        while given.stage != _END:
            _stage(session)
    except (RetryLater, Interrupted) as stopped:
        with batch.state.commit():
            session.save()
        report = _report(session, ())
        later = stopped.resume_at if isinstance(stopped, RetryLater) else None
        batch.log.info("reconcile.paused", stage=given.stage, why=stopped.what)
        return msgspec.structs.replace(
            report, complete=False, stopped_by=stopped.what, next_step=stopped.next_step,
            resume_at=later,
        )  # fmt: skip
    return _finish(session)


def _ready(batch: Batch) -> None:
    """Before anything was polled there is nothing to compare with."""
    for side, stream in (("ledger", "invoices"), ("crm", "deals")):
        known: Side = "ledger" if side == "ledger" else "crm"
        if batch.state.snapshots.cursor(known, stream).polled is None:
            raise Park(
                "No batch has read both sides yet, so there is nothing to compare with.",
                next_step="Run `syncjob run` first.",
            )


def _stages(batch: Batch) -> list[str]:
    return [*(f"{side}.{stream}" for side, stream in streams(batch)), *_AFTER, _END]


def _stage(session: Session) -> None:
    """One stage from where it stood, then on to the next."""
    stages = _stages(session.batch)
    stage = session.given.stage
    if stage not in stages:  # the config names other lists than when the pass began
        session.go(stages[0])
        return
    session.batch.progress("reconcile", stages.index(stage), len(stages) - 1)
    if stage in _AFTER:
        _AFTER[stage](session)  # which pauses before each of its calls, and gets on with each
    else:
        session.pause()
        side, _, stream = stage.partition(".")
        read_all(session, "ledger" if side == "ledger" else "crm", stream)
    session.go(stages[stages.index(stage) + 1])


# --- the end --------------------------------------------------------------------------------------


def _finish(session: Session) -> ReconcileReport:
    """Tell what people must mend, close what is mended, and keep the report."""
    batch = session.batch
    given, book, now = session.given, batch.state.book, batch.clock.now()
    numbers: list[Numbers] = []
    if given.since is None and "ledger invoices" not in given.unread:
        finds = session.finds
        numbers = sequences(finds.numbers(given.first_batch), finds.our_numbers())
    with batch.state.commit():
        session.save()
        report = _report(session, numbers)
        told = [f for f in report.findings if f.mends == "person"]
        batch.raise_issues(_issue(finding) for finding in told)
        if given.since is None:
            _close_mended(session, told)
        kept = msgspec.structs.replace(report, findings=report.findings[:KEPT_MAX])
        book.note(REPORT, msgspec.json.encode(kept).decode())
        book.note(PASS, None)
    batch.log.info(
        "reconcile.ended", findings=report.found, counts=report.counts, calls=given.calls,
        seconds=(now - given.started).total_seconds(),
    )  # fmt: skip
    return report


def _issue(finding: Finding) -> Issue:
    return Issue(
        code=f"reconcile_{finding.kind}", subject=f"{SUBJECT}{finding.subject}", state="note",
        what=finding.what, next_step=finding.next_step,
        page=finding.pages[-1] if finding.pages else None,
    )  # fmt: skip


def _close_mended(session: Session, told: list[Finding]) -> None:
    """What earlier passes told of, and this one has not found; of lists that could not be read
    nobody can say."""
    batch = session.batch
    if session.given.unread or session.given.hidden:
        return
    still: dict[str, set[str]] = {}
    for finding in told:
        still.setdefault(f"{SUBJECT}{finding.subject}", set()).add(f"reconcile_{finding.kind}")
    for subject in session.finds.open_subjects():
        if subject.startswith(SUBJECT):
            keep = still.get(subject, set())
            batch.state.book.close_issues(subject, keep=keep, at=batch.clock.now())


def _report(session: Session, numbers: list[Numbers] | tuple[()]) -> ReconcileReport:
    given, findings = session.given, session.finds.findings()
    return ReconcileReport(
        connection=session.batch.config.connection.name, started=given.started,
        ended=session.batch.clock.now(), since=given.since, findings=tuple(findings),
        counts=dict(Counter(finding.kind for finding in findings)),
        explained=dict(sorted(given.explained.items())), waiting=given.waiting,
        read=dict(given.read), compared=given.compared, unread=tuple(given.unread),
        numbers=tuple(numbers), calls=dict(given.calls),
    )  # fmt: skip
