"""What is kept for people and for the next batch: issues, audit, batches, facts.

Keeps invariant 10 (a refused record waits until its fingerprint changes) and the audit trail.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import TypeVar

import msgspec
from sqlite_utils import Database

from syncjob.core.actions import Issue
from syncjob.core.records import Side
from syncjob.core.reports import GOOD
from syncjob.state.fields import packed_changes
from syncjob.state.reads import Ask, Lookup, Reads, Row

T = TypeVar("T", bound=msgspec.Struct)

#: More than a day has minutes; older batches are not looked at.
BATCHES_COUNTED = 3000
_ISSUE = "id, code, subject, state, what, next_step, field, page, about, opened_at, ignored_until"
_OPEN_ISSUES = Lookup(_ISSUE, "issue", "subject", where="closed_at IS NULL", order="id", rare=True)
_FACT = Lookup("value", "meta", "key")
_REFUSED = Lookup("fingerprint, issue", "parked", "target", rare=True)
#: The part of a target behind its kind, as it is indexed; what begins with a deal's own prefix.
_NAME = "substr(target, instr(target, ':') + 1)"
_REFUSED_OF = Ask(
    "SELECT target, fingerprint, issue FROM parked "  # noqa: S608
    f"WHERE {_NAME} >= ?1 AND {_NAME} < ?1 || '~'",
    "SELECT asked, target, fingerprint, issue "  # noqa: S608
    "FROM (SELECT value AS asked FROM json_each(?)) CROSS JOIN parked "
    f"WHERE {_NAME} >= asked AND {_NAME} < asked || '~'",
    "SELECT 1 FROM parked LIMIT 1",
)


class OpenIssue(msgspec.Struct, frozen=True):
    """An issue with when it was opened, and until when a person wants to hear nothing of it."""

    id: int
    issue: Issue
    opened_at: str
    ignored_until: str | None = None

    def ignored(self, now: datetime) -> bool:
        """Whether a person has put it aside for now: it stops what it stops, and is not told."""
        return self.ignored_until is not None and self.ignored_until > now.isoformat()


class Book:
    """Everything that is not a snapshot, a link or the journal."""

    def __init__(self, db: Database, reads: Reads) -> None:
        self.db, self.reads = db, reads

    # --- facts ------------------------------------------------------------

    def fact(self, key: str) -> str | None:
        """A fact about this state, such as the pinned organisation's id."""
        row = self.reads.row(_FACT, key)
        return row[0] if row else None

    def fetch_facts(self, keys: Iterable[str]) -> None:
        """Read these for the group that is being gathered (state/reads.py)."""
        self.reads.fetch(_FACT, keys)

    def note(self, key: str, value: str | None) -> None:
        """Set a fact; None removes it."""
        if value is None:
            self.db.execute("DELETE FROM meta WHERE key = ?", (key,))
        else:
            self.db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def instant(self, key: str) -> datetime | None:
        value = self.fact(key)
        return datetime.fromisoformat(value) if value else None

    # --- reference data ------------------------------------------------------------

    def reference(self, side: Side, kind: type[T]) -> tuple[T, datetime, str] | None:
        """The cached reference data with when it was read and its hash."""
        row = self.db.execute(
            "SELECT body, read_at, hash FROM reference WHERE side = ?", (side,)
        ).fetchone()
        if row is None:
            return None
        return msgspec.json.decode(row[0], type=kind), datetime.fromisoformat(row[1]), row[2]

    def remember_reference(self, side: Side, body: bytes, at: datetime, digest: str) -> None:
        self.db.execute(
            "INSERT OR REPLACE INTO reference VALUES (?, ?, ?, ?)",
            (side, body, at.isoformat(), digest),
        )

    # --- issues ------------------------------------------------------------

    def raise_issue(self, issue: Issue, *, batch: int, at: datetime) -> bool:
        """Open the issue, or bring an open one up to date. True if it is new.

        One that was put aside is told again once its cause is another."""
        old = self.db.execute(
            "SELECT id, what, field FROM issue WHERE subject = ? AND code = ? "
            "AND closed_at IS NULL",
            (issue.subject, issue.code),
        ).fetchone()
        values = (
            issue.state, issue.what, issue.next_step, issue.field, issue.page, issue.about
        )  # fmt: skip
        if old:
            self.db.execute(
                "UPDATE issue SET state = ?, what = ?, next_step = ?, field = ?, page = ?, "
                "about = ?, raised_at = ?, ignored_until = iif(?, ignored_until, NULL) "
                "WHERE id = ?",
                (*values, at.isoformat(), old[1:] == (issue.what, issue.field), old[0]),
            )
            return False
        self.db.execute(
            "INSERT INTO issue (state, what, next_step, field, page, about, code, subject, "
            "opened_at, raised_at, opened_batch) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*values, issue.code, issue.subject, at.isoformat(), at.isoformat(), batch),
        )
        return True

    def close_issues(self, subject: str, *, keep: set[str], at: datetime) -> int:
        """Close the subject's issues whose cause is gone: all but the codes to keep."""
        rows = self.db.execute(
            "SELECT id, code FROM issue WHERE subject = ? AND closed_at IS NULL", (subject,)
        ).fetchall()
        gone = [row[0] for row in rows if row[1] not in keep]
        for issue_id in gone:
            self.db.execute(
                "UPDATE issue SET closed_at = ? WHERE id = ?", (at.isoformat(), issue_id)
            )
        return len(gone)

    def open_issues(self, subject: str | None = None) -> list[OpenIssue]:
        """The open issues, oldest first; of one subject if given."""
        if subject is not None:
            return [_open_issue(row) for row in self.reads.rows(_OPEN_ISSUES, subject)]
        rows = self.db.execute(f"SELECT {_ISSUE} FROM issue WHERE closed_at IS NULL ORDER BY id")  # noqa: S608
        return [_open_issue(row) for row in rows.fetchall()]

    def complained(self, kind: str) -> set[str]:
        """The records of this kind ("deals:") that an open issue names."""
        rows = self.db.execute(
            "SELECT subject FROM issue WHERE closed_at IS NULL AND subject >= ? AND subject < ?",
            (kind, f"{kind}~"),
        )
        return {row[0] for row in rows.fetchall()}

    def held_deals(self, since: str | None) -> list[str]:
        """The deals that an open issue names; `since`: only those that are held from then on."""
        if since is None:
            return sorted(subject.removeprefix("deal:") for subject in self.complained("deal:"))
        rows = self.db.execute(
            "SELECT DISTINCT subject FROM issue WHERE closed_at IS NULL AND opened_at >= ? "
            "AND state = 'held' AND subject GLOB 'deal:*'",
            (since,),
        )
        return sorted(row[0].removeprefix("deal:") for row in rows.fetchall())

    def fetch_issues(self, subjects: Iterable[str]) -> None:
        """Read the open issues of these for the group that is being gathered (state/reads.py)."""
        self.reads.fetch(_OPEN_ISSUES, subjects)

    # --- parked records ------------------------------------------------------------

    def park(self, target: str, fingerprint: str, issue: Issue) -> None:
        """The vendor refused this; send it again only when its fingerprint changes."""
        self.db.execute(
            "INSERT OR REPLACE INTO parked VALUES (?, ?, ?)",
            (target, fingerprint, msgspec.json.encode(issue)),
        )

    def parked(self, target: str, fingerprint: str) -> Issue | None:
        """The issue, if the vendor refused exactly this before."""
        row = self.db.execute(
            "SELECT issue FROM parked WHERE target = ? AND fingerprint = ?", (target, fingerprint)
        ).fetchone()
        return msgspec.json.decode(row[0], type=Issue) if row else None

    def parked_about(self, prefix: str, targets: Iterable[str]) -> dict[str, tuple[str, Issue]]:
        """What was refused of these targets, and of those whose marker begins with the prefix."""
        rows = [(t, *row) for t in targets for row in self.reads.rows(_REFUSED, t)]
        rows += self.reads.rows(_REFUSED_OF, prefix)
        return {r[0]: (r[1], msgspec.json.decode(r[2], type=Issue)) for r in rows}

    def fetch_parked(self, prefixes: Iterable[str], targets: Iterable[str]) -> None:
        """Read what was refused of these for the group that is being gathered."""
        self.reads.fetch(_REFUSED_OF, prefixes)
        self.reads.fetch(_REFUSED, targets)

    def parked_for(self, targets: Iterable[str]) -> dict[str, tuple[str, Issue]]:
        """What was refused of these targets: the fingerprint and the issue that says so."""
        rows = self.db.execute(
            "SELECT target, fingerprint, issue FROM parked "
            "WHERE target IN (SELECT value FROM json_each(?))",
            (msgspec.json.encode(sorted(targets)).decode(),),
        )
        return {r[0]: (r[1], msgspec.json.decode(r[2], type=Issue)) for r in rows.fetchall()}

    def unpark(self, targets: Collection[str]) -> None:
        """What was refused of these is over."""
        self.db.conn.execute(
            "DELETE FROM parked WHERE target IN (SELECT value FROM json_each(?))",
            (msgspec.json.encode(list(targets)).decode(),),
        )

    def unpark_subject(self, subject: str) -> int:
        """Try again what was refused for this deal or customer; how many writes that is."""
        done = self.db.execute(
            "DELETE FROM parked WHERE json_extract(CAST(issue AS TEXT), '$.subject') = ?",
            (subject,),
        )
        return int(done.rowcount)

    def unpark_code(self, code: str) -> None:
        """Try again what was refused for this reason, which may have gone without any trace."""
        self.db.execute(
            "DELETE FROM parked WHERE json_extract(CAST(issue AS TEXT), '$.code') = ?", (code,)
        )

    def unpark_all(self) -> None:
        """The config or the accounts' own names changed: each refused write gets another try,
        also when they change back to what they were."""
        self.db.execute("DELETE FROM parked")

    # --- audit ------------------------------------------------------------

    def record(
        self,
        *,
        batch: int,
        at: datetime,
        side: str,
        target: str,
        subject: str,
        changes: Mapping[str, tuple[str | None, str | None]],
        reason: str,
        intent: int | None,
        rules: Mapping[str, str] | str = "",
    ) -> None:
        """Write down who changed what: one row with each field's value before and after, and the
        rule that decided (one for all, or one a field)."""
        if not changes:
            return
        if isinstance(rules, str):
            rule, own = rules, dict[str, str]()
        else:
            rule = rules.get(next(iter(changes)), "")
            own = {field: rules.get(field, "") for field in changes}
            own = {field: named for field, named in own.items() if named != rule}
        fields = packed_changes([(field, *pair, own.get(field)) for field, pair in changes.items()])
        self.db.conn.execute(
            "INSERT INTO audit (batch, at, side, target, subject, fields, reason, rule, intent) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (batch, at.isoformat(), side, target, subject, fields, reason, rule, intent),
        )

    # --- batches ------------------------------------------------------------

    def begin_batch(self, at: datetime) -> int:
        cursor = self.db.execute("INSERT INTO batch (started) VALUES (?)", (at.isoformat(),))
        return int(cursor.lastrowid or 0)

    def end_batch(
        self, batch: int, *, at: datetime, result: str, exit_code: int, counts: dict[str, int],
        calls: dict[str, int], resume_at: datetime | None,
    ) -> None:  # fmt: skip
        self.db.execute(
            "UPDATE batch SET ended = ?, result = ?, exit_code = ?, counts = ?, calls = ?, "
            "resume_at = ? WHERE id = ?",
            (at.isoformat(), result, exit_code, msgspec.json.encode(counts).decode(),
             msgspec.json.encode(calls).decode(), resume_at.isoformat() if resume_at else None,
             batch),
        )  # fmt: skip

    def calls_since(self, since: datetime) -> list[dict[str, int]]:
        """The calls to each vendor of each batch that has begun since then and come to an end, of
        the last few thousand."""
        rows = self.db.execute(
            "SELECT calls FROM batch WHERE id > (SELECT max(id) FROM batch) - ? "
            "AND started >= ? AND ended IS NOT NULL",
            (BATCHES_COUNTED, since.isoformat()),
        )
        return [msgspec.json.decode(row[0] or "{}", type=dict[str, int]) for row in rows]

    def decided_before(self, batch: int) -> datetime | None:
        """When the newest batch before this one began that came to its end; None: none did."""
        row = self.db.execute(
            "SELECT started FROM batch WHERE id < ? "
            "AND result IN (SELECT value FROM json_each(?)) ORDER BY id DESC LIMIT 1",
            (batch, json.dumps(sorted(GOOD))),
        ).fetchone()
        return datetime.fromisoformat(row[0]) if row else None

    def last_batches(self, count: int) -> list[dict[str, object]]:
        """The newest batches, newest first, as plain values."""
        rows = self.db.execute(
            "SELECT id, started, ended, result, exit_code, counts, calls, resume_at FROM batch "
            "ORDER BY id DESC LIMIT ?",
            (count,),
        )
        names = ("id", "started", "ended", "result", "exit_code", "counts", "calls", "resume_at")
        return [dict(zip(names, row, strict=True)) for row in rows.fetchall()]


def _open_issue(row: Row) -> OpenIssue:
    return OpenIssue(
        row[0],
        Issue(code=row[1], subject=row[2], state=row[3], what=row[4], next_step=row[5],
              field=row[6], page=row[7], about=row[8]),
        row[9], row[10],
    )  # fmt: skip
