"""The journal of calls and intents: the only door through which anything is written to a vendor.

Keeps invariants 3 (at each send there is one committed call with these bytes) and 4 (an open
intent keeps its record from being written again).
"""

from __future__ import annotations

import hmac
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Literal

import msgspec
from sqlite_utils import Database

from syncjob.core.actions import Action
from syncjob.core.records import Receiver
from syncjob.errors import RefusedAtDoor
from syncjob.state.reads import Lookup, Reads, Row
from syncjob.transport.wire import Call, Request

Ending = Literal["done", "void", "failed"]
#: A request, the actions that it carries, and its idempotency key where its vendor takes one.
Frozen = tuple[Request, Sequence[Action], str | None]
#: An intent's number, how it ended, and in words.
Ended = tuple[int, Ending, str]

#: A call is replayed at most once (DESIGN 5.3), so its bytes leave at most twice; one more send is
#: allowed for a 401, which is refused before the vendor looks at the request.
SENDS_MAX = 3


_MADE = Lookup("action", "intent", "marker", where="state = 'done'", order="id DESC", first=True)
_OPEN_FOR = Lookup("1", "intent", "subject", where="state = 'open'", first=True, rare=True)
_SIDES: tuple[Receiver, ...] = ("crm", "ledger", "people")
_OPEN_TO = {
    side: Lookup(
        "1", "intent", "target", where=f"side = '{side}' AND state = 'open'", first=True, rare=True
    )
    for side in _SIDES
}
_decode_action = msgspec.json.Decoder(Action).decode


def _action(row: Row) -> Action:
    return _decode_action(row[0])


class Intent(msgspec.Struct, frozen=True):
    """One action, committed before it is sent."""

    id: int
    call: int
    position: int
    side: Receiver
    action: Action
    state: str
    batch: int  # the batch whose call it is of


class Opened(msgspec.Struct, frozen=True):
    """A call as it was just written down, with its intents in the order of their actions."""

    call: Call
    intents: tuple[Intent, ...]


class JournaledCall(msgspec.Struct, frozen=True):
    """A call with what is known of its sending: how often, and the server's time before it."""

    id: int
    side: Receiver
    request: Request
    sends: int
    server_time: datetime | None
    sent_at: datetime | None
    token_generation: int | None
    status: int | None


