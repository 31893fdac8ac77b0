"""A state of an older version says after its migration what it said before, field by field."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlite_utils import Database

from syncjob.core.records import Deal
from syncjob.errors import StateError
from syncjob.state import schema
from syncjob.state.audit import AuditRow
from syncjob.state.database import State
from syncjob.state.links import Base

#: The last version that had a row for each field.
A_ROW_A_FIELD = 17
ODD = ['Zoë "Z" O\'Hara', "two\nlines\ttabbed", '{"lines":["1 \\"A\\" St"],"city":"Zürich"}',
       "", "\x01", "日本 😀", "\\", "null", "[1]", "\x08\x1f\x7f\u2028/"]  # fmt: skip
LINK = "https://go.xero.com/organisationlogin/default.aspx?shortcode=!7ed4d&redirecturl=/View%3FI"

#: (side, target, field, wanted, stored)
BASES: list[tuple[str, str, str, str | None, str | None]] = [
    ("crm", "deal:7", "Invoice paid", "0.00", "0"),
    ("crm", "deal:7", "Invoice link", LINK, LINK),
    ("crm", "deal:7", "Invoice note", None, None),
    ("crm", "deal:7", "Invoice due", "12.50", None),
    ("crm", "deal:7", "move.refused", "paid > Done", 'Stage "Done"\nis gone'),
    ("crm", "deal:7", 'A "field" of Zoë\\', None, "so"),
    ("ledger", "invoice:f3df", "status", "draft", "draft"),
    ("ledger", "invoice:f3df", "line1", "description=A; quantity=1", "description=A; quantity=1"),
    ("people", "message:7", "sent", "yes", "yes"),
    *(("ledger", f"contact:{n}", "name", value, value) for n, value in enumerate(ODD)),
    *(("ledger", f"contact:{n}", "email", value, ODD[n - 1]) for n, value in enumerate(ODD)),
]
#: What the CRM and what the ledger said of a pair's fields.
PAIRS: dict[str, dict[str, tuple[str | None, str | None]]] = {
    "org:1": {"name": ("Acme", "Acme Pty"), "email": ("a@acme.example", "a@acme.example"),
              "phones": (None, ODD[1]), "street": (ODD[2], ODD[2]), "tax_number": (None, None)},
    "person:2": {"name": (ODD[0], ODD[5])},
}  # fmt: skip


def write(
    target: str, subject: str, fields: dict[str, tuple[str | None, str | None]], **others: Any
) -> list[AuditRow]:
    told = {"batch": 3, "at": "2026-11-22T07:16:05.405723+00:00", "side": "ledger",
            "reason": "the deal is won", "rule": "won deals", "intent": 298, **others}  # fmt: skip
    return [
        AuditRow(id=0, target=target, subject=subject, field=field, before=before, after=after,
                 **told)
        for field, (before, after) in fields.items()
    ]  # fmt: skip


OWNED = [
    row
    for rule, field in (("owners.email", "email"), ("owners.name", "name"), ("owners.email", "b"))
    for row in write("contact:9", "contact:org:1", {field: ("x", "y")}, rule=rule, intent=301)
]
AUDIT = [
    *write("invoice:SJ-7-A1", "deal:7", {"status": (None, "draft"), "date": (None, "2026-11-22"),
                                         "a last": (None, None), "line1": ("old", None)}),
    *write("deal:7", "deal:7", {"Invoice status": (None, "draft")}, side="crm", intent=598),
    # Twice the same, in one moment: two rows then, two rows now.
    *write("link:org:1", "contact:org:1", {"link": (None, "9")}, side="us", intent=None),
    *write("link:org:1", "contact:org:1", {"link": (None, "9")}, side="us", intent=None),
    *write("link:org:2", "contact:org:2", {"link": (None, "8")}, side="us", intent=None, batch=4),
    *OWNED,
    *write("contact:9", "contact:org:1",
           {f"field {n}": (value, ODD[n - 1]) for n, value in enumerate(ODD)}, intent=302),
    *write("field:deal:x", "connection", {"field": (None, "x")}, intent=None, rule=""),
]  # fmt: skip


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A state file as that version left it."""
    path = tmp_path / "state.db"
    with closing(sqlite3.connect(path)) as db, db:
        for statements in schema.MIGRATIONS[:A_ROW_A_FIELD]:
            for statement in statements:
                db.execute(statement)
        db.execute(f"PRAGMA user_version = {A_ROW_A_FIELD}")
        _fill(db)
    return path


def _fill(db: sqlite3.Connection) -> None:
    pairs = [
        (side, f"pair:{crm_id}", field, value, value)
        for crm_id, fields in PAIRS.items()
        for field, both in fields.items()
        for side, value in zip(("crm", "ledger"), both, strict=True)
    ]
    db.executemany("INSERT INTO base VALUES (?, ?, ?, ?, ?)", [*BASES, *pairs])
    db.executemany(
        "INSERT INTO audit (id, batch, at, side, target, subject, field, before, after, reason, "
        "intent, rule) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            # Numbers with a gap in the middle of a write.
            (n + 1 + 5 * (n > 1), r.batch, r.at, r.side, r.target, r.subject, r.field, r.before,
             r.after, r.reason, r.intent, r.rule)
            for n, r in enumerate(AUDIT)
        ],
    )  # fmt: skip
    db.executemany(
        "INSERT INTO snapshot VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            ("crm", "deals", "7", None, "h", b'{"id":"7","title":"x","status":"won"}', 3, 1),
            ("crm", "deals", "8", "2026-11-22", "i", b'{"id":"8"}', 3, 0),
            ("ledger", "invoices", "f3df", None, "j", b"\x00\xff", 2, 0),
        ],
    )


