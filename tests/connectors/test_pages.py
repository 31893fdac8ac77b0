"""Which record a page's address shows, as people copy it from their browser."""

from __future__ import annotations

import pytest

from syncjob.connectors.hubspot import pages as hubspot
from syncjob.connectors.pages import RecordPage
from syncjob.connectors.registry import record_page
from syncjob.connectors.xero.codec_read import Pages

ID = "6b1a3c4d-0000-4111-8222-333344445555"

PIPEDRIVE = [
    ("https://acme.pipedrive.com/deal/1042", "deals", "1042"),
    ("https://acme.pipedrive.com/deal/1042/", "deals", "1042"),
    ("https://acme.pipedrive.com/deal/1042#notes", "deals", "1042"),
    ("https://acme.pipedrive.com/deal/1042?syncjob=NW-1042-A1", "deals", "1042"),
    ("acme.pipedrive.com/deal/1042", "deals", "1042"),
    (" <https://ACME.pipedrive.com/deal/1042> ", "deals", "1042"),
    ("https://acme.pipedrive.com/organization/12", "contacts", "org:12"),
    ("https://acme.pipedrive.com/organization/details/12", "contacts", "org:12"),
    ("https://acme.pipedrive.com/person/7", "contacts", "person:7"),
    ("http://127.0.0.1:8731/pipedrive/deal/3", "deals", "3"),
]
XERO = [
    (f"https://go.xero.com/app/!23vMd/invoicing/view/{ID}", "invoices", ID),
    (f"https://go.xero.com/app/invoicing/edit/{ID.upper()}", "invoices", ID),
    (f"https://go.xero.com/app/!23vMd/contacts/contact/{ID}", "contacts", ID),
    (f"https://go.xero.com/AccountsReceivable/View.aspx?InvoiceID={ID}", "invoices", ID),
    (f"https://go.xero.com/AccountsReceivable/Edit.aspx?invoiceid={ID}", "invoices", ID),
    (f"https://go.xero.com/AccountsPayable/View.aspx?InvoiceID={ID}", "invoices", ID),
    (f"https://go.xero.com/Contacts/View/{ID}", "contacts", ID),
    (f"https://go.xero.com/Contacts/View.aspx?contactID={ID}", "contacts", ID),
    (f"https://go.xero.com/AccountsReceivable/ViewCreditNote.aspx?creditNoteID={ID}",
     "credit_notes", ID),
    (f"https://go.xero.com/RepeatTransactions/View.aspx?repeatID={ID}", "templates", ID),
    (f"https://go.xero.com/Bank/ViewTransaction.aspx?bankTransactionID={ID}", "payments", ID),
    ("https://go.xero.com/organisationlogin/default.aspx?shortcode=!23vMd"
     f"&redirecturl=/AccountsReceivable/View.aspx?InvoiceID={ID}", "invoices", ID),
]  # fmt: skip
HUBSPOT = [
    ("https://app.hubspot.com/contacts/48460805/record/0-3/190012", "deals", "190012"),
    ("https://app-eu1.hubspot.com/contacts/48460805/record/0-2/77?interaction=note", "contacts",
     "org:77"),
    ("https://app.hubspot.com/contacts/48460805/record/0-1/5/", "contacts", "person:5"),
    ("https://app.hubspot.com/contacts/48460805/deal/190012", "deals", "190012"),
    ("https://app.hubspot.com/contacts/48460805/company/77", "contacts", "org:77"),
    ("https://app.hubspot.com/contacts/48460805/contact/5", "contacts", "person:5"),
]  # fmt: skip


@pytest.mark.parametrize(("url", "stream", "record"), PIPEDRIVE)
def test_pages_of_pipedrive(url: str, stream: str, record: str) -> None:
    account = "" if "127.0.0.1" in url else "acme.pipedrive.com"
    assert record_page(url) == ("pipedrive", RecordPage("crm", stream, record, account))  # type: ignore[arg-type]


@pytest.mark.parametrize(("url", "stream", "record"), XERO)
def test_pages_of_xero(url: str, stream: str, record: str) -> None:
    assert record_page(url) == ("xero", RecordPage("ledger", stream, record))  # type: ignore[arg-type]


@pytest.mark.parametrize(("url", "stream", "record"), HUBSPOT)
def test_pages_of_hubspot(url: str, stream: str, record: str) -> None:
    assert hubspot.record_page(url) == RecordPage("crm", stream, record, "48460805")  # type: ignore[arg-type]


@pytest.mark.parametrize("code", ["!23vMd", None])
def test_the_links_that_we_print_are_understood(code: str | None) -> None:
    pages = Pages(code)
    made = {
        "invoices": pages.invoice(ID), "contacts": pages.contact(ID),
        "credit_notes": pages.credit_note(ID), "templates": pages.template(ID),
    }  # fmt: skip
    for stream, url in made.items():
        assert record_page(url) == ("xero", RecordPage("ledger", stream, ID)), url  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "url",
    [
        "https://acme.pipedrive.com/pipeline/1/user/everyone",
        "https://acme.pipedrive.com/deal/new",
        "https://evil.example/acme.pipedrive.com/deal/1042",
        "https://pipedrive.com.example/deal/1042",
        f"https://example.com/AccountsReceivable/View.aspx?InvoiceID={ID}",
        f"https://go.xero.com/Reports/Show/{ID}",
        "https://go.xero.com/AccountsReceivable/View.aspx?InvoiceID=7",
        "https://go.xero.com/Dashboard",
        "https://[broken/deal/1",
        "INV-0042", "1042", "", "javascript:alert(1)",
    ],
)  # fmt: skip
def test_other_texts_and_pages_show_no_record(url: str) -> None:
    assert record_page(url) is None
    assert hubspot.record_page(url) is None


def test_a_page_is_read_without_a_vendors_sdk() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from syncjob.connectors.registry import record_page; "
        "assert record_page('https://acme.pipedrive.com/deal/1'); "
        "print([m for m in sys.modules if m.partition('.')[0] in ('xero_python', 'pipedrive', "
        "'requests')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
