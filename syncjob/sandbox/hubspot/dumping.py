"""The server's truth for judges, in the words that they use for every CRM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from syncjob.sandbox.hubspot import associations, calculated
from syncjob.sandbox.hubspot.store import Record, Store
from syncjob.sandbox.hubspot.wire import moment_ms, number

if TYPE_CHECKING:
    from syncjob.sandbox.hubspot.server import HubSpotServer

Row = dict[str, Any]
TABLES = {
    "deals": "deals", "persons": "contacts", "organizations": "companies", "rows": "line_items",
    "products": "products", "activities": "tasks", "notes": "notes",
}  # fmt: skip


def dump(server: HubSpotServer) -> dict[str, Any]:
    """Every record by kind and id, archived and merged ones too; times as epoch seconds."""
    store = server.store
    made: dict[str, Any] = {
        name: {str(k): neutral(store, row.record) for k, row in store.tables[kind].rows.items()}
        for name, kind in TABLES.items()
    }
    made |= {
        "users": {str(k): owner(o) for k, o in store.owners.items()},
        "pipelines": {k: {"id": k, "name": p["label"]} for k, p in store.pipelines.items()},
        "stages": {
            s["id"]: {"id": s["id"], "name": s["label"], "pipeline_id": p["id"]}
            for p in store.pipelines.values()
            for s in p["stages"]
        },
        "fields": {name: fields(store, TABLES[name]) for name in TABLES},
        "tax_rates": {str(k): dict(t) for k, t in store.tax_rates.items()},
        "external_ids": store.external,
        "discounts": {},
        "installments": {},
        "limits": {"calls_used": server.limits.used, "day_limit": server.options.day_limit},
    }
    return made


def fields(store: Store, kind: str) -> dict[str, Row]:
    """The account's own properties, with their options by value."""
    return {
        name: {
            "field_code": name,
            "field_name": d["label"],
            "field_type": f"{d['type']}/{d['fieldType']}",
            "group": d["groupName"],
            "unique": d["hasUniqueValue"],
            "is_deleted": d["archived"],
            "options": [{"id": o["value"], "label": o["label"]} for o in d["options"]],
        }
        for name, d in store.definitions[kind].items()
        if not d["hubspotDefined"]
    }


def neutral(store: Store, record: Record) -> Row:
    """One record: common words, own properties as `custom_fields`, and all that is stored."""
    own = {
        n for n, d in store.definitions[record.kind].items()
        if not d["hubspotDefined"] and not d["archived"]
    }  # fmt: skip
    made: Row = {
        "id": record.id,
        "is_deleted": not record.live,
        "merged_into": record.into,
        "add_time": record.created // 1000,
        "update_time": record.updated // 1000,
        "owner_id": _id(record.props.get("hubspot_owner_id")),
        "custom_fields": {n: v for n, v in record.props.items() if n in own},
        "properties": calculated.stamped(record),
    }
    return made | _SHAPES[record.kind](store, record)


def whole_deal(store: Store, key: int) -> Row:
    record = store.at("deals", key)
    assert record is not None
    lines = associations.live_links(store, "deals", key, "line_items")
    rows = [store.live("line_items", k) for k, _ in lines]
    shown = [neutral(store, r) for r in rows if r is not None]
    return {**neutral(store, record), "lines": shown}


