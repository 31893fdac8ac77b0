"""The contract suite on the Xero connector, over HTTP against its sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from syncjob.connectors.base import Prepared
from syncjob.connectors.xero import connector as xero_connector
from syncjob.connectors.xero import requests as addresses
from syncjob.core.actions import (
    Action,
    ContactChange,
    ContactDraft,
    InvoiceChange,
    MarkerChange,
)
from syncjob.core.records import Address, PaymentTerms, Person
from syncjob.sandbox.kernel import Fault
from syncjob.sandbox.xero import Options
from syncjob.transport.wire import Answer, Call

from .contract import ConnectorContract
from .test_xero_sandbox import World as Sandboxed
from .xero_kit import action, draft, line

#: Small pages, so that a walk over a few records needs several.
PAGE = 5
TODAY = datetime.now(UTC).date()


class XeroWorld(Sandboxed):
    """People at work in the sandbox; the `World` of the contract suite."""

    streams = ("contacts", "invoices", "payments", "credit_notes")
    secret = "sandbox-secret"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, Options(lag_max_s=0, limits=None))
        self.opened = self.open()
        self.names = count(1)

    def fill(self, stream: str, count: int) -> list[str]:
        return [str(self._make(stream)["id"]) for _ in range(count)]

    def _make(self, stream: str) -> Any:
        name = f"Customer {next(self.names)}"
        if stream == "contacts":
            return self.act("create_contact", fields={"Name": name})["done"]
        line = {"Description": "Work", "UnitAmount": 100, "Quantity": 1, "AccountCode": "200"}
        fields = {"Contact": {"Name": name}, "LineItems": [line], "Status": "AUTHORISED",
                  "Date": TODAY.isoformat(), "DueDate": TODAY.isoformat()}  # fmt: skip
        invoice = self.act("create_invoice", fields=fields)["done"]
        if stream == "invoices":
            return invoice
        if stream == "payments":
            return self.act("pay", invoice=invoice["id"], amount=1)["done"]
        return self.act("credit", invoice=invoice["id"], amount=1, total=2)["done"]

    def touch(self, stream: str, record_id: str) -> None:
        """Change a record, as a person."""
        if stream == "contacts":
            self.act("edit_contact", contact=record_id, fields={"FirstName": "touched"})
        elif stream == "invoices":
            self.act("edit_invoice", invoice=record_id, fields={"Reference": "touched"})
        elif stream == "payments":
            self.act("remove_payment", payment=record_id)
        else:
            self.act("refund_credit", credit=record_id, amount=0.5)

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def writes(self) -> int:
        """Requests other than GET; asking for a token is none."""
        seen = self.sandbox.host.log.find("xero", None, "/xero/api.xro/2.0/", 0)
        return sum(call.method != "GET" for call in seen)

    def contacts_to_change(self) -> dict[str, str]:
        fields = {"Name": "Old name", "FirstName": "Ann", "EmailAddress": "a@x.test",
                  "Phones": [{"PhoneType": "MOBILE", "PhoneNumber": "07700 900001"}],
                  "ContactPersons": [{"FirstName": "Al", "IncludeInEmails": True}]}  # fmt: skip
        self.act("enable_currency", currency="GBP")
        return {"contact": str(self.act("create_contact", fields=fields)["done"]["id"])}

    def actions(self) -> list[Action]:
        owner = str(self._make("contacts")["id"])
        other = str(self._make("contacts")["id"])
        ready = str(self.act("create_invoice", fields=self._draft(owner))["done"]["id"])
        doomed = str(self.act("create_invoice", fields=self._draft(owner))["done"]["id"])
        later = TODAY + timedelta(days=30)
        full = ContactDraft(
            marker="NW-O12", name="Ørsted & Søn", email="o@x.test", phone="+45 1",
            phones=("+45 2",), address=Address(lines=("1 High St",), city="York"),
            street=Address(text="Dock 3, Hull"), tax_number="DK 1", currency="EUR",
            terms=PaymentTerms(kind="days_after_bill", day=14), people=(Person(first_name="Al"),),
        )  # fmt: skip
        invoice = draft(7, contact_id=owner, date=TODAY, due_date=later, lines=(line(),))
        payloads = (
            full,
            ContactChange(contact_id=other, values={"name": " New\tname ", "phones": "1\n2"}),
            MarkerChange(contact_id=owner, marker="NW-O77"),
            invoice,
            InvoiceChange(invoice_id=ready, status="authorised", date=TODAY, due_date=later),
            InvoiceChange(invoice_id=doomed, status="deleted"),
        )
        return [action(payload, number) for number, payload in enumerate(payloads, 1)]

    def _draft(self, contact: str) -> dict[str, Any]:
        line = {"Description": "Work", "UnitAmount": 100, "Quantity": 1, "AccountCode": "200"}
        return {"Contact": {"ContactID": contact}, "LineItems": [line], "Date": TODAY.isoformat(),
                "DueDate": TODAY.isoformat()}  # fmt: skip

    def send(self, prepared: Prepared) -> Answer:
        return self.opened.channel.write(Call(id=1, request=prepared.request, fence=1))

    def break_reads(self, status: int, kind: str, body: bytes) -> None:
        self.faults.add(
            Fault(
                "status", method="GET", times=99, status=status, body=body.decode(),
                headers={"Content-Type": kind},
            )
        )  # fmt: skip


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[XeroWorld]:
    monkeypatch.setattr(addresses, "PAGE_SIZE", PAGE)
    for stream in XeroWorld.streams:
        monkeypatch.setitem(xero_connector.CAPABILITIES.page_size, stream, PAGE)
    made = XeroWorld(tmp_path)
    yield made
    made.sandbox.stop()
    made.vault.close()


@pytest.fixture
def connector(world: XeroWorld) -> Any:
    return world.opened.connector


class TestContract(ConnectorContract):
    """Everything that any connector must do."""
