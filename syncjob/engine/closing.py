"""Issues about no single deal or customer: each closes once its cause is gone.

Deals and customers close theirs with each decision (engine/planning, engine/contacts/stage), a
record when it is read, a stream when it is read to its end. What is left is told here: causes that
go by ceasing to matter, of which no record and no stream will ever tell.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from syncjob.engine.batch import Batch
from syncjob.engine.contacts.wants import is_on
from syncjob.engine.streams import HOME
from syncjob.engine.walking import UNREADABLE
from syncjob.state.issues import KnownIssue

#: Every batch with something to say by a way tries it: after a day of silence nobody waits for it.
WAY_QUIET = timedelta(days=1)
#: What is read at all is read at least once a week (pull.FULL_WALK_DAYS), and the night's work is
#: done each night: what nobody has complained about for longer is not done any more.
STREAM_QUIET = timedelta(days=8)
#: Until when a limit of the organisation is respected, by what it limits.
_RESTS = {"invoice_cap": "approvals_wait_until", "email_cap": "emails_wait_until"}


def close_settled(batch: Batch) -> None:
    """Close what this batch has shown to be over. Call it after a batch that came to its end."""
    settled = [known.id for known in batch.state.issues.open_of_others() if _is_over(batch, known)]
    if settled:
        with batch.state.commit():
            batch.state.issues.close(settled, at=batch.clock.now())
        batch.log.info("issue.closed", issues=settled)


def close_unseen_records(batch: Batch, stream: str, started: datetime) -> None:
    """A whole walk has shown every record there is, and complained of those that cannot be read;
    who was complained of before it is gone. Call it inside a commit."""
    # A day for what the server's clock and ours may differ by, and for a walk over midnight.
    before = started - timedelta(days=1)
    kind = {"organizations": "org:", "persons": "person:"}.get(stream, "")
    named = f"{HOME.get(stream, stream)}:{kind}"
    found = batch.state.issues.not_raised_since(before, UNREADABLE, named)
    batch.state.issues.close(found, at=batch.clock.now())


def _is_over(batch: Batch, known: KnownIssue) -> bool:
    kind = known.issue.subject.partition(":")[0]
    quiet = batch.clock.now() - (known.raised_at or known.opened_at)
    if kind == "organisation":
        return not _raised_now(batch, known) and not _rests(batch, known)
    if kind == "way":
        return quiet > WAY_QUIET or known.issue.subject.partition(":")[2] not in _ways(batch)
    if kind in ("stream", "chore"):
        return quiet > STREAM_QUIET
    if kind in ("template", "templates"):
        reading = batch.config.invoices.recurring == "template" or batch.state.papers.templates()
        looked = "ledger.templates" in batch.walked and not _raised_now(batch, known)
        return looked or not reading
    if kind == "contact":
        return not is_on(batch)
    return False


def _raised_now(batch: Batch, known: KnownIssue) -> bool:
    return (known.raised_at or known.opened_at) >= batch.started


def _rests(batch: Batch, known: KnownIssue) -> bool:
    """Whether what the organisation refused is still left alone. Once it is tried again, a batch
    that came to its end without another refusal has done it, or nobody wants it any more."""
    fact = _RESTS.get(known.issue.code)
    until = batch.state.book.instant(fact) if fact else None
    now = batch.ledger.server_time() or batch.clock.now()
    return until is not None and now < until


def _ways(batch: Batch) -> Iterator[str]:
    """The ways by which anybody is still to be told."""
    notices = batch.config.notices
    yield from notices.by
    yield from notices.operator.by
