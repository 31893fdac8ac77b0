"""The table of what may leave: one row, one verdict, on the very bytes."""

from __future__ import annotations

import json

import pytest

from syncjob.transport.modes import refuse
from syncjob.transport.wire import Request

XERO = "https://api.xero.com/api.xro/2.0"


def ask(mode, body=None, *, path="/Invoices", method="PUT", side="ledger", headers=()):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = Request(method=method, url=XERO + path, body=raw, headers=headers)
    return refuse(mode, side, request)


def invoice(**fields):
    return {"Invoices": [{"Type": "ACCREC", "Status": "DRAFT"}, {"Type": "ACCREC", **fields}]}


MODES = ["read_only", "drafts_only", "full"]
WRITING = ["drafts_only", "full"]


@pytest.mark.parametrize("side", ["crm", "ledger"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_read_only_writes_nothing(side, method):
    assert ask("read_only", {}, method=method, side=side)


@pytest.mark.parametrize("mode", MODES)
def test_reading_is_always_allowed(mode):
    assert ask(mode, b"", method="GET", path="/Payments") is None


@pytest.mark.parametrize("side", ["crm", "ledger"])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("method", ["DELETE", "delete", "OPTIONS", "TRACE", "PURGE"])
def test_no_other_verb_is_ever_sent(side, mode, method):
    assert ask(mode, {}, method=method, side=side)


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "x-method-override"])
def test_a_header_does_not_smuggle_a_verb(name):
    assert ask("full", {}, method="POST", headers=((name, "DELETE"),), side="crm")


@pytest.mark.parametrize(
    "body",
    [
        invoice(Status="DRAFT"),
        invoice(Status="DELETED"),
        invoice(SentToContact=False, Payments=[], CreditNotes=None),
        {"Contacts": [{"Name": "AUTHORISED PAID VOIDED Ltd", "ContactStatus": "ACTIVE"}]},
        {"Invoices": [{"Reference": "Status: AUTHORISED"}]},
    ],
)
@pytest.mark.parametrize("mode", WRITING)
def test_drafts_leave(mode, body):
    assert ask(mode, body) is None


@pytest.mark.parametrize(
    "body",
    [
        invoice(Status="AUTHORISED"),
        invoice(Status="SUBMITTED"),
        invoice(status="authorised"),
        invoice(STATUS=" Authorised "),
        invoice(SentToContact=True),
        invoice(senttocontact="true"),
        {"RepeatingInvoices": [{"ApprovedForSending": True}]},
        {"a": [[{"b": {"Status": "AUTHORISED"}}]]},
        b'{"Invoices":[{"Status":"AUTHORISED","Status":"DRAFT"}]}',
        b'{"Invoices":[{"St\\u0061tus":"\\u0041UTHORISED"}]}',
        json.dumps(invoice(Status="AUTHORISED")).encode("utf-16"),
    ],
)
def test_what_is_more_than_a_draft_needs_the_full_mode(body):
    assert ask("drafts_only", body)
    assert ask("full", body) is None


@pytest.mark.parametrize("status", ["VOIDED", "PAID", "voided"])
@pytest.mark.parametrize("mode", WRITING)
def test_nothing_is_ever_voided_or_paid(mode, status):
    assert ask(mode, invoice(Status=status), method="POST", path="/Invoices/9b1c")


@pytest.mark.parametrize("path", ["/Invoices/9b1c/Email", "/invoices/9b1c/email/", "/x/%45mail"])
def test_no_mail_in_drafts_only(path):
    assert ask("drafts_only", b"", method="POST", path=path)
    assert ask("full", b"", method="POST", path=path) is None


@pytest.mark.parametrize(
    "path",
    [
        "/Payments",
        "/payments/9b1c",
        "/CreditNotes",
        "/CreditNotes/9b1c/Allocations",
        "/Overpayments/9b1c/Allocations",
        "/BankTransactions",
        "/ManualJournals",
        "/BatchPayments",
        "/%50ayments?summarizeErrors=false",
    ],
)
@pytest.mark.parametrize("mode", WRITING)
def test_payments_and_journals_are_only_read(mode, path):
    assert ask(mode, {}, path=path)


@pytest.mark.parametrize(
    "body",
    [
        invoice(Payments=[{"Amount": 5}]),
        {"Contacts": [{"BankAccountDetails": "12-3456"}]},
        {"Contacts": [{"BatchPayments": {"BankAccountNumber": "12"}}]},
    ],
)
@pytest.mark.parametrize("mode", WRITING)
def test_money_and_bank_details_do_not_leave_inside_a_document(mode, body):
    assert ask(mode, body)


@pytest.mark.parametrize(
    "body",
    [
        b"<Invoice><Status>AUTHORISED</Status></Invoice>",
        b"Status=AUTHORISED",
        b'{"a":',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
@pytest.mark.parametrize("side", ["crm", "ledger"])
def test_what_cannot_be_read_does_not_leave(side, body):
    assert "not JSON" in ask("full", body, side=side)


def test_the_crm_is_written_to_in_drafts_only():
    assert ask("drafts_only", {"status": "paid"}, side="crm", method="PATCH") is None
