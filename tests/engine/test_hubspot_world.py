"""A firm with HubSpot and Xero: deals become invoices, money reaches deals, merges double nothing.

The rules are tested with Pipedrive; here is what is HubSpot's own way.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.conftest import MakeWorld
from tests.engine.scenes import (
    billed,
    codes,
    invoice_of,
    minutes,
    number_of,
    only,
    quiet,
    sell,
)
from tests.engine.world import World


@pytest.fixture
def hub(make_world: MakeWorld) -> World:
    """An Australian firm that sells in HubSpot."""
    return make_world(crm="hubspot")


def live(world: World) -> list[dict[str, Any]]:
    return [i for i in world.invoices() if i["status"] not in ("VOIDED", "DELETED")]


def status(world: World, deal: int) -> Any:
    return world.deal_fields(deal)["Invoice status"]


def test_a_won_deal_becomes_a_draft_and_money_reaches_the_deal(hub: World) -> None:
    deal = billed(hub)
    invoice = only(live(hub))
    assert (invoice["status"], invoice["total"]) == ("DRAFT", "110.00")
    assert f"/record/0-3/{deal}?syncjob=SJ-{deal}-A1" in invoice["url"]
    assert status(hub, deal) == "draft"
    quiet(hub)
    hub.books("approve", invoice=number_of(hub, deal))
    hub.books("pay", invoice=number_of(hub, deal))
    minutes(hub, 5)
    assert codes(hub.run()) == []
    shown = hub.deal_fields(deal)
    assert (shown["Invoice status"], shown["Invoice paid"], shown["Invoice due"]) == (
        "paid",
        110,
        0,
    )
    quiet(hub)
    assert len(live(hub)) == 1


def test_a_quiet_batch_asks_for_deals_and_lines_and_for_nothing_else(hub: World) -> None:
    billed(hub)
    minutes(hub, 30)
    hub.run()
    minutes(hub, 20)  # past the lookback; the recycle bin is looked into once an hour
    mark = hub.mark()
    hub.run()
    asked = [c["path"].partition("2026-09")[2] for c in hub.since(mark) if c["server"] == "hubspot"]
    assert asked == ["/deals/search", "/line_items/search"]


def test_a_line_that_changed_without_a_trace_in_its_deal_is_seen(hub: World) -> None:
    deal = billed(hub)
    minutes(hub, 40)
    hub.run()
    line = only(list(hub.hubspot.store.all("line_items")))
    stamp = hub.crm_state()["deals"][str(deal)]["update_time"]
    hub.crm("edit_line", line=line.id, name="Wider widget", comments="in blue")
    assert hub.crm_state()["deals"][str(deal)]["update_time"] == stamp
    minutes(hub, 5)
    hub.run()
    assert "Wider widget" in invoice_of(hub, deal)["lines"][0]["description"]
    minutes(hub, 40)
    hub.run()
    quiet(hub)


def test_the_index_may_be_late_by_minutes(make_world: MakeWorld) -> None:
    hub = make_world(crm="hubspot", crm_options={"index_lag_max_s": 600})
    deals = [sell(hub, title=f"Order {n}", org=f"Firm {n}") for n in range(8)]
    for _ in range(4):
        hub.run()
        minutes(hub, 5)
    assert len(live(hub)) == len(deals)
    assert {status(hub, deal) for deal in deals} == {"draft"}


# --- merges ---------------------------------------------------------------------------------------


def test_a_merged_deal_keeps_its_one_invoice(hub: World) -> None:
    first, other = billed(hub), sell(hub, title="Same order", won=False)
    number = number_of(hub, first)
    minutes(hub, 5)
    new = int(hub.crm("merge_deals", loser=other, winner=first)["id"])
    assert new not in (first, other)
    hub.run()
    assert [i["number"] for i in live(hub)] == [number]
    hub.books("approve", invoice=number)
    hub.books("pay", invoice=number)
    minutes(hub, 5)
    hub.run()
    assert status(hub, new) == "paid"
    minutes(hub, 40)
    hub.run()
    quiet(hub)
    assert len(hub.invoices()) == 1


def test_two_invoiced_deals_that_are_merged_wait_for_a_person(hub: World) -> None:
    first, second = billed(hub), billed(hub, title="Other order")
    numbers = {number_of(hub, first), number_of(hub, second)}
    minutes(hub, 5)
    new = hub.crm("merge_deals", loser=second, winner=first)["id"]
    report = hub.run()
    issue = only([i for i in report.issues if i.code == "merged_deals_invoiced"])
    assert issue.subject == f"deal:{new}" and all(number in issue.what for number in numbers)
    assert {i["number"] for i in live(hub)} == numbers
    assert len(hub.invoices()) == 2


def test_merged_customers_are_billed_to_the_one_contact_that_they_had(hub: World) -> None:
    billed(hub)
    hub.crm("create_org", name="Acme Pty Limited")
    minutes(hub, 5)
    hub.crm("merge_orgs", loser="Acme Pty Limited", winner="Acme Pty")
    again = sell(hub, title="Second order")
    assert codes(hub.run()) == []
    assert len(hub.contacts()) == 1 and invoice_of(hub, again)["status"] == "DRAFT"


def test_two_billed_customers_that_are_merged_wait_for_a_person(hub: World) -> None:
    billed(hub)
    billed(hub, org="Beta Pty")
    minutes(hub, 5)
    hub.crm("merge_orgs", loser="Beta Pty", winner="Acme Pty")
    sell(hub, title="Third order")
    report = hub.run()
    assert "customers_merged" in codes(report)
    assert len(live(hub)) == 2 and len(hub.contacts()) == 2


# --- deals that come and go -----------------------------------------------------------------------


def test_a_deal_in_the_recycle_bin_is_no_deal_and_comes_back(hub: World) -> None:
    deal = billed(hub)
    minutes(hub, 65)
    hub.crm("delete_deal", deal=deal)
    hub.run()
    assert live(hub) == []
    minutes(hub, 65)
    hub.crm("restore_deal", deal=deal)
    hub.run()
    assert only(live(hub))["total"] == "110.00"
    assert len(hub.invoices()) == 2


def test_a_value_that_differs_from_the_lines_is_people_s_own(hub: World) -> None:
    deal = sell(hub, value=999)
    hub.crm("edit_deal", deal=deal, value=999)
    assert codes(hub.run()) == []
    assert only(live(hub))["total"] == "110.00"


def test_an_admins_rule_parks_its_deal_alone(hub: World) -> None:
    hub.crm("add_rule", kind="deals", required=["closed_won_reason"], on="update")
    bad, good = sell(hub), sell(hub, title="Other", org="Beta Pty")
    hub.crm("edit_deal", deal=good, fields={"closed_won_reason": "price"})
    report = hub.run()
    assert status(hub, good) == "draft"
    parked = only([i for i in report.issues if i.code == "crm_rule"])
    assert parked.subject == f"deal:{bad}" and "losed won reason" in parked.what + parked.next_step
    assert len(live(hub)) == 2
    hub.crm("edit_deal", deal=bad, fields={"closed_won_reason": "quality"})
    minutes(hub, 5)
    assert codes(hub.run()) == []
    assert status(hub, bad) == "draft"
