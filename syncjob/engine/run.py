"""The heart: one batch is settle, pull, fill, plan, guard, push, close."""

from __future__ import annotations

from collections.abc import Sequence

from syncjob.core.actions import Issue
from syncjob.core.reports import BatchReport, Result
from syncjob.engine import recovery
from syncjob.engine.alarm import sound
from syncjob.engine.batch import Batch
from syncjob.engine.chores import run_due
from syncjob.engine.closing import close_settled
from syncjob.engine.contacts.stage import fill_contacts
from syncjob.engine.desk import apply_inbox
from syncjob.engine.fill import fill
from syncjob.engine.health import note_stop, stop_words
from syncjob.engine.identify import identify
from syncjob.engine.page import write_page
from syncjob.engine.planning import Plan, empty_plan
from syncjob.engine.pull import pull
from syncjob.engine.rows import rows_of
from syncjob.engine.settle import settle
from syncjob.engine.share import Step, goes_on, more_in_words, pass_on, steps
from syncjob.engine.spending import note_purses
from syncjob.engine.steps import write_steps, write_whole
from syncjob.engine.titles import titles_of
from syncjob.engine.weighing import Weighing, check_guard, make_plan
from syncjob.errors import (
    AuthFailed,
    Exit,
    GuardTripped,
    Interrupted,
    Paused,
    RetryLater,
    SyncJobError,
    WrongOrganisation,
)


def run_batch(batch: Batch) -> BatchReport:
    """One batch from start to end; what stopped it stands in the report.

    Raises StateError and bugs; every other failure ends in the report with its exit code.
    """
    batch.log.info("batch.started", mode=batch.config.mode, dry_run=batch.options.dry_run)
    try:
        foresee(batch, write=True)
    except SyncJobError as error:
        if error.exit_code in (Exit.STATE, Exit.BUG):
            raise
        if isinstance(error, GuardTripped | Paused):  # neither forbids to read and to back up
            run_due(batch)
        return close(batch, stopped=error)
    run_due(batch)
    return close(batch, stopped=goes_on(batch))


def read(batch: Batch) -> None:
    """The stages before anything is decided."""
    identify(batch)
    recovery.begin(batch)
    apply_inbox(batch)
    settle(batch)
    pull(batch)
    recovery.end_if_read(batch)


def foresee(batch: Batch, *, write: bool) -> Plan:
    """The stages in order; a dry run ends with its plan."""
    read(batch)
    deals, customers = fill(batch), fill_contacts(batch)
    work = steps(deals, customers)
    write_it = write and batch.config.mode != "read_only"
    if write and len(work) > 1:
        plan = _in_steps(batch, work, write=write_it)
    else:
        plan = make_plan(batch, deals, customers, dry=not write)
        _say_what_is_left(batch, plan)
        if write_it:
            check_guard(batch, plan)
            write_whole(batch, plan)
    pass_on(batch)
    return plan


def _in_steps(batch: Batch, work: Sequence[Step], *, write: bool) -> Plan:
    """A plan that is too large to be kept: weighed whole, then written step by step."""
    weighing, plan = Weighing(batch, sum(len(step.deals) for step in work), dry=False), empty_plan()
    for step in work:
        plan.waits |= weighing.part(step).waits
    weighing.end(plan)
    _say_what_is_left(batch, plan)
    if write:
        check_guard(batch, plan)
        if plan.size:
            write_steps(batch, work, weighing, plan)
        else:  # that these rules found nothing to write is noted all the same
            write_whole(batch, plan)
    return plan


def _say_what_is_left(batch: Batch, plan: Plan) -> None:
    if batch.more:
        plan.waits.setdefault("connection", more_in_words(batch))


# --- close --------------------------------------------------------------------------------------

_RESULTS: tuple[tuple[type[SyncJobError], Result], ...] = (
    (GuardTripped, "guard"),
    (Paused, "paused"),
    (AuthFailed, "credentials"),
    (WrongOrganisation, "wrong_organisation"),
    (Interrupted, "interrupted"),
    (RetryLater, "later"),
)


def close(batch: Batch, stopped: SyncJobError | None = None) -> BatchReport:
    """Write the batch down and sum it up."""
    recovery.close(batch)
    if stopped is None and batch.options.deal is None:
        close_settled(batch)
    known, now = batch.state.book.open_issues(), batch.clock.now()
    open_issues = tuple(found.issue for found in known if not found.ignored(now))
    result, code = _result(stopped, open_issues)
    waits = batch.state.db.execute(
        "SELECT (SELECT count(*) FROM todo) + (SELECT count(*) FROM contact_todo)"
    ).fetchone()[0]
    if waits:
        batch.counts["waiting"] = waits
    ended = batch.clock.now()
    calls = {c.name: batch.channels[c.side].usage().calls for c in (batch.ledger, batch.crm)}
    resume_at = stopped.resume_at if isinstance(stopped, RetryLater) else None
    with batch.state.commit():
        batch.state.book.end_batch(
            batch.id, at=ended, result=result, exit_code=code, counts=dict(batch.counts),
            calls=calls, resume_at=resume_at,
        )  # fmt: skip
        note_stop(batch.state, stopped)
        note_purses(batch)
    report = BatchReport(
        batch=str(batch.id), connection=batch.config.connection.name, started=batch.started,
        ended=ended, result=result, exit_code=code, counts=dict(batch.counts),
        rows=rows_of(batch), issues=open_issues, calls=calls,
        new_issues=tuple(i for i in open_issues if (i.subject, i.code) in batch.new_issues),
        titles=titles_of(batch.state, open_issues), waits=dict(batch.waits), resume_at=resume_at,
        plan_hash=batch.plan_hash, stopped_by=stop_words(stopped) if stopped else "",
        next_step=stopped.next_step if stopped else "", left_out=dict(batch.left_out),
    )  # fmt: skip
    batch.log.info(
        "batch.ended", result=result, exit_code=int(code), counts=dict(batch.counts),
        calls=calls, issues=len(open_issues), seconds=(ended - batch.started).total_seconds(),
        stopped_by=report.stopped_by, next_step=report.next_step, left_out=report.left_out,
    )  # fmt: skip
    sound(batch, report)
    write_page(batch)
    return report


def _result(stopped: SyncJobError | None, issues: tuple[Issue, ...]) -> tuple[Result, int]:
    if stopped is None:
        return ("issues", Exit.ISSUES) if issues else ("done", Exit.DONE)
    for kind, result in _RESULTS:
        if isinstance(stopped, kind):
            return result, stopped.exit_code
    return "failed", stopped.exit_code
