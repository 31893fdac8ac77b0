"""What was noted in deals' timelines, and from which day on anything is."""

from __future__ import annotations

from datetime import date, timedelta

from syncjob.core.actions import NoteDraft
from syncjob.engine.batch import Batch

SINCE = "timeline_since"


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
