"""Records as v2 shows them: times as text, empty values as null or empty, custom fields by code."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

from syncjob.sandbox.pipedrive import deals as life
from syncjob.sandbox.pipedrive.company import Company, Record
from syncjob.sandbox.pipedrive.fields import ADDRESS_PARTS, category_label, custom_codes
from syncjob.sandbox.pipedrive.schema import CONTACT_EXTRAS, DEAL_EXTRAS
from syncjob.sandbox.pipedrive.wire import invalid, rfc3339

Args = Mapping[str, Any]

_TIMES = frozenset(
    [
        "add_time",
        "update_time",
        "stage_change_time",
        "archive_time",
        "close_time",
        "won_time",
        "lost_time",
        "created_at",
        "updated_at",
        "marked_as_done_time",
        "first_won_time",
    ]
)
_HIDDEN = frozenset(("first_won_time", "source_lead_id"))
_CONTACT_SYNC = frozenset(("postal_address", "notes", "im", "birthday", "job_title"))
_UNSTAMPED = {"installments": ("add_time", "update_time"), "discounts": ("add_time", "update_time")}
_LISTS = frozenset(("label_ids", "emails", "phones"))


def drawn(company: Company, share: float, *what: Any) -> bool:
    """A chance that falls the same way for the same thing, so that two reads agree."""
    text = f"{company.options.seed}/" + "/".join(map(str, what))
    return zlib.crc32(text.encode()) < share * 2**32


def shown(company: Company, kind: str, record: Record, args: Args | None = None) -> Record:
    """One record of any kind as an answer of v2 has it."""
    args = args or {}
    key, options = record["id"], company.options
    millis = drawn(company, options.millis_share, kind, key)
    nulls = drawn(company, options.null_share, kind, key, "null")
    made: Record = {"id": key}
    for name, value in record.items():
        if name in _HIDDEN or name in _UNSTAMPED.get(kind, ()) or name == "custom_fields":
            continue
        if name in _TIMES:
            value = rfc3339(value, millis)
        elif name in _LISTS and not value:
            value = None if nulls else []
        elif name in ("comments", "unit", "code") and not value:
            value = None if nulls else ""
        elif name == "address" and value is None and not nulls:
            value = dict.fromkeys(ADDRESS_PARTS)
        made[name] = value
    if "custom_fields" in record:
        made["custom_fields"] = _custom(company, kind, record, args)
    return made | _special(company, kind, record, args)


def _special(company: Company, kind: str, record: Record, args: Args) -> Record:
    if kind == "deals":
        return _deal(company, record, args)
    if kind == "products":
        return {"category": category_label(company, record["category"])}
    if kind in ("persons", "organizations"):
        return _contact(company, kind, record, args)
    if kind == "discounts":
        return {
            "created_at": rfc3339(record["add_time"], False),
            "updated_at": rfc3339(record["update_time"], False),
        }
    return {}


def _deal(company: Company, deal: Record, args: Args) -> Record:
    made: Record = {
        "local_won_date": life.local_date(company, deal["won_time"]),
        "local_lost_date": life.local_date(company, deal["lost_time"]),
        "local_close_date": life.local_date(company, deal["close_time"]),
    }
    for name in _extras(args, DEAL_EXTRAS):
        made[name] = _deal_extra(company, deal, name)
    if args.get("include_labels"):
        made["labels"] = []
    return made


def _deal_extra(company: Company, deal: Record, name: str) -> Any:
    if name == "products_count":
        return len(company.children("rows", deal["id"]))
    if name == "first_won_time":
        return rfc3339(deal["first_won_time"], False)
    if name == "smart_bcc_email":
        return f"{company.options.company_domain}+deal{deal['id']}@pipedrivemail.com"
    activities = [a for a in company.all("activities") if a["deal_id"] == deal["id"]]
    counts = {
        "notes_count": sum(n["deal_id"] == deal["id"] for n in company.all("notes")),
        "activities_count": len(activities),
        "done_activities_count": sum(a["done"] for a in activities),
        "undone_activities_count": sum(not a["done"] for a in activities),
        "participants_count": int(deal["person_id"] is not None),
    }
    return counts.get(name, 0 if name.endswith("_count") else None)


def _contact(company: Company, kind: str, record: Record, args: Args) -> Record:
    made: Record = {}
    if kind == "persons" and not company.options.contact_sync:
        made |= dict.fromkeys(_CONTACT_SYNC)
    key = "person_id" if kind == "persons" else "org_id"
    for name in _extras(args, CONTACT_EXTRAS):
        made[name] = _contact_extra(company, key, record["id"], name)
    if args.get("include_labels"):
        made["labels"] = []
    return made


def _contact_extra(company: Company, key: str, record_id: int, name: str) -> Any:
    own = [d for d in company.all("deals") if d[key] == record_id and not d["is_deleted"]]
    if name == "people_count":
        return sum(p["org_id"] == record_id for p in company.all("persons"))
    for status in ("open", "won", "lost"):
        if name == f"{status}_deals_count":
            return sum(d["status"] == status for d in own)
    if name == "closed_deals_count":
        return sum(d["status"] != "open" for d in own)
    return 0 if name.endswith("_count") else None


def _extras(args: Args, known: frozenset[str]) -> list[str]:
    wanted: list[str] = args.get("include_fields") or []
    for name in wanted:
        if name not in known:
            raise invalid("include_fields", f"Invalid value '{name}'")
    return wanted


def _custom(company: Company, kind: str, record: Record, args: Args) -> Record:
    """Every custom field of the account, null where it has no value."""
    wanted = args.get("custom_fields")
    if wanted is not None and len(wanted) > 15:
        raise invalid("custom_fields", "A maximum of 15 keys is allowed")
    codes = custom_codes(company, kind)
    values = record["custom_fields"]
    made = {c: values.get(c) for c in codes if wanted is None or c in wanted}
    if args.get("include_option_labels"):
        made = {c: _labelled(company.fields[kind][c], v) for c, v in made.items()}
    return made


def _labelled(field: Record, value: Any) -> Any:
    labels = {o["id"]: o["label"] for o in field["options"] or ()}
    if field["field_type"] == "enum" and value is not None:
        return {"id": value, "label": labels.get(value)}
    if field["field_type"] == "set" and value is not None:
        return [{"id": v, "label": labels.get(v)} for v in value]
    return value
