"""A row that holds a record's fields, or a write's, gives back each value as it was."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from syncjob.state.audit import AuditRow
from syncjob.state.database import State
from syncjob.state.fields import packed, packed_changes, rewritten, unpacked, unpacked_changes
from syncjob.state.links import Base

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
ODD = ['Zoë "Z" O\'Hara', "two\nlines", '{"lines":["1 \\"A\\" St"]}', "", "\x01", "日本 😀", "\\"]


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    made = State(tmp_path / "state.db")
    yield made
    made.close()


@pytest.mark.parametrize("value", [*ODD, None])
@pytest.mark.parametrize("other", [*ODD, None])
def test_each_value_comes_back(value: str | None, other: str | None) -> None:
    for field in (*ODD, "name"):
        assert unpacked(packed({field: (value, other)})) == {field: (value, other)}
        for rule in (None, "", "owners.name"):
            change = (field, value, other, rule)
            assert unpacked_changes(packed_changes([change, change])) == [change, change]


def test_a_long_text_that_both_say_is_kept_once() -> None:
    text = "https://go.xero.com/" * 5
    assert packed({"link": (text, text)}).count(text) == 1


def test_new_fields_lie_over_those_of_before(state: State) -> None:
    links, target = state.links, "deal:7"
    with state.commit():
        links.agree("crm", target, {"b": "1", ODD[0]: "x"}, {"b": "1.0", ODD[0]: None})
        links.agree("crm", target, {"a": None, "b": None}, {"a": None, "b": None})
        links.agree("crm", target, {}, {"c": "no field of ours"})
        links.agree("ledger", target, {"b": "other"}, {})
    said = {"a": Base(None, None), "b": Base(None, None), ODD[0]: Base("x", None)}
    assert links.base("crm", target) == said
    assert list(links.base("crm", target)) == sorted(said)
    assert links.base("ledger", target) == {"b": Base("other", None)}
    with state.commit():
        links.agree("crm", target, {ODD[0]: "y"}, {ODD[0]: "y"})
    assert links.base("crm", target) == {**said, ODD[0]: Base("y", "y")}
    with state.commit():
        links.forget_base("crm", target)
    assert (links.base("crm", target), len(links.base("ledger", target))) == ({}, 1)


def test_a_record_without_fields_has_no_row(state: State) -> None:
    with state.commit():
        state.links.agree("crm", "deal:7", {}, {})
        state.contacts.agree("org:1", {})
    assert state.db.execute("SELECT count(*) FROM base").fetchone()[0] == 0


def test_a_group_reads_bases_at_once(state: State) -> None:
    with state.commit():
        for deal in "78":
            state.links.agree("crm", f"deal:{deal}", {"a": deal}, {"a": deal})
    asked: list[str] = []
    with state.gathering():
        state.links.fetch_bases("crm", ["deal:7", "deal:8", "deal:9"])
        state.db.conn.set_trace_callback(asked.append)
        found = [state.links.base("crm", f"deal:{deal}") for deal in "7897"]
        state.db.conn.set_trace_callback(None)
    assert found == [{"a": Base("7", "7")}, {"a": Base("8", "8")}, {}, {"a": Base("7", "7")}]
    assert asked == []


def test_a_pair_moves_and_merges_as_a_whole(state: State) -> None:
    both, links = state.contacts, state.links
    with state.commit():
        both.agree("org:1", {"name": ("A", "A Pty"), "email": (None, "a@b.example")})
        both.agree("org:1", {"name": ("B", "B")})
        both.agree("org:2", {"name": ("C", "C"), "phones": ("1", "1")})
        both.move_link("org:1", "org:2")
        links.agree("crm", "deal:1", {"a": "1", "b": "1"}, {"a": "1", "b": "1"})
        links.agree("crm", "deal:2", {"b": "2"}, {"b": "2"})
        for old in ("deal:1", "deal:4"):
            state.merges.move_base(old.removeprefix("deal:"), "2")
        state.merges.move_base("2", "3")
    assert both.base("org:1") == {}
    assert both.base("org:2") == {"name": ("B", "B"), "email": (None, "a@b.example")}
    merged = {"a": Base("1", "1"), "b": Base("2", "2")}
    assert links.base("crm", "deal:2") == links.base("crm", "deal:3") == merged


def test_a_write_is_one_row_and_says_each_field_with_its_rule(state: State) -> None:
    changes = {"name": (None, "A"), "email": ("a", None), "terms": (None, None)}
    named = {"name": "owners.name", "email": "owners.email"}
    with state.commit():
        for rules in (named, "won deals", ""):
            state.book.record(
                batch=3, at=NOW, side="ledger", target="contact:9", subject="contact:org:1",
                changes=changes, reason="so", intent=7, rules=rules,
            )  # fmt: skip
        state.book.record(
            batch=3, at=NOW, side="ledger", target="contact:9", subject="contact:org:1",
            changes={}, reason="nothing", intent=8,
        )  # fmt: skip
    assert state.db.execute("SELECT count(*) FROM audit").fetchone()[0] == 3
    rows = state.audit.rows_of(target="contact:9")
    assert [row.rule for row in rows] == ["owners.name", "owners.email", "", *["won deals"] * 3,
                                          "", "", ""]  # fmt: skip
    assert [(r.field, (r.before, r.after)) for r in rows[:3]] == list(changes.items())
    assert rows[0] == AuditRow(
        id=rows[0].id, batch=3, at=NOW.isoformat(), side="ledger", target="contact:9",
        subject="contact:org:1", field="name", before=None, after="A", reason="so",
        rule="owners.name", intent=7,
    )  # fmt: skip
    last = state.audit.last_of("ledger", "contact:9", "email")
    assert last == rows[7]


def test_only_values_are_rewritten(state: State) -> None:
    name = 'Zoë "Z"'
    with state.commit():
        state.contacts.agree("org:1", {name: (name, f"by {name}"), "email": (None, "z@z.example")})
        for intent in range(2500):  # more than are looked through at once
            state.book.record(
                batch=1, at=NOW, side="crm", target=f"contact:{intent}", subject="contact:org:1",
                changes={name: (None, name if intent % 1000 == 999 else "x")}, reason="so",
                intent=intent, rules={name: name},
            )  # fmt: skip
        before = state.changes
        for table in ("base", "audit"):
            state.contacts.rewrite_fields(table, lambda text: text.replace(name, "-"))
        assert state.changes - before == 3
    assert state.contacts.base("org:1") == {name: ("-", "by -"), "email": (None, "z@z.example")}
    rows = state.audit.rows_of()
    assert {row.intent for row in rows if row.after == "-"} == {999, 1999}
    assert {(row.field, row.rule) for row in rows} == {(name, name)}
    assert state.contacts.said(["pair:org:1", "contact:999"], but=["email"]) == ["-", "by -"]
    assert rewritten("{}", str.upper) == "{}"
