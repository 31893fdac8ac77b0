"""Whole deals of a HubSpot account, from won to paid, with what only HubSpot does.

The engine's other tests run on it too: SYNCJOB_TEST_CRM=hubspot pytest tests/engine/...
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.engine.conftest import MakeWorld
from tests.engine.scenes import WIDGET, billed, codes, invoice_of, minutes, only, quiet, sell
from tests.engine.world import World

LONG_IDS = {"first_id": 41_200_000_001, "id_stride_max": 9_000}


@pytest.fixture
def hub(make_world: MakeWorld) -> World:
    return make_world(crm="hubspot", crm_options=LONG_IDS)


def fields_of(w: World, deal: int) -> dict[str, Any]:
    return w.deal_fields(deal)


def test_a_won_deal_becomes_one_draft_and_is_paid(hub: World) -> None:
    hub.crm("create_person", name="Jo Müller", email="jo@acme.example", phone="+61 8 5550 1234")
    deal = billed(hub, person="Jo Müller")
    invoice = invoice_of(hub, deal)
    assert (invoice["total"], invoice["status"]) == ("110.00", "DRAFT")
    assert fields_of(hub, deal)["Invoice status"] == "draft"
    assert str(deal) in only(hub.invoices())["url"]
    quiet(hub)
    hub.books("approve", invoice=invoice["number"])
    hub.books("pay", invoice=invoice["number"], amount="110.00")
    minutes(hub, 5)
    hub.run()
    said = fields_of(hub, deal)
    assert said["Invoice status"] == "paid" and Decimal(said["Invoice paid"]) == 110
    quiet(hub)


def test_a_deal_that_search_shows_late_is_invoiced_once(make_world: MakeWorld) -> None:
    w = make_world(crm="hubspot", crm_options={**LONG_IDS, "index_lag_max_s": 60})
    deals = [sell(w, title=f"Order {n}") for n in range(8)]
    for _ in range(4):
        w.run()
        minutes(w, 1)
    assert sorted(len([i for i in w.invoices() if f"SJ-{d}-" in i["url"]]) for d in deals) == [
        1
    ] * len(deals)
    minutes(w, 20)
    w.run()
    quiet(w)


def test_a_merge_of_two_deals_makes_no_second_invoice(hub: World) -> None:
    first, second = billed(hub, title="A"), sell(hub, title="B", won=False)
    new = hub.crm("merge_deals", winner=first, loser=second)["id"]
    minutes(hub, 5)
    report = hub.run()
    minutes(hub, 20)
    hub.run()
    assert len(hub.invoices()) == 1, codes(report)
    assert new not in (first, second)


def test_a_merged_company_keeps_its_contact(hub: World) -> None:
    deal = billed(hub)
    hub.crm("create_org", name="Acme Proprietary")
    hub.crm("merge_orgs", winner="Acme Pty", loser="Acme Proprietary")
    minutes(hub, 5)
    hub.run()
    again = sell(hub, title="Second order")
    minutes(hub, 5)
    hub.run()
    assert len(hub.invoices()) == 2
    assert invoice_of(hub, deal)["contact_id"] == invoice_of(hub, again)["contact_id"]
    assert len(hub.contacts()) == 1


def test_discounts_off_each_unit_and_in_percent_come_to_the_cent(hub: World) -> None:
    lines = [
        {**WIDGET, "price": 9.99, "quantity": 3, "discount": 10},
        {**WIDGET, "name": "Gadget", "price": 19.95, "quantity": 7, "discount": 0.55,
         "discount_type": "amount"},
    ]  # fmt: skip
    deal = billed(hub, lines=lines)
    # 29.97 less 10% is 26.97; 19.40 each is 135.80: net 162.77 with 10% tax a line.
    invoice = invoice_of(hub, deal)
    assert (invoice["subtotal"], invoice["total"]) == ("162.77", "179.05")


@pytest.mark.parametrize(
    ("line", "words", "subtotal"),
    [
        ({"price": 0.00045, "quantity": 250_000}, "Quantity: 250000 x 0.00045", "112.50"),
        ({"price": 90_000, "quantity": 0.33333333}, "Quantity: 0.33333333 x 90000", "30000.00"),
        (
            {"price": 0.00045, "quantity": 250_000, "discount": 10},
            "Quantity: 250000 x 0.00045, less 10%", "101.25",
        ),
        (
            {"price": 0.00045, "quantity": 250_000, "discount": 0.00005,
             "discount_type": "amount"},
            "Quantity: 250000 x 0.00045, less 12.5", "100.00",
        ),
    ],
)  # fmt: skip
def test_a_price_finer_than_the_ledger_keeps_is_billed_at_its_sum(
    make_world: MakeWorld, line: dict[str, Any], words: str, subtotal: str
) -> None:
    full = {"mode": "full", "invoices": {"status": "authorised"}}
    w = make_world(crm="hubspot", crm_options=LONG_IDS, config=full)
    invoice = invoice_of(w, billed(w, lines=[{**WIDGET, **line}]))
    sent = only(invoice["lines"])
    assert (invoice["subtotal"], invoice["status"]) == (subtotal, "AUTHORISED")
    assert (Decimal(sent["quantity"]), sent["description"]) == (1, f"Widget\n{words}")
    quiet(w)


EVENING = "2026-11-22T18:07:00Z"  # in New Zealand it is the 23rd


def test_a_time_of_day_gives_the_day_that_it_is_where_the_books_are(make_world: MakeWorld) -> None:
    asked = {"crm": {"inputs": {"invoice_date": "Close date"}}}
    w = make_world(
        crm="hubspot", crm_options={**LONG_IDS, "currency": "NZD"}, region="NZ", config=asked
    )
    line = {**WIDGET, "tax": 15}
    minutes(w, 24 * 60)
    deal = sell(w, currency="NZD", lines=[line])
    w.crm("edit_deal", deal=deal, expected_close_date=EVENING)
    assert codes(w.run()) == []
    assert invoice_of(w, deal)["day"] == "2026-11-23"
    quiet(w)


def test_a_time_of_day_brings_the_part_that_waits_for_it(make_world: MakeWorld) -> None:
    parts = [
        {"name": "deposit", "percent": 50, "on": "win"},
        {"name": "balance", "rest": True, "on": {"field": "Delivered at"}},
    ]
    rules = {"schedules": [{"name": "halves", "parts": parts}], "deposit": {"progressive": True}}
    w = make_world(crm="hubspot", crm_options=LONG_IDS, config={"invoices": rules}, init=False)
    w.crm("create_field", name="Delivered at", type="datetime")
    w.init()
    sell(w, fields={"Delivered at": EVENING})
    w.run()
    minutes(w, 5)
    w.run()
    assert len(w.invoices()) == 2, codes(w.run())


def test_an_admins_rule_parks_its_deal_and_no_other(hub: World) -> None:
    hub.crm("create_field", name="PO number")
    hub.crm("add_rule", required=["po_number"], when={"dealstage": ["closedwon"]})
    bare = sell(hub, title="Bare")
    good = sell(hub, title="Good", fields={"PO number": "PO-7"})
    hub.run()
    minutes(hub, 5)
    report = hub.run()
    assert fields_of(hub, good)["Invoice status"] == "draft"
    assert fields_of(hub, bare).get("Invoice status") is None
    told = [i for i in report.issues if str(bare) in i.subject]
    assert told, codes(report)
    hub.crm("edit_deal", deal=bare, fields={"PO number": "PO-8"})
    minutes(hub, 5)
    hub.run()
    assert fields_of(hub, bare)["Invoice status"] == "draft"
    assert len(hub.invoices()) == 2
