"""Every issue closes itself when its cause is gone, or there is a reason why a person must.

What a rule holds (`Held` and `Issue` in core) and what a vendor refuses (`Rejected`) is about a
deal or a customer: its open issues are those of its newest decision, and all with an open issue
are decided again within the hour. What the engine itself raises is listed here, each with its
scene.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import syncjob
from syncjob.core.actions import Issue
from syncjob.core.identity import TRACELESS
from tests.engine.conftest import MakeWorld
from tests.engine.scenes import awaiting, billed, codes, invoice_of, minutes, quiet, sell
from tests.engine.world import World

ROOT = Path(syncjob.__file__).parent
#: Where the engine raises an issue of its own: the test here that closes it, another file that
#: does, or why a person must.
RAISED = {
    "another_instance": "a person: nobody else can see that the other one was stopped",
    "map_lost": "a person: nobody else has the map (test_relink.py closes it)",
    "record_gone": "test_a_record_that_is_read_again",
    "record_unreadable": "test_an_unreadable_record_that_is_gone",
    "stream_unreadable": "test_what_is_not_read_any_more",
    "credits_unreadable": "test_what_is_not_read_any_more",
    "chore_failed": "test_what_is_not_read_any_more",
    "way_down": "test_a_way_that_nobody_uses_any_more",
    "duplicate_template": "test_a_second_template_that_was_taken_away",
    "reconcile_*": "reconcile",  # closed by the next reading of both sides (tests/engine/reconcile)
    "*": "test_what_the_organisation_refused",  # a vendor's refusal, told by engine/outcomes
}


def _written(node: ast.expr) -> Iterator[str]:
    """The codes that an expression may be, with a star for what is not written there."""
    if isinstance(node, ast.Constant):
        yield str(node.value)
    elif isinstance(node, ast.JoinedStr):
        parts = (str(p.value) if isinstance(p, ast.Constant) else "*" for p in node.values)
        yield "".join(parts)
    elif isinstance(node, ast.IfExp):
        yield from _written(node.body)
        yield from _written(node.orelse)
    else:
        yield "*"


def _found(part: str, *names: str) -> set[str]:
    """The codes given to these in this part of the source."""
    found: set[str] = set()
    for path in (ROOT / part).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or getattr(node.func, "id", "") not in names:
                continue
            given = [k.value for k in node.keywords if k.arg == "code"]
            if not given and node.args and getattr(node.func, "id", "") == "Held":
                given = [node.args[0]]
            for value in given:
                found.update(_written(value))
    return found


def test_each_issue_of_the_engine_has_its_way_to_close() -> None:
    assert _found("engine", "Issue") == set(RAISED)
    assert _found("state", "Issue") <= {"*"}, "the state only reads them back"
    for part in ("cli", "reports", "connectors", "notices", "transport"):
        assert _found(part, "Issue") == set(), "issues are raised by the rules and the engine"
    for way in RAISED.values():
        assert way.startswith("a person: ") or way in globals() or way == "reconcile"


def _codes_of_decisions() -> set[str]:
    found = _found("core", "Held", "Issue") | _found("connectors", "Rejected", "_Refusal", "Held")
    found |= _found("notices", "Rejected")
    assert len(found) > 100
    return {code.replace("*", "x") for code in found - {"*"}}


def _raise(world: World, *issues: tuple[str, str], state: str = "held") -> None:
    """Open these issues: (subject, code)."""
    with world.connection() as handle, handle.state.commit():
        for subject, code in issues:
            issue = Issue(code=code, subject=subject, what="W.", next_step="N.", state=state)  # type: ignore[arg-type]
            handle.state.book.raise_issue(issue, batch=1, at=world.time.now())


def _open(world: World) -> list[str]:
    with world.connection() as handle:
        return sorted(known.issue.code for known in handle.state.issues.open())


def test_whatever_held_a_deal_is_gone_with_its_cause(world: World) -> None:
    deal = billed(world)
    for_all = _codes_of_decisions()
    _raise(world, *((f"deal:{deal}", code) for code in for_all))
    assert len(_open(world)) == len(for_all)
    minutes(world, 61)
    assert codes(world.run()) == []
    quiet(world)


def test_whatever_was_said_of_a_customer_is_gone_with_its_cause(make_world: MakeWorld) -> None:
    world = make_world(config={"contacts": {"update": "blanks"}})
    billed(world)
    minutes(world, 61)
    assert world.run().exit_code == 0
    _raise(world, *(("contact:org:1", code) for code in _codes_of_decisions()), state="note")
    minutes(world, 61)
    assert codes(world.run()) == []
    _raise(world, ("contact:org:1", "contact_differs"), state="note")
    world.overrides = {"contacts": {"update": "off"}}
    minutes(world, 5)
    assert codes(world.run()) == [], "contact sync is off: nobody asks"


def test_what_mends_itself_without_a_trace_is_tried_again(world: World) -> None:
    deal = sell(world)
    world.run()
    with world.connection() as handle, handle.state.commit():
        for code in TRACELESS:
            issue = Issue(code=code, subject=f"deal:{deal}", what="W.", next_step="N.")
            handle.state.book.park(f"test:{code}", "f", issue)
        stays = Issue(code="xero_refused", subject=f"deal:{deal}", what="W.", next_step="N.")
        handle.state.book.park("test:stays", "f", stays)
    _raise(world, (f"deal:{deal}", "no_customer"))
    minutes(world, 61)
    world.run()
    with world.connection() as handle:
        left = handle.state.book.parked_for([f"test:{c}" for c in (*TRACELESS, "stays")])
    assert list(left) == ["test:stays"]


def test_what_the_organisation_refused(make_world: MakeWorld) -> None:
    world = make_world(
        ledger={"plan_cap": 1}, config={"mode": "full", "invoices": {"status": "authorised"}}
    )
    sell(world)
    late = sell(world, "Late Pty")
    assert codes(world.run()) == ["invoice_cap"]
    minutes(world, 60)
    assert codes(world.run()) == ["invoice_cap"], "the limit is respected for a day"
    draft = invoice_of(world, late)
    draft = draft if draft["status"] == "DRAFT" else invoice_of(world, late - 1)
    world.books("delete", invoice=draft["number"])
    world.advance(timedelta(hours=25))
    assert codes(world.run()) == ["reissue_needed"], "nobody wants another approval"


def test_a_record_that_is_read_again(world: World) -> None:
    deal = awaiting(world)
    found = invoice_of(world, deal)
    minutes(world, 60)
    world.run()
    minutes(world, 60)
    world.run()
    _raise(world, (f"invoices:{found['id']}", "record_gone"), state="note")
    minutes(world, 5)
    assert codes(world.run()) == ["record_gone"], "it has not been read again"
    with world.connection() as handle:
        (known,) = handle.chosen_issues(kind="record_gone")
        handle.retry_issues([known], who="maria", reason="I restored it")
    minutes(world, 5)
    assert codes(world.run()) == []


def test_an_unreadable_record_that_is_gone(world: World) -> None:
    billed(world)
    _raise(world, ("invoices:long-gone", "record_unreadable"), state="note")
    minutes(world, 5)
    assert codes(world.run()) == ["record_unreadable"]
    world.overrides = {"schedule": {"nightly_at": "off"}}
    world.advance(timedelta(days=8))
    assert codes(world.run()) == [], "a walk over everything has not complained of it"


def test_what_is_not_read_any_more(world: World) -> None:
    billed(world)
    world.overrides = {"schedule": {"nightly_at": "off"}}
    streams = ("crm.old", "stream_unreadable"), ("ledger.credits", "credits_unreadable")
    _raise(world, *((f"stream:{name}", code) for name, code in streams), state="note")
    _raise(world, ("chore:reconcile", "chore_failed"), state="note")
    world.advance(timedelta(days=7))
    assert codes(world.run()) == ["chore_failed", "stream_unreadable"], "credits were read again"
    world.advance(timedelta(days=2))
    assert codes(world.run()) == []


def test_a_way_that_nobody_uses_any_more(world: World) -> None:
    billed(world)
    _raise(world, ("way:slack", "way_down"), state="note")
    minutes(world, 5)
    assert codes(world.run()) == [], "no notice goes by it"


def test_a_second_template_that_was_taken_away(make_world: MakeWorld) -> None:
    world = make_world(config={"invoices": {"recurring": "template"}})
    billed(world)
    _raise(world, ("template:gone", "duplicate_template"), state="note")
    world.advance(timedelta(days=2))
    assert codes(world.run()) == [], "the list of templates was read, and shows no second one"
