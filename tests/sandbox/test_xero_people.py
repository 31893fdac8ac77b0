"""What the bookkeeper does by hand, and what a client then reads."""

from __future__ import annotations

import copy
from fractions import Fraction
from typing import Any

import pytest

from syncjob.sandbox.control import Control
from syncjob.sandbox.kernel import ActError, Request
from syncjob.sandbox.xero import Options

from .xero_support import World, invoice, line, messages


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def number(world: World) -> str:
    return str(world.invoice(Status="AUTHORISED")["InvoiceNumber"])


def read(world: World, number: str) -> Any:
    return world.get(f"Invoices/{number}")["Invoices"][0]


def test_payments_move_the_stamp_and_the_status(world: World, number: str) -> None:
    before = read(world, number)["UpdatedDateUTC"]
    world.clock.advance(5)
    paid = world.act("pay", invoice=number, date="2026-03-09", reference="EFT")
    row = read(world, number)
    assert (row["Status"], row["AmountDue"], row["AmountPaid"]) == ("PAID", 0, 110)
    assert row["FullyPaidOnDate"] == "/Date(1773014400000+0000)/"
    assert row["UpdatedDateUTC"] > before
    assert set(row["Payments"][0]) >= {"PaymentID", "Date", "Amount", "Reference"}
    payment = world.get("Payments")["Payments"][0]
    assert (payment["PaymentID"], payment["PaymentType"]) == (paid["id"], "ACCRECPAYMENT")
    assert payment["UpdatedDateUTC"] == row["UpdatedDateUTC"]
    world.act("remove_payment", invoice=number)
    row = read(world, number)
    assert (row["Status"], row["AmountDue"]) == ("AUTHORISED", 110)
    assert "FullyPaidOnDate" not in row
    assert world.get("Payments")["Payments"][0]["Status"] == "DELETED"


def test_payments_by_the_api(world: World, number: str) -> None:
    sent = {"Invoice": {"InvoiceNumber": number}, "Account": {"Code": "090"}, "Amount": 60.5}
    row = world.put("Payments", sent)[0]
    assert (row["Amount"], row["HasValidationErrors"]) == (Fraction("60.5"), False)
    over = world.put("Payments", {**sent, "Amount": 50})[0]
    assert messages(over) == ["Payment amount exceeds the amount outstanding on this document"]
    for wrong, word in (
        ({"Amount": 0}, "greater than zero"),
        ({"Amount": None}, "Amount must be"),
        ({"Account": {"Code": "200"}}, "Account type is invalid"),
        ({"Account": None}, "Account must be"),
        ({"Invoice": {"InvoiceNumber": "GHOST"}}, "was not found"),
        ({"Invoice": None}, "must name"),
    ):
        assert word in messages(world.put("Payments", {**sent, **wrong})[0])[0]
    gone = world.post(f"Payments/{row['PaymentID']}", {"Status": "DELETED"})[0]
    assert gone["Status"] == "DELETED"
    again = world.post(f"Payments/{row['PaymentID']}", {"Status": "DELETED"})[0]
    assert again["HasValidationErrors"]


def test_credit_notes(world: World, number: str) -> None:
    note = world.act("credit", invoice=number, amount="40", total="50", account="408")
    row = read(world, number)
    assert (row["AmountCredited"], row["AmountDue"], row["Status"]) == (40, 70, "AUTHORISED")
    assert row["CreditNotes"][0]["CreditNoteNumber"] == "CN-0001"
    shown = world.get("CreditNotes", page=1)["CreditNotes"][0]
    assert (shown["Total"], shown["RemainingCredit"], shown["Status"]) == (50, 10, "AUTHORISED")
    assert shown["TotalTax"] == Fraction("4.55")
    assert shown["Allocations"][0]["Invoice"]["InvoiceID"] == row["InvoiceID"]
    assert shown["LineItems"][0]["AccountCode"] == "408"
    world.act("refund_credit", credit=note["number"])
    shown = world.get("CreditNotes/CN-0001")["CreditNotes"][0]
    assert (shown["RemainingCredit"], shown["Status"]) == (0, "PAID")
    payment = world.get("Payments")["Payments"][0]
    assert payment["PaymentType"] == "ARCREDITPAYMENT"
    assert payment["Invoice"]["Type"] == "ACCRECCREDIT"


def test_a_credit_may_stay_unallocated(world: World, number: str) -> None:
    world.act("credit", invoice=number, amount=40, allocate=False)
    assert read(world, number)["AmountDue"] == 110
    assert world.get("CreditNotes")["CreditNotes"][0]["RemainingCredit"] == 40