class Journal:
    """Calls and intents. Every method that writes is called inside `State.commit`."""

    def __init__(self, db: Database, reads: Reads) -> None:
        self.db, self.reads = db, reads

    def open(
        self,
        side: Receiver,
        frozen: Iterable[Frozen],
        *,
        batch: int,
        fence: int,
        now: datetime,
    ) -> list[Opened]:
        """Write down calls and their intents before anything is sent.

        Raises sqlite3.IntegrityError if one of the records already has an open intent.
        """
        execute, many = self.db.conn.execute, self.db.conn.executemany
        calls = execute("SELECT coalesce(max(id), 0) FROM call").fetchone()[0]
        intents = execute("SELECT coalesce(max(id), 0) FROM intent").fetchone()[0]
        rows: list[Row] = []
        opened: list[Opened] = []
        for number, (request, actions, key) in enumerate(frozen, calls + 1):
            told = msgspec.json.encode(request)
            rows.append(
                (number, batch, side, told, request.sha256, key, fence, now.isoformat(), "open")
            )
            made = tuple(
                Intent(intents + 1 + position, number, position, side, action, "open", batch)
                for position, action in enumerate(actions)
            )
            intents += len(made)
            opened.append(Opened(Call(id=number, request=request, fence=fence), made))
        many(
            "INSERT INTO call (id, batch, side, request, sha256, idempotency_key, fence, "
            "opened_at, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
        many(
            "INSERT INTO intent (id, call, position, side, kind, subject, target, marker, action, "
            "state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'open')",
            [
                (i.id, i.call, i.position, side, i.action.kind, i.action.subject,
                 i.action.target, i.action.marker, msgspec.json.encode(i.action))
                for one in opened for i in one.intents
            ],
        )  # fmt: skip
        return opened

    def committed(self, calls: Sequence[Call]) -> set[str]:
        """Assert that these calls stand in the journal, open, with these bytes; the kinds of the
        writes in them.

        Raises RefusedAtDoor otherwise: something tried to send what was never written down.
        """
        ids = msgspec.json.encode([call.id for call in calls]).decode()
        rows = self.db.conn.execute(
            "SELECT id, sha256, state, sends FROM call "
            "WHERE id IN (SELECT value FROM json_each(?))",
            (ids,),
        )
        known = {row[0]: row[1:] for row in rows.fetchall()}
        for call in calls:
            digest, state, sends = known.get(call.id, ("", "", 0))
            if not hmac.compare_digest(digest, call.request.sha256):
                raise RefusedAtDoor(f"Call {call.id} is not in the journal with these bytes.")
            if state != "open" or sends >= SENDS_MAX:
                raise RefusedAtDoor(f"Call {call.id} was sent {sends} times and is {state}.")
        kinds = self.db.conn.execute(
            "SELECT DISTINCT kind FROM intent WHERE call IN (SELECT value FROM json_each(?))",
            (ids,),
        )
        return {row[0] for row in kinds.fetchall()}

    def sending(
        self, calls: Sequence[Call], *, server_time: datetime | None, now: datetime,
        generation: int,
    ) -> None:  # fmt: skip
        """Write down that the bytes of these are about to leave, and when that is on the server's
        clock."""
        told = server_time.isoformat() if server_time else None
        self.db.conn.executemany(
            "UPDATE call SET sends = sends + 1, sent_at = ?, server_time = ?, "
            "token_generation = ? WHERE id = ?",
            [(now.isoformat(), told, generation, call.id) for call in calls],
        )

    def answered(self, calls: Sequence[tuple[int, int, str]]) -> None:
        """Write down what came back for these calls: the status and the body, shortened."""
        self.db.conn.executemany(
            "UPDATE call SET status = ?, answer = ? WHERE id = ?",
            [(status, excerpt, call) for call, status, excerpt in calls],
        )

    def end(self, intent_id: int, ending: Ending, outcome: str) -> None:
        """Close an intent; its call closes with its last intent."""
        self.end_all([(intent_id, ending, outcome)])
        self.db.execute(
            "UPDATE call SET state = 'closed' WHERE id = (SELECT call FROM intent WHERE id = ?) "
            "AND NOT EXISTS (SELECT 1 FROM intent i WHERE i.call = call.id AND i.state = 'open')",
            (intent_id,),
        )

    def end_all(self, endings: Sequence[Ended]) -> None:
        """Close these intents; `close_calls` follows for their calls."""
        self.db.conn.executemany(
            "UPDATE intent SET state = ?, outcome = ? WHERE id = ?",
            [(ending, outcome, intent) for intent, ending, outcome in endings],
        )

    def close_calls(self, calls: Sequence[int]) -> None:
        """No send of these calls may follow, though some of their intents may still be open; once
        none is, nothing is left to find out about a call."""
        self.db.conn.executemany(
            "UPDATE call SET state = iif(EXISTS (SELECT 1 FROM intent i WHERE i.call = call.id) "
            "AND NOT EXISTS (SELECT 1 FROM intent i WHERE i.call = call.id AND i.state = 'open'), "
            "'closed', 'answered') WHERE id = ? AND state = 'open'",
            [(call,) for call in calls],
        )

    # --- reading ------------------------------------------------------------

    def made(self, marker: str) -> Action | None:
        """The newest write that is known to have made, or rewritten, what bears this marker."""
        return self.reads.value(_MADE, marker, _action)

    def fetch(
        self, *, markers: Iterable[str] = (), subjects: Iterable[str] = (),
        targets: Iterable[str] = (),
    ) -> None:  # fmt: skip
        """Read for the group that is being gathered (state/reads.py) what made these markers, and
        whether writes for these subjects, or to these targets in the ledger, are open."""
        self.reads.fetch(_MADE, markers)
        self.reads.fetch(_OPEN_FOR, subjects)
        self.reads.fetch(_OPEN_TO["ledger"], targets)

    def intents(self, ids: Iterable[int]) -> dict[int, Intent]:
        """These intents by their number, whatever became of them."""
        found: dict[int, Intent] = {}
        for intent_id in set(ids):
            found.update((i.id, i) for i in self._intents("id = ?", (intent_id,)))
        return found

    def of_batch(self, batch: int) -> list[Intent]:
        """All intents of this batch's own calls, in order."""
        where = "call IN (SELECT id FROM call WHERE batch = ?) ORDER BY id"
        return self._intents(where, (batch,))

    def done_since(self, at: datetime) -> list[Intent]:
        """What calls that were opened from then on have written, oldest first."""
        where = (
            "state = 'done' AND call >= (SELECT coalesce(min(id), 0) FROM call "
            "WHERE opened_at >= ?) AND EXISTS (SELECT 1 FROM call WHERE opened_at >= ?) ORDER BY id"
        )
        return self._intents(where, (at.isoformat(), at.isoformat()))

    def open_intents(self) -> list[Intent]:
        """All intents whose outcome is not known, oldest first."""
        return self._intents("state = 'open' ORDER BY id", ())

    def open_without_intents(self, side: Receiver) -> list[JournaledCall]:
        """Calls that carry no action (the CRM's own fields) and whose outcome is not known."""
        rows = self.db.execute(
            "SELECT id FROM call WHERE side = ? AND state = 'open' "
            "AND NOT EXISTS (SELECT 1 FROM intent i WHERE i.call = call.id) ORDER BY id",
            (side,),
        )
        return [self.call(row[0]) for row in rows.fetchall()]

    def busy(self, targets: Sequence[tuple[Receiver, str]]) -> bool:
        """Whether one of these records has an open intent."""
        return any(self.reads.rows(_OPEN_TO[side], target) for side, target in targets)

    def busy_subject(self, subject: str) -> bool:
        """Whether a write for this deal is open."""
        return bool(self.reads.rows(_OPEN_FOR, subject))

    def knows_marker(self, marker: str) -> bool:
        """Whether this state ever meant to create what bears this marker."""
        return bool(self.db.execute("SELECT 1 FROM intent WHERE marker = ?", (marker,)).fetchone())

    def sends_of_marker(self, marker: str) -> int:
        """How often bytes left that would create what bears this marker."""
        row = self.db.execute(
            "SELECT coalesce(sum(c.sends), 0) FROM intent i JOIN call c ON c.id = i.call "
            "WHERE i.marker = ?",
            (marker,),
        ).fetchone()
        return int(row[0])

    def ending(self, target: str) -> tuple[str, str]:
        """State and outcome, in words, of the newest write to this target."""
        row = self.db.execute(
            "SELECT state, coalesce(outcome, '') FROM intent WHERE target = ? ORDER BY id DESC",
            (target,),
        ).fetchone()
        return (row[0], row[1]) if row else ("", "")

    def call(self, call_id: int) -> JournaledCall:
        row = self.db.execute(
            "SELECT id, side, request, sends, server_time, sent_at, token_generation, status "
            "FROM call WHERE id = ?",
            (call_id,),
        ).fetchone()
        return JournaledCall(
            row[0], row[1], msgspec.json.decode(row[2], type=Request), row[3],
            datetime.fromisoformat(row[4]) if row[4] else None,
            datetime.fromisoformat(row[5]) if row[5] else None, row[6], row[7],
        )  # fmt: skip

    def _intents(self, where: str, values: tuple[object, ...]) -> list[Intent]:
        rows = self.db.execute(
            "SELECT id, call, position, side, action, state, "  # noqa: S608
            f"(SELECT batch FROM call WHERE call.id = intent.call) FROM intent WHERE {where}",
            values,
        )
        return [Intent(r[0], r[1], r[2], r[3], _decode_action(r[4]), r[5], r[6]) for r in rows]

    # --- setbacks and parked records ------------------------------------------------------------

    def setbacks(self) -> dict[str, int]:
        """How many calls that carried a record failed whole, for each with which one did."""
        return dict(self.db.execute("SELECT target, count FROM setback").fetchall())

    def set_back(self, target: str) -> None:
        self.db.execute(
            "INSERT INTO setback VALUES (?, 1) ON CONFLICT DO UPDATE SET count = count + 1",
            (target,),
        )

    def forget_setbacks(self, targets: Collection[str]) -> None:
        self.db.conn.execute(
            "DELETE FROM setback WHERE target IN (SELECT value FROM json_each(?))",
            (msgspec.json.encode(list(targets)).decode(),),
        )
