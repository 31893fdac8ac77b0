"""Deals, lines, owners and associations from odd answers: a value or SchemaDrift, never a guess."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncjob.connectors.base import Walk
from syncjob.connectors.hubspot import associations, codec, lines
from syncjob.connectors.hubspot.associations import Tie
from syncjob.connectors.hubspot.client import Client, Hidden
from syncjob.connectors.hubspot.reading import Reader
from syncjob.core.records import Deal
from syncjob.errors import SchemaDrift, Throttled
from tests.connectors.hubspot_names import NAMES

API = "https://api.hubapi.com"
DATE = {"Date": "Mon, 02 Mar 2026 12:00:00 GMT"}
DEAL: dict[str, Any] = {
    "id": "31486542193",
    "properties": {
        "dealname": "Roof", "amount": "1200.50", "deal_currency_code": "EUR",
        "dealstage": "closedwon", "pipeline": "default", "closedate": "2026-02-01T09:30:00.123Z",
        "hs_closed_won_date": "1769938200123", "hubspot_owner_id": "77", "hs_is_closed": "true",
        "hs_is_closed_won": "true", "hs_lastmodifieddate": "2026-02-02T09:30:00.001Z",
        "hs_merged_object_ids": "1;2", "syncjob_due": "1.50",
    },
    "archived": False,
}  # fmt: skip
LINE: dict[str, Any] = {
    "id": "9",
    "properties": {
        "name": "Tile", "quantity": "3", "price": "10.005", "amount": "30.02",
        "discount": None, "hs_discount_percentage": None, "hs_tax_rate_group_id": "5",
        "hs_tax_rate": "19", "hs_sku": "T-1", "hs_product_id": "4",
        "hs_line_item_currency_code": "EUR", "recurringbillingfrequency": "annually",
        "hs_recurring_billing_period": "P2Y", "hs_recurring_billing_start_date": "2026-03-01",
        "hs_recurring_billing_number_of_payments": None, "hs_billing_start_delay_type": None,
        "hs_position_on_quote": "1", "hs_pricing_model": "flat",
    },
}  # fmt: skip
RATES = {"5": Decimal(19)}
#: What may stand in a place where nothing of the kind belongs.
ODD: tuple[Any, ...] = (None, "", "zzz", 7, -1, 1.5, True, [], {}, [None], {"a": 1}, "NaN", "1e999")


def spoiled(item: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The record with each field of it dropped, and each odd value in its place."""
    for path in [(), ("properties",)]:
        inner = item
        for key in path:
            inner = inner[key]
        for key in inner:
            for odd in (..., *ODD):
                made = copy.deepcopy(item)
                place = made
                for step in path:
                    place = place[step]
                if odd is ...:
                    del place[key]
                else:
                    place[key] = odd
                yield made


def test_a_deal_reads_as_it_stands() -> None:
    deal = codec.to_deal(DEAL, NAMES)
    assert (deal.id, deal.status, deal.currency, deal.value) == (
        "31486542193", "won", "EUR", Decimal("1200.50"),
    )  # fmt: skip
    assert deal.first_won_at == deal.won_at or deal.first_won_at < deal.won_at
    assert deal.merged_from == ("1", "2") and deal.fields["Due"] == "1.5"
    assert deal.page == "https://app.hubspot.com/contacts/4711/record/0-3/31486542193"
    assert deal.updated is not None and deal.updated.microsecond == 1000


def test_each_field_of_a_deal_dropped_nulled_and_retyped_once() -> None:
    for item in spoiled(DEAL):
        try:
            deal = codec.to_deal(item, NAMES)
        except SchemaDrift as drift:
            assert drift.what
        else:
            assert isinstance(deal, Deal) and deal.id.isdecimal() and len(deal.currency) == 3
            assert deal.value is None or deal.value.is_finite()


def test_a_deal_whose_state_is_not_told_is_not_taken_for_open() -> None:
    item = copy.deepcopy(DEAL)
    del item["properties"]["hs_is_closed_won"]
    with pytest.raises(SchemaDrift):
        codec.to_deal(item, NAMES)


