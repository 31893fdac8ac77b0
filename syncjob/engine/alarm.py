"""Tell the operator when the sync itself is broken, once a day, and when it is well again.

It runs at the end of every batch, whatever has ended it, and never makes a batch fail.
"""

from __future__ import annotations

from datetime import datetime

from syncjob.core.actions import Action, Message
from syncjob.core.records import Invoice
from syncjob.core.reports import BatchReport
from syncjob.engine.batch import Batch
from syncjob.engine.push import send_messages
from syncjob.errors import Paused
from syncjob.notices.alarm import OLD, Health, alarm, messages, troubles, well_again

#: What was told and has not been called off yet: the day of the last alarm.
_ALARMED = "alarmed_on"
#: Whom the last alarm, or the last word that all is well, certainly did not reach: a line each.
_MISSED = "alarm_missed"
#: How many batches are looked through for the last good one.
BATCHES_SEEN = 200


def sound(batch: Batch, report: BatchReport) -> None:
    """Send the day's alarm if something is wrong, or say that all is well again."""
    policy, options = batch.config.notices.operator, batch.options
    nobody = not (policy.to or set(policy.by) - {"email"})
    if nobody or options.deal is not None or batch.config.mode == "read_only":
        return
    found = troubles(_health(batch, report), policy.hours_without_batch)
    now, book = report.ended, batch.state.book
    name, known = "alarm" if found else "well", book.fact(_ALARMED)
    heard = known == f"{now:%Y-%m-%d}" if found else known is None
    connection = batch.config.connection.name
    words = alarm(connection, found, now) if found else well_again(connection)
    sent = messages(words, name, policy.to, policy.by, now)
    if heard:
        missed = (book.fact(_MISSED) or "").split("\n")
        sent = [action for action in sent if _address(name, action) in missed]
    if not sent:
        return
    try:
        send_messages(batch, sent)
    except Paused:
        return
    ending = batch.state.journal.ending
    missed = [_address(name, action) for action in sent if ending(action.target)[0] == "void"]
    with batch.state.commit():
        book.note(_ALARMED, f"{now:%Y-%m-%d}" if found else None)
        book.note(_MISSED, "\n".join(missed) or None)


def _address(name: str, action: Action) -> str:
    """Who is to be told of what, and how: "alarm email ops@example.com"."""
    assert isinstance(action.payload, Message)
    return f"{name} {action.payload.way} {action.payload.person}"


def _health(batch: Batch, report: BatchReport) -> Health:
    book = batch.state.book
    last = (b["ended"] for b in book.last_batches(BATCHES_SEEN) if b["exit_code"] in (0, 1))
    good = next((datetime.fromisoformat(str(at)) for at in last if at), None)
    before = (report.ended - OLD).isoformat()
    old = [f for f in book.open_issues() if f.opened_at < before]
    return Health(
        now=report.ended, result=report.result, stopped_by=report.stopped_by, last_good=good,
        born=book.instant("born"), waits_until=report.resume_at, old_issues=len(old),
        old_drafts=_old_drafts(batch, report.ended),
    )  # fmt: skip


def _old_drafts(batch: Batch, now: datetime) -> int:
    """Our drafts that nobody has approved for days; counted once a day, since it is a scan."""
    day, _, count = (batch.state.book.fact("old_drafts") or "").partition(":")
    if day == f"{now:%Y-%m-%d}":
        return int(count)
    get = batch.state.snapshots.get
    found = (get("ledger", "invoices", i, Invoice) for _, i in batch.state.links.live_invoices())
    until = (now - OLD).date()
    number = sum(1 for i in found if i and i.status == "draft" and i.date and i.date < until)
    with batch.state.commit():
        batch.state.book.note("old_drafts", f"{now:%Y-%m-%d}:{number}")
    return number
