"""The vendor's own SDK against the running sandbox, over HTTP."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import requests

from syncjob.sandbox.http import Sandbox
from syncjob.sandbox.kernel import Clock
from syncjob.sandbox.xero import Options, XeroServer

accounting = pytest.importorskip("xero_python.accounting")
client = pytest.importorskip("xero_python.api_client")
oauth2 = pytest.importorskip("xero_python.api_client.oauth2")
settings = pytest.importorskip("xero_python.api_client.configuration")
identity = pytest.importorskip("xero_python.identity")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    clock = Clock()
    with Sandbox([XeroServer(clock, options=Options(lag_max_s=0))], clock) as running:
        yield running


@pytest.fixture(scope="module")
def api(sandbox: Sandbox) -> Any:
    form = {"grant_type": "client_credentials"}
    auth = ("sandbox-custom", "sandbox-secret")
    url = sandbox.base_url + "/xero/identity/connect/token"
    token = requests.post(url, data=form, auth=auth, timeout=5).json()
    token["expires_at"] = 4_000_000_000
    config = type.__call__(settings.Configuration, oauth2_token=oauth2.OAuth2Token("id", "secret"))
    kept = {"token": token}
    sdk = client.ApiClient(
        config,
        oauth2_token_getter=lambda: kept["token"],
        oauth2_token_saver=lambda new: kept.update(token=new),
    )
    return accounting.AccountingApi(sdk, base_url=sandbox.base_url + "/xero/api.xro/2.0")


def sdk_invoice(n: int, account: str = "200") -> Any:
    return accounting.Invoice(
        type="ACCREC",
        contact=accounting.Contact(name=f"Customer {n % 7}"),
        line_items=[
            accounting.LineItem(
                description=f"Line {k}",
                quantity=k + 1,
                unit_amount=Decimal("19.99"),
                account_code=account,
                discount_rate=Decimal("12.5"),
            )
            for k in range(3)
        ],
        date=datetime.date(2026, 3, 2),
        due_date=datetime.date(2026, 4, 1),
        reference=f"D{n}",
        url=f"http://localhost/deal/{n}",
        status="DRAFT",
    )


def test_fifty_invoices_with_errors_by_element(api: Any) -> None:
    rows = [sdk_invoice(n, "999" if n == 17 else "200") for n in range(50)]
    made = api.create_invoices(
        "", accounting.Invoices(invoices=rows), summarize_errors=False, idempotency_key="sdk-1"
    ).invoices
    assert [i for i, row in enumerate(made) if row.status_attribute_string == "ERROR"] == [17]
    assert made[17].validation_errors[0].message.startswith("Account code '999'")
    good = made[0]
    assert (good.sub_total, good.total_tax, good.total) == (
        Decimal("104.94"),
        Decimal("10.50"),
        Decimal("115.44"),
    )
    found = api.get_invoices("", page=1, page_size=1000, order="InvoiceID ASC").invoices
    assert len(found) == 49
    assert all(len(row.line_items) == 3 for row in found)


def test_the_other_calls_parse(api: Any) -> None:
    org = api.get_organisations("").organisations[0]
    assert org.base_currency.value == "AUD"
    assert api.get_accounts("").accounts
    assert api.get_tax_rates("").tax_rates
    assert api.get_currencies("").currencies
    assert api.get_branding_themes("").branding_themes
    assert api.get_users("").users
    contact = accounting.Contact(name="SDK", contact_number="crm:9", email_address="a@example.com")
    made = api.create_contacts("", accounting.Contacts(contacts=[contact])).contacts[0]
    assert api.get_contact("", made.contact_id).contacts[0].name == "SDK"
    row = sdk_invoice(1)
    row.contact = accounting.Contact(contact_id=made.contact_id)
    row.status = "AUTHORISED"
    invoice = api.create_invoices("", accounting.Invoices(invoices=[row])).invoices[0]
    payment = accounting.Payment(
        invoice=accounting.Invoice(invoice_id=invoice.invoice_id),
        account=accounting.Account(code="090"),
        amount=Decimal("15.44"),
        date=datetime.date(2026, 3, 9),
    )
    assert api.create_payment("", payment).payments[0].amount == Decimal("15.44")
    assert api.get_payments("").payments
    again = api.get_invoice("", invoice.invoice_id).invoices[0]
    assert again.amount_due == Decimal("100.00")
    api.email_invoice("", invoice.invoice_id, accounting.RequestEmpty())
    link = api.get_online_invoice("", invoice.invoice_id).online_invoices[0]
    assert link.online_invoice_url


def test_numbers_may_hold_slashes_and_colons(api: Any) -> None:
    row = sdk_invoice(3)
    row.invoice_number = "2026/7: \u00e4%"
    api.create_invoices("", accounting.Invoices(invoices=[row]))
    found = api.get_invoice("", row.invoice_number).invoices[0]
    assert found.invoice_number == row.invoice_number


def test_a_refused_batch_raises_the_sdks_own_error(api: Any) -> None:
    from xero_python.exceptions import AccountingBadRequestException

    with pytest.raises(AccountingBadRequestException) as caught:
        api.create_invoices("", accounting.Invoices(invoices=[sdk_invoice(1, "999")]))
    assert "Account code '999'" in str(caught.value.error_data)