def test_each_field_of_a_line_dropped_nulled_and_retyped_once() -> None:
    whole = lines.to_line(LINE, "EUR", RATES)
    assert (whole.doubt, whole.cycles, whole.billing) == (None, 2, "annually")
    for item in spoiled(LINE):
        line = lines.to_line(item, "EUR", RATES)
        assert line.doubt or line.quantity.is_finite()
        if line.doubt is None:
            assert line.net in (None, Decimal("30.02"))


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"amount": "31"}, "it should be 30.02"),
        ({"hs_line_item_currency_code": "USD"}, "priced in USD"),
        ({"discount": "1", "hs_discount_percentage": "5"}, "two discounts"),
        ({"discount": "1", "amount": None}, "no amount to check"),
        ({"hs_tax_rate_group_id": "6", "hs_tax_rate": None}, "is not among those"),
        ({"hs_tax_rate": "20"}, "19 % in the account and 20 %"),
        ({"hs_recurring_billing_period": "P18M"}, "no whole number of periods"),
        ({"hs_recurring_billing_number_of_payments": "2.5"}, "2.5 payments"),
        ({"hs_pricing_model": "volume", "amount": None}, "tiers"),
        (
            {
                "hs_billing_start_delay_type": "hs_billing_start_delay_days",
                "hs_recurring_billing_start_date": None,
            },
            "after a delay",
        ),
    ],
)
def test_what_a_line_does_not_say_for_certain_is_a_doubt(
    changed: dict[str, Any], says: str
) -> None:
    item = copy.deepcopy(LINE)
    item["properties"] |= changed
    assert says in (lines.to_line(item, "EUR", RATES).doubt or "")


@given(
    st.decimals(0, 1000, places=2),
    st.decimals(0, 99, places=2),
    st.one_of(st.none(), st.decimals(0, 100, places=2)),
    st.sampled_from(["unit", "percent"]),
)
def test_hubspots_own_rounding_once_on_the_line_is_no_doubt(price, quantity, off, kind) -> None:
    gross = price * quantity
    less = Decimal(0) if off is None else off * quantity if kind == "unit" else gross * off / 100
    amount = (gross - less).quantize(Decimal("0.01"), rounding="ROUND_HALF_UP")
    item = copy.deepcopy(LINE)
    key = "discount" if kind == "unit" else "hs_discount_percentage"
    item["properties"] |= {"price": str(price), "quantity": str(quantity), "amount": str(amount),
                           key: None if off is None else str(off)}  # fmt: skip
    line = lines.to_line(item, "EUR", RATES)
    assert line.doubt is None and line.net == amount


@pytest.mark.parametrize(
    ("won", "closed", "on", "status"),
    [
        ("true", "true", "2026-02-02T09:30:00Z", "won"),
        ("false", "true", None, "lost"),
        ("false", "false", "2026-02-02T09:30:00Z", "open"),  # won once, and re-opened
        (None, "false", None, "open"),
        (None, None, None, "open"),
        (None, "true", None, None),
        ("", "true", "2026-02-02T09:30:00Z", None),
        (None, None, "2026-02-02T09:30:00Z", None),
    ],
)
def test_a_closed_deal_of_which_nothing_says_whether_it_was_won_is_not_read(
    won: str | None, closed: str | None, on: str | None, status: str | None
) -> None:
    """Taken for lost, its own draft would be withdrawn."""
    found = {"hs_is_closed_won": won, "hs_is_closed": closed, "hs_closed_won_date": on}
    if status is None:
        with pytest.raises(SchemaDrift, match="hs_is_closed_won"):
            codec._status({}, found)
    else:
        assert codec._status({}, found) == status


# --- associations -------------------------------------------------------------------------------


def test_the_primary_company_counts_whatever_the_order() -> None:
    ties = [Tie("10", frozenset({341})), Tie("9", frozenset({341, 5})), Tie("8", frozenset({341}))]
    assert associations.one_company(ties) == "9"
    assert associations.one_company([ties[0], ties[2]]) == "8"
    assert associations.one_company([]) is None


