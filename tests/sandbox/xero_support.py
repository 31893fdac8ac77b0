"""A plain HTTP client of the sandbox Xero for its tests; it knows nothing of syncjob."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from syncjob.sandbox.host import Host
from syncjob.sandbox.kernel import Clock, Reply, Request
from syncjob.sandbox.xero import Options, XeroServer

T0 = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
ROOT = "/xero/api.xro/2.0"


@dataclass
class World:
    """An in-process host with one Xero and a token."""

    options: Options = field(default_factory=lambda: Options(lag_max_s=0, limits=None))
    clock: Clock = field(default_factory=lambda: Clock(T0))
    token: str = ""
    replies: list[tuple[Request, Reply]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.xero = XeroServer(self.clock, options=self.options)
        self.host = Host([self.xero], self.clock)
        self.renew()

    def renew(self) -> None:
        self.token = self.grant(grant_type="client_credentials").json()["access_token"]

    def grant(self, **form: str) -> Reply:
        form = {"client_id": "sandbox-custom", "client_secret": "sandbox-secret", **form}
        body = "&".join(f"{k}={v}" for k, v in form.items()).encode()
        return self.host.exchange(Request("POST", "/xero/identity/connect/token", body=body))

    def call(
        self, method: str, path: str, body: Any = None, headers: Any = None, **query: Any
    ) -> Reply:
        sent = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        request = Request(
            method,
            f"{ROOT}/{path}",
            tuple((k, str(v)) for k, v in query.items()),
            tuple(sent.items()),
            b"" if body is None else json.dumps(body).encode(),
        )
        reply = self.host.exchange(request)
        self.replies.append((request, reply))
        return reply

    def get(self, path: str, **more: Any) -> Any:
        reply = self.call("GET", path, **more)
        assert reply.status == 200, (reply.status, reply.body)
        return json.loads(reply.body, parse_float=Fraction)

    def put(self, path: str, *rows: Any, **more: Any) -> list[Any]:
        """Creates, with an answer for each element."""
        return self.write("PUT", path, *rows, **more)

    def post(self, path: str, *rows: Any, **more: Any) -> list[Any]:
        return self.write("POST", path, *rows, **more)

    def write(self, method: str, path: str, *rows: Any, **more: Any) -> list[Any]:
        plural = path.split("/")[0]
        reply = self.call(method, path, {plural: list(rows)}, summarizeErrors="false", **more)
        assert reply.status == 200, (reply.status, reply.body)
        found: list[Any] = json.loads(reply.body, parse_float=Fraction)[plural]
        return found

    def act(self, name: str, /, **payload: Any) -> Any:
        return self.xero.people(name, payload)["done"]

    def contact(self, name: str = "Acme") -> str:
        row = self.put("Contacts", {"Name": name})[0]
        return str(row["ContactID"])

    def invoice(self, **more: Any) -> Any:
        """One created sales invoice, or the refused element."""
        return self.put("Invoices", invoice(**more))[0]


def line(price: Any = 100, quantity: Any = 1, **more: Any) -> dict[str, Any]:
    return {
        "Description": "Work",
        "Quantity": quantity,
        "UnitAmount": price,
        "AccountCode": "200",
        **more,
    }


def invoice(*lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "Type": "ACCREC",
        "Contact": {"Name": "Acme"},
        "LineItems": list(lines) or [line()],
        "Date": "2026-03-02",
        "DueDate": "2026-04-01",
        **more,
    }


def template(**more: Any) -> dict[str, Any]:
    """A monthly repeating invoice that begins a month after T0."""
    return {
        "Type": "ACCREC",
        "Contact": {"Name": "Acme"},
        "Schedule": {
            "Period": 1,
            "Unit": "MONTHLY",
            "DueDate": 14,
            "DueDateType": "DAYSAFTERBILLDATE",
            "StartDate": "2026-04-02",
        },
        "LineItems": [line()],
        "Status": "DRAFT",
        **more,
    }


def credit(**more: Any) -> dict[str, Any]:
    return {
        "Type": "ACCRECCREDIT",
        "Contact": {"Name": "Acme"},
        "LineItems": [line()],
        "Status": "DRAFT",
        **more,
    }


def messages(row: Any) -> list[str]:
    return [e["Message"] for e in row.get("ValidationErrors", [])]
