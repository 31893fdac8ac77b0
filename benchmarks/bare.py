"""The bare loop: the same requests as a first load, the same JSON built and parsed, no state.

No retry, no limit, no check, no journal: what any program in this language must spend on the same
load. It uses requests.Session and json as a script would. With HubSpot: benchmarks/bare_hubspot.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

import requests

from benchmarks.fewest import PIPEDRIVE_IDS, PIPEDRIVE_PAGE, XERO_BATCH, XERO_PAGE

CENT = Decimal("0.01")
#: The dated paths that syncjob speaks (facts: hubspot, 5a).
HUBSPOT_VERSION = "2026-09"
Row = dict[str, Any]


class Bare:
    """Two sessions and two base URLs."""

    def __init__(self, config: Row) -> None:
        self.config, self.sent = config, 0
        self.xero, self.crm = requests.Session(), requests.Session()
        self.crm_url, self.xero_url = config["crm"]["api_url"], config["ledger"]["api_url"]
        if config["crm"]["type"] == "pipedrive":
            self.crm.headers["x-api-token"] = plain(config["crm"]["api_token"])
        else:
            self.crm.headers["Authorization"] = f"Bearer {plain(config['crm']['access_token'])}"

    def ask(self, session: requests.Session, method: str, url: str, **more: Any) -> Any:
        self.sent += 1
        answer = session.request(method, url, timeout=60, **more)
        answer.raise_for_status()
        return json.loads(answer.content, parse_float=Decimal)

    def send(self, session: requests.Session, method: str, url: str, body: Row) -> Any:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        return self.ask(session, method, url, data=json.dumps(body).encode(), headers=headers)

    def crm_pages(self, path: str, **query: Any) -> Iterator[Row]:
        while True:
            page = self.ask(self.crm, "GET", f"{self.crm_url}/api/v2/{path}", params=query)
            yield from page["data"] or ()
            cursor = (page.get("additional_data") or {}).get("next_cursor")
            if cursor is None:
                return
            query["cursor"] = cursor

    def token(self) -> None:
        auth = self.config["ledger"]["auth"]
        answer = self.ask(
            self.xero, "POST", f"{self.config['ledger']['identity_url']}/connect/token",
            data={"grant_type": "client_credentials", "scope": " ".join(auth["scopes"])},
            auth=(plain(auth["client_id"]), plain(auth["client_secret"])),
        )  # fmt: skip
        self.xero.headers["Authorization"] = f"Bearer {answer['access_token']}"
        self.xero.headers["Accept"] = "application/json"

    def put(self, kind: str, elements: Sequence[Row]) -> Iterator[Row]:
        for group in chunks(elements, XERO_BATCH):
            url = f"{self.xero_url}/{kind}?summarizeErrors=false&unitdp=4"
            yield from self.send(self.xero, "PUT", url, {kind: list(group)})[kind]


def plain(value: Any) -> str:
    """A secret as text."""
    return str(value.get_secret_value()) if hasattr(value, "get_secret_value") else str(value)


def load(config: Row) -> int:
    """Load every won deal; how many requests it took."""
    run = Bare(config)
    run.token()
    run.ask(run.xero, "GET", f"{run.xero_url}/Organisation")
    for kind in ("Contacts", "Invoices"):
        run.ask(run.xero, "GET", f"{run.xero_url}/{kind}?page=1&pageSize={XERO_PAGE}")
    run.ask(run.crm, "GET", f"{run.crm_url}/api/v1/users/me")
    deals = [d for d in run.crm_pages("deals", sort_by="id", limit=PIPEDRIVE_PAGE)
             if d["status"] == "won"]  # fmt: skip
    list(run.crm_pages("deals/archived", limit=PIPEDRIVE_PAGE))
    orgs = _by_ids(run, "organizations", [d["org_id"] for d in deals])
    _by_ids(run, "persons", [d["person_id"] for d in deals])
    lines: dict[int, list[Row]] = {}
    for group in chunks([d["id"] for d in deals], PIPEDRIVE_IDS):
        ids = ",".join(map(str, group))
        for row in run.crm_pages("deals/products", deal_ids=ids, limit=PIPEDRIVE_PAGE):
            lines.setdefault(row["deal_id"], []).append(_line(row))
    names = {key: org["name"].strip() for key, org in orgs.items()}
    sales = [Sale(d["id"], names[d["org_id"]], d["currency"], lines[d["id"]]) for d in deals]
    fields = _fields(run, config)
    for sale, invoice in zip(sales, invoiced(run, names, sales), strict=True):
        body = {"custom_fields": _status(fields, sale, invoice)}
        run.send(run.crm, "PATCH", f"{run.crm_url}/api/v2/deals/{sale.deal}", body)
    return run.sent


class Sale(NamedTuple):
    """A deal as an invoice needs it: its id, its customer's name, its lines as Xero takes them."""

    deal: Any
    customer: str
    currency: str
    lines: list[Row]