@pytest.fixture
def state(old: Path) -> Iterator[State]:
    made = State(old)
    yield made
    made.close()


def test_bases_say_what_they_said(state: State) -> None:
    wanted: dict[tuple[Any, str], dict[str, Base]] = {}
    for side, target, field, want, stored in BASES:
        wanted.setdefault((side, target), {})[field] = Base(want, stored)
    for (side, target), fields in wanted.items():
        found = state.links.base(side, target)
        assert found == fields
        assert list(found) == sorted(fields)
    assert {crm_id: state.contacts.base(crm_id) for crm_id in PAIRS} == PAIRS
    rows = state.db.execute("SELECT count(*) FROM base").fetchone()[0]
    assert rows == len(wanted) + len(PAIRS)


def test_what_is_agreed_anew_lies_over_what_was(state: State) -> None:
    links, target = state.links, "deal:7"
    old = {field: value.stored for field, value in links.base("crm", target).items()}
    with state.commit():
        for n, field in enumerate([*old, *ODD]):
            links.agree("crm", target, {field: ODD[n % len(ODD)]}, {field: old.get(field)})
        state.contacts.agree("org:1", {"email": (None, "")})
    found = links.base("crm", target)
    assert set(found) == {*old, *ODD}
    for n, field in enumerate([*old, *ODD]):
        assert found[field] == Base(ODD[n % len(ODD)], old.get(field))
    assert state.contacts.base("org:1") == {**PAIRS["org:1"], "email": (None, "")}


def test_the_audit_says_what_it_said(state: State) -> None:
    def said(rows: list[AuditRow]) -> list[tuple[Any, ...]]:
        return [tuple(getattr(r, f) for f in r.__struct_fields__ if f != "id") for r in rows]

    audit = state.audit
    assert said(audit.rows_of()) == said(AUDIT)
    for name in ("batch", "target", "subject"):
        for value in {getattr(row, name) for row in AUDIT}:
            rows = [row for row in AUDIT if getattr(row, name) == value]
            assert said(audit.rows_of(**{name: value})) == said(rows)
    for row in AUDIT:
        named = (row.side, row.target, row.field)
        last = [r for r in AUDIT if (r.side, r.target, r.field) == named][-1]
        found = audit.last_of(row.side, row.target, row.field)
        assert found is not None
        assert said([found]) == said([last])
    assert audit.last_of("crm", "deal:7", "no such field") is None


def test_one_write_becomes_one_row(state: State) -> None:
    rows = state.db.execute("SELECT intent, count(*) FROM audit GROUP BY 1").fetchall()
    counts = dict(rows)
    assert counts[598] == counts[302] == 1
    assert counts[298] == 2  # the numbers have a gap: a row more says the same
    assert counts[301] == 3  # each by a rule of its own


def test_snapshots_and_their_counts_stay(state: State) -> None:
    tally = "SELECT name, count FROM tally WHERE name <> 'part'"
    assert dict(state.db.execute(tally).fetchall()) == {"crm.deals": 2, "ledger.invoices": 1}
    kept = state.db.execute("SELECT * FROM snapshot ORDER BY side, id").fetchall()
    assert kept[1] == ("crm", "deals", "8", "2026-11-22", "i", b'{"id":"8"}', 3, 0)
    assert kept[2][5] == b"\x00\xff"
    deal = Deal(id="9", title="New", status="won", currency="AUD", value=Decimal(1))
    with state.commit():
        state.snapshots.put("crm", "deals", [deal], batch=4, strong=True)
        state.snapshots.put("crm", "deals", [deal], batch=5, strong=True)
        state.merges.forget_record("deals", "7")
    assert dict(state.db.execute(tally).fetchall())["crm.deals"] == 2


def test_a_migrated_state_is_built_as_a_new_one(state: State, tmp_path: Path) -> None:
    new = State(tmp_path / "new.db")
    parts = "SELECT type, name, tbl_name FROM sqlite_master ORDER BY 1, 2, 3"
    assert state.db.execute(parts).fetchall() == new.db.execute(parts).fetchall()
    assert state.db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    new.close()


@pytest.mark.parametrize("number", range(A_ROW_A_FIELD, len(schema.MIGRATIONS)))
def test_a_migration_that_is_cut_off_is_done_again(
    old: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = schema.MIGRATIONS
    cut = (*whole[:number], (*whole[number], "INSERT INTO nothing VALUES (1)"))
    monkeypatch.setattr(schema, "MIGRATIONS", cut)
    with pytest.raises(StateError):
        State(old)
    with closing(sqlite3.connect(old)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (number,)
    monkeypatch.setattr(schema, "MIGRATIONS", whole)
    state = State(old)
    test_bases_say_what_they_said(state)
    test_the_audit_says_what_it_said(state)
    state.close()


def test_a_process_that_comes_too_late_leaves_a_migrated_state_alone(old: Path) -> None:
    class Late(Database):
        """Another process migrates the file just after this one has looked at its version."""

        looked = False

        def execute(self, sql: str, parameters: Any = None) -> Any:
            found = super().execute(sql, parameters)
            if self.looked or "user_version" not in sql:
                return found
            self.looked, row = True, found.fetchone()
            State(old).close()
            return SimpleNamespace(fetchone=lambda: row)

    late = Late(old)
    schema.migrate(late)
    late.close()
    state = State(old)
    assert state.db.execute("PRAGMA user_version").fetchone()[0] == len(schema.MIGRATIONS)
    test_bases_say_what_they_said(state)
    test_the_audit_says_what_it_said(state)
    test_snapshots_and_their_counts_stay(state)
    state.close()
