"""Tell the operator when the sync itself is broken, once a day, and when it is well again.

It runs at the end of every batch, whatever has ended it, and never makes a batch fail.
"""

from __future__ import annotations

from syncjob.core.actions import Action, Message
from syncjob.core.reports import BatchReport
from syncjob.engine.batch import Batch
from syncjob.engine.health import count_old_drafts, health
from syncjob.engine.push import send_messages
from syncjob.errors import Paused
from syncjob.notices.alarm import alarm, messages, troubles, well_again

#: What was told and has not been called off yet: the day of the last alarm.
_ALARMED = "alarmed_on"
#: Whom the last alarm, or the last word that all is well, certainly did not reach: a line each.
_MISSED = "alarm_missed"


def sound(batch: Batch, report: BatchReport) -> None:
    """Send the day's alarm if something is wrong, or say that all is well again."""
    policy, options = batch.config.notices.operator, batch.options
    nobody = not (policy.to or set(policy.by) - {"email"})
    if nobody or options.deal is not None or batch.config.mode == "read_only":
        return
    count_old_drafts(batch.state, report.ended)
    found = troubles(health(batch.state, report.ended, batch.pace), policy.hours_without_batch)
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
