"""What is written to organizations and persons, and what Pipedrive will show of it.

Only the fields that are named go into a body. A list of e-mails or phones replaces the whole list
(facts: pipedrive, 1c), so it is put together from what stands there now: values that stay keep
their label. The same code makes the body and, read back, says what will be stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from syncjob.connectors.pipedrive import fields, values
from syncjob.connectors.pipedrive.codec import Names
from syncjob.connectors.pipedrive.contacts import (
    from_address,
    to_organization,
    to_person,
    whole_line,
)
from syncjob.connectors.pipedrive.values import Item
from syncjob.core.actions import ContactChange, CrmContactDraft, Rejected
from syncjob.core.contacts.fields import (
    Values,
    decode_address,
    decode_list,
    encode_list,
    keys_of,
    same,
    values_of,
)
from syncjob.core.records import Contact, FieldInfo

Payload = ContactChange | CrmContactDraft

#: What Pipedrive calls an e-mail or a phone that has no other label.
LABEL = "work"
_NAMES = ("name", "first_name", "last_name")
_WAYS = ("email", "emails", "phones")
_ADDRESSES = ("postal", "street")


def is_organization(payload: Payload) -> bool:
    if isinstance(payload, CrmContactDraft):
        return payload.kind == "organization"
    return payload.contact_id.startswith("org:")


def needs_current(change: ContactChange) -> bool:
    """Whether the body depends on what stands in the record: lists, and one half of a name."""
    if is_organization(change):
        return False
    halves = [part in change.values for part in _NAMES[1:]]
    return any(way in change.values for way in _WAYS) or (any(halves) and not all(halves))


def body(payload: Payload, names: Names, current: Item | None = None) -> Item:
    """The JSON of the POST or PATCH. `current` is the person as it now stands, where it counts."""
    made: Item = {}
    if is_organization(payload):
        if payload.values.get("name"):
            made["name"] = payload.values["name"]
        if "postal" in payload.values:
            made["address"] = _address(payload.values["postal"])
    else:
        made |= _name(payload.values, current or {}) | _ways(payload.values, current or {})
        if "postal" in payload.values and "postal" not in names.person:
            made["postal_address"] = _address(payload.values["postal"])
    if isinstance(payload, CrmContactDraft) and payload.organization_id:
        made["org_id"] = int(payload.organization_id.rpartition(":")[2])
    custom = custom_of(payload, names)
    # An empty `custom_fields` is said to clear all of them (facts: pipedrive, 1c).
    return made | ({"custom_fields": custom} if custom else {})


def custom_of(payload: Payload, names: Names) -> Item:
    """The values of the account's own fields, by code; null clears one."""
    own, marker = own_fields(payload, names)
    made = {own[key].code: _own(own[key], key, payload.values[key])
            for key in own if key in payload.values}  # fmt: skip
    if isinstance(payload, CrmContactDraft) and marker:
        made[marker.code] = payload.marker
    return made


def own_fields(payload: Payload, names: Names) -> tuple[Mapping[str, FieldInfo], FieldInfo | None]:
    """(what a contact's field is kept in, the field of our marker) for this kind of contact."""
    if is_organization(payload):
        return names.organization, names.organization_marker
    return names.person, names.person_marker


def _own(field: FieldInfo, key: str, value: str | None) -> Any:
    if key in _ADDRESSES:
        address = decode_address(value)
        if field.kind == "address":
            return from_address(address) if address else None
        return fields.to_wire(field, whole_line(address) if address else None, None)
    return fields.to_wire(field, own_text(key, value), None)


def own_text(key: str, value: str | None) -> str | None:
    """The value as the text of a field of one line."""
    if key in _ADDRESSES:
        address = decode_address(value)
        return whole_line(address) if address else None
    return ", ".join(decode_list(value)) or None if key == "phones" else value


def _address(value: str | None) -> Item:
    """An address object; a blank line is an empty one, since the vendor's file has no null."""
    address = decode_address(value)
    return from_address(address) if address else {"value": ""}


