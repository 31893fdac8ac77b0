"""Reading one record of Xero: exact numbers, nulls that are nothing, the organisation's names."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from syncjob.connectors.base import Walk
from syncjob.connectors.xero import codec_read, reference
from syncjob.connectors.xero.codec_read import Pages
from syncjob.connectors.xero.timezones import IANA
from syncjob.core.records import CreditNote, Invoice, PaymentTerms, Settlement
from syncjob.errors import SchemaDrift

from .xero_kit import (
    ORGANISATION,
    STAMP,
    answer,
    asked,
    connector,
    contact_json,
    fields,
    guid,
    invoice_json,
    page,
)

PAGES = Pages("!aBc1")


# --- one record ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "more", "fine"),
    [
        ("AUTHORISED", {}, True),
        ("AUTHORISED", {"AmountPaid": 7.0}, False),
        ("AUTHORISED", {"AmountDue": 0.005}, False),
        ("PAID", {"AmountDue": 0.0}, False),
        ("PAID", {"AmountDue": 0.0, "AmountPaid": 22.28}, True),
        ("AUTHORISED", {"AmountDue": 20.0, "CISDeduction": 2.28}, True),
        ("VOIDED", {"AmountDue": 0.0}, True),
        ("DRAFT", {"AmountDue": 0.0}, True),
    ],
)
def test_an_approved_invoice_whose_sums_disagree_is_not_read(
    status: str, more: dict[str, Any], fine: bool
) -> None:
    found = fields(invoice_json(1, Status=status, **more))
    if fine:
        assert codec_read.invoice(found, PAGES).total == Decimal("22.28")
    else:
        with pytest.raises(SchemaDrift, match="come to"):
            codec_read.invoice(found, PAGES)


def test_an_invoice_is_read_whole_and_exact() -> None:
    paid = invoice_json(
        1,
        Status="AUTHORISED",
        AmountPaid=10.1,
        AmountCredited=2.0,
        AmountDue=10.18,
        ExpectedPaymentDate="/Date(1795305600000)/",
        FullyPaidOnDate="2026-11-22T00:00:00",
        SentToContact=True,
        Payments=[{"PaymentID": guid(5), "Amount": 10.1, "Date": "/Date(1795305600000+1100)/"}],
        CreditNotes=[{"CreditNoteID": guid(6), "AppliedAmount": 2.0, "Total": 9.0}],
    )
    got = codec_read.invoice(fields(paid), PAGES)
    assert got.lines is not None
    assert got.lines[0].unit_price == Decimal("10.1234")
    assert (got.date, got.expected_on, got.paid_on) == (date(2026, 11, 22),) * 3
    assert (got.paid, got.credited, got.sent) == (Decimal("10.1"), Decimal("2.0"), True)
    assert got.settlements == (
        Settlement(id=guid(5), kind="payment", amount=Decimal("10.1"), date=date(2026, 11, 22)),
        Settlement(id=guid(6), kind="credit_note", amount=Decimal("2.0")),
    )
    assert got.updated == datetime.fromtimestamp(1795337000, UTC)
    assert got.marker == "NW-1-A1"


def test_a_null_text_is_none_and_not_the_word() -> None:
    nulled = invoice_json(1, Reference=None, Url=None, InvoiceNumber="  ", DueDate=None)
    got = codec_read.invoice(fields(nulled), PAGES)
    assert (got.reference, got.url, got.number, got.due_date, got.marker) == (None,) * 5
    contact = codec_read.contact(
        fields(contact_json(1, EmailAddress=None, Phones=None, Addresses=None, FirstName=None)),
        PAGES,
    )
    assert "None" not in repr(contact.name)
    assert (contact.emails, contact.phones, contact.address) == ((), (), None)


def test_what_was_credited_is_known_where_xero_leaves_the_sum_out() -> None:
    applied = [{"CreditNoteID": guid(6), "AppliedAmount": 2.5}]
    single = invoice_json(1, CreditNotes=applied)
    del single["AmountCredited"]
    assert codec_read.invoice(fields(single), PAGES).credited == Decimal("2.5")
    del single["AmountPaid"]
    with pytest.raises(SchemaDrift, match="AmountPaid"):
        codec_read.invoice(fields(single), PAGES)


DAYS = "DAYSAFTERBILLDATE"
SAMPLES = {
    "invoices": ("Invoices", invoice_json(1)),
    "contacts": ("Contacts", contact_json(1, PaymentTerms={"Sales": {"Day": 1, "Type": DAYS}})),
    "payments": (
        "Payments",
        {"PaymentID": guid(5), "Status": "AUTHORISED", "Amount": 5.0, "PaymentType": "X",
         "Invoice": {"InvoiceID": guid(1)}, "UpdatedDateUTC": STAMP},
    ),
    "credit_notes": (
        "CreditNotes",
        {"CreditNoteID": guid(6), "Type": "ACCRECCREDIT", "Status": "PAID", "Total": 1.0,
         "CurrencyCode": "AUD", "RemainingCredit": 0.0, "Allocations": [], "Payments": []},
    ),
    "overpayments": (
        "Overpayments",
        {"OverpaymentID": guid(7), "Type": "RECEIVE-OVERPAYMENT", "Status": "AUTHORISED",
         "Total": 1.0, "CurrencyCode": "AUD", "RemainingCredit": 1.0, "Allocations": []},
    ),
}  # fmt: skip
CASES = [(stream, name) for stream, (_, row) in SAMPLES.items() for name in sorted(row)]


@pytest.mark.parametrize(("stream", "name"), CASES)
@pytest.mark.parametrize("change", ["dropped", "nulled", "retyped"])
def test_a_record_of_another_shape_is_read_right_or_set_aside(
    stream: str, name: str, change: str
) -> None:
    """Never an exception, never a value that nobody sent: the money is right or not there."""
    plural, row = SAMPLES[stream]
    changed = {k: v for k, v in row.items() if k != name}
    if change != "dropped":
        changed[name] = None if change == "nulled" else [["?"]]
    [got] = connector(page(plural, [changed])).changes(stream, Walk(since=None))
    assert len(got.records) + len(got.drift) == 1
    if name in ("Total", "AmountDue", "AmountPaid", "SubTotal", "Status", "Amount"):
        assert got.drift, f"{name} must not be made up"
    if change == "retyped" and name not in ("PaymentType", "StatusAttributeString", "HasErrors"):
        assert got.drift


def test_a_sum_with_a_rounding_amount_is_taken_as_xero_says_it() -> None:
    rounded = invoice_json(1, Total=22.3, RoundingAmount=0.02)
    assert codec_read.invoice(fields(rounded), PAGES).total == Decimal("22.3")


def test_the_year_10000_and_seventeen_digits_lose_nothing() -> None:
    big = json.loads(
        json.dumps(invoice_json(1)).replace("22.28", "9999999999999.9999"), parse_float=Decimal
    )
    assert codec_read.invoice(codec_read.Fields(big, "i"), PAGES).due == Decimal(
        "9999999999999.9999"
    )


@pytest.mark.parametrize(
    ("stamp", "day"),
    [
        ("/Date(-86400000+0000)/", date(1969, 12, 31)),
        ("/Date(1795305600000)/", date(2026, 11, 22)),
        ("/Date(1795260600000+1300)/", date(2026, 11, 22)),
        ("2026-11-22T00:00:00", date(2026, 11, 22)),
        ("2026-11-22", date(2026, 11, 22)),
    ],
)
def test_days_in_each_of_xeros_forms(stamp: str, day: date) -> None:
    assert fields({"Date": stamp}).day("Date") == day


@pytest.mark.parametrize("value", ["", None])
def test_an_empty_date_is_none(value: Any) -> None:
    assert fields({"Date": value}).day("Date") is None


def test_a_contact_is_read_with_terms_address_phones_and_what_became_of_it() -> None:
    got = codec_read.contact(
        fields(
            contact_json(
                1,
                ContactStatus="ARCHIVED",
                MergedToContactID=guid(2),
                IsCustomer=True,
                AccountsReceivableTaxType="OUTPUT",
                PaymentTerms={"Sales": {"Day": 20, "Type": "OFFOLLOWINGMONTH"}},
                Phones=[
                    {"PhoneType": "FAX", "PhoneNumber": "9"},
                    {"PhoneType": "MOBILE", "PhoneNumber": "2"},
                    {
                        "PhoneType": "DEFAULT",
                        "PhoneCountryCode": "+49",
                        "PhoneAreaCode": "30",
                        "PhoneNumber": "7",
                    },
                ],
                Addresses=[
                    {"AddressType": "STREET", "City": "Elsewhere"},
                    {"AddressType": "POBOX", "AddressLine1": "Box 1", "City": "Berlin"},
                ],
            )
        ),
        PAGES,
    )
    assert (got.archived, got.deleted, got.merged_into) == (True, False, guid(2))
    assert got.terms == PaymentTerms(day=20, kind="of_following_month")
    assert got.phones == ("+49 30 7", "2")
    assert got.address is not None
    assert (got.address.lines, got.address.city) == (("Box 1",), "Berlin")
    assert got.sales_tax == "OUTPUT"
    forgotten = codec_read.contact(fields(contact_json(1, ContactStatus="GDPRREQUEST")), PAGES)
    assert forgotten.deleted


def test_a_payment_and_a_credit_note() -> None:
    paid = {
        "PaymentID": guid(5),
        "Status": "DELETED",
        "Amount": 5.0,
        "Date": "/Date(1795305600000)/",
        "PaymentType": "ACCRECPAYMENT",
        "Invoice": {"InvoiceID": guid(1), "CurrencyCode": "EUR"},
        "BatchPayment": {"IsReconciled": "false", "TotalAmount": "50.00"},
        "Account": {"AccountID": guid(8), "Code": "090"},
    }
    got = codec_read.payment(fields(paid), PAGES)
    assert got is not None
    assert (got.status, got.invoice_id, got.currency) == ("deleted", guid(1), "EUR")
    assert codec_read.payment(fields(paid | {"PaymentType": "ACCPAYPAYMENT"}), PAGES) is None
    note = {
        "CreditNoteID": guid(6),
        "CreditNoteNumber": "CN-1",
        "Type": "ACCRECCREDIT",
        "Status": "AUTHORISED",
        "CurrencyCode": "EUR",
        "Contact": {"ContactID": guid(900)},
        "Total": 10.0,
        "RemainingCredit": 4.0,
        "LineItems": [{"AccountCode": "408"}, {"Description": "text only"}],
        "Allocations": [
            {"Amount": 5.0, "Invoice": {"InvoiceID": guid(1)}},
            {"Amount": 9.0, "Invoice": {"InvoiceID": guid(2)}, "IsDeleted": True},
        ],
        "Payments": [{"PaymentID": guid(7), "Amount": 1.0}],
    }
    credit = codec_read.credit_note(fields(note), PAGES)
    assert credit.allocations == ((guid(1), Decimal("5.0")),)
    assert (credit.accounts, credit.refunded) == (("408",), Decimal("1.0"))


@pytest.mark.parametrize(
    ("stream", "type_", "kind"),
    [
        ("prepayments", "RECEIVE-PREPAYMENT", "sale"),
        ("prepayments", "ARPREPAYMENT", "sale"),
        ("prepayments", "SPEND-PREPAYMENT", "bill"),
        ("prepayments", "APPREPAYMENT", "bill"),
        ("overpayments", "RECEIVE-OVERPAYMENT", "sale"),
        ("overpayments", "AROVERPAYMENT", "sale"),
        ("overpayments", "SPEND-OVERPAYMENT", "bill"),
    ],
)
def test_money_paid_ahead_is_ours_or_a_suppliers(stream: str, type_: str, kind: str) -> None:
    """Every word that the vendor's specification knows."""
    plural = stream.capitalize()
    row = {
        f"{plural[:-1]}ID": guid(7), "Type": type_, "Status": "AUTHORISED", "CurrencyCode": "AUD",
        "Contact": {"ContactID": guid(900)}, "Total": 10.0, "RemainingCredit": 2.5,
        "Payments": [{"PaymentID": guid(8), "Amount": 1.5}],
    }  # fmt: skip
    [got] = connector(page(plural, [row])).changes(stream, Walk(since=None))
    [credit] = got.records
    assert isinstance(credit, CreditNote)
    assert (credit.kind, credit.origin) == (kind, stream[:-1])
    assert (credit.remaining, credit.refunded) == (Decimal("2.5"), Decimal("1.5"))


