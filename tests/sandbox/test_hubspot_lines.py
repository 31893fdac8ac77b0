"""Line items: net, discounts, tax and recurring values as the account calculates them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from syncjob.sandbox.hubspot.calculated import digits
from tests.sandbox.hubspot_support import Hub, codes

CALCULATED = ("amount", "hs_pre_discount_amount", "hs_total_discount", "hs_tax_amount",
              "hs_post_tax_amount", "hs_tcv", "hs_acv", "hs_arr", "hs_mrr")  # fmt: skip


@pytest.fixture
def hub() -> Hub:
    return Hub()


def line(hub: Hub, **sent: Any) -> dict[str, Decimal | None]:
    made = hub.ok("POST", "crm/objects/@/line_items", {"properties": sent})
    values = hub.props("line_items", made["id"], *CALCULATED)
    return {k: None if values[k] is None else Decimal(values[k]) for k in CALCULATED}


@pytest.mark.parametrize(
    ("sent", "net"),
    [
        ({"price": "100", "quantity": "3"}, "300"),
        ({"price": "19.99", "quantity": "1.5"}, "29.99"),  # 29.985: once on the line, half up
        ({"price": "100", "quantity": "3", "discount": "10"}, "270"),  # off each unit
        ({"price": "9.99", "quantity": "3", "hs_discount_percentage": "10"}, "26.97"),
        ({"price": "0.333", "quantity": "3"}, "1"),
        ({"price": "50", "quantity": "-1"}, "-50"),
        ({"price": "20", "quantity": "2", "hs_discount_percentage": "100"}, "0"),
        ({"price": "1000", "quantity": "3", "hs_line_item_currency_code": "EUR"}, "3000"),
    ],
)
def test_net_is_price_times_quantity_less_the_discount(
    hub: Hub, sent: dict[str, str], net: str
) -> None:
    made = line(hub, **sent)
    assert made["amount"] == Decimal(net)
    assert made["hs_tax_amount"] is None


def test_a_tax_rate_group_adds_tax_of_the_net(hub: Hub) -> None:
    rate = hub.act("create_tax_rate", percent="19.5", name="VAT")
    made = line(hub, price="33.33", quantity="1", hs_tax_rate_group_id=str(rate["id"]))
    assert made["hs_tax_amount"] == Decimal("6.50") and made["hs_post_tax_amount"] == 39 + Decimal(
        "0.83"
    )
    shown = hub.ok("GET", "tax-rates/@/tax-rates")["results"][0]
    assert (shown["id"], shown["percentageRate"]) == (str(rate["id"]), "19.5")
    sent = {"properties": {"hs_tax_rate_group_id": "5"}}
    assert codes(hub.refused(400, "POST", "crm/objects/@/line_items", sent)) == {
        "hs_tax_rate_group_id": "INVALID_OPTION"
    }


def test_calculated_amounts_cannot_be_set_and_a_price_is_never_negative(hub: Hub) -> None:
    sent = {"properties": {"amount": "1", "hs_tax_amount": "1", "price": "-5"}}
    assert codes(hub.refused(400, "POST", "crm/objects/@/line_items", sent)) == {
        "amount": "READ_ONLY_VALUE", "hs_tax_amount": "READ_ONLY_VALUE", "price": "INVALID_NUMBER",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("model", "quantity", "net"),
    [
        ("volume", "5", "50"), ("volume", "15", "120"), ("graduated", "15", "140"),
        ("graduated", "10", "100"), ("stairstep", "15", "8"), ("stairstep", "1", "10"),
    ],
)  # fmt: skip
def test_tiers_give_the_price(hub: Hub, model: str, quantity: str, net: str) -> None:
    made = line(
        hub, quantity=quantity, price="10", hs_pricing_model=model, hs_tier_ranges="1;11",
        hs_tier_prices="10;8",
    )  # fmt: skip
    assert made["amount"] == Decimal(net)


def test_recurring_lines_have_yearly_monthly_and_whole_values(hub: Hub) -> None:
    month = {"price": "100", "quantity": "1", "recurringbillingfrequency": "monthly"}
    made = line(hub, **month, hs_recurring_billing_period="P24M")
    assert (made["amount"], made["hs_mrr"], made["hs_arr"]) == (100, 100, 1200)
    assert (made["hs_acv"], made["hs_tcv"]) == (1200, 2400)
    made = line(hub, **month, hs_recurring_billing_number_of_payments="6")
    assert (made["hs_acv"], made["hs_tcv"]) == (600, 600)
    once = line(hub, price="100", quantity="1")
    assert (once["hs_tcv"], once["hs_mrr"]) == (100, 0)


def test_calculated_numbers_come_in_several_spellings() -> None:
    store = Hub().server.store
    assert {digits(store, n, Decimal("90.00")) for n in range(40)} == {"90", "90.0", "90.00"}
    assert {digits(store, n, Decimal("90.50")) for n in range(40)} == {"90.5", "90.50"}
    assert {digits(store, n, Decimal("3000")) for n in range(40)} == {"3000", "3000.0"}


def test_a_line_has_one_parent(hub: Hub) -> None:
    one, other = hub.deal(), hub.deal()
    row = hub.act("edit_deal", deal=one)["lines"][0]["id"]
    tie = {"from": {"id": str(row)}, "to": {"id": str(other)}}
    path = "crm/associations/@/line_items/deals/batch/create"
    hub.refused(400, "POST", path, {"inputs": [tie]})


def test_people_name_discounts_and_taxes_as_they_see_them(hub: Hub) -> None:
    deal = hub.deal(lines=[])
    rows = [
        {"name": "A", "price": 10, "quantity": 3, "discount": 10},
        {"name": "B", "price": 10, "quantity": 3, "discount": 1, "discount_type": "amount"},
        {"name": "C", "price": 10, "tax": 0, "billing_frequency": "quarterly"},
    ]
    made = [hub.act("add_line", deal=deal, **row) for row in rows]
    assert [row["sum"] for row in made] == [27, 27, 10]
    assert made[2]["billing_frequency"] == "quarterly"
    for row, line in zip(made, ({"quantity": 1}, {"discount": 0}, {"tax": 20}), strict=True):
        hub.act("edit_line", line=row["id"], **line)
    hub.act("remove_line", line=made[0]["id"])
    left = hub.act("edit_deal", deal=deal)
    assert [(row["name"], row["sum"]) for row in left["lines"]] == [("B", 30), ("C", 10)]
    assert left["value"] == 70  # a quarter of 10 makes 40 a year