def _id(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None


def _tied(store: Store, record: Record, to: str) -> int | None:
    if to == "companies" and (record.kind, to) in associations.PRIMARY:
        return associations.primary_company(store, record.kind, record.id)
    found = associations.live_links(store, record.kind, record.id, to)
    return found[0][0] if found else None


def _seconds(text: str | None) -> int | None:
    ms = None if text is None else moment_ms(text)
    return None if ms is None else ms // 1000


def _deal(store: Store, record: Record) -> Row:
    props = record.props
    won, closed = props.get("hs_is_closed_won"), props.get("hs_is_closed")
    lines = associations.live_links(store, "deals", record.id, "line_items")
    return {
        "title": props.get("dealname"),
        "value": _number(props.get("amount")),
        "currency": props.get("deal_currency_code"),
        "status": "won" if won == "true" else "lost" if closed == "true" else "open",
        "pipeline_id": props.get("pipeline"),
        "stage_id": props.get("dealstage"),
        "org_id": _tied(store, record, "companies"),
        "person_id": _tied(store, record, "contacts"),
        "won_time": _seconds(props.get("hs_closed_won_date")),
        "close_time": _seconds(props.get("closedate")) if closed == "true" else None,
        "is_archived": False,
        "lines": [key for key, _ in lines],
    }


def _number(text: str | None) -> float | int | None:
    value = None if text is None else number(text)
    if value is None:
        return None
    return int(value) if value.denominator == 1 else float(value)


def _contact(store: Store, record: Record) -> Row:
    props = record.props
    name = " ".join(p for p in (props.get("firstname"), props.get("lastname")) if p)
    more = (props.get("hs_additional_emails") or "").split(";")
    emails = [v for v in (props.get("email"), *more) if v]
    phones = [v for v in (props.get("phone"), props.get("mobilephone")) if v]
    return {
        "name": name or props.get("email"),
        "first_name": props.get("firstname"),
        "last_name": props.get("lastname"),
        "emails": [{"value": v, "primary": not n, "label": "work"} for n, v in enumerate(emails)],
        "phones": [{"value": v, "primary": not n, "label": "work"} for n, v in enumerate(phones)],
        "org_id": _tied(store, record, "companies"),
    }


def _company(_store: Store, record: Record) -> Row:
    props = record.props
    parts = ("address", "address2", "city", "state", "zip", "country")
    address = {p: props[p] for p in parts if p in props}
    return {
        "name": props.get("name"),
        "website": props.get("website"),
        "domain": props.get("domain"),
        "phone": props.get("phone"),
        "address": {"value": ", ".join(address.values()), **address} if address else None,
    }


def _line(store: Store, record: Record) -> Row:
    props = record.props
    percent = "hs_discount_percentage" in props
    discount = props.get("hs_discount_percentage" if percent else "discount")
    return {
        "deal_id": _tied(store, record, "deals"),
        "product_id": _id(props.get("hs_product_id")),
        "name": props.get("name"),
        "item_price": _number(props.get("price")),
        "quantity": _number(props.get("quantity")),
        "discount": _number(discount) or 0,
        "discount_type": "percentage" if percent else "amount",
        "tax": _number(props.get("hs_tax_rate")) or 0,
        "sum": _number(props.get("amount")),
        "currency": props.get("hs_line_item_currency_code"),
        "billing_frequency": props.get("recurringbillingfrequency") or "one-time",
        "is_enabled": True,
    }


def _product(_store: Store, record: Record) -> Row:
    return {"name": record.props.get("name"), "code": record.props.get("hs_sku")}


def _task(store: Store, record: Record) -> Row:
    props = record.props
    due = props.get("hs_timestamp") or ""
    return {
        "subject": props.get("hs_task_subject"),
        "note": props.get("hs_task_body"),
        "type": (props.get("hs_task_type") or "").lower(),
        "done": props.get("hs_task_status") == "COMPLETED",
        "due_date": due[:10] or None,
        "due_time": due[11:16] or None,
        **_parents(store, record),
    }


def _note(store: Store, record: Record) -> Row:
    return {"content": record.props.get("hs_note_body"), **_parents(store, record)}


def _parents(store: Store, record: Record) -> Row:
    return {
        "deal_id": _tied(store, record, "deals"),
        "person_id": _tied(store, record, "contacts"),
        "org_id": _tied(store, record, "companies"),
    }


def owner(found: Row) -> Row:
    name = " ".join(p for p in (found["first"], found["last"]) if p)
    return {"id": found["id"], "name": name, "email": found["email"],
            "active_flag": not found["archived"], "user_id": found["user_id"]}  # fmt: skip


_SHAPES = {
    "deals": _deal, "contacts": _contact, "companies": _company, "line_items": _line,
    "products": _product, "tasks": _task, "notes": _note,
}  # fmt: skip