def _name(wanted: Values, current: Item) -> Item:
    """Either the whole name or both halves (facts: pipedrive, 1c): the halves if one is given.

    A name of one half only is a whole name, which Pipedrive parts as it does.
    """
    if not any(part in wanted for part in _NAMES[1:]):
        return {"name": wanted["name"]} if wanted.get("name") else {}
    first = wanted["first_name"] if "first_name" in wanted else values.text(current, "first_name")
    last = wanted["last_name"] if "last_name" in wanted else values.text(current, "last_name")
    if first and last:
        return {"first_name": first, "last_name": last}
    whole = first or last or wanted.get("name") or values.text(current, "name")
    return {"name": whole} if whole else {}


def _ways(wanted: Values, current: Item) -> Item:
    """The lists that change, whole. The first entry is the primary one."""
    made: Item = {}
    if "email" in wanted or "emails" in wanted:
        now = _listed(current, "emails")
        made["emails"] = _labelled("emails", _emails(wanted, [w["value"] for w in now]), now)
    if "phones" in wanted:
        now = _listed(current, "phones")
        made["phones"] = _labelled("phones", list(decode_list(wanted["phones"])), now)
    return made


def _emails(wanted: Values, now: list[str]) -> list[str]:
    """The whole list: a new primary takes the old one's place; one that was among the others
    changes places with it; others that are not sent stay."""
    first, rest = (now[0] if now else None), now[1:]
    if "emails" in wanted:
        rest = list(decode_list(wanted["emails"]))
    elif first and any(same("email", wanted["email"], other) for other in rest):
        rest = [first, *(other for other in rest if not same("email", wanted["email"], other))]
    primary = wanted.get("email", first)
    both = encode_list([primary or "", *rest])
    return list(keys_of("emails", both).values())


def _listed(current: Item, key: str) -> list[Item]:
    """The entries that say something, the primary one first."""
    entries = [w for w in values.items(current, key) if values.text(w, "value")]
    return sorted(entries, key=lambda way: way.get("primary") is not True)


def _labelled(key: str, wanted: list[str], now: list[Item]) -> list[Item]:
    """Each with the label it had; a primary that took another's place takes its label too."""
    labels = [(way["value"], way.get("label")) for way in now]
    replaced = bool(now and wanted) and not any(same(key, now[0]["value"], w) for w in wanted)
    made = []
    for place, value in enumerate(wanted):
        label = next((known for old, known in labels if same(key, old, value)), None)
        if label is None and place == 0 and replaced:
            label = labels[0][1]
        made.append({"value": value, "primary": place == 0, "label": label or LABEL})
    return made


# --- what will be stored, and what is -------------------------------------------------------------


def stored_form(payload: Payload, names: Names) -> Values:
    """What Pipedrive will show for the fields of the payload (and for our marker)."""
    item = {"id": 1, **body(payload, names)}
    made = to_organization(item, names) if is_organization(payload) else to_person(item, names)
    shown = values_of(made) | _stored_names(payload, item) | _stored_emails(payload)
    form = {field: shown[field] for field in payload.values if field in shown}
    if isinstance(payload, CrmContactDraft):
        form["marker"] = payload.marker
    return form


def _stored_names(payload: Payload, item: Item) -> Values:
    """Pipedrive keeps all three: each follows from what was sent (facts: pipedrive, 1c)."""
    if is_organization(payload):
        return {}
    if "first_name" in item:
        whole = f"{item['first_name']} {item['last_name']}"
        return {"name": whole, "first_name": item["first_name"], "last_name": item["last_name"]}
    wanted = payload.values
    whole_only = "name" in item and all(part in wanted for part in _NAMES[1:])
    if not whole_only:  # the other half is in the record: what is sent is what will be
        return {part: wanted[part] for part in _NAMES if part in wanted}
    first, _, last = str(item["name"]).partition(" ")
    return {"name": item["name"], "first_name": first, "last_name": last or None}


