"""The script that integrators write: no state, so it looks before each write, one record a call.

It is kept fair: sessions are kept open, a page is as long as the vendor allows, a token is got
once, and nothing waits for a limit. `load` invoices every won deal, `poll` brings payments back.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

import requests

from benchmarks.bare import HUBSPOT_VERSION, plain
from syncjob.sandbox.crms import CrmName

Row = dict[str, Any]
_STATUS = "Invoice status"


class Crm(Protocol):
    """What the script asks of its CRM; each method is one call for each record."""

    def won(self) -> Iterator[Row]:
        """Won deals: id, title, currency, organization, person."""
        ...

    def details(self, deal: Row) -> Row:
        """The deal with its customer's name and e-mail, and its lines."""
        ...

    def note(self, deal: Row, status: str) -> None:
        """Look at the deal, and write the invoice's status into it if it says another."""
        ...


class Http:
    """One vendor's session; counts its calls."""

    def __init__(self, headers: dict[str, str]) -> None:
        self.session, self.calls = requests.Session(), 0
        self.session.headers.update(headers)

    def ask(self, method: str, url: str, body: Any = None, **more: Any) -> Any:
        self.calls += 1
        answer = self.session.request(method, url, json=body, timeout=60, **more)
        answer.raise_for_status()
        return json.loads(answer.content, parse_float=Decimal)


class Pipedrive:
    """Deals, organizations, persons and products one by one."""

    def __init__(self, crm: Row) -> None:
        self.http = Http({"x-api-token": plain(crm["api_token"])})
        self.url = f"{crm['api_url']}/api/v2"
        self.field = _coded(self.http.ask("GET", f"{self.url}/dealFields?limit=500")["data"])

    def won(self) -> Iterator[Row]:
        query: Row = {"status": "won", "limit": 500}
        while True:
            page = self.http.ask("GET", f"{self.url}/deals", params=query)
            yield from page["data"] or ()
            query["cursor"] = (page.get("additional_data") or {}).get("next_cursor")
            if query["cursor"] is None:
                return

    def details(self, deal: Row) -> Row:
        deal = self._one(f"deals/{deal['id']}")
        org, person = (
            self._one(f"organizations/{deal['org_id']}"), self._one(f"persons/{deal['person_id']}")
        )  # fmt: skip
        lines = [
            {"Description": p["name"], "Quantity": float(p["quantity"]),
             "UnitAmount": float(p["item_price"]), "AccountCode": "200",
             "DiscountRate": float(p["discount"] or 0)}
            for p in self._one(f"deals/{deal['id']}/products?limit=500")
        ]  # fmt: skip
        mail = next((e["value"] for e in person["emails"]), "")
        return {**deal, "name": org["name"], "mail": mail, "lines": lines}

    def note(self, deal: Row, status: str) -> None:
        now = self._one(f"deals/{deal['id']}")
        if (now["custom_fields"] or {}).get(self.field["code"]) != self.field["options"][status]:
            body = {"custom_fields": {self.field["code"]: self.field["options"][status]}}
            self.http.ask("PATCH", f"{self.url}/deals/{deal['id']}", body)

    def _one(self, path: str) -> Any:
        return self.http.ask("GET", f"{self.url}/{path}")["data"]


def _coded(fields: list[Row]) -> Row:
    field = next(f for f in fields if f["field_name"] == _STATUS)
    options = {o["label"]: o["id"] for o in field["options"]}
    return {"code": field["field_code"], "options": options}


