"""What transport asks before a write leaves: is it journaled, is the lease ours, may we write?

Keeps invariants 3, 13 and 15 at the last moment before bytes leave.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from syncjob.clock import Clock
from syncjob.core.reports import Pause
from syncjob.errors import Paused, RefusedAtDoor
from syncjob.state.database import State
from syncjob.state.lock import Lease
from syncjob.transport.wire import Call

#: What `syncjob pause --only` names, by the kinds of writes it stops.
PAUSE_KINDS = {
    "invoice.create": "invoices",
    "invoice.approve": "invoices",
    "invoice.update": "invoices",
    "invoice.delete": "invoices",
    "invoice.email": "invoices",
    "template.create": "invoices",
    "template.delete": "invoices",
    "credit.create": "invoices",
    "contact.create": "contacts",
    "contact.mark": "contacts",
    "contact.update": "contacts",
    "crm_contact.create": "contacts",
    "deal.update": "status",
    "task.create": "notices",
    "message.send": "notices",
    "note.create": "status",
}


class StateDoor:
    """The door of one side of one connection. `server_time` is set once the channel exists."""

    def __init__(self, state: State, lease: Lease, clock: Clock) -> None:
        self.state, self.lease, self.clock = state, lease, clock
        self.server_time: Callable[[], datetime | None] = lambda: None

    def admit(self, calls: Sequence[Call]) -> None:
        """Raises RefusedAtDoor, LockHeld or Paused; see transport.wire.Door."""
        self.lease.check(self.state)
        kinds = self.state.journal.committed(calls)
        check_pause(self.state, kinds, self.clock.now())

    def sent(self, calls: Sequence[Call], token_generation: int) -> None:
        """One commit for all; raises StateError."""
        with self.state.commit():
            self.state.journal.sending(
                calls, server_time=self.server_time(), now=self.clock.now(),
                generation=token_generation,
            )  # fmt: skip


class ClosedDoor:
    """The door of a dry run: no write leaves."""

    def admit(self, calls: Sequence[Call]) -> None:
        raise RefusedAtDoor("A dry run writes nothing.")

    def sent(self, calls: Sequence[Call], token_generation: int) -> None:
        raise RefusedAtDoor("A dry run writes nothing.")


def stop_file(state: Path) -> Path:
    """The file that anyone may create to stop all writes: STOP, beside the state."""
    return state.parent / "STOP"


def pauses(state: State, now: datetime) -> list[Pause]:
    """The pauses in force."""
    known = state.book.fact("pauses")
    found = msgspec.json.decode(known, type=list[Pause]) if known else []
    return [pause for pause in found if pause.until is None or pause.until > now]


def check_pause(state: State, kinds: set[str], now: datetime) -> None:
    """Raises Paused if a person has stopped one of these kinds of writes."""
    if stop_file(state.path).exists():
        raise Paused(
            "A file named STOP stands beside the state; nothing is written.",
            where=str(stop_file(state.path)),
            next_step="Delete it to let writes go on; queued deals keep their place.",
        )
    for pause in pauses(state, now):
        if pause.only == "all" or pause.only in {PAUSE_KINDS.get(kind) for kind in kinds}:
            raise Paused(
                f"Paused by {pause.who or 'somebody'} ({pause.only}): {pause.reason}.",
                next_step="`syncjob resume` shows the plan and lets writes go on.",
            )
