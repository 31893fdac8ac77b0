"""Persons, organizations, products and users; and merges, after which the loser is deleted."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from syncjob.sandbox.pipedrive import fields
from syncjob.sandbox.pipedrive.company import Company, Record
from syncjob.sandbox.pipedrive.wire import Refusal, invalid, not_found

SINGULAR = {
    "deals": "Deal",
    "persons": "Person",
    "organizations": "Organization",
    "products": "Product",
    "activities": "Activity",
    "stages": "Stage",
    "pipelines": "Pipeline",
    "users": "User",
}
_LINKS = (("org_id", "organizations"), ("owner_id", "users"))
_NEVER_MERGED = frozenset(  # they belong to the winner's own status
    "archive_time close_time won_time first_won_time lost_time lost_reason acv arr mrr".split()  # noqa: SIM905
)
_EMPTY: dict[str, Record] = {
    "organizations": {
        "name": None,
        "address": None,
        "website": None,
        "linkedin": None,
        "industry": None,
        "annual_revenue": None,
        "employee_count": None,
    },
    "persons": {
        "name": None,
        "first_name": None,
        "last_name": None,
        "org_id": None,
        "emails": [],
        "phones": [],
        "im": [],
        "picture_id": None,
        "postal_address": None,
        "notes": None,
        "birthday": None,
        "job_title": None,
    },
    "products": {
        "name": None,
        "code": None,
        "description": None,
        "unit": None,
        "tax": Decimal(0),
        "category": None,
        "is_linkable": True,
        "prices": None,
        "billing_frequency": "one-time",
        "billing_frequency_cycles": None,
    },
}


def create(
    company: Company, kind: str, sent: Record, user_id: int, key: int | None = None
) -> Record:
    common: Record = {
        "owner_id": user_id,
        "is_deleted": False,
        "visible_to": 3,
        "label_ids": [],
        "custom_fields": {},
        **{k: sent[k] for k in ("add_time", "update_time") if k in sent},
    }
    record = {**_EMPTY[kind], **common}
    record |= _changes(company, kind, record, sent)
    if not str(record["name"] or "").strip():
        raise invalid("name", "Name is required")
    made = company.add(kind, record, company.free_id(kind, key))
    if kind == "products" and made["prices"] is None:
        price = {"price": Decimal(0), "currency": company.options.currency}
        made = company.change(
            kind, made["id"], {"prices": _prices([price], made["id"])}, bump=False
        )
    return made


def edit(company: Company, kind: str, key: int, sent: Record) -> Record:
    record = company.live(kind, key)
    if record is None:
        raise not_found(SINGULAR[kind])
    changes = _changes(company, kind, record, sent)
    if "name" in changes and not str(changes["name"] or "").strip():
        raise invalid("name", "Name is required")
    moved = any(record.get(k) != v for k, v in changes.items())
    if not moved and not company.options.idle_patch_bumps:
        return record
    return company.change(kind, key, changes)


def delete(company: Company, kind: str, key: int) -> Record:
    if company.live(kind, key) is None:
        raise not_found(SINGULAR[kind])
    return company.change(kind, key, {"is_deleted": True})


def _changes(company: Company, kind: str, record: Record, sent: Record) -> Record:
    changes = dict(sent)
    for key, target in _LINKS:
        if changes.get(key) is not None and company.live(target, changes[key]) is None:
            raise invalid(key, f"{SINGULAR[target]} {changes[key]} not found")
    if "custom_fields" in sent:
        old = record["custom_fields"]
        changes["custom_fields"] = fields.merged(company, kind, old, sent["custom_fields"])
    for key in ("address", "postal_address"):
        if sent.get(key) is not None:
            changes[key] = fields.address(sent[key])
            if changes[key] is None:
                raise invalid(key, "Invalid address")
    for key in ("emails", "phones", "im"):
        if key in sent:
            changes[key] = _ways(key, sent[key])
    if kind == "products" and sent.get("prices") is not None:
        changes["prices"] = _prices(sent["prices"], record.get("id"))
    return changes | (_names(record, sent) if kind == "persons" else {})


def _names(record: Record, sent: Record) -> Record:
    """Either the whole name or its two parts; each follows from the other."""
    if sent.get("name"):
        first, _, last = str(sent["name"]).strip().partition(" ")
        return {"name": sent["name"], "first_name": first, "last_name": last or None}
    if "first_name" in sent or "last_name" in sent:
        first = sent.get("first_name", record["first_name"]) or ""
        last = sent.get("last_name", record["last_name"]) or ""
        return {"name": f"{first} {last}".strip(), "first_name": first, "last_name": last or None}
    return {}


def _ways(key: str, sent: Any) -> list[Record]:
    """Emails or phones: objects only, the list replaces the whole, one of them is primary."""
    if not isinstance(sent, list):
        raise invalid(key, "Expected array")
    made = []
    for n, way in enumerate(sent):
        if not isinstance(way, dict) or not set(way) <= {"value", "primary", "label"}:
            raise invalid(f"{key}.{n}", "Expected object")
        if not isinstance(way.get("value"), str):
            raise invalid(f"{key}.{n}.value", "Required")
        made.append(
            {
                "value": way["value"],
                "primary": way.get("primary") is True,
                "label": way.get("label", "work"),
            }
        )
    if sum(w["primary"] for w in made) > 1:
        raise invalid(key, "Only one value can be primary")
    if made and not any(w["primary"] for w in made):
        made[0]["primary"] = True
    return made


def _prices(sent: list[Record], product_id: int | None) -> list[Record]:
    empty: Record = {"cost": None, "direct_cost": None, "notes": ""}
    return [{**empty, **price, "product_id": product_id} for price in sent]


def create_user(
    company: Company, name: str, email: str, key: int | None = None, admin: bool = False
) -> Record:
    user = {
        "name": name,
        "email": email,
        "admin": admin,
        "phone": None,
        "active_flag": True,
        "is_deleted": False,
        "last_login": company.stamp(),
    }
    return company.add("users", user, company.free_id("users", key))


def merge(company: Company, kind: str, loser_id: int, winner_id: int) -> Record:
    """The winner keeps its id and values, gets what it lacked and all that hung on the loser."""
    loser, winner = company.live(kind, loser_id), company.live(kind, winner_id)
    if loser is None or winner is None or loser_id == winner_id:
        raise Refusal(400, f"{SINGULAR[kind]} cannot be merged", "ERR_VALIDATION")
    empty = [k for k, v in winner.items() if v in (None, "", []) and k not in _NEVER_MERGED]
    filled: Record = {k: loser[k] for k in empty if loser.get(k)}
    filled["custom_fields"] = {**loser["custom_fields"], **winner["custom_fields"]}
    for key in ("emails", "phones"):
        if key in winner:
            filled[key] = _joined(winner[key], loser[key])
    made = company.change(kind, winner_id, filled)
    company.change(kind, loser_id, {"is_deleted": True})
    _rehang(company, kind, loser_id, winner_id)
    return made


def _joined(mine: list[Record], others: list[Record]) -> list[Record]:
    known = {w["value"].casefold() for w in mine}
    more = [
        {**w, "primary": not mine and w["primary"]}
        for w in others
        if w["value"].casefold() not in known
    ]
    return [*mine, *more]


def _rehang(company: Company, kind: str, loser_id: int, winner_id: int) -> None:
    key = {"organizations": "org_id", "persons": "person_id", "deals": "deal_id"}[kind]
    for table in ("deals", "persons", "activities", "notes"):
        for record in list(company.all(table)):
            if record.get(key) == loser_id:
                bump = company.options.merge_bumps_children
                company.change(table, record["id"], {key: winner_id}, bump=bump)
