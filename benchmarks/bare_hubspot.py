"""The bare loop with HubSpot as the CRM: what benchmarks/bare.py is for Pipedrive, in batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from benchmarks.bare import CENT, HUBSPOT_VERSION, Bare, Row, Sale, chunks, invoiced, link, today
from benchmarks.fewest import HUBSPOT_BATCH, HUBSPOT_SEARCH, HUBSPOT_TIES, XERO_PAGE

_DEAL = ("dealname", "amount", "deal_currency_code", "dealstage", "hs_is_closed_won")
_LINE = ("name", "quantity", "price", "hs_discount_percentage")


def load(config: Row) -> int:
    """Load every won deal; how many requests it took."""
    run = Bare(config)
    run.token()
    run.ask(run.xero, "GET", f"{run.xero_url}/Organisation")
    for kind in ("Contacts", "Invoices"):
        run.ask(run.xero, "GET", f"{run.xero_url}/{kind}?page=1&pageSize={XERO_PAGE}")
    run.ask(run.crm, "GET", f"{run.crm_url}/account-info/{HUBSPOT_VERSION}/details")
    deals = {d["id"]: d["properties"] for d in _search(run, "deals", "0", _DEAL)
             if d["properties"]["hs_is_closed_won"] == "true"}  # fmt: skip
    run.ask(run.crm, "GET", _url(run, "objects", "deals?archived=true&limit=100"))
    now = str(int(datetime.now(UTC).timestamp() * 1000))
    list(_search(run, "line_items", now, ("hs_object_id",)))
    ids = list(deals)
    companies, people = _ties(run, "companies", ids), _ties(run, "contacts", ids)
    items = _ties(run, "line_items", ids)
    names = {i: c["name"].strip() for i, c in _read(run, "companies", companies, ("name",)).items()}
    _read(run, "contacts", people, ("email",))
    lines = _read(run, "line_items", items, _LINE)
    sales = [
        Sale(i, names[companies[i][0]], deals[i]["deal_currency_code"],
             [_line(lines[item]) for item in items[i]])
        for i in ids
    ]  # fmt: skip
    updates = [_update(s, inv) for s, inv in zip(sales, invoiced(run, names, sales), strict=True)]
    for group in chunks(updates, HUBSPOT_BATCH):
        url = _url(run, "objects", "deals/batch/update")
        run.send(run.crm, "POST", url, {"inputs": list(group)})
    return run.sent


def _url(run: Bare, api: str, path: str) -> str:
    return f"{run.crm_url}/crm/{api}/{HUBSPOT_VERSION}/{path}"


def _search(run: Bare, kind: str, since: str, wanted: Sequence[str]) -> Iterator[Row]:
    """Records by id from there on, as many a page as there can be."""
    last = "0"
    while True:
        filters = [
            {"propertyName": "hs_lastmodifieddate", "operator": "GTE", "value": since},
            {"propertyName": "hs_object_id", "operator": "GT", "value": last},
        ]
        body = {
            "filterGroups": [{"filters": filters}], "properties": list(wanted),
            "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
            "limit": HUBSPOT_SEARCH,
        }  # fmt: skip
        found = run.send(run.crm, "POST", _url(run, "objects", f"{kind}/search"), body)["results"]
        yield from found
        if len(found) < HUBSPOT_SEARCH:
            return
        last = found[-1]["id"]


def _ties(run: Bare, kind: str, ids: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for group in chunks(ids, HUBSPOT_TIES):
        body = {"inputs": [{"id": i} for i in group]}
        url = _url(run, "associations", f"deals/{kind}/batch/read")
        for row in run.send(run.crm, "POST", url, body)["results"]:
            found[str(row["from"]["id"])] = [str(to["toObjectId"]) for to in row["to"]]
    return found


def _read(
    run: Bare, kind: str, ties: dict[str, list[str]], wanted: Sequence[str]
) -> dict[str, Row]:
    found: dict[str, Row] = {}
    ids = list(dict.fromkeys(i for some in ties.values() for i in some))
    for group in chunks(ids, HUBSPOT_BATCH):
        body = {"inputs": [{"id": i} for i in group], "properties": list(wanted)}
        url = _url(run, "objects", f"{kind}/batch/read")
        rows = run.send(run.crm, "POST", url, body)["results"]
        found |= {str(row["id"]): row["properties"] for row in rows}
    return found


def _line(row: Row) -> Row:
    line = {
        "Description": row["name"], "Quantity": float(row["quantity"]),
        "UnitAmount": float(row["price"]), "AccountCode": "200",
    }  # fmt: skip
    discount = row.get("hs_discount_percentage")
    return {**line, "DiscountRate": float(discount)} if discount else line


def _update(sale: Sale, invoice: Row) -> Row:
    """What the deal then says: nine properties, as in our own batch."""
    total = str(Decimal(str(invoice["Total"])).quantize(CENT, ROUND_HALF_UP))
    said: dict[str, Any] = {
        "status": "draft", "total": total, "due": total, "paid": "0.00", "credited": "0.00",
        "link": link(invoice), "due_date": (today() + timedelta(days=30)).isoformat(),
        "overdue": "no", "last_synced": datetime.now(UTC).isoformat(timespec="seconds"),
    }  # fmt: skip
    return {"id": sale.deal, "properties": {f"syncjob_invoice_{k}": v for k, v in said.items()}}
