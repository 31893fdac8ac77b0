"""What one batch has seen and could not finish is not lost to the next; and who has to know of it
is told though no list shows it again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from syncjob.sandbox.kernel import Dropped, Reply, Request
from tests.engine.conftest import MakeWorld
from tests.engine.scenes import (
    answer,
    awaiting,
    billed,
    codes,
    invoice_of,
    minutes,
    number_of,
    only,
    quiet,
    sell,
)
from tests.engine.test_credits import KINDS, give
from tests.engine.test_notices import LATE, tasks
from tests.engine.test_rare_together import steps
from tests.engine.test_recurring import RECURRING, days, made_by, subscribed
from tests.engine.world import World

NO_NIGHT = {"schedule": {"nightly_at": "off"}}


@pytest.fixture
def w(make_world: MakeWorld) -> Iterator[World]:
    yield make_world(config=NO_NIGHT)


@pytest.mark.parametrize("status", [403, 404])
def test_a_changed_deal_that_is_not_shown_once_is_read_again(w: World, status: int) -> None:
    """Its lines could not be read, and then it was out of sight: it counted as settled, and that
    it had gone to another customer was never told."""
    deal = awaiting(w)
    w.crm("create_org", name="Bolt Ltd")
    minutes(w, 10)
    w.crm("edit_deal", deal=deal, org="Bolt Ltd")
    minutes(w, 6)
    w.fault(server="pipedrive", method="GET", path="/deals/products", kind="status", status=503,
            times=3)  # fmt: skip
    assert w.run().result == "later"
    minutes(w, 16)
    body = '{"success": false, "error": "no"}'
    w.fault(server="pipedrive", method="GET", path=f"/deals/{deal}$", kind="status", status=status,
            body=body)  # fmt: skip
    assert codes(w.run()) == ["deal_unreadable"]
    minutes(w, 61)
    assert codes(w.run()) == ["changed_after_invoice"]


def test_a_draft_whose_deal_cannot_be_read_is_not_approved(make_world: MakeWorld) -> None:
    """The mode lets it be, and nobody knows whether it still says what the deal says."""
    rules = {**NO_NIGHT, "invoices": {"status": "authorised"}}
    w = make_world(config=rules)
    deal = billed(w)
    line = next(iter(w.crm_state()["rows"].values()))["id"]
    minutes(w, 10)
    w.crm("edit_line", line=line, price=50, quantity=3)
    w.crm("edit_deal", deal=deal, title="Larger")
    minutes(w, 6)
    w.fault(server="pipedrive", method="GET", path="/deals/products", kind="status", status=503,
            times=3)  # fmt: skip
    assert w.run().result == "later"
    w.overrides = {**rules, "mode": "full"}
    minutes(w, 16)
    body = '{"success": false, "error": "no"}'
    w.fault(server="pipedrive", method="GET", path=f"/deals/{deal}$", kind="status", status=404,
            body=body, times=2)  # fmt: skip
    w.run()
    assert invoice_of(w, deal)["status"] == "DRAFT"
    minutes(w, 61)
    steps(w, 3)
    stored = invoice_of(w, deal)
    assert (stored["status"], float(stored["total"])) == ("AUTHORISED", 165)


def test_what_was_unreadable_and_is_not_shown_once_is_asked_for_again(w: World) -> None:
    """A payment that the list showed in a strange way; its own address answered 404, once."""
    deal = awaiting(w)
    minutes(w, 30)
    w.run()
    w.books("pay", invoice=number_of(w, deal))
    minutes(w, 20)
    handle = w.xero.handle

    def strange(request: Request) -> Reply:
        reply = handle(request)
        if request.method != "GET" or "/Invoices" not in request.path:
            return reply
        body = json.loads(reply.body)
        for invoice in body.get("Invoices", []):
            invoice["Total"] = {"odd": 1}
        return replace(reply, body=json.dumps(body).encode())

    w.xero.handle = strange  # type: ignore[method-assign]
    assert "record_unreadable" in codes(w.run())
    w.xero.handle = handle  # type: ignore[method-assign]
    minutes(w, 30)
    w.run()
    minutes(w, 32)
    w.fault(server="xero", method="GET", path="/Invoices/.+", kind="status", status=404, body="{}")
    w.run()
    steps(w, 8)
    assert w.deal_fields(deal)["Invoice status"] == "paid"


# --- credit ---------------------------------------------------------------------------------------


def test_credit_that_could_not_be_read_was_not_read_for_these_debts(make_world: MakeWorld) -> None:
    """It was noted as read before it was: the next batch told of a debt that credit covers."""
    w = make_world(config={**NO_NIGHT, "mode": "full", "invoices": {"status": "authorised"},
                           "notices": {"by": ["task"], "steps": [1, 7]}})  # fmt: skip
    sell(w)
    w.run()
    minutes(w, 24 * 60)
    steps(w, 3)
    covered = sell(w, org="Bolt Ltd")
    steps(w, 3)
    with w.connection() as handle:
        handle.pause(only="notices", until=None, reason="a feast", who="Ann")
    w.time.set(datetime(2026, 12, 24, 12, 30, tzinfo=UTC))
    w.run()
    steps(w, 1)
    minutes(w, 7)
    w.books("credit", invoice=number_of(w, covered), amount="110", allocate=False)
    minutes(w, 12)  # past midnight in Sydney
    w.fault(server="xero", method="GET", path="/CreditNotes", kind="status", status=503, times=3)
    w.run()
    with w.connection() as handle:
        handle.resume(only="all", who="Ann")
    minutes(w, 10)
    w.run()
    assert covered not in [task["deal_id"] for task in tasks(w)]


def odd_credit(w: World) -> None:
    """Every credit is shown in a strange way from now on, in lists and at its own address."""
    handle = w.xero.handle

    def strange(request: Request) -> Reply:
        reply = handle(request)
        names = [name for name in ("CreditNotes", "Prepayments", "Overpayments")
                 if request.method == "GET" and f"/{name}" in request.path]  # fmt: skip
        if not names or reply.status != 200:
            return reply
        body = json.loads(reply.body)
        for credit in body.get(names[0], []):
            credit["Total"] = {"odd": 1}
        return replace(reply, body=json.dumps(body).encode())

    w.xero.handle = strange  # type: ignore[method-assign]


def covered_by_odd_credit(make_world: MakeWorld, kind: str) -> tuple[World, int]:
    """A debt that is covered by credit which nobody can read; its owner is told of the debt."""
    w = make_world(config={**NO_NIGHT, "mode": "full", "invoices": {"status": "authorised"},
                           "notices": {"by": ["task"], "steps": [1, 5]}})  # fmt: skip
    deal = sell(w)
    w.run()
    give(w, deal, kind, "110")
    w.time.set(LATE - timedelta(days=3))
    odd_credit(w)
    w.run()
    w.time.set(LATE)
    steps(w, 2)
    assert "record_unreadable" in codes(w.run())
    assert [task["deal_id"] for task in tasks(w)] == [deal]
    return w, deal


@pytest.mark.parametrize("kind", KINDS)
def test_credit_that_was_shown_in_a_strange_way_once_is_read_again(
    make_world: MakeWorld, kind: str
) -> None:
    w, _ = covered_by_odd_credit(make_world, kind)
    del w.xero.handle
    minutes(w, 61)
    assert codes(w.run()) == []
    w.advance(timedelta(days=4))
    steps(w, 3)
    assert len(tasks(w)) == 1


def test_credit_is_read_again_at_a_persons_word(make_world: MakeWorld) -> None:
    w, _ = covered_by_odd_credit(make_world, "credit")
    del w.xero.handle
    with w.connection() as handle:
        found = handle.chosen_issues(kind="record_unreadable")
        handle.retry_issues(found, who="Ann", reason="it is mended")
    assert codes(w.run()) == []
    quiet(w)


def test_the_right_to_read_credit_that_is_taken_away_stops_no_batch(
    make_world: MakeWorld,
) -> None:
    w, _ = covered_by_odd_credit(make_world, "credit")
    scope = {"WWW-Authenticate": "Bearer error=insufficient_scope"}
    w.fault(server="xero", method="GET", path="/CreditNotes/.+", kind="status", status=401,
            headers=scope, times=9)  # fmt: skip
    minutes(w, 61)
    other = sell(w, org="Bolt Ltd")
    mark = w.mark()
    assert codes(w.run()) == ["credits_unreadable", "record_unreadable"]
    steps(w, 2, 16)
    assert len([c for c in w.since(mark) if "/CreditNotes/" in c["path"]]) == 1
    assert invoice_of(w, other)["status"] == "AUTHORISED"


def test_much_credit_that_cannot_be_read_costs_few_calls_an_hour(make_world: MakeWorld) -> None:
    w, deal = covered_by_odd_credit(make_world, "credit")
    number = number_of(w, deal)
    for _ in range(7):
        w.books("credit", invoice=number, amount="1", total="1", allocate=False)
    w.advance(timedelta(days=4))
    steps(w, 2)
    assert len([c for c in codes(w.run()) if c == "record_unreadable"]) == 8
    minutes(w, 61)
    mark = w.mark()
    steps(w, 3)
    asked = {c["path"] for c in w.since(mark) if "/CreditNotes/" in c["path"]}
    assert len(asked) == 5
    minutes(w, 61)
    steps(w, 2)
    asked |= {c["path"] for c in w.since(mark) if "/CreditNotes/" in c["path"]}
    assert len(asked) == 8


def test_a_refund_of_credit_that_names_no_invoice_is_seen(w: World) -> None:
    """It moves the credit note alone, whose allocation says which deal it is about."""
    deal = awaiting(w)
    number = number_of(w, deal)
    w.books("pay", invoice=number, amount="30")
    credit = w.books("credit", invoice=number, amount="80", total="110")["done"]
    table = w.xero.organisation.credits
    table.put(replace(table[credit["id"]], reference=""))
    steps(w, 2)
    w.books("refund_credit", credit=credit["id"])
    for _ in range(3):
        w.advance(timedelta(days=8))
        w.run()
        steps(w, 2)
    assert w.deal_fields(deal)["Invoice status"] == "refunded"


def test_a_templates_invoice_that_was_written_off_says_so(make_world: MakeWorld) -> None:
    rules = {"recurring": "template", "bad_debt_accounts": ["408"]}
    w = make_world(config={**RECURRING, "invoices": rules})
    deal = subscribed(w)
    number = invoice_of(w, deal)["number"]
    w.books("approve", invoice=number)
    w.books("approve_template", template=f"SJ-{deal}-r1")
    days(w, 31)
    w.books("pay", invoice=number)
    w.books("credit", invoice=only(made_by(w))["number"], amount="88", account="408")
    steps(w, 4)
    assert w.deal_fields(deal)["Invoice status"] == "written off"
    quiet(w)


# --- days that wake -------------------------------------------------------------------------------


def test_merged_deals_that_both_stand_are_called_overdue_on_their_day(
    make_world: MakeWorld,
) -> None:
    w = make_world(crm="hubspot", config=NO_NIGHT)
    one, other = awaiting(w), awaiting(w, title="Other order")
    minutes(w, 5)
    w.run()
    new = int(w.crm("merge_deals", loser=one, winner=other)["id"])
    steps(w, 2, 5)
    answer(w, "never", new)
    steps(w, 2, 5)
    for _ in range(6):
        w.advance(timedelta(days=7))
        steps(w, 2)
    assert w.deal_fields(new)["Invoice overdue"] == "yes"


def test_steps_that_are_added_are_for_debts_that_were_told_of_before(
    make_world: MakeWorld,
) -> None:
    notices = {"by": ["task"], "steps": [1]}
    w = make_world(config={**NO_NIGHT, "notices": notices})
    awaiting(w)
    for _ in range(34):
        w.advance(timedelta(days=1))
        steps(w, 2)
    assert len(tasks(w)) == 1
    w.overrides = {**NO_NIGHT, "notices": {**notices, "steps": [1, 14]}}
    for _ in range(14):
        w.advance(timedelta(days=1))
        steps(w, 2)
    assert len(tasks(w)) == 2


# --- a second send --------------------------------------------------------------------------------


def test_a_record_that_is_refused_at_its_second_send_may_have_been_stored_by_the_first(
    w: World,
) -> None:
    """The first was still on its way. It counted as refused, and was made again at once."""
    handle, puts = w.xero.handle, 0

    def on_its_way(request: Request) -> Reply:
        nonlocal puts
        if request.method != "PUT" or not request.path.endswith("/Invoices"):
            return handle(request)
        puts += 1
        if puts == 1:
            raise Dropped("lost")
        w.xero.handle = handle  # type: ignore[method-assign]
        (sent,) = json.loads(request.body)["Invoices"]
        handle(replace(request, headers=tuple(h for h in request.headers if "dempot" not in h[0])))
        errors = [{"Message": "This record cannot be saved as it is."}]
        refused = {**sent, "HasErrors": True, "StatusAttributeString": "ERROR",
                   "ValidationErrors": errors}  # fmt: skip
        return Reply.of_json({"Invoices": [refused]}, 200)

    w.xero.handle = on_its_way  # type: ignore[method-assign]
    sell(w)
    report = w.run()
    assert (puts, codes(report)) == (2, [])
    steps(w, 3)
    only(w.invoices())
    quiet(w)
