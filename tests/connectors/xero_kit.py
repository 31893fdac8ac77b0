"""What the Xero tests share: a scripted channel, answers in Xero's shape, actions to write."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from syncjob.connectors.xero.connector import XeroConnector
from syncjob.connectors.xero.options import XeroOptions
from syncjob.connectors.xero.values import Fields
from syncjob.core.actions import (
    Action,
    ContactChange,
    ContactDraft,
    InvoiceChange,
    InvoiceDraft,
    MarkerChange,
    Wave,
)
from syncjob.core.markers import with_marker
from syncjob.core.records import Address, InvoiceLine, LedgerReference, Organisation
from syncjob.transport.wire import Answer, Request

NOW = datetime(2026, 11, 22, 9, 0, 0, tzinfo=UTC)
API = "https://api.xero.test/api.xro/2.0"
ZERO = "00000000-0000-0000-0000-000000000000"
STAMP = "/Date(1795337000000+0000)/"
BOOKS = Organisation(id="org-1", name="Books", time_zone="Australia/Sydney", short_code="!aBc1")


def guid(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-000000000000"


def answer(body: Any = b"", status: int = 200, at: datetime | None = NOW) -> Answer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status=status, headers={}, body=raw, server_time=at, url=API)


class ScriptedChannel:
    """Gives the answers in their order and remembers what was asked."""

    def __init__(self, *answers: Answer | Exception) -> None:
        self.answers, self.asked = list(answers), []

    def read(self, request: Request) -> Answer:
        self.asked.append(request)
        given = self.answers.pop(0)
        if isinstance(given, Exception):
            raise given
        return given

    def write(self, call: Any) -> Answer:
        raise AssertionError("a connector never writes")

    def server_time(self) -> datetime:
        return NOW + timedelta(seconds=5)


def options(**more: Any) -> XeroOptions:
    auth = {"client_id": "app", "client_secret": "s3cret"} | more.pop("auth", {})
    return XeroOptions(type="xero", auth=auth, api_url=API, **more)


def connector(*answers: Answer | Exception, known: bool = True, **more: Any) -> XeroConnector:
    """A connector on a scripted channel; `known`: it has been told the organisation."""
    numbers = count(1)
    made = XeroConnector(
        options(**more), ScriptedChannel(*answers), new_key=lambda: f"nonce-{next(numbers)}"
    )
    if known:
        made.use(LedgerReference(organisation=BOOKS))
    return made


def asked(made: XeroConnector) -> list[Request]:
    return made._channel.asked  # type: ignore[attr-defined]


def fields(value: dict[str, Any]) -> Fields:
    """One object of an answer, its numbers read as from JSON."""
    return Fields(json.loads(json.dumps(value), parse_float=Decimal), "record")


# --- what Xero answers


def invoice_json(number: int = 1, **more: Any) -> dict[str, Any]:
    marker = f"NW-{number}-A1"
    return {
        "Type": "ACCREC",
        "InvoiceID": guid(number),
        "InvoiceNumber": f"INV-{number:04}",
        "Reference": f"PO 7 {marker}",
        "Url": with_marker(f"https://crm.test/deal/{number}", marker),
        "Contact": {"ContactID": guid(900)},
        "Status": "DRAFT",
        "LineAmountTypes": "Exclusive",
        "CurrencyCode": "AUD",
        "Date": "/Date(1795305600000+0000)/",
        "DueDate": "/Date(1797897600000+0000)/",
        "LineItems": [
            {
                "LineItemID": guid(700),
                "Description": "Widget",
                "Quantity": 2.0,
                "UnitAmount": 10.1234,
                "TaxType": "OUTPUT",
                "AccountCode": "200",
                "LineAmount": 20.25,
                "TaxAmount": 2.03,
            }
        ],
        "SubTotal": 20.25,
        "TotalTax": 2.03,
        "Total": 22.28,
        "AmountDue": 22.28,
        "AmountPaid": 0.0,
        "AmountCredited": 0.0,
        "UpdatedDateUTC": STAMP,
        "StatusAttributeString": "OK",
        "HasErrors": False,
    } | more


def contact_json(number: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "ContactID": guid(number),
        "ContactNumber": f"NW-O{number}",
        "ContactStatus": "ACTIVE",
        "Name": f"Customer {number}",
        "EmailAddress": "",
        "UpdatedDateUTC": STAMP,
    } | more


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


def refused(element: dict[str, Any], *messages: str) -> dict[str, Any]:
    """The element as Xero echoes one that it did not store."""
    said = {"ValidationErrors": [{"Message": m} for m in messages]}
    id_name = "InvoiceID" if "InvoiceID" in element else "ContactID"
    flag = "HasErrors" if id_name == "InvoiceID" else "HasValidationErrors"
    return element | {id_name: ZERO, "StatusAttributeString": "ERROR", flag: True} | said


def page(plural: str, rows: list[Any], page: int = 1, pages: int = 1, items: int = 0) -> Answer:
    counts = {"page": page, "pageSize": 1000, "pageCount": pages, "itemCount": items or len(rows)}
    return answer({plural: rows, "pagination": counts})


# --- what we write


def line(**more: Any) -> InvoiceLine:
    given = {
        "description": "Widget",
        "quantity": Decimal(2),
        "unit_price": Decimal("10.1234"),
        "tax_code": "OUTPUT",
        "account": "200",
    }
    return InvoiceLine(**(given | more))


def draft(number: int = 1, **more: Any) -> InvoiceDraft:
    marker = f"NW-{number}-A1"
    given: dict[str, Any] = {
        "marker": marker,
        "contact_id": guid(900),
        "date": date(2026, 11, 22),
        "due_date": date(2026, 12, 22),
        "currency": "AUD",
        "line_amounts": "exclusive",
        "lines": (line(),),
        "reference": f"PO 7 {marker}",
        "url": with_marker(f"https://crm.test/deal/{number}", marker),
        "sub_total": Decimal("20.25"),
        "total_tax": Decimal("2.03"),
        "total": Decimal("22.28"),
    }
    return InvoiceDraft(**(given | more))


def action(payload: Any, number: int = 1) -> Action:
    contacts = isinstance(payload, ContactChange | ContactDraft | MarkerChange)
    return Action(
        side="ledger",
        wave=Wave.LEDGER_CONTACTS if contacts else Wave.INVOICES,
        subject=f"deal:{number}",
        target=f"{'contact' if contacts else 'invoice'}:{number}",
        payload=payload,
        reason="won",
    )


def create(number: int = 1, **more: Any) -> Action:
    return action(draft(number, **more), number)


def customer(number: int = 1, **more: Any) -> Action:
    given = {"marker": f"NW-O{number}", "name": f"Customer {number}"} | more
    return action(ContactDraft(**given), number)


def approve(number: int = 1) -> Action:
    change = InvoiceChange(
        invoice_id=guid(number).upper(),
        status="authorised",
        date=date(2026, 11, 22),
        due_date=date(2026, 12, 22),
    )
    return action(change, number)


def delete(number: int = 1) -> Action:
    return action(InvoiceChange(invoice_id=guid(number), status="deleted"), number)


def contact_change(number: int = 1, **values: str | None) -> Action:
    return action(ContactChange(contact_id=guid(number), values=values), number)


def mark(number: int = 1) -> Action:
    return action(MarkerChange(contact_id=guid(number), marker=f"NW-O{number}"), number)


ADDRESS = Address(lines=("Obere Str. 57",), city="Berlin", postal_code="12209", country="Germany")