def test_a_line_that_is_named_twice_is_tied_once(http: Any, client: Client) -> None:
    """A page that repeats itself must not bill a customer twice."""
    url = f"{API}/crm/associations/2026-09/deals/line_items/batch/read"
    line = {"toObjectId": 5, "associationTypes": [{"typeId": 19}]}
    again = {"toObjectId": "5", "associationTypes": [{"typeId": 7}]}
    row = {"from": {"id": "1"}, "to": [line, again, line]}
    http.add("POST", url, json={"status": "COMPLETE", "results": [row, row]})
    found = associations.read(client, "deals", "line_items", ["1"])
    assert found == {"1": [Tie("5", frozenset({7, 19}))]}


def test_associations_of_one_record_may_take_several_pages(http: Any, client: Client) -> None:
    url = f"{API}/crm/associations/2026-09/deals/line_items/batch/read"
    more = {"paging": {"next": {"after": "8"}}}
    row = {"from": {"id": "1"}, "to": [{"toObjectId": 8, "associationTypes": []}]}
    http.post(url, json={"results": [{**row, **more}]})
    http.post(url, json={"results": [{**row, "to": [{"toObjectId": "9"}]}]})
    found = associations.read(client, "deals", "line_items", ["1"])
    assert [tie.other for tie in found["1"]] == ["8", "9"]
    assert json.loads(http.calls[1].request.body) == {"inputs": [{"id": "1", "after": "8"}]}


@pytest.mark.parametrize("to", [None, {}, [{}], [{"toObjectId": None}], ["9"]])
def test_associations_that_cannot_be_read_are_no_empty_ones(
    http: Any, client: Client, to: Any
) -> None:
    url = f"{API}/crm/associations/2026-09/deals/line_items/batch/read"
    http.post(url, json={"results": [{"from": {"id": "1"}, "to": to}]})
    with pytest.raises(SchemaDrift):
        associations.read(client, "deals", "line_items", ["1"])


# --- odd answers --------------------------------------------------------------------------------


def test_a_search_that_counts_more_but_gives_none_is_no_end(http: Any, client: Client) -> None:
    http.post(f"{API}/crm/objects/2026-09/deals/search", headers=DATE,
              json={"results": [], "total": 3, "paging": {"next": {"after": "0"}}})  # fmt: skip
    reader = Reader(client, amount_is_sum=False)
    since = codec.instant({"a": "2026-03-01T00:00:00Z"}, "a")
    with pytest.raises(SchemaDrift, match="gives none"):
        list(reader.walk("deals", Walk(since=since), NAMES))


def test_a_read_that_finds_nothing_at_all_may_be_a_404(http: Any, client: Client) -> None:
    none = {"message": "none", "category": "OBJECT_NOT_FOUND"}
    http.post(f"{API}/crm/objects/2026-09/deals/batch/read", status=404, json=none)
    http.get(f"{API}/crm/objects/2026-09/deals/5", status=404, json={"message": "none"})
    assert Reader(client, amount_is_sum=False).deals(["5"], NAMES) == []


def test_a_firewalls_page_is_a_pause(http: Any, client: Client) -> None:
    page = {"body": "<html>blocked", "content_type": "text/html"}
    http.get(f"{API}/account-info/2026-09/details", status=403, **page)
    with pytest.raises(Throttled):
        client.get("account-info", "details")


def test_a_403_names_its_scopes(http: Any, client: Client) -> None:
    context = {"requiredGranularScopes": ["crm.objects.deals.read"]}
    body = {"category": "MISSING_SCOPES", "message": "no", "errors": [{"context": context}]}
    http.get(f"{API}/account-info/2026-09/details", status=403, json=body)
    with pytest.raises(Hidden) as error:
        client.get("account-info", "details")
    assert error.value.scopes == ("crm.objects.deals.read",)
    assert "crm.objects.deals.read" in error.value.next_step