class HubSpot:
    """Deals with their associations, companies, contacts and line items one by one."""

    def __init__(self, crm: Row) -> None:
        self.http = Http({"Authorization": f"Bearer {plain(crm['access_token'])}"})
        self.url = f"{crm['api_url']}/crm/objects/{HUBSPOT_VERSION}"

    def won(self) -> Iterator[Row]:
        after = 0
        filters = [{"propertyName": "hs_is_closed_won", "operator": "EQ", "value": "true"}]
        body: Row = {
            "filterGroups": [{"filters": filters}], "limit": 200, "after": after,
            "properties": ["dealname", "deal_currency_code"],
        }  # fmt: skip
        while True:
            page = self.http.ask("POST", f"{self.url}/deals/search", body)
            yield from page["results"]
            following = (page.get("paging") or {}).get("next")
            if following is None:
                return
            body["after"] = following["after"]

    def details(self, deal: Row) -> Row:
        kinds = "companies,contacts,line_items"
        deal = self._one(f"deals/{deal['id']}?associations={kinds}&properties=deal_currency_code")
        ties = {k: [t["id"] for t in v["results"]] for k, v in deal["associations"].items()}
        ties = {k.replace(" ", "_"): list(dict.fromkeys(v)) for k, v in ties.items()}
        company = self._one(f"companies/{ties['companies'][0]}?properties=name")
        person = self._one(f"contacts/{ties['contacts'][0]}?properties=email")
        wanted = "name,quantity,price,hs_discount_percentage"
        items = [self._one(f"line_items/{i}?properties={wanted}") for i in ties["line_items"]]
        lines = [
            {"Description": p["name"], "Quantity": float(p["quantity"]),
             "UnitAmount": float(p["price"]), "AccountCode": "200",
             "DiscountRate": float(p.get("hs_discount_percentage") or 0)}
            for p in (item["properties"] for item in items)
        ]  # fmt: skip
        return {
            "id": deal["id"], "currency": deal["properties"]["deal_currency_code"],
            "name": company["properties"]["name"], "mail": person["properties"]["email"],
            "lines": lines,
        }  # fmt: skip

    def note(self, deal: Row, status: str) -> None:
        now = self._one(f"deals/{deal['id']}?properties=syncjob_invoice_status")
        if now["properties"].get("syncjob_invoice_status") != status:
            body = {"properties": {"syncjob_invoice_status": status}}
            self.http.ask("PATCH", f"{self.url}/deals/{deal['id']}", body)

    def _one(self, path: str) -> Any:
        return self.http.ask("GET", f"{self.url}/{path}")


class Xero:
    """Contacts and invoices, looked up before each is made."""

    def __init__(self, ledger: Row) -> None:
        auth, self.url = ledger["auth"], ledger["api_url"]
        self.http = Http({"Accept": "application/json"})
        answer = self.http.ask(
            "POST", f"{ledger['identity_url']}/connect/token",
            data={"grant_type": "client_credentials", "scope": " ".join(auth["scopes"])},
            auth=(plain(auth["client_id"]), plain(auth["client_secret"])),
        )  # fmt: skip
        self.http.session.headers["Authorization"] = f"Bearer {answer['access_token']}"

    def contact(self, name: str, mail: str) -> str:
        query = {"where": f'Name=="{name}"'}
        found = self.http.ask("GET", f"{self.url}/Contacts", params=query)["Contacts"]
        if not found:
            body = {"Contacts": [{"Name": name, "EmailAddress": mail}]}
            found = self.http.ask("PUT", f"{self.url}/Contacts", body)["Contacts"]
        return str(found[0]["ContactID"])

    def invoice(self, number: str) -> Row | None:
        query = {"InvoiceNumbers": number}
        found = self.http.ask("GET", f"{self.url}/Invoices", params=query)["Invoices"]
        return found[0] if found else None

    def create(self, deal: Row, number: str, contact: str) -> None:
        today = datetime.now(UTC).date()
        draft = {
            "Type": "ACCREC", "Contact": {"ContactID": contact}, "Status": "DRAFT",
            "LineItems": deal["lines"], "Date": today.isoformat(), "InvoiceNumber": number,
            "DueDate": (today + timedelta(days=30)).isoformat(), "LineAmountTypes": "NoTax",
            "CurrencyCode": deal["currency"],
        }  # fmt: skip
        self.http.ask("PUT", f"{self.url}/Invoices?unitdp=4", {"Invoices": [draft]})


def opened(config: Row) -> tuple[Pipedrive | HubSpot, Xero]:
    kind: CrmName = config["crm"]["type"]
    crm = Pipedrive(config["crm"]) if kind == "pipedrive" else HubSpot(config["crm"])
    return crm, Xero(config["ledger"])


def load(config: Row) -> int:
    """Invoice every won deal that has no invoice yet; how many requests it took."""
    crm, xero = opened(config)
    for row in list(crm.won()):
        number = f"D-{row['id']}"
        deal = crm.details(row)
        contact = xero.contact(deal["name"], deal["mail"])
        if xero.invoice(number) is None:
            xero.create(deal, number, contact)
        crm.note(row, "draft")
    return crm.http.calls + xero.http.calls


def poll(config: Row) -> int:
    """Bring each invoice's status back to its deal; how many requests it took."""
    crm, xero = opened(config)
    for row in list(crm.won()):
        invoice = xero.invoice(f"D-{row['id']}")
        if invoice is not None:
            crm.note(row, str(invoice["Status"]).lower())
    return crm.http.calls + xero.http.calls
