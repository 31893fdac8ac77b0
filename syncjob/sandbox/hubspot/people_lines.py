"""What sales people do to a deal's lines in the editor: products, discounts, taxes, billing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from syncjob.sandbox.hubspot import associations, calculated, dumping, life
from syncjob.sandbox.hubspot.naming import Payload, own_fields, record_of
from syncjob.sandbox.hubspot.store import Record, Store
from syncjob.sandbox.hubspot.wire import as_text, iso, number
from syncjob.sandbox.kernel import ActError

if TYPE_CHECKING:
    from syncjob.sandbox.hubspot.server import HubSpotServer

_LINE = {"price": "price", "quantity": "quantity", "comments": "description",
         "billing_start_date": "hs_recurring_billing_start_date",
         "billing_frequency_cycles": "hs_recurring_billing_number_of_payments",
         "pricing_model": "hs_pricing_model", "tier_ranges": "hs_tier_ranges",
         "tier_prices": "hs_tier_prices", "position": "hs_position_on_quote"}  # fmt: skip
_FREQUENCIES = {"one-time": None, "annually": "annually", "semi-annually": "per_six_months",
                "quarterly": "quarterly", "monthly": "monthly", "weekly": "weekly"}  # fmt: skip


def make_line(server: HubSpotServer, deal: int, line: Payload) -> Record:
    """A line item of a deal, as the editor makes it: of a product, in the deal's currency."""
    store = server.store
    parent = store.live("deals", deal)
    assert parent is not None
    sent = {"quantity": 1, "price": 0, **line_sent(server, line)}
    if "product_id" in line:
        record = record_of(store, "products", line["product_id"])
        sent = _as_product(line, record) | sent
    elif {"product", "code", "name"} & line.keys():
        sent |= _product(server, line)
    sent.setdefault("hs_line_item_currency_code", parent.props["deal_currency_code"])
    number_of = len(associations.live_links(store, "deals", deal, "line_items"))
    sent.setdefault("hs_position_on_quote", number_of)
    return life.create(store, "line_items", sent, [("deals", deal, None)])


def _product(server: HubSpotServer, line: Payload) -> Payload:
    """The product by name, code or id; made if it is not there."""
    store = server.store
    ref = line.get("product", line.get("code", line.get("name")))
    try:
        record = record_of(store, "products", ref)
    except ActError:
        new = {"name": line.get("name", ref), "hs_sku": line.get("code")}
        record = life.create(store, "products", new)
    return _as_product(line, record)


def _as_product(line: Payload, record: Record) -> Payload:
    made = {"hs_product_id": record.id, "name": line.get("name", record.props.get("name"))}
    return made | ({"hs_sku": record.props["hs_sku"]} if "hs_sku" in record.props else {})


def line_sent(server: HubSpotServer, line: Payload) -> Payload:
    """A line as people name it: a discount in percent or an amount off each unit, a tax rate."""
    sent = {_LINE[k]: v for k, v in line.items() if k in _LINE and v is not None}
    if "name" in line:
        sent["name"] = line["name"]
    if line.get("enabled") is False or line.get("is_enabled") is False:
        raise ActError("HubSpot has no disabled line items")
    if line.get("tax_method") == "inclusive":
        raise ActError("HubSpot's line items are net of tax")
    if "billing_frequency" in line:
        sent["recurringbillingfrequency"] = _FREQUENCIES.get(
            line["billing_frequency"], line["billing_frequency"]
        )
    if "discount" in line:
        per_unit = line.get("discount_type") == "amount"
        sent["discount" if per_unit else "hs_discount_percentage"] = line["discount"] or None
        sent["hs_discount_percentage" if per_unit else "discount"] = None
    percent = line.get("tax", line.get("tax_percent"))
    if percent is not None:
        sent["hs_tax_rate_group_id"] = tax_rate(server, percent)
    return sent | own_fields(server.store, "line_items", line)


def tax_rate(server: HubSpotServer, percent: Any, name: str | None = None) -> int:
    """The account's tax rate of that percentage, made if there is none."""
    store = server.store
    wanted = number(as_text(percent) or "0")
    for found in store.tax_rates.values():
        if number(found["percentageRate"]) == wanted and name in (None, found["name"]):
            return int(found["id"])
    key = 7_000_001 + len(store.tax_rates)
    text = as_text(percent) or "0"
    now = iso(store.now())
    store.tax_rates[key] = {
        "id": key, "name": name or f"Tax {text}%", "label": name or "Tax",
        "percentageRate": text, "active": True, "createdAt": now, "updatedAt": now,
    }  # fmt: skip
    return key


def revalue(store: Store, deal: int) -> None:
    """The editor saves the lines' sum as the deal's amount; its date may stand still."""
    record = store.live("deals", deal)
    if record is None or not store.options.amount_follows_lines:
        return
    lines = [store.live("line_items", k)
             for k, _ in associations.live_links(store, "deals", deal, "line_items")]  # fmt: skip
    total = sum(number(r.props.get("hs_tcv") or "0") or 0 for r in lines if r is not None)
    text = format(calculated.exact(total), "f")
    life.update(store, record, {"amount": text}, bump=store.options.lines_bump_deal)


def add_line(server: HubSpotServer, payload: Payload) -> Payload:
    line = payload.get("line") or {k: v for k, v in payload.items() if k not in ("deal", "user")}
    deal = record_of(server.store, "deals", payload["deal"]).id
    made = make_line(server, deal, line)
    revalue(server.store, deal)
    return dumping.neutral(server.store, made)


def edit_line(server: HubSpotServer, payload: Payload) -> Payload:
    store = server.store
    record = record_of(store, "line_items", payload["line"])
    made = life.update(store, record, line_sent(server, payload))
    for deal, _ in associations.live_links(store, "line_items", record.id, "deals"):
        revalue(store, deal)
    return dumping.neutral(store, made)


def remove_line(server: HubSpotServer, payload: Payload) -> Payload:
    store = server.store
    record = record_of(store, "line_items", payload["line"])
    deals = [d for d, _ in associations.live_links(store, "line_items", record.id, "deals")]
    made = life.archive(store, record)
    for deal in deals:
        revalue(store, deal)
    return dumping.whole_deal(store, deals[0]) if deals else dumping.neutral(store, made)
