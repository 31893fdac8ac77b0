"""How the connection is, from its state: what the operator's alarm and `status` both say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from syncjob.core.hours import Pace
from syncjob.core.records import Invoice
from syncjob.core.reports import GOOD
from syncjob.errors import SyncJobError
from syncjob.notices.alarm import OLD, Health
from syncjob.state.database import State

#: How many batches are looked through for the last good one.
BATCHES_SEEN = 200
#: Batches that did what they were told to; a person may ask for a pause.
_WELL = GOOD | {"paused"}
#: What ended the last batch, in words; gone when nothing did.
_STOPPED = "last_stop"
_OLD_DRAFTS = "old_drafts"


class Stopped(msgspec.Struct, frozen=True):
    """What ended the last batch, and what a person does next."""

    what: str = ""
    next_step: str = ""


def note_stop(state: State, stopped: SyncJobError | None) -> None:
    """Remember what ended this batch; call it inside a commit."""
    words = None
    if stopped is not None:
        found = Stopped(stop_words(stopped), stopped.next_step)
        words = msgspec.json.encode(found).decode()
    state.book.note(_STOPPED, words)


def stop_words(stopped: SyncJobError) -> str:
    """What happened, and where."""
    return f"{stopped.where}: {stopped.what}" if stopped.where else stopped.what


def health(state: State, now: datetime, pace: Pace) -> Health:
    """How things stand after the last batch that ended; `pace` says which silence is meant."""
    book = state.book
    ended = [b for b in book.last_batches(BATCHES_SEEN) if b["ended"]]
    last_good = last_good_of(ended)
    before = (now - OLD).isoformat()
    stopped = msgspec.json.decode(book.fact(_STOPPED) or "{}", type=Stopped)
    last: dict[str, Any] = ended[0] if ended else {}
    waits = last.get("resume_at")
    return Health(
        now=now, result=last.get("result") or "", stopped_by=stopped.what,
        next_step=stopped.next_step,
        last_good=last_good,
        quiet=pace.following(last_good) - last_good - pace.every if last_good else timedelta(),
        born=book.instant("born"),
        waits_until=datetime.fromisoformat(waits) if waits else None,
        old_issues=sum(
            1 for f in book.open_issues() if f.opened_at < before and not f.ignored(now)
        ),
        old_drafts=int((book.fact(_OLD_DRAFTS) or "").partition(":")[2] or 0),
    )  # fmt: skip


def last_good_of(ended: Sequence[Mapping[str, object]]) -> datetime | None:
    """When the last good one of these batches ended; they stand newest first."""
    good = next((batch["ended"] for batch in ended if batch["result"] in GOOD), None)
    return datetime.fromisoformat(str(good)) if good else None


def unwell_since(state: State) -> datetime | None:
    """When the first of the batches began that have not ended well since; None if the last did.

    One that was asked to end says nothing: neither that all is well, nor that it is not.
    """
    since = None
    for batch in state.book.last_batches(BATCHES_SEEN):
        if batch["ended"] is None or batch["result"] == "interrupted":
            continue
        if batch["result"] in _WELL:
            break
        since = datetime.fromisoformat(str(batch["started"]))
    return since


def count_old_drafts(state: State, now: datetime) -> None:
    """Count our drafts that nobody has approved for days; once a day, since it is a scan."""
    if (state.book.fact(_OLD_DRAFTS) or "").partition(":")[0] == f"{now:%Y-%m-%d}":
        return
    get = state.snapshots.get
    found = (get("ledger", "invoices", i, Invoice) for _, i in state.links.live_invoices())
    until = (now - OLD).date()
    number = sum(1 for i in found if i and i.status == "draft" and i.date and i.date < until)
    with state.commit():
        state.book.note(_OLD_DRAFTS, f"{now:%Y-%m-%d}:{number}")