def test_links_are_xeros_documented_deep_links() -> None:
    assert PAGES.invoice("i-1") == (
        "https://go.xero.com/organisationlogin/default.aspx?shortcode=!aBc1"
        "&redirecturl=/AccountsReceivable/View.aspx%3FInvoiceID%3Di-1"
    )
    assert Pages(None).contact("c-1") == "https://go.xero.com/Contacts/View/c-1"


# --- the organisation and its names --------------------------------------------------------------


def test_the_organisation_with_the_later_lock_date() -> None:
    got = reference.organisation(fields(ORGANISATION), None)
    assert (got.time_zone, got.country, got.currency) == ("Pacific/Auckland", "NZ", "NZD")
    assert (got.locked_through, got.demo) == (date(2026, 6, 30), True)
    assert got.tax_registered is False
    without = {k: v for k, v in ORGANISATION.items() if k not in ("PaysTax", "PeriodLockDate")}
    assert reference.organisation(fields(without), None).tax_registered
    assert reference.organisation(fields(without), None).locked_through == date(2026, 3, 31)


def test_every_zone_is_one_that_python_knows() -> None:
    assert all(ZoneInfo(zone) for zone in IANA.values())


@pytest.mark.parametrize("name", ["ATLANTISSTANDARDTIME", None])
def test_an_unknown_zone_is_a_clear_error_that_the_config_answers(name: str | None) -> None:
    lost = fields(ORGANISATION | {"Timezone": name})
    with pytest.raises(SchemaDrift, match=r"Set ledger\.time_zone"):
        reference.organisation(lost, None)
    assert reference.organisation(lost, "Europe/Lisbon").time_zone == "Europe/Lisbon"