def _stored_emails(payload: Payload) -> Values:
    """Of a list of which only one end is sent, that end; of both, what the whole list shows."""
    wanted = payload.values
    if is_organization(payload) or ("email" in wanted) == ("emails" in wanted):
        return {}
    return {key: wanted[key] for key in ("email", "emails") if key in wanted}


def current_form(payload: Payload, record: Contact, names: Names) -> Values:
    """The fields of `stored_form` as they stand in the record. A value that says the same in
    another form (a phone with blanks, an address with its country's code) counts as ours."""
    wanted = stored_form(payload, names)
    now = values_of(record) | {"marker": record.marker}
    return {
        field: value if same(field, value, now.get(field)) else now.get(field)
        for field, value in wanted.items()
    }


def as_stored(payload: Payload, data: Item, names: Names) -> Item:
    """The record of an answer that leaves custom fields out, as the vendor's own example does:
    those that were sent and taken are as sent, for lists and later reads show them."""
    shown = data.get("custom_fields")
    known = shown if isinstance(shown, dict) else {}
    return {**data, "custom_fields": {**custom_of(payload, names), **known}}


# --- what Pipedrive cannot hold -------------------------------------------------------------------


def unfit(payload: Payload, held: Mapping[str, frozenset[str]], names: Names) -> Rejected | None:
    """Why Pipedrive would refuse this, or lose it without a word; None if it would not."""
    kind = "organization" if is_organization(payload) else "person"
    own, marker = own_fields(payload, names)
    if isinstance(payload, CrmContactDraft) and marker is None:
        return marker_missing(kind)
    if _nameless(payload):
        return Rejected(
            code="name_unfit",
            words=f"Pipedrive needs a name for each {kind}, and there is none.",
            field="name",
            next_step="Give the contact a name in the ledger; it is then tried again.",
        )
    for key, value in payload.values.items():
        if value and (key not in held[kind] or (key not in _NATIVE[kind] and key not in own)):
            return _homeless(kind, key)
        wrong = fields.misfit(own[key], own_text(key, value)) if key in own else None
        wrong = wrong or _too_long(key, value)
        if wrong:
            return refused(key, wrong)
    return None


_NATIVE = {
    "organization": frozenset({"name", "postal"}),
    "person": frozenset({*_NAMES, *_WAYS, "postal"}),
}


def _nameless(payload: Payload) -> bool:
    sent = [payload.values[part] for part in _NAMES if part in payload.values]
    creates = isinstance(payload, CrmContactDraft)
    emptied = payload.values.get("name", "") is None or len(sent) == len(_NAMES) - 1
    return not any(sent) and (creates or (bool(sent) and emptied))


def _too_long(key: str, value: str | None) -> str | None:
    """Names and each e-mail or phone are short texts."""
    if key not in (*_NAMES, *_WAYS):
        return None
    longest = max((len(entry) for entry in decode_list(value)), default=0)
    limit = fields.SHORT_TEXT_MAX
    return f"{key} holds {limit} characters, not {longest}." if longest > limit else None


def _homeless(kind: str, key: str) -> Rejected:
    return Rejected(
        code="field_not_held",
        words=f"Pipedrive has no field for the {key} of a {kind}.",
        field=key,
        next_step=f"Name a field of your own for it in crm.contact_fields.{kind}.{key}, then run "
        "`syncjob init`.",
    )


def marker_missing(kind: str) -> Rejected:
    """The field for our marker is not in the account (or twice)."""
    return Rejected(
        code="field_missing",
        words=f"There is no {kind} field for syncjob's own key, or more than one.",
        field=f"crm.{kind}_marker",
        next_step="Run `syncjob init`, which creates it; `syncjob check` says what it finds.",
    )


def refused(key: str, words: str) -> Rejected:
    """A value of a contact that Pipedrive does not take."""
    return Rejected(
        code="contact_refused",
        words=words,
        field=key,
        next_step=f"Mend the {key or 'contact'} in the ledger; it is tried again once it changed.",
    )
