"""The life of a record of any kind: created, changed, archived, restored, merged."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from syncjob.sandbox.hubspot import associations, calculated, properties, schema
from syncjob.sandbox.hubspot.store import Props, Record, Store
from syncjob.sandbox.hubspot.wire import Refusal, bad_input, not_valid, problem

_REQUIRED = {"tasks": ("hs_timestamp",), "notes": ("hs_timestamp",)}
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
MERGING = ("contacts", "companies", "deals")
Tie = tuple[str, int, int | None]  # the other kind, its id, the association's type


def create(
    store: Store, kind: str, sent: Any, ties: list[Tie] | None = None, *,
    wanted: int | None = None, enforce: bool = False,
) -> Record:  # fmt: skip
    """A new record with its associations. Raises Refusal for what the vendor would refuse."""
    values = properties.checked(store, kind, sent)
    missing = [n for n in _REQUIRED.get(kind, ()) if not values.get(n)]
    if missing:
        raise _required(kind, "creating", missing)
    now, key = store.now(), store.new_id(kind, wanted)
    props = _calculated(store, kind, key, {}, values, now)
    if enforce:
        _admin_rules(store, kind, "create", {}, props)
    record = store.put(Record(kind, key, props, created=now, updated=now))
    properties.hold_unique(store, kind, key, {}, props)
    for to, other, type_id in ties or ():
        associations.associate(store, kind, key, to, other, type_id)
    retied(store, kind, key, [(to, other) for to, other, _ in ties or ()])
    return store.live(kind, record.id) or record


def update(
    store: Store, record: Record, sent: Any, *, enforce: bool = False, bump: bool = True
) -> Record:
    """Changes some properties of a live record; an empty value empties."""
    kind = record.kind
    values = properties.checked(store, kind, sent, record.id)
    now = store.now()
    props = _calculated(store, kind, record.id, record.props, values, now)
    if enforce:
        _admin_rules(store, kind, "update", record.props, props)
    if props == record.props and not store.options.idle_patch_bumps:
        return record
    properties.hold_unique(store, kind, record.id, record.props, props)
    made = store.put(replace(record, props=props, updated=now if bump else record.updated))
    if kind == "line_items":
        _line_changed(store, record.id)
    return made


def _calculated(
    store: Store, kind: str, key: int, before: Props, values: dict[str, str | None], now: int
) -> Props:
    props = {k: v for k, v in {**before, **values}.items() if v is not None}
    match kind:
        case "deals":
            calculated.deal(store, before, props, values, now)
        case "line_items":
            calculated.line(store, key, props)
        case "contacts":
            _email(store, props, values)
            calculated.contact(props)
        case "tasks":
            calculated.task(before, props, now)
        case "companies":
            _domain(props, values)
    return props


def _email(store: Store, props: Props, values: dict[str, str | None]) -> None:
    email = values.get("email")
    if email is None:
        return
    if _EMAIL.fullmatch(email.strip()) is None:
        told = f"Email address {email} is invalid"
        raise not_valid([problem("email", "INVALID_EMAIL", told)], store.options.terse_errors)
    props["email"] = email.strip().lower()


def _domain(props: Props, values: dict[str, str | None]) -> None:
    """A company's domain follows from its website if it has none."""
    site = values.get("website")
    if site and "domain" not in props:
        host = re.sub(r"^[a-z]+://", "", site.strip().lower()).split("/")[0]
        props["domain"] = host.removeprefix("www.")


def _required(kind: str, doing: str, missing: list[str]) -> Refusal:
    text = f"Error {doing} {schema.SINGULAR[kind]}. Some required properties were not set."
    return Refusal(400, text, context={"properties": missing})


def _admin_rules(store: Store, kind: str, on: str, before: Props, props: Props) -> None:
    """Rules that admins set bind every write, whatever it changes (facts: hubspot, 5a.3)."""
    missing = [
        name
        for rule in store.rules
        if rule["kind"] == kind and rule["on"] in (on, "any") and _applies(rule, props)
        for name in rule["required"]
        if not props.get(name)
    ]
    if missing:
        raise _required(kind, "creating" if on == "create" else "updating", missing)


