"""Customers on both sides: none doubled, and no person's value lost.

What people typed stands in `world.deeds`; which two records are one customer, in the markers that
the servers X
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from syncjob.sandbox.xero.models import Contact
from tests.sim.features import OWN_FIELDS
from tests.sim.watch import Violation
from tests.sim.world import Deed, World

FIELDS = ("name", "email", "tax_number")
_IN_BOOKS = {"name": "Name", "email": "EmailAddress", "tax_number": "TaxNumber"}
_IN_CRM = {"name": "name", **OWN_FIELDS}
_EDITS = frozenset({"create_org", "edit_org", "create_contact", "edit_contact", "rename_contact"})
_OTHERWISE = frozenset({
    "merge_orgs", "delete_org", "restore_org", "merge_contacts", "archive_contact",
    "restore_contact", "forget_contact",
})  # fmt: skip


class Typed(NamedTuple):
    """The newest value that a person gave to a field of one record, which deed that was, and all
    that people ever gave to it, and what stood there before the first of them."""

    n: int
    value: str
    ever: frozenset[str] = frozenset()
    first: str = ""


class Pair(NamedTuple):
    """Two records that bear our marker for each other."""

    org: dict[str, Any]
    contact: Contact


def judge_contacts(world: World) -> None:
    """Raises Violation."""
    if world.features.contacts is None:
        return
    _none_doubled_in_crm(world)
    found = list(_pairs(world))
    for side in (Counter(p.org["id"] for p in found), Counter(p.contact.id for p in found)):
        twice = [key for key, count in side.items() if count > 1]
        if twice:
            raise Violation("one_contact", f"linked more than once: {twice}")
    typed, unclear = _typed(world)
    for pair in found:
        if ("crm", str(pair.org["id"])) in unclear or ("ledger", pair.contact.id) in unclear:
            continue
        if (f"reconcile:contact:org:{pair.org['id']}", "reconcile_dead_link") in world.issues:
            continue  # people are told that one end of it is gone
        staffed = _staffed(world, pair.org["id"])
        for field in FIELDS:
            if field != "email" or not staffed:  # else it is the main person's
                _none_lost(world, pair, field, typed)


def _staffed(world: World, org: Any) -> bool:
    """Whether a person was ever of the organization, or of a deal of its: such a contact's e-mail
    came from that person, also where HubSpot's deletion took the association away."""
    return (
        any(row["org_id"] == org for row in world.truth.all("persons"))
        or any(row["org_id"] == org and row["person_id"] for row in world.truth.all("deals"))
        or any(
            deed.act == "create_deal" and deed.payload.get("person")
            and str(deed.payload.get("org")) == str(org)
            for deed in world.deeds
        )
    )  # fmt: skip


def _none_doubled_in_crm(world: World) -> None:
    marks = Counter(
        value
        for kind in ("organizations", "persons")
        for row in world.truth.all(kind)
        if not row["is_deleted"]
        for value in (row.get("custom_fields") or {}).values()
        if isinstance(value, str) and value.startswith("SJ-")
    )
    twice = [mark for mark, count in marks.items() if count > 1]
    if twice:
        raise Violation("one_contact", f"several records of the CRM bear {twice}")


def _pairs(world: World) -> Iterator[Pair]:
    company = world.truth
    orgs = [row for row in company.all("organizations") if not row["is_deleted"]]
    by_id = {f"SJ-O{row['id']}": row for row in orgs}
    by_mark = {
        value: row for row in orgs for value in (row.get("custom_fields") or {}).values()
        if isinstance(value, str) and value.startswith("SJ-L")
    }  # fmt: skip
    for contact in world.xero.organisation.contacts:
        mark = f"SJ-L{contact.id.replace('-', '')}"
        org = by_id.get(contact.number or "") or by_mark.get(mark)
        if contact.status == "ACTIVE" and org is not None:
            yield Pair(org, contact)


# --- what people typed ---------------------------------------------------------------------------


def _typed(world: World) -> tuple[dict[tuple[str, str, str], Typed], set[tuple[str, str]]]:
    """By (side, record, field); and the records about which nothing can be said."""
    typed: dict[tuple[str, str, str], Typed] = {}
    unclear: set[tuple[str, str]] = set()
    for n, deed in enumerate(world.deeds):
        side = "ledger" if deed.side == "xero" else "crm"
        record = str((deed.result.get("done") or deed.result).get("id"))
        raced = deed.act in _EDITS and (deed.within or _unseen(world, deed, side, record))
        if deed.act in _OTHERWISE or raced:
            ids = (record, *(str(deed.payload.get(x)) for x in ("loser", "winner", "survivor")))
            unclear |= {(side, key) for key in ids}
        if deed.act in _EDITS:
            for field, value in _values(deed, side):
                if deed.before.get(field) == value:
                    continue  # it stood there already
                known = typed.get((side, record, field))
                ever = (known.ever if known else frozenset()) | {value}
                first = known.first if known else deed.before.get(field, "")
                typed[side, record, field] = Typed(n, value, ever, first)
    return typed, unclear


