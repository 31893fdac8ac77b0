"""What was noted in deals' timelines, and from which day on anything is."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from syncjob.core.actions import NoteDraft
from syncjob.engine.batch import Batch

SINCE = "timeline_since"
#: What holds a deal is noted in its timeline once it has stood for so long: whoever has just won
#: the deal may still be at it, and a cause that goes by itself is nobody's business.
HELD_FOR = timedelta(minutes=30)


def timeline_since(batch: Batch) -> date:
    """The first day of which things are noted: the first batch that notes any. A state that is new
    or lost waits for the next day, since an earlier one may have noted what this day brought."""
    if not batch.config.crm.timeline:
        return date.max
    known = batch.state.book.fact(SINCE)
    if known is None:
        unsure = batch.state.book.fact("recovering_since") is not None
        known = (batch.today + timedelta(days=int(unsure))).isoformat()
        if not batch.still:
            with batch.state.commit():
                batch.state.book.note(SINCE, known)
    return date.fromisoformat(known)


def note_stored(batch: Batch, note: NoteDraft) -> None:
    """The note stands in the CRM; call it inside a commit."""
    batch.state.papers.add_note(note.marker, note.deal_id, batch=batch.id)


def standing_issues(batch: Batch, deal_id: str) -> dict[str, datetime]:
    """When the issues that hold this deal were opened, by code; of those that have stood for a
    while, and only where they are noted."""
    if "held" not in batch.config.crm.timeline:
        return {}
    until = (batch.clock.now() - HELD_FOR).isoformat()
    found = batch.state.book.open_issues(f"deal:{deal_id}")
    held = [f for f in found if f.issue.state == "held" and f.opened_at <= until]
    return {f.issue.code: datetime.fromisoformat(f.opened_at) for f in held}