def _applies(rule: dict[str, Any], props: Props) -> bool:
    when = rule["when"]
    return all(props.get(name) in values for name, values in when.items())


def retied(store: Store, kind: str, key: int, others: list[tuple[str, int]]) -> None:
    """Counts on the deals that an association touched; dates, if associations move them."""
    bump = store.options.associations_bump
    for which, one in [(kind, key), *others]:
        record = store.live(which, one)
        if record is None or not (which == "deals" or bump):
            continue
        props = dict(record.props)
        if which == "deals":
            props.pop("hs_primary_associated_company", None)
            props |= calculated.rollups(store, one)
        updated = store.now() if bump else record.updated
        if props != record.props or updated != record.updated:
            store.put(replace(record, props=props, updated=updated))


def _line_changed(store: Store, key: int) -> None:
    """An edit of a line moves its deal's date, or does not: nobody says (facts: hubspot, 5d)."""
    if not store.options.lines_bump_deal:
        return
    for deal in store.links_of("line_items", key, "deals"):
        record = store.live("deals", deal)
        if record is not None:
            store.put(replace(record, updated=store.now()))


def archive(store: Store, record: Record) -> Record:
    """Into the recycling bin, from where people restore it within 90 days."""
    deals = list(store.links_of(record.kind, record.id, "deals"))
    properties.hold_unique(store, record.kind, record.id, record.props, {})
    made = store.put(replace(record, archived_at=store.now()))
    if record.kind == "line_items":
        _line_changed(store, record.id)
    for deal in deals:
        retied(store, "deals", deal, [])
    return made


def restore(store: Store, record: Record) -> Record:
    """Back as it was; a unique value that another record took meanwhile is lost."""
    props = dict(record.props)
    for name, definition in store.definitions[record.kind].items():
        held = store.unique.get((record.kind, name), {})
        taken = name in props and properties.unique_key(props[name]) in held
        if definition["hasUniqueValue"] and taken:
            del props[name]
    properties.hold_unique(store, record.kind, record.id, {}, props)
    made = store.put(replace(record, props=props, archived_at=None, updated=store.now()))
    for deal in list(store.links_of(record.kind, record.id, "deals")):
        retied(store, "deals", deal, [])
    return store.live(record.kind, made.id) or made


def merge(store: Store, kind: str, primary: int, other: int) -> Record:
    """Two records become a third with a new id; both old ids lead to it (facts: hubspot, 5e).

    The primary's values win, the other's fill what is empty.
    """
    if kind not in MERGING:
        raise Refusal(400, f"Merging {kind} is not supported")
    kept, lost = store.resolved(kind, primary), store.resolved(kind, other)
    if kept is None or lost is None or not kept.live or not lost.live:
        raise Refusal(404, "One of the records to merge does not exist", "OBJECT_NOT_FOUND")
    if kept.id == lost.id:
        raise bad_input("a record cannot be merged with itself")
    for record in (kept, lost):
        properties.hold_unique(store, kind, record.id, record.props, {})
    ids = [str(i) for r in (kept, lost) for i in (*_merged_ids(r), r.id)]
    props = {**lost.props, **kept.props, "hs_merged_object_ids": ";".join(ids)}
    now, key = store.now(), store.new_id(kind)
    made = Record(kind, key, props, created=min(kept.created, lost.created), updated=now)
    store.put(made)
    properties.hold_unique(store, kind, key, {}, props)
    for record in (kept, lost):
        touched = [(to, o) for to, them in store.links.get((kind, record.id), {}).items()
                   for o in them]  # fmt: skip
        associations.move_all(store, kind, record.id, key)
        store.put(replace(record, into=key, updated=now))
        retied(store, kind, key, touched)
    return store.live(kind, key) or made


def _merged_ids(record: Record) -> list[int]:
    text = record.props.get("hs_merged_object_ids") or ""
    return [int(i) for i in text.split(";") if i]