def _unseen(world: World, deed: Deed, side: str, record: str) -> bool:
    """Whether we wrote to the record before the ledger's reads showed this edit of it."""
    if side != "ledger" or deed.shown is None:
        return False
    return any(
        deed.at <= call.at < deed.shown and record.encode() in call.body
        for call in world.writes_since(0)
        if call.server == "xero"
    )


def shown_from(world: World, payload: dict[str, Any]) -> datetime | None:
    """From when on lists and reads by id show the contact as it now is; None if there is none."""
    versions = world.xero.organisation.contacts._versions.get(str(payload.get("contact")))
    return versions[-1][0] if versions else None


def as_it_is(world: World, act: str, payload: dict[str, Any]) -> dict[str, str]:
    """What the record that a person is about to edit says in these fields; nothing of others."""
    org: dict[str, Any] | None = None
    if act == "edit_org":
        org = world.truth.get("organizations", payload["org"])
    if org is not None:
        return {field: _of_org(world, org, field) for field in FIELDS}
    if act in ("edit_contact", "rename_contact"):
        contact = world.xero.organisation.contacts.get(str(payload["contact"]))
        if contact is not None:
            return {field: _of_contact(contact, field) for field in FIELDS}
    return {}


def _values(deed: Deed, side: str) -> Iterator[tuple[str, str]]:
    names = _IN_CRM if side == "crm" else _IN_BOOKS
    given = {**deed.payload, **deed.payload.get("fields", {})}
    if deed.act == "rename_contact":
        given["Name"] = given["name"]
    for field, name in names.items():
        if name in given:
            yield field, _plain(given[name])


def _plain(value: Any) -> str:
    """A value as both programs and people read it: spaces once."""
    return " ".join(str(value or "").split())


# --- one field of one customer -------------------------------------------------------------------


def _none_lost(
    world: World, pair: Pair, field: str, typed: dict[tuple[str, str, str], Typed]
) -> None:  # fmt: skip
    here = {"crm": _of_org(world, pair.org, field), "ledger": _of_contact(pair.contact, field)}
    never = Typed(-1, "")
    said = {
        "crm": typed.get(("crm", str(pair.org["id"]), field), never),
        "ledger": typed.get(("ledger", pair.contact.id, field), never),
    }
    told = _told(world, pair)
    # A lost state does not know that a field was cleared, and fills it from the other side.
    every = said["crm"].ever | said["ledger"].ever
    refilled = every if world.state_lost else frozenset[str]()
    owner = world.features.contacts
    words = f"{field} of org {pair.org['id']}: {here}, typed {said}, owner {owner}, told {told}"
    same = _same(field, here["crm"], here["ledger"])
    if not same and not told:
        raise Violation("customer_fields", f"differ, and nobody is told: {words}")
    if owner in ("crm", "ledger"):
        other = "ledger" if owner == "crm" else "crm"
        kept = here[owner] == said[owner].value
        filled = not said[owner].value and any(
            _same(field, value, here[owner]) for value in said[other].ever | refilled | {""}
        )
        lost = not (kept or filled) or (not same and here[other] != said[other].value)
    elif same:
        newest = max(said.values())
        lost = not _same(field, here["crm"], newest.value) and newest.n >= 0
        lost = lost and (bool(newest.value) or here["crm"] not in refilled)
        # Whoever puts back what stood there before has taken a conflict back.
        lost = lost and not (newest.value == newest.first and here["crm"] in every)
    else:
        values = frozenset[str]().union(*(one.ever for one in said.values()), {""})
        lost = not values >= {here["crm"], here["ledger"]}
    if lost:
        raise Violation("nothing_lost", words)


def _told(world: World, pair: Pair) -> bool:
    keys = {f"contact:org:{pair.org['id']}", f"contact:ledger:{pair.contact.id}"}
    return any(subject in keys for subject, _ in world.issues)


def _same(field: str, crm: str, ledger: str) -> bool:
    """A name that another contact has is written with a word in brackets behind it."""
    return crm == ledger or (field == "name" and ledger.startswith(f"{crm} ("))


def _of_org(world: World, row: dict[str, Any], field: str) -> str:
    if field == "name":
        return _plain(row["name"])
    known = world.truth.fields["organizations"]
    for code, value in (row.get("custom_fields") or {}).items():
        if code in known and known[code]["field_name"] == OWN_FIELDS[field]:
            return _plain(value)
    return ""


def _of_contact(contact: Contact, field: str) -> str:
    return _plain(contact.name if field == "name" else contact.fields.get(_IN_BOOKS[field]))