def test_accounts_tax_rates_and_currencies() -> None:
    made = connector(
        answer({"Accounts": [
            {"Code": "200", "Name": "Sales", "Status": "ACTIVE", "Type": "REVENUE",
             "TaxType": "OUTPUT", "SystemAccount": None, "Class": "NEW"},
            {"Code": "610", "Name": "AR", "Status": "ARCHIVED", "Type": "CURRENT",
             "SystemAccount": "DEBTORS"},
            {"Name": "Bank without a code", "Status": "ACTIVE", "Type": "BANK"},
        ]}),
        answer({"Organisations": [ORGANISATION]}),
        answer({"TaxRates": [
            {"TaxType": "OUTPUT2", "Name": "15%", "EffectiveRate": 15.0, "Status": "ACTIVE",
             "CanApplyToRevenue": True},
        ]}),
        answer({"Currencies": [{"Code": "NZD"}, {"Code": "XCG"}]}),
        known=False,
    )  # fmt: skip
    got = made.reference()
    assert [(a.code, a.active, a.system) for a in got.accounts] == [
        ("200", True, False),
        ("610", False, True),
    ]
    assert got.tax_rates[0].percent == Decimal("15.0")
    assert got.currencies == ("NZD", "XCG")
    assert len(asked(made)) == 4, "items are read only where they are used"


def test_links_need_the_organisation_once() -> None:
    made = connector(
        answer({"Organisations": [ORGANISATION]}),
        page("Invoices", [invoice_json(1)]),
        page("Invoices", [invoice_json(1)]),
        known=False,
    )
    for _ in range(2):
        [got] = made.changes("invoices", Walk(since=None))
        assert isinstance(got.records[0], Invoice)
        assert "shortcode=!x" in (got.records[0].page or "")
    assert len(asked(made)) == 3
