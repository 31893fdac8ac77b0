"""The bodies that our connectors send, against the vendors' own OpenAPI files (where at hand)."""

from __future__ import annotations

import json
import re
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from syncjob.connectors.base import Prepared
from syncjob.core.actions import (
    Action,
    ContactChange,
    CreditDraft,
    CrmContactDraft,
    DealChange,
    InvoiceEmail,
    MarkerChange,
    Task,
    TemplateDraft,
    Wave,
)
from syncjob.core.contacts.fields import encode_address, encode_people
from syncjob.core.records import PaymentTerms, Person

from ..sandbox import test_pipedrive_spec as pipedrive_spec
from ..sandbox import test_xero_spec as xero_spec
from . import xero_kit
from .pipedrive_support import action_of
from .test_pipedrive import make

TERMS = PaymentTerms(kind="days_after_month", day=3)
PARTS: dict[str, Any] = {
    "Phones": [{"PhoneType": "DDI", "PhoneNumber": "9"}],
    "Addresses": [{"AddressType": "POBOX", "City": "Hull", "AttentionTo": "Cy"}],
    "ContactPersons": [{"FirstName": "Al", "IncludeInEmails": True}],
    "PaymentTerms": {"Bills": {"Day": 7, "Type": "OFFOLLOWINGMONTH"}},
}
LINE = xero_kit.line(discount_percent=Decimal("12.5"), quantity=Decimal("0.3333"), item="HAT")


def xero_calls() -> list[Prepared]:
    made = xero_kit.connector()
    groups = (
        [xero_kit.create(1), xero_kit.create(2, lines=(LINE,))],
        [xero_kit.approve(1)],
        [xero_kit.delete(1)],
        [xero_kit.customer(1, address=xero_kit.ADDRESS, phone="+61 8 1", email="a@b.test")],
        [xero_kit.mark(1)],
        [xero_kit.customer(1, street=xero_kit.ADDRESS, phones=("1",), currency="NZD",
                           terms=TERMS, people=(Person(first_name="Al"),))],
        [xero_kit.contact_change(1, name="B", email=None, tax_number=None, currency="EUR")],
    )  # fmt: skip
    # What shares a part with what changes is read before.
    whole = xero_kit.connector(xero_kit.answer({"Contacts": [xero_kit.contact_json(1, **PARTS)]}))
    parts = xero_kit.contact_change(
        1, phones="1\n2", postal=encode_address(xero_kit.ADDRESS), street=None,
        terms="of_current_month:31", people=encode_people((Person(first_name="Al"),)),
    )  # fmt: skip
    calls = [call for group in groups for call in made.prepare(group)] + whole.prepare([parts])
    return [*calls, *(call for paper in papers() for call in made.prepare([paper]))]


def papers() -> list[Action]:
    """A repeating invoice, a credit note and an e-mail."""
    common = {
        "contact_id": xero_kit.guid(1), "currency": "EUR", "line_amounts": "exclusive",
        "lines": (xero_kit.line(),), "total": Decimal("110.00"),
    }  # fmt: skip
    template = TemplateDraft(
        **common, marker="NW-7-r1", reference="PO 7 NW-7-r1", unit="monthly", period=3,
        first=date(2026, 12, 23), last=date(2027, 12, 22), terms=TERMS,
    )  # fmt: skip
    credit = CreditDraft(
        **common, marker="NW-7-c1", reference="INV-1 NW-7-c1", invoice_id=xero_kit.guid(2),
        date=date(2026, 11, 23), request="x", currency_rate=Decimal("0.6123"),
    )  # fmt: skip
    email = InvoiceEmail(invoice_id=xero_kit.guid(2))
    return [
        Action(side="ledger", wave=wave, subject="deal:7", target=name, payload=p, reason="a test")
        for wave, name, p in (
            (Wave.TEMPLATES, "template:NW-7-r1", template),
            (Wave.INVOICES, "credit:NW-7-c1", credit),
            (Wave.EMAILS, "mail:NW-7-A1", email),
        )
    ]


@pytest.mark.skipif(not xero_spec.SPEC.exists(), reason="Xero's file is not beside this checkout")
def test_what_xero_is_sent_fits_its_own_file_and_names_no_other_field() -> None:
    schemas = xero_spec.document()["components"]["schemas"]
    calls = xero_calls()
    for call in calls:
        plural = call.request.url.partition("?")[0].rpartition("/")[2]
        if plural == "Email":
            assert call.request.body == b"{}"
            continue
        body = json.loads(call.request.body)
        problems = [
            f"{e.json_path}: {e.message}" for e in xero_spec.validator(plural).iter_errors(body)
        ]
        assert problems == []
        assert set(xero_spec.unknown_fields(body, schemas[plural])) == set()
    assert {c.request.method for c in calls} == {"PUT", "POST"} and len(calls) == 11


HOME = encode_address(xero_kit.ADDRESS)


def pipedrive_calls() -> list[Prepared]:
    values = {"Invoice status": "Paid", "Invoice total": "10.50", "Invoice paid": "0.10"}
    payloads = (
        DealChange(deal_id="12", fields={**values, "PO": "a, b"}, currency="EUR"),
        DealChange(deal_id="12", fields=dict.fromkeys(values)),
        MarkerChange(contact_id="org:5", marker="NW-O5"),
        MarkerChange(contact_id="person:7", marker="NW-P7"),
        Task(
            marker="NW-1-A1", deal_id="12", owner_id="3", subject="S", note="a<b",
            due=date(2026, 3, 3), org_id="org:5", person_id="person:7",
        ),
        CrmContactDraft(kind="organization", marker="NW-L1", values={"name": "A", "postal": HOME}),
        CrmContactDraft(kind="person", marker="NW-L2", organization_id="org:5",
                        values={"name": "Ann Lee", "email": "a@x.test", "phones": "1\n2"}),
        ContactChange(contact_id="org:5", values={"name": "B", "postal": None}),
        ContactChange(contact_id="org:5", values={"postal": HOME}),
        ContactChange(contact_id="person:7", values={"name": "Cher"}),
    )  # fmt: skip
    return make().prepare([action_of(payload) for payload in payloads])


def test_what_pipedrive_is_sent_fits_its_own_file_which_takes_no_other_key() -> None:
    validation = pytest.importorskip("openapi_schema_validator")
    paths, calls = pipedrive_spec.spec()["paths"], pipedrive_calls()
    for call in calls:
        checker = validation.OAS30Validator(_schema(paths, call))
        found = checker.iter_errors(json.loads(call.request.body))
        assert [f"{e.json_path}: {e.message}" for e in found] == [], call.request.url
    strange = {**json.loads(calls[0].request.body), "valeu": 1}
    assert list(validation.OAS30Validator(_schema(paths, calls[0])).iter_errors(strange))
    assert len(calls) == 10


def _schema(paths: Any, call: Prepared) -> Any:
    """The schema of this call's body."""
    path = re.sub(r"/\d+", "/{id}", call.request.url.partition("/api/v2")[2])
    operation = pipedrive_spec.resolved(paths[path][call.request.method.lower()])
    return operation["requestBody"]["content"]["application/json"]["schema"]