def test_prepayments_and_overpayments(world: World, number: str) -> None:
    world.act("allocate_prepayment", invoice=number, amount=10, total=30)
    over = world.act("allocate_overpayment", invoice=number, amount=100)
    row = read(world, number)
    assert (row["Status"], row["AmountPaid"], row["AmountCredited"]) == ("PAID", 0, 110)
    assert len(row["Prepayments"]) == len(row["Overpayments"]) == 1
    assert world.get("Prepayments")["Prepayments"][0]["RemainingCredit"] == 20
    assert world.get("Overpayments")["Overpayments"][0]["Status"] == "PAID"
    world.act("remove_allocation", allocation=over["applied"][0]["id"])
    assert read(world, number)["AmountDue"] == 100
    assert world.get("Overpayments")["Overpayments"][0]["RemainingCredit"] == 100


def test_edits_by_hand(world: World) -> None:
    made = world.act("create_invoice", fields=invoice(line(19.99, 3), Reference="PO"))
    assert (made["total"], made["created_by"]) == ("65.97", None)
    world.act("edit_invoice", invoice=made["number"], fields={"Reference": ""})
    assert read(world, made["number"])["Reference"] == ""
    world.act("submit", invoice=made["number"])
    world.act("approve", invoice=made["number"])
    world.act("set_expected_payment_date", invoice=made["number"], date="2026-05-05")
    assert read(world, made["number"])["ExpectedPaymentDate"].startswith("/Date(17779")
    world.act("void", invoice=made["number"])
    assert read(world, made["number"])["Status"] == "VOIDED"
    with pytest.raises(ActError, match="not of valid status"):
        world.act("delete", invoice=made["number"])


def test_contacts_by_hand(world: World) -> None:
    world.act("create_contact", fields={"Name": "Hand", "EmailAddress": "h@example.com"})
    world.act("rename_contact", contact="Hand", name="Hand Ltd")
    world.act("edit_contact", contact="Hand Ltd", fields={"EmailAddress": ""})
    row = world.get("Contacts")["Contacts"][0]
    assert (row["Name"], row["EmailAddress"]) == ("Hand Ltd", "")
    world.act("forget_contact", contact="Hand Ltd")
    rows = world.get("Contacts", includeArchived="true")["Contacts"]
    assert rows[0]["ContactStatus"] == "GDPRREQUEST"


def test_settings_by_hand(world: World) -> None:
    world.act("add_tax_rate", name="State 6%", percent=6)
    row = world.invoice(LineItems=[line(TaxType="TAX001")])
    assert row["Total"] == 106
    world.act("retire_tax_rate", tax_type="TAX001")
    assert world.invoice(LineItems=[line(TaxType="TAX001")])["HasErrors"]
    world.act("enable_currency", currency="CAD")
    world.act("set_tax_basis", basis="NONE")
    assert world.get("Organisation")["Organisations"][0]["PaysTax"] is False
    assert not world.invoice(CurrencyCode="CAD")["HasErrors"]
    world.act("add_account", code="201", name="More sales")
    assert not world.invoice(LineItems=[line(AccountCode="201")])["HasErrors"]
    world.act("set_lock_date", year="2026-02-01")
    org = world.get("Organisation")["Organisations"][0]
    assert org["EndOfYearLockDate"] == "/Date(1769904000000+0000)/"
    world.act("set_lock_date", year=None)
    assert "EndOfYearLockDate" not in world.get("Organisation")["Organisations"][0]


def test_acts_that_cannot_be_done(world: World) -> None:
    for name, payload in (
        ("dance", {}),
        ("pay", {}),
        ("pay", {"invoice": "GHOST"}),
        ("archive_contact", {"contact": "GHOST"}),
        ("archive_account", {"account": "999"}),
        ("refund_credit", {"credit": "CN-9"}),
    ):
        with pytest.raises(ActError):
            world.act(name, **payload)


def test_the_control_door_and_the_truth(world: World, number: str) -> None:
    control = Control(world.host)
    body = f'{{"invoice": "{number}", "amount": 0.1}}'.encode()
    reply = control.handle(Request("POST", "/control/xero/pay", body=body))
    assert reply.json()["done"]["amount"] == "0.10"
    wrong = control.handle(Request("POST", "/control/xero/pay", body=b'{"invoice": "x"}'))
    assert (wrong.status, "no invoice" in wrong.json()["error"]) == (400, True)
    state = control.handle(Request("GET", "/control/state/xero")).json()
    truth = state["organisations"][0]["invoices"][0]
    assert (truth["due"], truth["paid"], truth["status"]) == ("109.90", "0.10", "AUTHORISED")


def test_one_seed_is_one_history() -> None:
    def history() -> list[bytes]:
        world = World(Options(lag_max_s=5))
        for _ in range(3):
            world.invoice(Status="AUTHORISED")
            world.clock.advance(2)
            world.get("Invoices", page=1)
        return [reply.body for _, reply in world.replies]

    assert history() == history()


def test_a_world_copies_deeply(world: World, number: str) -> None:
    twin = copy.deepcopy(world)
    twin.act("pay", invoice=number)
    assert read(twin, number)["Status"] == "PAID"
    assert read(world, number)["Status"] == "AUTHORISED"
    twin.clock.advance(3600)
    assert twin.clock.now() != world.clock.now()
