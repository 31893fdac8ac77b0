"""What became of notices: each step is told once, and what may not have arrived is named later."""

from __future__ import annotations

from syncjob.core.actions import Action, Issue, Message, Task, Tell
from syncjob.engine.batch import Batch
from syncjob.errors import RetryLater


def way_down(way: str, error: RetryLater) -> Issue:
    """A mail server or webhook that takes no messages; they are tried again by each batch."""
    return Issue(
        code="way_down", subject=f"way:{way}", state="note", field=f"notices.ways.{way}",
        what=f"Messages by {way} cannot be sent: {error.what}",
        next_step="They are tried again by each batch; nobody is told twice. If it lasts, correct "
        f"notices.ways.{way} in the config.",
    )  # fmt: skip


def remember(batch: Batch, action: Action, *, sure: bool) -> None:
    """A notice left: its steps are told now, and what was in doubt before it has been named.

    Call it inside a commit.
    """
    payload, notes = action.payload, batch.state.notes
    tells: tuple[Tell, ...]
    if isinstance(payload, Task):
        tells = (payload.tell,) if payload.tell else ()
    else:
        assert isinstance(payload, Message)
        tells = payload.tells
    notes.add(tells, sure=sure, at=batch.clock.now(), batch=batch.id)
    if sure:
        if isinstance(payload, Message):
            subject = f"way:{payload.way}"
            batch.state.book.close_issues(subject, keep=set(), at=batch.clock.now())
        for person, way in {(tell.person, tell.way) for tell in tells}:
            notes.named(person, way, batch=batch.id)
