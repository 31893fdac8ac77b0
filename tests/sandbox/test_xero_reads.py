"""Lists of the sandbox Xero: lag, If-Modified-Since, pages, filters, order, shape on the wire."""

from __future__ import annotations

import json
from typing import Any

import pytest

from syncjob.sandbox.xero import Options

from .xero_support import World, invoice, line, messages


@pytest.fixture
def world() -> World:
    return World()


def ids(rows: Any, name: str = "InvoiceID") -> list[str]:
    return [r[name] for r in rows]


def test_lists_lag_and_single_reads_do_not() -> None:
    world = World(Options(lag_max_s=100, limits=None))
    made = [world.invoice()["InvoiceID"] for _ in range(20)]
    assert world.get(f"Invoices/{made[0]}")["Invoices"]
    world.clock.advance(50)
    some = len(world.get("Invoices")["Invoices"])
    assert 0 < some < 20
    world.clock.advance(51)
    assert len(world.get("Invoices")["Invoices"]) == 20
    for id in made:
        world.act("edit_invoice", invoice=id, fields={"Reference": "new"})
    shown = {r["Reference"] for r in world.get("Invoices")["Invoices"] if "Reference" in r}
    assert "new" not in shown
    assert world.get(f"Invoices/{made[0]}")["Invoices"][0]["Reference"] == "new"


def test_modified_since_works_to_the_second_and_ignores_other_styles(world: World) -> None:
    world.invoice()
    world.clock.advance(10)
    late = world.invoice()["InvoiceID"]

    def since(text: str) -> list[str]:
        return ids(world.get("Invoices", headers={"If-Modified-Since": text})["Invoices"])

    assert since("2026-03-02T01:00:05") == [late]
    assert since("2026-03-02T01:00:10") == []
    for odd in (
        "2026-03-02T01:00:05+00:00",
        "2026-03-02T01:00:05.5",
        "Mon, 02 Mar 2026",
    ):
        assert len(since(odd)) == 2
    world.act("approve", invoice="INV-0001")
    world.clock.advance(1)
    world.act("pay", invoice="INV-0001")
    assert len(since("2026-03-02T01:00:10")) == 1


def test_not_modified_is_an_option() -> None:
    world = World(Options(lag_max_s=0, limits=None, not_modified=True))
    header = {"If-Modified-Since": "2030-01-01T00:00:00"}
    assert world.call("GET", "Invoices", headers=header).status == 304


def test_pages(world: World) -> None:
    world.put("Invoices", *[invoice() for _ in range(7)])
    whole = world.get("Invoices")
    assert "pagination" not in whole
    assert all(r["LineItems"] == [] for r in whole["Invoices"])
    seen: list[str] = []
    for page in (1, 2, 3):
        part = world.get("Invoices", page=page, pageSize=3, order="InvoiceID ASC")
        assert part["pagination"] == {
            "page": page,
            "pageSize": 3,
            "pageCount": 3,
            "itemCount": 7,
        }
        assert all(r["LineItems"] for r in part["Invoices"])
        seen += ids(part["Invoices"])
    assert seen == sorted(seen)
    assert len(set(seen)) == 7
    assert world.get("Invoices", page=4, pageSize=3)["Invoices"] == []
    assert world.get("Invoices", page=1, pageSize=5000)["pagination"]["pageSize"] == 1000
    assert world.get("Invoices", page=1)["pagination"]["pageSize"] == 100
    summary = world.get("Invoices", page=1, summaryOnly="true")["Invoices"][0]
    assert summary["LineItems"] == []
    assert "Payments" not in summary


def test_filters(world: World) -> None:
    one, two = world.contact("One"), world.contact("Two")
    a = world.invoice(Contact={"ContactID": one}, Reference="R-1", InvoiceNumber="N-A")
    b = world.invoice(Contact={"ContactID": two}, Status="AUTHORISED")
    hand = world.act("create_invoice", fields=invoice(Contact={"ContactID": two}))["id"]
    a, b = a["InvoiceID"], b["InvoiceID"]

    def found(**query: Any) -> set[str]:
        return set(ids(world.get("Invoices", **query)["Invoices"]))

    assert found(IDs=f"{a},{hand}") == {a, hand}
    assert found(InvoiceNumbers="N-A") == {a}
    assert found(ContactIDs=two) == {b, hand}
    assert found(Statuses="AUTHORISED,PAID") == {b}
    assert found(createdByMyApp="True") == {a, b}
    assert found(where='Status=="AUTHORISED"') == {b}
    assert found(where=f'Contact.ContactID==guid("{two}") AND Status=="DRAFT"') == {hand}
    assert found(where='Reference=="R-1"') == {a}
    assert found(where="Date>=DateTime(2026,03,02) AND AmountDue>=110") == {a, b, hand}
    assert found(where='Date<DateTime.Parse("2026-03-02")') == set()
    assert found(where='Type=="ACCREC" && (Contact.Name.Contains("On") || AmountPaid>0)') == {a}
    assert found(searchTerm="r-1") == {a}


