"""What a fault at every point has found in the program, each as a scene of its own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syncjob.sandbox.kernel import Reply, Request
from tests.engine.conftest import MakeWorld
from tests.engine.scenes import (
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
from tests.engine.test_notices import late, tasks
from tests.engine.test_recurring import RECURRING, days, made_by, subscribed
from tests.engine.world import World


def test_a_lost_invoice_is_not_sent_again_under_another_token(world: World) -> None:
    """A key may be known to the token only that it was first used with (facts: xero, 3): the
    ledger forgets ours while the answer is lost, and the replay's 401 must not renew it."""
    world.xero.options = replace(world.xero.options, key_scope_token=True)
    handle = world.xero.handle

    def forgets(request: Request) -> Reply:
        reply = handle(request)
        if request.method == "PUT" and request.path.endswith("/Invoices"):
            world.xero.identity.access.clear()
            world.xero.handle = handle  # type: ignore[method-assign]
        return reply

    world.xero.handle = forgets  # type: ignore[method-assign]
    sell(world)
    world.fault(kind="lost", server="xero", method="PUT", path="/Invoices$")
    world.run()
    only(world.invoices())


def test_a_page_in_place_of_one_deals_lines_is_not_the_deals_fault(world: World) -> None:
    """A proxy answers 200 with a page of its own, once: a deal that is read alone is read a second
    time, as several are in halves, and is not left unread for an hour."""
    deal = sell(world)
    world.fault(kind="html", status=200, server="pipedrive", method="GET", path="/deals/products")
    report = world.run()
    assert codes(report) == []
    assert world.deal_fields(deal)["Invoice status"] == "draft"
    only(world.invoices())


@pytest.mark.parametrize("status", [403, 404])
def test_a_deal_in_doubt_that_is_out_of_sight_for_a_moment_stays_in_doubt(
    make_world: MakeWorld, status: int
) -> None:
    """It was won again within the second of our own write, so its stamp told nothing; where its
    own address answered nothing, once, the win was lost for ever."""
    w = make_world()
    deal = billed(w)
    w.crm("reopen", deal=deal)
    minutes(w, 5)
    assert w.run().counts["invoice.delete"] == 1
    w.crm("win", deal=deal)
    body = '{"success": false, "error": "no"}'
    w.fault(method="GET", path=f"/deals/{deal}$", kind="status", status=status, body=body)
    minutes(w, 6)  # the next list looks back less far
    w.run()
    minutes(w, 76)
    w.run()
    minutes(w, 16)  # after such a pause nothing is created at once
    w.run()
    assert [i["status"] for i in w.invoices()] == ["DELETED", "DRAFT"]
    quiet(w)


def test_each_deal_in_doubt_is_asked_for_as_long_as_the_others(make_world: MakeWorld) -> None:
    """One that was out of sight for two hours took the one along that was so for a moment."""
    w = make_world()
    hidden, seen = billed(w), billed(w, title="Other order")
    body = '{"success": false, "error": "no"}'

    def in_doubt(deal: int, **fault: int) -> None:
        w.crm("reopen", deal=deal)
        minutes(w, 5)
        assert w.run().counts["invoice.delete"] == 1
        w.crm("win", deal=deal)
        w.fault(method="GET", path=f"/deals/{deal}$", kind="status", status=404, body=body, **fault)
        minutes(w, 6)  # the next list looks back less far
        w.run()

    in_doubt(hidden, times=0)
    for _ in range(3):
        minutes(w, 37)
        w.run()
    in_doubt(seen)
    for _ in range(2):
        minutes(w, 16)
        w.run()
    live = [i for i in w.invoices() if i["status"] != "DELETED"]
    assert [f"SJ-{seen}-A2" in i["url"] for i in live] == [True]
    asked = w.mark()
    minutes(w, 16)
    w.run()
    paths = [call["path"] for call in w.since(asked)]
    assert not [path for path in paths if path.endswith(f"/deals/{hidden}")], "it was given up"


def test_what_tells_a_refund_is_read_though_the_batch_that_saw_it_had_to_end(
    make_world: MakeWorld,
) -> None:
    """The ledger's lists were read, and then the CRM let nobody in: the next batch did not read the
    credit note of an invoice that it had not seen change itself."""
    w = make_world()
    deal = awaiting(w)
    number = number_of(w, deal)
    credit = w.books("credit", invoice=number, amount="50", total="110")["done"]["id"]
    w.books("refund_credit", credit=credit)
    w.books("pay", invoice=number)
    w.fault(server="pipedrive", path="/v2/deals$", kind="status", status=503, times=3)
    minutes(w, 30)  # the next list looks back less far
    assert w.run().result == "later"
    minutes(w, 16)
    w.run()
    assert w.deal_fields(deal)["Invoice status"] == "refunded"


def test_a_debt_of_a_template_is_told_once_though_the_deals_own_draft_is_gone(
    make_world: MakeWorld,
) -> None:
    """What people were told of it was looked up for deals with a live invoice of their own only:
    the owner had a new task in each batch, and a mute was passed over."""
    w = make_world(config={**RECURRING, "notices": {"by": ["task"], "steps": [1]}})
    deal = subscribed(w)
    w.books("approve_template", template=f"SJ-{deal}-r1")
    w.crm("reopen", deal=deal)
    minutes(w, 61)
    w.run()
    assert invoice_of(w, deal)["status"] == "DELETED"
    days(w, 63)
    for _ in range(3):
        minutes(w, 61)
        w.run()
    made = [i["number"] for i in made_by(w) if i["status"] == "AUTHORISED"]
    calls = [(call["method"], call["path"].rpartition("/")[2]) for call in w.calls()]
    told = calls.index(("POST", "activities"))
    assert ("GET", made_by(w)[0]["id"]) in calls[:told]  # a person may have paid it just now
    tasks = [task["subject"] for task in w.crm_state()["activities"].values()]
    assert tasks and len(tasks) == len(set(tasks)) <= len(made)


@pytest.mark.parametrize("crm", ["pipedrive", "hubspot"])
def test_a_customer_who_is_gone_from_the_crm_keeps_nobody_from_being_told(
    make_world: MakeWorld, crm: str
) -> None:
    """The CRM refuses a task of a record that is gone, and no list shows that it is."""
    w = make_world(crm=crm, config={"mode": "full", "invoices": {"status": "authorised"},
                                    "notices": {"steps": [1, 7, 14]}})  # fmt: skip
    deal = awaiting(w)
    w.crm("delete_org", org=1)
    late(w)
    for _ in range(2):
        minutes(w, 5)
        w.run()
    (task,) = tasks(w)
    assert task["deal_id"] == deal
    assert "refused" not in codes(quiet(w))
