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
        "/CreditNotes/9b1c",
        "/CreditNotes/9b1c/Allocations",
        "/RepeatingInvoices/9b1c",
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


# --- drafts that people finish: credit notes and repeating invoices ------------------------------


def credit(**fields):
    plain = {"Type": "ACCRECCREDIT", "Status": "DRAFT", "LineItems": [{"UnitAmount": 5}]}
    return {"CreditNotes": [plain, {**plain, **fields}]}


def template(**fields):
    plain = {"Type": "ACCREC", "Status": "DRAFT", "Schedule": {"Period": 1, "Unit": "MONTHLY"}}
    return {"RepeatingInvoices": [plain, {**plain, **fields}]}


@pytest.mark.parametrize("mode", WRITING)
def test_drafts_of_credit_notes_and_templates_leave(mode):
    assert ask(mode, credit(), path="/CreditNotes?summarizeErrors=false") is None
    assert ask(mode, template(), path="/RepeatingInvoices") is None
    assert ask("read_only", credit(), path="/CreditNotes")


@pytest.mark.parametrize(
    "fields",
    [
        {"Status": "AUTHORISED"},
        {"Status": "authorised"},
        {"Status": " DRAFT"},
        {"Status": None},
        {"status": "AUTHORISED"},
        {"Allocations": []},
        {"Payments": []},
        {"SentToContact": True},
        {"CreditNoteID": "9b1c"},
        {"CreditNoteNumber": "CN-0001"},
        {"Type": "ACCPAYCREDIT"},
        {"Contact": {"ContactID": "9b1c", "Status": "AUTHORISED"}},
    ],
)
@pytest.mark.parametrize("mode", WRITING)
def test_a_credit_note_leaves_only_as_a_plain_draft(mode, fields):
    assert ask(mode, credit(**fields), path="/CreditNotes")


@pytest.mark.parametrize(
    "fields",
    [
        {"Status": "AUTHORISED"},
        {"Status": "DELETED"},
        {"ApprovedForSending": True},
        {"ApprovedForSending": False},
        {"SendCopy": True},
        {"MarkAsSent": True},
        {"RepeatingInvoiceID": "9b1c"},
    ],
)
@pytest.mark.parametrize("mode", WRITING)
def test_a_template_is_never_approved_nor_sent_by_us(mode, fields):
    assert ask(mode, template(**fields), path="/RepeatingInvoices")
    assert ask(mode, template(**fields), path="/repeatinginvoices/", method="POST")


@pytest.mark.parametrize(
    "body",
    [
        b'{"CreditNotes":[{"Type":"ACCRECCREDIT","Status":"AUTHORISED","Status":"DRAFT"}]}',
        b'{"CreditNotes":[],"Payments":[]}',
        b'[{"Type":"ACCRECCREDIT","Status":"DRAFT"}]',
        b'{"Type":"ACCRECCREDIT","Status":"DRAFT"}',
        b'{"CreditNotes":{"Type":"ACCRECCREDIT","Status":"DRAFT"}}',
    ],
)
def test_another_shape_of_body_does_not_leave(body):
    assert ask("full", body, path="/CreditNotes")


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_they_are_created_and_never_changed(method):
    assert ask("full", credit(), path="/CreditNotes", method=method)
    assert ask("full", template(), path="/RepeatingInvoices", method=method)


GONE = {"RepeatingInvoiceID": "9b1c", "Status": "DELETED"}


@pytest.mark.parametrize("mode", WRITING)
def test_a_template_that_a_person_takes_back_is_deleted_by_its_status(mode):
    body = {"RepeatingInvoices": [GONE, GONE]}
    assert ask(mode, body, path="/RepeatingInvoices?summarizeErrors=false", method="POST") is None
    assert ask("read_only", body, path="/RepeatingInvoices", method="POST")
    assert ask(mode, body, path="/RepeatingInvoices", method="PUT")
    assert ask(mode, body, path="/RepeatingInvoices/9b1c", method="POST")


@pytest.mark.parametrize(
    "body",
    [
        {"RepeatingInvoices": []},
        {"RepeatingInvoices": [{"Status": "DELETED"}]},
        {"RepeatingInvoices": [GONE, {**GONE, "Status": "AUTHORISED"}]},
        {"RepeatingInvoices": [{**GONE, "Reference": "x"}]},
        {"RepeatingInvoices": [{**GONE, "RepeatingInvoiceID": {"Status": "AUTHORISED"}}]},
        {"RepeatingInvoices": [GONE], "Invoices": []},
        b'{"RepeatingInvoices":[{"RepeatingInvoiceID":"9","Status":"VOIDED","Status":"DELETED"}]}',
    ],
)
def test_and_nothing_else_is_said_of_it(body):
    assert ask("full", body, path="/RepeatingInvoices", method="POST")


@pytest.mark.parametrize("switch", ["ApprovedForSending", "SendCopy", "MarkAsSent"])
def test_no_path_carries_a_switch_that_sends_by_itself(switch):
    assert ask("full", {"RepeatingInvoices": [{switch: True}]}, path="/Other")


def test_an_email_takes_nothing_but_an_empty_body():
    path = "/Invoices/9b1c/Email"
    assert ask("full", {}, method="POST", path=path) is None
    assert ask("full", {"To": "a@b.test"}, method="POST", path=path)
