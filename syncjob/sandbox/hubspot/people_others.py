"""Acts on companies, contacts and products, and merges and restores of all."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from syncjob.sandbox.hubspot import associations, dumping, life
from syncjob.sandbox.hubspot.naming import (
    Payload,
    acting_owner,
    own_fields,
    owner_id,
    record_of,
    resolve,
)
from syncjob.sandbox.hubspot.people import touch
from syncjob.sandbox.kernel import ActError

if TYPE_CHECKING:
    from syncjob.sandbox.hubspot.server import HubSpotServer

Act = Callable[["HubSpotServer", Payload], Payload]
_PLAIN: dict[str, dict[str, str]] = {
    "companies": {"name": "name", "website": "website", "phone": "phone", "city": "city",
                  "state": "state", "zip": "zip", "country": "country", "domain": "domain"},
    "contacts": {"first_name": "firstname", "last_name": "lastname", "email": "email",
                 "phone": "phone"},
    "products": {"name": "name", "code": "hs_sku", "price": "price", "description": "description",
                 "tax": "tax"},
}  # fmt: skip


# --- customers and products -------------------------------------------------------------------


def _sent(server: HubSpotServer, kind: str, payload: Payload) -> Payload:
    """Plain words to properties; an address may be one line, a name of a person two words."""
    store, plain = server.store, _PLAIN[kind]
    sent = {plain[k]: v for k, v in payload.items() if k in plain}
    for single in ("email", "phone"):
        several = payload.get(f"{single}s")
        if several is not None and single in plain:
            said = [v["value"] if isinstance(v, dict) else v for v in several]
            sent[single] = said[0] if said else None
            if kind == "contacts" and single == "email":
                sent["hs_additional_emails"] = ";".join(said[1:]) or None
            elif kind == "contacts":
                sent["mobilephone"] = said[1] if len(said) > 1 else None
    if kind == "contacts" and "name" in payload:
        first_name, _, last_name = str(payload["name"] or "").partition(" ")
        sent |= {"firstname": first_name, "lastname": last_name}
    if "address" in payload:
        sent |= _address(payload["address"])
    if "owner" in payload:
        ref = payload["owner"]
        sent["hubspot_owner_id"] = None if ref is None else owner_id(store, ref)
    return sent | own_fields(store, kind, payload)


def _address(given: Any) -> Payload:
    if not isinstance(given, dict):
        return {"address": given}
    parts = {"locality": "city", "admin_area_level_1": "state", "postal_code": "zip",
             "country": "country", "city": "city", "state": "state", "zip": "zip"}  # fmt: skip
    street = " ".join(str(given[k]) for k in ("street_number", "route") if given.get(k))
    made = {parts[k]: v for k, v in given.items() if k in parts and v}
    return {"address": street or given.get("value") or given.get("address"), **made}


def _tie_person(server: HubSpotServer, key: int, payload: Payload) -> None:
    """The company of a contact: its primary one."""
    if "org" not in payload:
        return
    store = server.store
    for other, _ in associations.live_links(store, "contacts", key, "companies"):
        associations.dissociate(store, "contacts", key, "companies", other)
    if payload["org"] is not None:
        other = resolve(store, "companies", payload["org"])
        type_id = associations.PRIMARY["contacts", "companies"]
        associations.associate(store, "contacts", key, "companies", other, type_id)


def _creator(kind: str) -> Act:
    def create(server: HubSpotServer, payload: Payload) -> Payload:
        store = server.store
        sent = _sent(server, kind, payload)
        if kind != "products":
            sent.setdefault("hubspot_owner_id", acting_owner(store, payload))
        made = life.create(store, kind, sent, wanted=payload.get("id"))
        if kind == "contacts":
            _tie_person(server, made.id, payload)
        return dumping.neutral(store, made)

    return create


def _editor(kind: str, name: str) -> Act:
    def edit(server: HubSpotServer, payload: Payload) -> Payload:
        store = server.store
        record = record_of(store, kind, payload[name])
        rest = {k: v for k, v in payload.items() if k != name}
        sent = _sent(server, kind, rest)
        made = life.update(store, record, sent) if sent else record
        if kind == "contacts" and "org" in rest:
            _tie_person(server, made.id, rest)
            touch(store, kind, made.id)
        return dumping.neutral(store, store.live(kind, made.id) or made)

    return edit


def _deleter(kind: str, name: str) -> Act:
    def delete(server: HubSpotServer, payload: Payload) -> Payload:
        made = life.archive(server.store, record_of(server.store, kind, payload[name]))
        return dumping.neutral(server.store, made)

    return delete


def _restorer(kind: str, name: str) -> Act:
    """Within 90 days people bring back what they deleted; it is named by its id."""

    def restore(server: HubSpotServer, payload: Payload) -> Payload:
        store, key = server.store, payload[name]
        found = store.at(kind, int(key))
        if found is None or found.archived_at is None:
            raise ActError(f"no deleted record {key!r} among the {kind}")
        return dumping.neutral(store, life.restore(store, found))

    return restore


def _merger(kind: str) -> Act:
    def merge(server: HubSpotServer, payload: Payload) -> Payload:
        """The record that came of both: it has an id of its own."""
        store = server.store
        loser = resolve(store, kind, payload["loser"])
        winner = resolve(store, kind, payload["winner"])
        return dumping.neutral(store, life.merge(store, kind, winner, loser))

    return merge


OTHER_ACTS: dict[str, Callable[[Any, Payload], Payload]] = {
    "create_org": _creator("companies"),
    "edit_org": _editor("companies", "org"),
    "delete_org": _deleter("companies", "org"),
    "restore_org": _restorer("companies", "org"),
    "merge_orgs": _merger("companies"),
    "create_person": _creator("contacts"),
    "edit_person": _editor("contacts", "person"),
    "delete_person": _deleter("contacts", "person"),
    "restore_person": _restorer("contacts", "person"),
    "merge_persons": _merger("contacts"),
    "merge_deals": _merger("deals"),
    "restore_deal": _restorer("deals", "deal"),
    "create_product": _creator("products"),
    "edit_product": _editor("products", "product"),
}
