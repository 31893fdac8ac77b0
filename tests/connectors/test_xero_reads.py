"""Reading Xero: exact numbers, nulls that are nothing, walks that lose nothing, named drift."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest

from syncjob.connectors.base import Walk
from syncjob.connectors.xero import codec_read, reference
from syncjob.connectors.xero.codec_read import Pages
from syncjob.connectors.xero.connect import Tenant, choose_tenant, tenants
from syncjob.connectors.xero.timezones import IANA
from syncjob.core.records import Contact, Invoice, PaymentTerms, Settlement
from syncjob.errors import AuthFailed, ConfigError, Overflow, SchemaDrift

from .xero_kit import (
    NOW,
    ScriptedChannel,
    answer,
    asked,
    connector,
    contact_json,
    fields,
    guid,
    invoice_json,
    options,
    page,
)

PAGES = Pages("!aBc1")
SINCE = datetime(2026, 11, 22, 8, 59, 59, 999_999, tzinfo=UTC)


def query(made: Any, number: int = 0) -> dict[str, str]:
    return {k: v[0] for k, v in parse_qs(urlsplit(asked(made)[number].url).query).items()}


# --- one record ----------------------------------------------------------------------------------


def test_an_invoice_is_read_whole_and_exact() -> None:
    paid = invoice_json(
        1,
        Status="AUTHORISED",
        AmountPaid=10.1,
        AmountCredited=2.0,
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


def test_links_are_xeros_documented_deep_links() -> None:
    assert PAGES.invoice("i-1") == (
        "https://go.xero.com/organisationlogin/default.aspx?shortcode=!aBc1"
        "&redirecturl=/AccountsReceivable/View.aspx%3FInvoiceID%3Di-1"
    )
    assert Pages(None).contact("c-1") == "https://go.xero.com/Contacts/View/c-1"


# --- walks ---------------------------------------------------------------------------------------


def test_a_walk_asks_for_pages_by_id_and_ends_by_the_page_count() -> None:
    made = connector(
        page("Invoices", [invoice_json(1)], 1, 2, 2), page("Invoices", [invoice_json(2)], 2, 2, 2)
    )
    walked = list(made.changes("invoices", Walk(since=SINCE)))
    assert [[r.id for r in p.records] for p in walked] == [[guid(1)], [guid(2)]]
    assert [p.position for p in walked] == ["2:2", None]
    assert {p.started for p in walked} == {NOW}
    assert query(made) == {
        "where": 'Type=="ACCREC"',
        "includeArchived": "true",
        "unitdp": "4",
        "order": "InvoiceID ASC",
        "page": "1",
        "pageSize": "1000",
    }
    headers = dict(asked(made)[0].headers)
    assert headers["If-Modified-Since"] == "2026-11-22T08:59:59"


def test_a_full_walk_sends_no_since_and_contacts_come_with_the_archived() -> None:
    made = connector(page("Contacts", [contact_json(1)]))
    list(made.changes("contacts", Walk(since=None)))
    assert "If-Modified-Since" not in dict(asked(made)[0].headers)
    assert query(made)["includeArchived"] == "true"
    assert query(made)["order"] == "ContactID ASC"


def test_a_broken_walk_goes_on_at_its_page_with_its_first_date() -> None:
    first = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
    made = connector(page("Invoices", [invoice_json(2)], 2, 2, 2))
    [got] = made.changes("invoices", Walk(since=SINCE, position="2:2", started=first))
    assert (query(made)["page"], got.started, got.position) == ("2", first, None)


def test_a_list_that_shrinks_while_it_is_read_is_read_again() -> None:
    made = connector(
        page("Invoices", [invoice_json(1)], 1, 2, 1001),
        page("Invoices", [], 2, 1, 1000),
        page("Invoices", [invoice_json(1), invoice_json(3)], 1, 1, 1000),
    )
    walked = list(made.changes("invoices", Walk(since=SINCE)))
    assert [r.id for p in walked for r in p.records] == [guid(1), guid(1), guid(3)]
    endless = connector(*(page("Invoices", [], 1 + n % 2, 3, n) for n in range(101, 90, -1)))
    with pytest.raises(Overflow):
        list(endless.changes("invoices", Walk(since=SINCE, position="2:102")))


def test_a_short_page_is_not_the_last_one() -> None:
    made = connector(page("Payments", [], 1, 2, 1001), page("Payments", [], 2, 2, 1001))
    assert len(list(made.changes("payments", Walk(since=None)))) == 2


def test_not_modified_is_an_empty_last_page() -> None:
    [got] = connector(answer(b"", 304)).changes("credit_notes", Walk(since=SINCE))
    assert (got.records, got.position) == ((), None)


def test_one_unknown_word_sets_one_record_aside_and_not_its_page() -> None:
    rows = [invoice_json(1), invoice_json(2, Status="FROZEN"), invoice_json(3, Total="x"), 7]
    with pytest.raises(SchemaDrift):
        list(connector(page("Invoices", rows)).changes("invoices", Walk(since=None)))
    [got] = connector(page("Invoices", rows[:3])).changes("invoices", Walk(since=None))
    assert [r.id for r in got.records] == [guid(1)]
    assert [id for id, _ in got.drift] == [guid(2), guid(3)]
    assert "FROZEN" in got.drift[0][1]


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"", {"Invoices": None}, {}, {"Invoices": [invoice_json(1)]}],
    ids=["html", "empty", "null", "missing", "no pagination"],
)
def test_an_answer_of_another_shape_stops_the_stream_and_invents_nothing(body: Any) -> None:
    with pytest.raises(SchemaDrift):
        list(connector(answer(body)).changes("invoices", Walk(since=None)))


def test_a_disconnected_organisation_stops_with_the_next_step() -> None:
    with pytest.raises(AuthFailed, match="syncjob connect xero"):
        list(connector(answer({}, 403)).changes("invoices", Walk(since=None)))


# --- by id and by marker -------------------------------------------------------------------------


def test_one_id_is_read_at_its_own_address() -> None:
    made = connector(answer({"Invoices": [invoice_json(1)]}))
    assert [r.id for r in made.get("invoices", [guid(1)])] == [guid(1)]
    assert asked(made)[0].url.endswith(f"/Invoices/{guid(1)}?unitdp=4")


def test_several_ids_come_in_lists_and_what_a_list_leaves_out_is_asked_for_alone() -> None:
    ids = [guid(n) for n in range(1, 43)]
    made = connector(
        page("Invoices", [invoice_json(n) for n in range(1, 40)]),
        page("Invoices", [invoice_json(41), invoice_json(42)]),
        answer(b"not found", 404),
    )
    got = made.get("invoices", ids)
    assert [r.id for r in got] == [i for i in ids if i != guid(40)]
    assert len(query(made)["IDs"].split(",")) == 40
    assert query(made)["page"] == "1"
    assert guid(40) in asked(made)[2].url


def test_a_record_that_cannot_be_read_is_not_gone() -> None:
    with pytest.raises(SchemaDrift, match="FROZEN"):
        connector(answer({"Invoices": [invoice_json(1, Status="FROZEN")]})).get(
            "invoices", [guid(1)]
        )


def test_invoices_are_found_by_marker_on_all_pages_the_dead_included() -> None:
    made = connector(
        page("Invoices", [invoice_json(1, Status="VOIDED"), invoice_json(5)], 1, 2, 4),
        page("Invoices", [invoice_json(2, Status="DELETED"), invoice_json(3, Url=None)], 2, 2, 4),
    )
    found = made.find("invoice.create", ["NW-1-A1", "NW-2-A1", "NW-3-A1", "NW-4-A1"], SINCE)
    assert sorted(found) == ["NW-1-A1", "NW-2-A1", "NW-3-A1"]
    assert query(made)["createdByMyApp"] == "true"
    assert "Reference" not in asked(made)[0].url


def test_of_two_with_one_marker_the_live_one_is_found() -> None:
    twin = invoice_json(1) | {"InvoiceID": guid(99)}
    made = connector(page("Invoices", [invoice_json(1, Status="VOIDED"), twin]))
    assert made.find("invoice.create", ["NW-1-A1"], SINCE)["NW-1-A1"].id == guid(99)


def test_a_strange_record_stops_a_look_up_only_if_it_may_be_ours() -> None:
    strange = invoice_json(1, Status="FROZEN")
    assert connector(page("Invoices", [strange])).find("invoice.create", ["NW-2-A1"], SINCE) == {}
    with pytest.raises(SchemaDrift):
        connector(page("Invoices", [strange])).find("invoice.create", ["NW-1-A1"], SINCE)


def test_contacts_are_found_by_their_number_the_archived_included() -> None:
    made = connector(page("Contacts", [contact_json(1, ContactStatus="ARCHIVED"), contact_json(2)]))
    found = made.find("contact.create", ["NW-O1"], SINCE)
    assert isinstance(found["NW-O1"], Contact)
    assert query(made)["includeArchived"] == "true"


# --- the organisation and its names --------------------------------------------------------------

ORGANISATION = {
    "OrganisationID": guid(1).upper(),
    "Name": "Books",
    "CountryCode": "NZ",
    "BaseCurrency": "NZD",
    "Timezone": "NEWZEALANDSTANDARDTIME",
    "IsDemoCompany": True,
    "PaysTax": False,
    "SalesTaxBasis": "PAYMENTS",
    "PeriodLockDate": "/Date(1782777600000+0000)/",
    "EndOfYearLockDate": "/Date(1774915200000+0000)/",
    "ShortCode": "!x",
    "Class": "SOMETHING_NEW",
}


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


# --- check and connect ---------------------------------------------------------------------------

SCOPE_MISSING = AuthFailed("Xero says that the token lacks a scope (401 insufficient_scope).")


def test_check_names_the_scope_that_is_missing_and_goes_on() -> None:
    ok = answer({"Accounts": []})
    made = connector(
        ok, ok, ok, SCOPE_MISSING, ok, answer({"Organisations": [ORGANISATION]}), known=False
    )
    [problem] = made.check()
    assert "accounting.payments" in problem.fix
    assert "GET /Payments" not in problem.fix
    assert "Payments" in problem.where


def test_check_says_one_thing_when_nothing_can_be_read() -> None:
    made = connector(*[AuthFailed("invalid_client")] * 5, known=False)
    [problem] = made.check()
    assert (problem.where, problem.what) == ("ledger.auth", "invalid_client")


def test_check_finds_the_zone_and_all_is_well_otherwise() -> None:
    ok = answer({})
    lost = {"Organisations": [ORGANISATION | {"Timezone": "?"}]}
    [problem] = connector(ok, ok, ok, ok, ok, answer(lost), known=False).check()
    assert problem.where == "ledger.time_zone"
    assert connector(*[ok] * 5, answer({"Organisations": [ORGANISATION]})).check() == []


def test_the_organisations_of_a_consent() -> None:
    listed = [
        {"tenantId": "t-2", "tenantName": "Zeta", "tenantType": "ORGANISATION"},
        {"tenantId": "t-1", "tenantName": "Alpha", "tenantType": "ORGANISATION"},
        {"tenantId": "t-3", "tenantName": "Practice", "tenantType": "PRACTICE"},
    ]
    channel = ScriptedChannel(answer(listed))
    found = tenants(channel, options())
    assert [t.id for t in found] == ["t-1", "t-2"]
    assert channel.asked[0].url == "https://api.xero.com/connections"
    assert choose_tenant(found, "T-2").name == "Zeta"
    with pytest.raises(ConfigError, match="t-1"):
        choose_tenant(found, None)
    with pytest.raises(ConfigError, match="not among"):
        choose_tenant(found, "t-9")
    assert choose_tenant([Tenant(id="t", name="One")], None).id == "t"


def test_the_code_flow_names_its_organisation_in_each_request() -> None:
    listed = [{"tenantId": "t-2", "tenantName": "Zeta", "tenantType": "ORGANISATION"}]
    made = connector(
        answer(listed),
        page("Invoices", []),
        auth={"kind": "authorization_code"},
    )
    list(made.changes("invoices", Walk(since=None)))
    assert dict(asked(made)[1].headers)["xero-tenant-id"] == "t-2"


def test_the_capabilities_are_those_of_the_facts() -> None:
    facts = connector().capabilities
    assert facts.idempotency_key_length == 128
    assert facts.idempotency_lifetime.total_seconds() == 360
    assert facts.lookback > facts.patience
    assert set(facts.batch.values()) == {50}
