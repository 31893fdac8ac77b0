"""`syncjob issues` as a person types it, on both servers: list, retry, put aside, answer."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

import syncjob.cli
from syncjob.clock import SystemClock
from syncjob.core.actions import Issue
from syncjob.errors import Exit
from syncjob.logs import configure
from tests.engine.conftest import MakeWorld
from tests.engine.scenes import codes, invoice_of, minutes, quiet, sell, writes_to
from tests.engine.world import World

Type = Callable[..., tuple[int, str, str]]


@pytest.fixture
def type_(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Type]:
    """(exit code, stdout, stderr) of a command line on this world."""
    yield from _typing(world, monkeypatch, capsys)


def _typing(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Type]:
    monkeypatch.setattr("syncjob.engine.connection.open_connection", lambda _: world.connection())
    monkeypatch.setattr("syncjob.cli.issues.who", lambda: "maria@books")
    monkeypatch.setattr(SystemClock, "now", lambda _: world.clock.now())

    def command(*arguments: str) -> tuple[int, str, str]:
        code = syncjob.cli.run(["-c", str(world.write_config()), *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    yield command
    for handler in list(logging.getLogger("syncjob").handlers):
        logging.getLogger("syncjob").removeHandler(handler)
    configure(terminal=io.StringIO())


def _listed(type_: Type, *more: str) -> list[dict[str, Any]]:
    code, out, _ = type_("issues", "--json", *more)
    found = json.loads(out).get("issues", [])
    assert code == (Exit.ISSUES if found and not more else Exit.DONE) or more
    return list(found)


def _decided(world: World, subject: str) -> list[tuple[str, str, str]]:
    with world.connection() as handle:
        return [(d.kind, d.who, d.reason) for d in handle.state.decisions.of(subject)]


def test_what_needs_a_person_with_pages_answers_and_age(world: World, type_: Type) -> None:
    assert type_("issues") == (Exit.DONE, "Nothing needs a person.\n", "")
    deal = sell(world, org=None)
    world.run()
    minutes(world, 180)
    code, out, _ = type_("issues")
    assert code == Exit.ISSUES
    assert out.startswith("no_customer: since ")
    assert "(3 h, batch " in out
    assert f"deal:{deal} Spring order held: " in out
    assert "next: " in out
    assert f"/deal/{deal}" in out
    assert "with --never" in out
    assert "1 issue is open." in out
    (row,) = _listed(type_)
    assert row["pages"]["deal"].endswith(f"/deal/{deal}")
    assert _listed(type_, "--kind", "possible_double") == []
    said = "None of those is open. What is: no_customer (1).\n"
    assert type_("issues", "--kind", "no_custmer") == (Exit.DONE, said, "")
    assert [r["id"] for r in _listed(type_, "--subject", f"deal {deal}")] == [row["id"]]


def test_it_lists_while_a_batch_runs(world: World, type_: Type) -> None:
    sell(world, org=None)
    world.run()
    with world.connection() as handle, handle._lease():
        assert type_("issues")[0] == Exit.ISSUES


def test_an_issue_leads_to_both_systems(world: World, type_: Type) -> None:
    deal = sell(world)
    world.run()
    world.books("approve", invoice=invoice_of(world, deal)["number"])
    minutes(world, 5)
    world.run()
    world.crm("reopen", deal=deal)
    minutes(world, 5)
    world.run()
    rows = _listed(type_)
    assert rows[0]["pages"]["deal"].endswith(f"/deal/{deal}")
    assert "xero" in rows[0]["pages"]["invoice"]
    assert "--seen" in rows[0]["answers"]


def test_a_refused_record_is_tried_again_at_a_persons_word(world: World, type_: Type) -> None:
    deal = sell(world)
    world.fault(
        server="pipedrive", method="PATCH", path="/deals/", kind="status", status=400,
        body='{"success": false, "error": "Strange trouble."}',
    )  # fmt: skip
    report = world.run()
    assert codes(report) == ["refused"]
    mark = world.mark()
    minutes(world, 5)
    world.run()
    assert writes_to(world, mark, "/deals") == []
    (row,) = _listed(type_)
    code, out, _ = type_("issues", "retry", f"#{row['id']}", "--reason", "a bad day")
    assert (code, out) == (Exit.DONE, f"Noted: the next batch tries again #{row['id']}.\n")
    type_("issues", "retry", "deal", str(deal))  # asked twice is asked once
    assert "as a person asked" in type_("issues")[1]
    assert world.run().exit_code == 0
    assert world.deal_fields(deal)["Invoice status"] == "draft"
    assert _decided(world, f"deal:{deal}") == [("retry", "maria@books", "a bad day")]
    assert _listed(type_) == []
    code, out, _ = type_("issues", "--closed", "--since", "2026-11-01")
    assert code == Exit.DONE
    assert f"#{row['id']} deal:{deal}" in out
    code, _, err = type_("issues", "retry", str(row["id"]))
    assert code == Exit.ISSUES
    assert "has closed by itself" in err


def test_what_is_put_aside_is_not_told_and_stays_held(world: World, type_: Type) -> None:
    deal = sell(world, org=None)
    world.run()
    (row,) = _listed(type_)
    until = (world.time.now() + timedelta(days=10)).date().isoformat()
    code, out, _ = type_(
        "issues", "ignore", str(row["id"]), "--until", until, "--reason", "asked sales"
    )
    assert code == Exit.DONE
    assert "stays held" in out
    code, out, _ = type_("issues")
    assert (code, out) == (
        Exit.DONE, "Nothing needs a person. 1 put aside: `syncjob issues --ignored`.\n"
    )  # fmt: skip
    said = type_("status")
    assert "Put aside: 1" in said[1], said
    minutes(world, 65)
    report = world.run()  # the hour's look at what is held
    assert (report.exit_code, codes(report), world.invoices()) == (0, [], [])
    assert world.deal_fields(deal)["Invoice status"] == "held"
    (aside,) = _listed(type_, "--ignored")
    assert (aside["ignored_by"], aside["ignored_because"]) == ("maria@books", "asked sales")
    world.advance(timedelta(days=10))
    assert [r["id"] for r in _listed(type_)] == [row["id"]], "its day has come"


def test_another_cause_is_told_though_the_first_was_put_aside(world: World, type_: Type) -> None:
    deal = sell(world, org=None)
    world.run()
    type_("issues", "ignore", "deal", str(deal), "--until", "2099-01-01", "--reason", "r")
    assert _listed(type_) == []
    with world.connection() as handle, handle.state.commit():
        known = handle.state.book.open_issues(f"deal:{deal}")[0].issue
        from msgspec.structs import replace

        other = replace(known, what="Another cause.")
        assert not handle.state.book.raise_issue(other, batch=9, at=world.time.now())
    assert len(_listed(type_)) == 1


def test_told_again_before_the_day(world: World, type_: Type) -> None:
    deal = sell(world, org=None)
    world.run()
    type_("issues", "ignore", "--kind", "no_customer", "--until", "30d", "--reason", "r")
    assert _listed(type_) == []
    code, _, _ = type_("issues", "unignore", "--kind", "no_customer")
    assert code == Exit.DONE
    assert len(_listed(type_)) == 1
    assert [kind for kind, _, _ in _decided(world, f"deal:{deal}")] == [
        "ignore:no_customer", "unignore:no_customer"
    ]  # fmt: skip
    assert type_("issues", "unignore", "--kind", "no_customer")[0] == Exit.ISSUES


def test_answers_that_an_issue_takes_and_others(world: World, type_: Type) -> None:
    deal = sell(world, org=None)
    world.run()
    (row,) = _listed(type_)
    code, out, _ = type_("issues", "resolve", str(row["id"]))
    assert code == Exit.ISSUES
    assert f"syncjob issues resolve {row['id']} --never" in out
    code, _, err = type_("issues", "resolve", str(row["id"]), "--link", "INV-1")
    assert code == Exit.ISSUES
    assert "does not take that answer" in err
    code, out, _ = type_("issues", "resolve", str(row["id"]), "--never", "--reason", "a gift")
    assert code == Exit.DONE
    minutes(world, 1)
    assert codes(world.run()) == []
    assert _decided(world, f"deal:{deal}") == [("never", "maria@books", "a gift")]
    quiet(world)


def test_seen_is_never_told_again_and_the_record_is_left_alone(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world = make_world()
    for type_ in _typing(world, monkeypatch, capsys):
        deal = sell(world)
        world.run()
        world.books("approve", invoice=invoice_of(world, deal)["number"])
        minutes(world, 5)
        world.run()
        world.crm("reopen", deal=deal)
        minutes(world, 5)
        assert codes(world.run()) == ["reopened_after_invoice"]
        (row,) = _listed(type_)
        assert type_("issues", "resolve", str(row["id"]), "--seen")[0] == Exit.DONE
        world.advance(timedelta(days=30))
        assert codes(world.run()) == []
        assert "until its cause changes" in type_("issues", "--ignored")[1]


@pytest.mark.parametrize(
    ("code", "subject"),
    [
        ("another_instance", "connection"),
        ("stream_unreadable", "stream:ledger.invoices"),
        ("stream_unreadable", "stream:ledger.contacts"),
        ("stream_unreadable", "stream:crm.deals"),
    ],
)
def test_what_stops_everything_cannot_be_put_aside(
    world: World, type_: Type, code: str, subject: str
) -> None:
    """Else `status` would say that all is well while no deal is invoiced."""
    world.run()
    stop = Issue(code=code, subject=subject, state="note", what="No.", next_step="Do this first.")
    with world.connection() as handle, handle.state.commit():
        handle.state.book.note("another_instance", "x")
        handle.state.book.raise_issue(stop, batch=1, at=world.clock.now())
    for words in ("ignore --until 3d --reason x --kind", "ignore --until 3d --reason x"):
        given = code if words.endswith("--kind") else "1"
        found, _, said = type_("issues", *words.split(), given)
        assert found == Exit.ISSUES
        assert "stops every new invoice" in said and "Do this first." in said
    assert type_("issues", "resolve", "1", "--seen", "--reason", "x")[0] == Exit.ISSUES
    assert "1 thing waits" in type_("status")[1]