@pytest.mark.parametrize(
    "query",
    [
        {"where": "Status=="},
        {"where": "Colour==1"},
        {"where": 'Status=="DRAFT" nonsense'},
        {"order": "Colour"},
        {"page": "x"},
        {"pagesize": "3"},
    ],
)
def test_queries_that_cannot_be_read(world: World, query: dict[str, str]) -> None:
    reply = world.call("GET", "Invoices", **query)
    assert (reply.status, reply.json()["Type"]) == (400, "QueryParseException")


def test_dead_invoices_stay_in_lists_unless_hidden(world: World) -> None:
    world.invoice()
    world.act("delete", invoice="INV-0001")
    assert world.get("Invoices")["Invoices"][0]["Status"] == "DELETED"
    hiding = World(Options(lag_max_s=0, limits=None, hide_deleted=True))
    hiding.invoice()
    hiding.act("delete", invoice="INV-0001")
    assert hiding.get("Invoices")["Invoices"] == []


def test_numbers_and_dates_on_the_wire(world: World) -> None:
    id = world.invoice(LineItems=[line(0.1, 3)])["InvoiceID"]
    text = world.call("GET", f"Invoices/{id}").body.decode()
    for piece in (
        '"SubTotal":0.30',
        '"Quantity":3.0000',
        '"CurrencyRate":1.000000',
        '"DateString":"2026-03-02T00:00:00"',
        '"Date":"/Date(1772409600000+0000)/"',
        '"UpdatedDateUTC":"/Date(1772413200000+0000)/"',
        '"UpdatedDateUTCString":"2026-03-02T01:00:00Z"',
    ):
        assert piece in text


def test_unset_texts_are_null_or_missing_and_stay_so(world: World) -> None:
    made = [world.invoice()["InvoiceID"] for _ in range(40)]
    rows = {r["InvoiceID"]: r for r in world.get("Invoices")["Invoices"]}
    kinds = {("Reference" in r, r.get("Reference")) for r in rows.values()}
    assert kinds == {(True, None), (False, None)}
    for id in made[:5]:
        single = world.get(f"Invoices/{id}")["Invoices"][0]
        assert ("Reference" in single) == ("Reference" in rows[id])
    assert World().get("Organisation")["Organisations"][0].get("PeriodLockDate") is None


def test_settings(world: World) -> None:
    org = world.get("Organisation")["Organisations"][0]
    assert (org["CountryCode"], org["BaseCurrency"], org["Timezone"]) == (
        "AU",
        "AUD",
        "AUSEASTERNSTANDARDTIME",
    )
    accounts = {a["Code"]: a for a in world.get("Accounts")["Accounts"]}
    assert accounts["860"]["SystemAccount"] == "ROUNDING"
    rates = {t["TaxType"]: t for t in world.get("TaxRates")["TaxRates"]}
    assert rates["OUTPUT"]["EffectiveRate"] == 10
    assert rates["INPUT"]["CanApplyToRevenue"] is False
    assert ids(world.get("Currencies")["Currencies"], "Code") == ["AUD", "EUR"]
    world.act("add_tracking", name="Region", options=["North", "South"])
    category = world.get("TrackingCategories")["TrackingCategories"][0]
    tracked = line(Tracking=[{"Name": "Region", "Option": "North"}])
    row = world.invoice(LineItems=[tracked])
    assert (
        row["LineItems"][0]["Tracking"][0]["TrackingCategoryID"] == (category["TrackingCategoryID"])
    )
    bad = world.invoice(LineItems=[line(Tracking=[{"Name": "Region", "Option": "West"}])])
    assert "tracking" in messages(bad)[0]
    for path in ("BrandingThemes", "Users", "Items", "CreditNotes", "Prepayments", "Overpayments"):
        assert isinstance(world.get(path)[path], list)
    assert world.call("GET", "Nonsense").status == 404
    assert world.call("GET", "Invoices/INV-9").status == 404


def test_accounts_by_where(world: World) -> None:
    rows = world.get("Accounts", where='Type=="BANK"')["Accounts"]
    assert ids(rows, "Code") == ["090"]
    assert json.loads(world.call("GET", "Accounts").body)["ProviderName"] == "sandbox-custom"