def invoiced(run: Bare, names: Mapping[Any, str], sales: Sequence[Sale]) -> list[Row]:
    """Make the contacts and the drafts of these sales; the drafts as stored."""
    made = run.put("Contacts", [{"Name": n, "ContactNumber": f"B-{k}"} for k, n in names.items()])
    contacts = {c["Name"]: c["ContactID"] for c in made}
    return list(run.put("Invoices", [_draft(run, s, contacts[s.customer]) for s in sales]))


def _by_ids(run: Bare, path: str, ids: Sequence[int]) -> dict[int, Row]:
    found: dict[int, Row] = {}
    for group in chunks(list(dict.fromkeys(ids)), PIPEDRIVE_IDS):
        rows = run.crm_pages(path, ids=",".join(map(str, group)), limit=PIPEDRIVE_IDS)
        found |= {row["id"]: row for row in rows}
    return found


def _fields(run: Bare, config: Row) -> dict[str, Row]:
    """The deal's fields by what they hold; read while the codes are not known by heart."""
    rows = {f["field_name"]: f for f in run.crm_pages("dealFields", limit=PIPEDRIVE_PAGE)}
    return {k: rows[name] for k, name in config["crm"]["fields"].items() if name in rows}


def _draft(run: Bare, sale: Sale, contact: str) -> Row:
    day, key = today(), f"B-{sale.deal}-A1"
    return {
        "Type": "ACCREC", "Contact": {"ContactID": contact}, "Status": "DRAFT",
        "LineItems": sale.lines, "Date": day.isoformat(),
        "DueDate": (day + timedelta(days=30)).isoformat(), "LineAmountTypes": "NoTax",
        "Reference": key, "Url": _page(run, sale, key), "CurrencyCode": sale.currency,
    }  # fmt: skip


def _page(run: Bare, sale: Sale, key: str) -> str:
    parts = urlsplit(run.crm_url)
    return str(urlunsplit((parts.scheme, parts.netloc, f"/deal/{sale.deal}", f"bare={key}", "")))


def _line(row: Row) -> Row:
    line = {
        "Description": row["name"], "Quantity": float(row["quantity"]),
        "UnitAmount": float(row["item_price"]), "AccountCode": "200",
    }  # fmt: skip
    return {**line, "DiscountRate": float(row["discount"])} if row["discount"] else line


def _status(fields: dict[str, Row], sale: Sale, invoice: Row) -> Row:
    """What the deal then says: nine fields, as in our own PATCH."""
    option = next(o["id"] for o in fields["status"]["options"] if o["label"] == "draft")
    total = Decimal(str(invoice["Total"])).quantize(CENT, ROUND_HALF_UP)
    money = {"total": total, "due": total, "paid": Decimal(0), "credited": Decimal(0)}
    values: Row = {
        fields[name]["field_code"]: {"value": float(v), "currency": sale.currency}
        for name, v in money.items()
    }
    no = next(o["id"] for o in fields["overdue"]["options"] if o["label"] == "no")
    return values | {
        fields["status"]["field_code"]: option, fields["link"]["field_code"]: link(invoice),
        fields["due_date"]["field_code"]: (today() + timedelta(days=30)).isoformat(),
        fields["overdue"]["field_code"]: no,
        fields["synced"]["field_code"]: datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    }  # fmt: skip


def link(invoice: Row) -> str:
    """The invoice's page at Xero."""
    return f"https://go.xero.com/AccountsReceivable/View.aspx?InvoiceID={invoice['InvoiceID']}"


def today() -> date:
    """The day, in UTC."""
    return datetime.now(UTC).date()


def chunks(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """The items in groups of so many."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
