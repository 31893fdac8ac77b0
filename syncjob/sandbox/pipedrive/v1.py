"""The v1 calls that remain: users, notes, currencies, activity types, merges; the rest has left."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from syncjob.sandbox.pipedrive import activities, contacts
from syncjob.sandbox.pipedrive.company import Company, Record
from syncjob.sandbox.pipedrive.routing import Answer, Call, Route
from syncjob.sandbox.pipedrive.wire import Refusal, invalid, not_found, stamp_of, v1_time

LEFT = frozenset(
    [
        "deals",
        "persons",
        "organizations",
        "products",
        "activities",
        "pipelines",
        "stages",
        "itemSearch",
    ]
)
_CURRENCIES = {
    "AUD": "Australian Dollar",
    "CAD": "Canadian Dollar",
    "CHF": "Swiss Franc",
    "EUR": "Euro",
    "GBP": "Pound Sterling",
    "JPY": "Japanese Yen",
    "NZD": "New Zealand Dollar",
    "SEK": "Swedish Krona",
    "SGD": "Singapore Dollar",
    "USD": "US Dollar",
}
_FLAGS = ("deal", "organization", "person", "lead", "project", "task")


def out_of_support() -> Refusal:
    """What the sandbox says where the vendor only promises nothing (facts: pipedrive, 1 item 1)."""
    return Refusal(410, "This API v1 endpoint is out of support, use API v2", errorCode=410)


def _users(call: Call) -> Answer:
    return Answer([_user(call, u) for u in call.company.all("users")])


def _one_user(call: Call) -> Answer:
    user = call.company.get("users", call.key)
    if user is None:
        raise not_found("User")
    return Answer(_user(call, user))


def _me(call: Call) -> Answer:
    user = call.company.get("users", call.user_id)
    assert user is not None
    options = call.company.options
    firm = {
        "company_id": options.company_id,
        "company_name": options.company_name,
        "company_domain": options.company_domain,
        "company_country": options.company_country,
        "company_industry": "Other",
        "language": {"language_code": "en", "country_code": "US"},
    }
    return Answer({**_user(call, user), **firm})


def _user(call: Call, user: Record) -> Record:
    options = call.company.options
    apps = ("sales", "global", "account_settings")
    access = [{"app": a, "admin": user["admin"], "permission_set_id": None} for a in apps]
    return {
        "id": user["id"],
        "name": user["name"],
        "default_currency": options.currency,
        "locale": "en_US",
        "lang": 1,
        "email": user["email"],
        "phone": user["phone"],
        "activated": True,
        "last_login": v1_time(user["last_login"]),
        "created": v1_time(user["add_time"]),
        "modified": v1_time(user["update_time"]),
        "has_created_company": user["admin"],
        "access": [{**a, "permission_set_id": f"set-{a['app']}"} for a in access],
        "active_flag": user["active_flag"],
        "timezone_name": options.timezone,
        "timezone_offset": _offset(call.company),
        "role_id": 1,
        "icon_url": None,
        "is_you": user["id"] == call.user_id,
        "is_deleted": not user["active_flag"],
    }


def _offset(company: Company) -> str:
    try:
        moment: datetime = company.clock.now().astimezone(ZoneInfo(company.options.timezone))
    except (KeyError, OSError, ValueError):
        return "+00:00"
    text = moment.strftime("%z")
    return f"{text[:3]}:{text[3:]}"


def _notes(call: Call) -> Answer:
    company, args = call.company, call.args
    wanted = {k: int(args[k]) for k in ("deal_id", "person_id", "org_id", "user_id") if k in args}
    found = [n for n in company.all("notes") if all(n[k] == v for k, v in wanted.items())]
    if "updated_since" in args:
        since = stamp_of(args["updated_since"])
        found = [n for n in found if n["update_time"] >= since]
    start, limit = int(args.get("start", 0)), min(int(args.get("limit", 100)), 500)
    more = len(found) > start + limit
    pages: Record = {"start": start, "limit": limit, "more_items_in_collection": more}
    pages |= {"next_start": start + limit} if more else {}
    data = [_note(call, n) for n in found[start : start + limit]]
    return Answer(data, additional={"pagination": pages})


def _add_note(call: Call) -> Answer:
    if not isinstance(call.sent.get("content"), str) or not call.sent["content"]:
        raise invalid("content", "Parameter 'content' is required")
    sent = {k: v for k, v in call.sent.items() if k != "add_time"}
    return Answer(_note(call, activities.add_note(call.company, sent, call.user_id)))


def _one_note(call: Call) -> Answer:
    note = call.company.get("notes", call.key)
    if note is None:
        raise not_found("Note")
    return Answer(_note(call, note))


def _note(call: Call, note: Record) -> Record:
    company = call.company
    links = (
        ("deal", "deals", "title"),
        ("organization", "organizations", "name"),
        ("person", "persons", "name"),
    )
    made = dict(note)
    for name, kind, label in links:
        other = company.get(kind, note[{"organization": "org_id"}.get(name, f"{name}_id")])
        made[name] = None if other is None else {label: other[label]}
    user = company.get("users", note["user_id"]) or {}
    made["user"] = {"email": user.get("email"), "name": user.get("name"), "icon_url": None}
    made["user"]["is_you"] = note["user_id"] == call.user_id
    made["last_update_user_id"] = note["user_id"]
    for name in _FLAGS:
        key = f"pinned_to_{name}_flag"
        made[key] = note.get(key) in (1, True, "1")
    return made | {k: v1_time(note[k]) for k in ("add_time", "update_time")}


def _currencies(call: Call) -> Answer:
    codes = dict(_CURRENCIES)
    codes.setdefault(call.company.options.currency, call.company.options.currency)
    empty: Record = {
        "decimal_points": 2,
        "symbol": "",
        "active_flag": True,
        "is_custom_flag": False,
    }
    return Answer(
        [
            {"id": n, "code": c, "name": name, **empty}
            for n, (c, name) in enumerate(codes.items(), 1)
        ]
    )


def _activity_types(call: Call) -> Answer:
    common: Record = {"active_flag": True, "color": "FFFFFF", "is_custom_flag": False}
    common |= {"add_time": "2020-01-01 00:00:00", "update_time": "2020-01-01 00:00:00"}
    return Answer(
        [
            {
                "id": n,
                "order_nr": n,
                "name": t.capitalize(),
                "key_string": t,
                "icon_key": t,
                **common,
            }
            for n, t in enumerate(activities.TYPES, 1)
        ]
    )


def _merger(kind: str) -> Callable[[Call], Answer]:
    def handle(call: Call) -> Answer:
        winner_id: Any = call.sent.get("merge_with_id")
        if not isinstance(winner_id, int):
            raise invalid("merge_with_id", "Parameter 'merge_with_id' is required")
        made = contacts.merge(call.company, kind, call.key, winner_id)
        keys = (
            "id",
            "name",
            "title",
            "owner_id",
            "org_id",
            "person_id",
            "value",
            "currency",
            "status",
        )
        shown = {k: made[k] for k in keys if k in made}
        times = {k: v1_time(made[k]) for k in ("add_time", "update_time")}
        return Answer({**shown, **times, "merge_what_id": call.key})

    return handle


ROUTES = (
    Route("GET", "users", 20, _users, lenient=True),
    Route("GET", "users/me", 2, _me, lenient=True),
    Route("GET", "users/#", 2, _one_user, lenient=True),
    Route("GET", "notes", 20, _notes, lenient=True),
    Route("POST", "notes", 10, _add_note, lenient=True),
    Route("GET", "notes/#", 2, _one_note, lenient=True),
    Route("GET", "currencies", 20, _currencies, lenient=True),
    Route("GET", "activityTypes", 20, _activity_types, lenient=True),
    *(
        Route("PUT", f"{kind}/#/merge", 40, _merger(kind), lenient=True)
        for kind in ("deals", "persons", "organizations")
    ),
)
