"""What must never happen: old deals invoiced, drafts approved, another firm's books written."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from syncjob.connectors.xero.connector import CAPABILITIES
from syncjob.errors import Exit
from tests.crash.conftest import MakeWorld
from tests.crash.kit import CrashWorld, minutes, sales, truth


def test_500_deals_won_before_won_since(make_world: MakeWorld):
    w = make_world()
    sales(w, 500, 50, won="2026-10-31T09:00:00Z")
    w.init()
    mark = w.mark()
    ended = w.child()
    assert ended.returncode == Exit.DONE, ended.stdout + ended.stderr
    w.advance(minutes(30))
    assert w.run(since=None).exit_code == Exit.DONE
    assert w.writes(mark) == []
    assert w.invoices() == []
    assert w.contacts() == []
    assert not any(d.get("custom_fields") for d in w.crm_state()["deals"].values())


def test_a_wider_reading_window_makes_no_invoice_of_an_old_deal(make_world: MakeWorld):
    w = make_world()
    sales(w, 20, 5, won="2026-10-31T09:00:00Z")
    w.init()
    assert w.child("run", "--since", "2026-01-01").returncode == Exit.DONE
    assert w.invoices() == []
    assert w.contacts() == []


def test_drafts_only_outranks_a_rule_that_says_authorised(make_world: MakeWorld):
    w = make_world(config={"mode": "drafts_only", "invoices": {"status": "authorised"}})
    sales(w, 30, 10)
    w.init()
    mark = w.mark()
    assert w.child().returncode in (Exit.DONE, Exit.ISSUES)
    w.advance(minutes(20))
    w.run()
    assert {i["status"] for i in w.invoices()} == {"DRAFT"}
    assert len(w.invoices()) == 30
    attempts = [c for c in w.writes(mark) if "AUTHORISED" in c["body"] or "SUBMITTED" in c["body"]]
    assert attempts == []
    assert not [c for c in w.writes(mark) if c["method"] == "POST" and "/Invoices" in c["path"]]


def test_read_only_writes_nothing(make_world: MakeWorld):
    w = make_world()
    sales(w, 10, 5)
    w.init()
    w.overrides = {"mode": "read_only"}
    mark = w.mark()
    assert w.child().returncode in (Exit.DONE, Exit.ISSUES)
    assert w.writes(mark) == []


# --- another organisation -----------------------------------------------------------------------


def snapshots(w: CrashWorld) -> dict[str, list[tuple[object, ...]]]:
    """What the state knows of both sides, and how far it has read."""
    with closing(sqlite3.connect(w.state_file)) as db:
        return {
            table: db.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
            for table in ("snapshot", "cursor", "part", "contact_link", "base", "reference", "call")
        }


@pytest.mark.parametrize("expire", [True, False], ids=["new-token", "old-token"])
@pytest.mark.parametrize("days", [0, 2])
def test_a_reconnect_to_another_organisation(make_world: MakeWorld, expire, days):
    """The same credentials open other books: nothing is written, nothing of them is kept."""
    w = make_world()
    sales(w, 5, 3)
    w.init()
    assert w.run().exit_code == Exit.DONE
    held, known = truth(w), snapshots(w)
    other = w.books("reconnect_other_organisation", name="Somebody Else Ltd")
    if expire:
        w.books("expire_tokens")
    w.advance(minutes(days * 24 * 60 + 5))
    sales(w, 3, 2)
    mark = w.mark()
    if not expire and not days:
        # The old token opens nothing any more; the next one, half an hour later, the other books.
        assert w.child("run").returncode == Exit.CREDENTIALS
        w.advance(minutes(31))
    for command in (("run",), ("plan",), ("run", "--deal", "1")):
        ended = w.child(*command)
        assert ended.returncode == Exit.WRONG_ORGANISATION, ended.stdout + ended.stderr
        said = ended.stdout + ended.stderr
        assert "Somebody Else Ltd" in said
        assert "Sandbox Company" in said
    assert w.writes(mark) == []
    after = truth(w)
    assert (after["invoices"], after["contacts"]) == (held["invoices"], held["contacts"])
    assert snapshots(w) == known
    books = next(
        o for o in w.ledger_state()["organisations"] if o["id"] == other["done"]["organisation"]
    )
    assert not books["invoices"]
    assert not books["contacts"]


@pytest.mark.parametrize("stage", ["pull", "fill", "plan", "push"])
def test_a_reconnect_in_the_middle_of_a_batch(make_world: MakeWorld, stage, monkeypatch):
    """The books change under a running batch: seen before anything else is read or written."""
    monkeypatch.setitem(CAPABILITIES.batch, "invoice.create", 10)  # four calls of these a round
    w = make_world()
    sales(w, 60, 5)
    w.init()
    other: list[str] = []

    def move(now: str, done: int, _total: int | None) -> None:
        if now == stage and not other and (stage != "push" or done > 5):
            made = w.books("reconnect_other_organisation", name="Somebody Else Ltd")
            w.books("expire_tokens")
            other.append(made["done"]["organisation"])

    report = w.run(progress=move)
    assert report.exit_code == Exit.WRONG_ORGANISATION, report
    books = next(o for o in w.ledger_state()["organisations"] if o["id"] == other[0])
    assert not books["invoices"]
    assert not books["contacts"]
    assert len(w.invoices()) == (40 if stage == "push" else 0)
