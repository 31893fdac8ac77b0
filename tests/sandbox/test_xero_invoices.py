"""Invoices of the sandbox Xero: what it computes, what it refuses, how a status moves."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from syncjob.sandbox.kernel import Fault
from syncjob.sandbox.xero import Options

from .xero_support import World, invoice, line, messages


@pytest.fixture
def world() -> World:
    return World()


def test_create_numbers_totals_and_answers_per_element(world: World) -> None:
    first, bad, second = world.put(
        "Invoices", invoice(), invoice(line(AccountCode="999")), invoice(line(5, 3))
    )
    assert (first["InvoiceNumber"], second["InvoiceNumber"]) == ("INV-0001", "INV-0002")
    assert (first["SubTotal"], first["TotalTax"], first["Total"]) == (100, 10, 110)
    assert (first["Status"], first["StatusAttributeString"]) == ("DRAFT", "OK")
    assert bad["StatusAttributeString"] == "ERROR"
    assert bad["HasErrors"] is True
    assert bad["InvoiceID"] == "00000000-0000-0000-0000-000000000000"
    assert messages(bad) == ["Account code '999' is not a valid code for this document."]
    assert len(world.xero.dump()["organisations"][0]["invoices"]) == 2


def test_summarised_errors_save_nothing(world: World) -> None:
    body = {"Invoices": [invoice(), invoice(Type="NOPE")]}
    reply = world.call("PUT", "Invoices", body)
    assert reply.status == 400
    assert reply.json()["Type"] == "ValidationException"
    assert reply.json()["Elements"][0]["ValidationErrors"]
    assert world.get("Invoices")["Invoices"] == []
    assert world.get("Contacts")["Contacts"] == []


@pytest.mark.parametrize(
    ("style", "lines", "sums"),
    [
        ("Exclusive", [line("0.05")], ("0.05", "0.01", "0.06")),
        ("Exclusive", [line("0.15"), line("0.15")], ("0.30", "0.04", "0.34")),
        ("Exclusive", [line("10.005")], ("10.01", "1.00", "11.01")),
        ("Inclusive", [line("110")], ("100", "10", "110")),
        ("Inclusive", [line("0.99")], ("0.90", "0.09", "0.99")),
        ("NoTax", [line("12.34", 2)], ("24.68", "0", "24.68")),
        ("Exclusive", [line("100", DiscountRate=15)], ("85", "8.5", "93.5")),
        ("Exclusive", [line("100", DiscountAmount="7.5")], ("92.5", "9.25", "101.75")),
        ("Exclusive", [line("100"), line("-30")], ("70", "7", "77")),
        ("Exclusive", [line("19.99", TaxType="EXEMPTOUTPUT")], ("19.99", "0", "19.99")),
    ],
)
def test_sums(world: World, style: str, lines: list[Any], sums: tuple[str, str, str]) -> None:
    for sent in lines:
        for key in ("UnitAmount", "DiscountAmount"):
            if key in sent:
                sent[key] = float(sent[key])
    row = world.invoice(LineItems=lines, LineAmountTypes=style)
    assert (row["SubTotal"], row["TotalTax"], row["Total"]) == tuple(map(Fraction, sums))


def test_unit_amounts_are_rounded_first_unless_unitdp_is_4(world: World) -> None:
    sent = invoice(line(0.1234, 1000))
    assert world.put("Invoices", sent)[0]["SubTotal"] == 120
    exact = world.put("Invoices", sent, unitdp=4)[0]
    assert (exact["SubTotal"], exact["LineItems"][0]["UnitAmount"]) == (
        Fraction("123.4"),
        Fraction("0.1234"),
    )
    shown = world.get(f"Invoices/{exact['InvoiceID']}")["Invoices"][0]["LineItems"][0]
    assert shown["UnitAmount"] == Fraction("0.12")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"Type": "NOPE"}, "Type"),
        ({"Contact": None}, "A Contact must be specified"),
        ({"Contact": {"EmailAddress": "a@b.cc"}}, "at least 1 of the following"),
        ({"LineItems": []}, "One or more line items"),
        ({"Status": "PAID"}, "Status PAID"),
        ({"CurrencyCode": "CAD"}, "Organisation is not subscribed to currency CAD"),
        ({"InvoiceNumber": "x" * 256}, "255"),
        ({"Reference": "x" * 256}, "255"),
        ({"Url": "deals/1"}, "absolute URL"),
        ({"Status": "AUTHORISED", "DueDate": None}, "DueDate field must be specified"),
        ({"LineItems": [line(-1)]}, "must not be negative"),
        ({"LineItems": [line(TaxType="INPUT")]}, "'INPUT' cannot be used with account code '200'"),
        ({"LineItems": [line(TaxType="FOO")]}, "'FOO' does not exist"),
        ({"LineItems": [line(AccountCode="610")]}, "not a valid code"),
        ({"LineItems": [line(AccountCode="090")]}, "not a valid code"),
        ({"LineItems": [line(ItemCode="GHOST")]}, "Item code 'GHOST'"),
        ({"LineItems": [line(LineAmount=99)]}, "The line total 99.00 does not match"),
        ({"LineItems": [line(Description="")], "Status": "AUTHORISED"}, "description field"),
        ({"LineItems": [line(AccountCode="")], "Status": "AUTHORISED"}, "Account code ''"),
        ({"LineItems": [line(DiscountRate=101)]}, "between 0 and 100"),
        ({"SentToContact": True}, "Only approved invoices"),
    ],
)
def test_refusals(world: World, more: dict[str, Any], message: str) -> None:
    row = world.invoice(**more)
    assert row["HasErrors"], row
    assert message in "; ".join(messages(row))
    assert world.xero.dump()["organisations"][0]["invoices"] == []


def test_a_tax_amount_that_is_sent_stands(world: World) -> None:
    row = world.invoice(LineItems=[line(100, TaxAmount=9.99), line(100)])
    assert row["TotalTax"] == Fraction("19.99")
    assert world.invoice(LineItems=[line(1, TaxAmount=2)])["HasErrors"]


def test_a_discount_of_many_decimals_cannot_be_approved(world: World) -> None:
    sent = invoice(line(1000, DiscountRate=12.3456))
    draft = world.put("Invoices", sent)[0]
    assert draft["SubTotal"] == Fraction("876.54")
    row = world.post(f"Invoices/{draft['InvoiceID']}", {"Status": "AUTHORISED"})[0]
    assert messages(row) == ["The line total 876.54 does not match the expected line total 876.50"]


def test_malformed_bodies(world: World) -> None:
    bodies: list[Any] = [
        [1],
        {"Invoices": []},
        {"Invoices": [invoice(Amount=1)]},
        {"Invoices": [invoice(line(Quantity="1"))]},
        {"Invoices": [invoice(Date="tomorrow")]},
        {"Invoices": [invoice(Contact={"ContactID": "x"})]},
    ]
    for body in bodies:
        reply = world.call("PUT", "Invoices", body)
        assert (reply.status, reply.json()["Type"]) == (400, "PostDataInvalidException"), body


def test_a_number_is_unique_and_post_updates_it(world: World) -> None:
    first = world.invoice(InvoiceNumber="D-1")
    assert messages(world.invoice(InvoiceNumber="D-1")) == ["Invoice # must be unique."]
    again = world.post("Invoices", invoice(InvoiceNumber="D-1", Reference="later"))[0]
    assert (again["InvoiceID"], again["Reference"]) == (first["InvoiceID"], "later")
    world.act("delete", invoice="D-1")
    fresh = world.invoice(InvoiceNumber="D-1")
    assert fresh["InvoiceID"] != first["InvoiceID"]
    assert world.get("Invoices/D-1")["Invoices"][0]["InvoiceID"] == fresh["InvoiceID"]


def test_lifecycle(world: World) -> None:
    def move(number: str, status: str) -> list[str]:
        row = world.post(f"Invoices/{number}", {"Status": status})[0]
        return messages(row)

    wrong = ["Invoice not of valid status for modification"]
    number = world.invoice()["InvoiceNumber"]
    assert move(number, "VOIDED") == wrong
    assert move(number, "SUBMITTED") == []
    assert move(number, "AUTHORISED") == []
    assert move(number, "DRAFT") == wrong
    assert move(number, "DELETED") == wrong
    world.act("pay", invoice=number, amount="10.50")
    row = world.get(f"Invoices/{number}")["Invoices"][0]
    assert (row["AmountPaid"], row["AmountDue"]) == (Fraction("10.5"), Fraction("99.5"))
    assert "cannot be edited" in move(number, "VOIDED")[1]
    world.act("remove_payment", invoice=number)
    assert move(number, "VOIDED") == []
    assert world.get(f"Invoices/{number}")["Invoices"][0]["AmountDue"] == 0
    other = world.invoice()["InvoiceNumber"]
    assert move(other, "DELETED") == []
    assert move(other, "DRAFT") == wrong


def test_part_paid_invoices_are_locked_and_some_edits_leave_no_stamp(world: World) -> None:
    number = world.invoice(Status="AUTHORISED")["InvoiceNumber"]
    world.act("pay", invoice=number, amount=1)
    before = world.get(f"Invoices/{number}")["Invoices"][0]
    world.clock.advance(60)
    quiet = world.post(f"Invoices/{number}", {"DueDate": "2026-05-01"})[0]
    assert quiet["DueDateString"] == "2026-05-01T00:00:00"
    assert quiet["UpdatedDateUTC"] == before["UpdatedDateUTC"]
    assert world.post(f"Invoices/{number}", {"LineItems": [line(5)]})[0]["HasErrors"]
    loud = world.post(f"Invoices/{number}", {"Reference": "PO 7"})[0]
    assert loud["UpdatedDateUTC"] > before["UpdatedDateUTC"]


def test_lines_are_kept_by_id_and_dropped_when_left_out(world: World) -> None:
    row = world.invoice(LineItems=[line(10), line(20)])
    keep = row["LineItems"][1]["LineItemID"]
    lines = [{"LineItemID": keep, "Quantity": 3}, line(1)]
    new = world.post(f"Invoices/{row['InvoiceID']}", {"LineItems": lines})[0]
    assert [x["LineAmount"] for x in new["LineItems"]] == [60, 1]
    assert new["LineItems"][0]["LineItemID"] == keep
    only = world.post(f"Invoices/{row['InvoiceID']}", {"Reference": "x"})[0]
    assert only["SubTotal"] == 61


def test_lock_dates_plan_cap_and_archived_accounts(world: World) -> None:
    world.act("set_lock_date", period="2026-02-28", year="2025-12-31")
    text = messages(world.invoice(Date="2026-02-28"))[0]
    assert text.startswith("The document date cannot be before the period lock date")
    assert world.invoice(Date="2026-03-01")["StatusAttributeString"] == "OK"
    world.act("set_plan_cap", cap=1)
    assert not world.invoice(Status="AUTHORISED")["HasErrors"]
    over = world.invoice(Status="AUTHORISED")
    assert messages(over) == ["You have reached the limit of invoices you can approve"]
    assert not world.invoice(Status="AUTHORISED", Date="2026-04-02")["HasErrors"]
    world.act("archive_account", account="200")
    assert "has been archived" in messages(world.invoice())[0]


def test_a_locked_draft_can_be_redated_and_a_locked_approved_one_is_frozen(world: World) -> None:
    draft = world.invoice()["InvoiceNumber"]
    done = world.invoice(Status="AUTHORISED")["InvoiceNumber"]
    world.act("set_lock_date", period="2026-03-10")
    for number in (draft, done):
        assert "lock date" in messages(world.post(f"Invoices/{number}", {"Reference": "x"})[0])[0]
    moved = world.post(f"Invoices/{draft}", {"Date": "2026-03-11", "Status": "AUTHORISED"})[0]
    assert moved["Status"] == "AUTHORISED"
    assert world.post(f"Invoices/{done}", {"Status": "VOIDED"})[0]["HasErrors"]


def test_contacts_in_invoices(world: World) -> None:
    one = world.contact("One")
    world.invoice(Contact={"ContactID": one, "Name": "Uno"})
    assert world.get(f"Contacts/{one}")["Contacts"][0]["Name"] == "Uno"
    row = world.invoice(Contact={"Name": "uno"})
    assert row["Contact"]["ContactID"] == one
    assert world.get(f"Contacts/{one}")["Contacts"][0]["IsCustomer"] is True
    world.act("archive_contact", contact=one)
    assert "has been archived" in messages(world.invoice(Contact={"ContactID": one}))[0]


def test_currencies_and_zero_totals(world: World) -> None:
    row = world.invoice(CurrencyCode="EUR")
    assert row["CurrencyRate"] == Fraction("0.613333")
    row = world.invoice(CurrencyCode="EUR", CurrencyRate=0.5)
    assert (row["CurrencyRate"], row["CurrencyCode"]) == (Fraction("0.5"), "EUR")
    free = world.invoice(LineItems=[line(0)], Status="AUTHORISED")
    assert free["Status"] == "PAID"


def test_items_fill_a_line_and_explicit_fields_win(world: World) -> None:
    item = {
        "Code": "HAT",
        "Name": "Hat",
        "Description": "A hat",
        "SalesDetails": {"UnitPrice": 25.5, "AccountCode": "260", "TaxType": "EXEMPTOUTPUT"},
    }
    assert world.put("Items", item)[0]["Code"] == "HAT"
    assert "already exists" in messages(world.put("Items", item)[0])[0]
    row = world.invoice(LineItems=[{"ItemCode": "HAT", "Quantity": 2}])
    sent = row["LineItems"][0]
    assert (sent["LineAmount"], sent["AccountCode"], sent["TaxType"]) == (51, "260", "EXEMPTOUTPUT")
    row = world.invoice(LineItems=[line(7, ItemCode="HAT")])
    assert row["LineItems"][0]["AccountCode"] == "200"


def test_email_and_online_invoice(world: World) -> None:
    world.put("Contacts", {"Name": "Mail", "EmailAddress": "a@example.com"})
    draft = world.invoice(Contact={"Name": "Mail"})["InvoiceID"]
    assert world.call("POST", f"Invoices/{draft}/Email", {}).status == 400
    assert world.call("GET", f"Invoices/{draft}/OnlineInvoice").status == 404
    world.act("approve", invoice=draft)
    assert world.call("POST", f"Invoices/{draft}/Email", {}).status == 204
    assert world.get(f"Invoices/{draft}")["Invoices"][0]["SentToContact"] is True
    link = world.get(f"Invoices/{draft}/OnlineInvoice")["OnlineInvoices"][0]
    assert link["OnlineInvoiceUrl"].startswith("https://in.xero.com/")


def test_planted_internal_errors(world: World) -> None:
    world.host.faults.add(Fault("semantic", name="commit_half"))
    body = {"Invoices": [invoice() for _ in range(4)]}
    reply = world.call("PUT", "Invoices", body, {"Idempotency-Key": "k"}, summarizeErrors="false")
    assert reply.status == 500
    assert len(world.get("Invoices")["Invoices"]) == 2
    again = world.call("PUT", "Invoices", body, {"Idempotency-Key": "k"}, summarizeErrors="false")
    assert again.status == 500
    world.host.faults.add(Fault("semantic", name="internal_error", when="after"))
    assert world.call("PUT", "Invoices", body).status == 500
    assert len(world.get("Invoices")["Invoices"]) == 6


@pytest.mark.parametrize(
    ("region", "tax", "total"),
    [("AU", "OUTPUT", "110"), ("NZ", "OUTPUT2", "115"), ("UK", "OUTPUT2", "120")],
)
def test_regions(region: str, tax: str, total: str) -> None:
    world = World(Options(region=region, lag_max_s=0, limits=None))
    row = world.invoice()
    assert (row["LineItems"][0]["TaxType"], row["Total"]) == (tax, Fraction(total))


def test_us_rates() -> None:
    world = World(Options(region="US", lag_max_s=0, limits=None))
    assert world.invoice()["Total"] == 100
    row = world.invoice(LineItems=[line(TaxType="TAX001")])
    assert row["Total"] == Fraction("108.88")
