"""What is written to companies and contacts, and what HubSpot will show of it.

Only the properties that are named change. Phone numbers have places (phone, mobile): one that
stays keeps its own. The same code makes the properties and, read back, says what will be stored.
"""

from __future__ import annotations

from collections.abc import Mapping

from syncjob.connectors.hubspot import fields
from syncjob.connectors.hubspot.contacts import PHONES, from_address, to_contact, whole_line
from syncjob.connectors.hubspot.fields import Item
from syncjob.connectors.hubspot.names import Names
from syncjob.core.actions import ContactChange, CrmContactDraft, Rejected
from syncjob.core.contacts.fields import Values, decode_address, decode_list, same, values_of
from syncjob.core.records import Contact
from syncjob.core.references import FieldInfo

Payload = ContactChange | CrmContactDraft

_NAMES = ("name", "first_name", "last_name")
_ADDRESSES = ("postal", "street")
#: What HubSpot holds of each kind in properties of its own.
NATIVE = {
    "organization": frozenset({"name", "phones", "postal"}),
    "person": frozenset({*_NAMES, "email", "phones", "postal"}),
}


def room(own: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, int]]:
    """How many phone numbers each kind takes, where no property of the account's own (`own`, by
    kind and field) holds further ones."""
    return {
        kind: {"phones": len(places)}
        for kind, places in PHONES.items()
        if "phones" not in own.get(kind, {})
    }


def kind_of(payload: Payload) -> str:
    """Which of the two kinds of contact is written."""
    if isinstance(payload, CrmContactDraft):
        return payload.kind
    return "organization" if payload.contact_id.startswith("org:") else "person"


def needs_current(change: ContactChange) -> bool:
    """Whether what is sent depends on what stands in the record."""
    return "phones" in change.values


def properties(payload: Payload, names: Names, current: Item | None = None) -> dict[str, str]:
    """The properties to set, empty texts to clear. `current` are those of the record as it now
    stands, where phone numbers change."""
    wanted, kind = payload.values, kind_of(payload)
    own, marker = own_fields(kind, names)
    made = _names(kind, wanted)
    if "email" in wanted and kind == "person" and "email" not in own:
        made["email"] = wanted["email"] or ""
    if "phones" in wanted:
        made |= _phones(kind, decode_list(wanted["phones"]), own.get("phones"), current or {})
    if "postal" in wanted and "postal" not in own:
        made |= from_address(kind, decode_address(wanted["postal"]))
    for key, field in own.items():
        if key in wanted and key != "phones":
            made[field.code] = fields.to_wire(field, own_text(key, wanted[key]))
    if isinstance(payload, CrmContactDraft):
        made = {key: value for key, value in made.items() if value}
        if marker:
            made[marker.code] = payload.marker
    return made


def own_fields(kind: str, names: Names) -> tuple[Mapping[str, FieldInfo], FieldInfo | None]:
    """(what a contact's field is kept in, the property of our marker) for this kind."""
    if kind == "organization":
        return names.organization, names.organization_marker
    return names.person, names.person_marker


def own_text(key: str, value: str | None) -> str | None:
    """The value as the text of one property."""
    if key not in _ADDRESSES:
        return value
    address = decode_address(value)
    return whole_line(address) if address else None


def _names(kind: str, wanted: Values) -> dict[str, str]:
    """A whole name of a person is parted at its first blank, unless its parts are given."""
    if kind == "organization":
        name = wanted.get("name")
        return {"name": name} if name else {}
    if any(part in wanted for part in _NAMES[1:]):
        both = {"firstname": "first_name", "lastname": "last_name"}
        return {code: wanted[part] or "" for code, part in both.items() if part in wanted}
    if not wanted.get("name"):
        return {}
    first, _, last = (wanted["name"] or "").partition(" ")
    return {"firstname": first, "lastname": last}


def _phones(
    kind: str, wanted: tuple[str, ...], further: FieldInfo | None, current: Item
) -> dict[str, str]:
    """Each number in its place: those that stay where they are, new ones in the free places in
    their order, what is left in the account's property for further numbers."""
    left, made = list(wanted), dict.fromkeys(PHONES[kind], "")
    for place in PHONES[kind]:
        stays = next((n for n in left if same("phones", n, current.get(place) or None)), None)
        if stays is not None:
            made[place] = stays
            left.remove(stays)
    for place in PHONES[kind]:
        if left and not made[place]:
            made[place] = left.pop(0)
    if further is not None:
        made[further.code] = ", ".join(left)
    return made


# --- what will be stored, and what is -------------------------------------------------------------


def stored_form(payload: Payload, names: Names) -> Values:
    """What HubSpot will show for the fields of the payload (and for our marker)."""
    item = {"id": "1", "properties": properties(payload, names)}
    shown = values_of(to_contact(kind_of(payload), item, names))
    form = {field: shown[field] for field in payload.values if field in shown}
    if isinstance(payload, CrmContactDraft):
        form["marker"] = payload.marker
    return form


def current_form(payload: Payload, record: Contact, names: Names) -> Values:
    """The fields of `stored_form` as they stand in the record. A value that says the same in
    another form (an e-mail in small letters, a phone with blanks) counts as ours."""
    wanted = stored_form(payload, names)
    now = values_of(record) | {"marker": record.marker}
    return {
        field: value if same(field, value, now.get(field)) else now.get(field)
        for field, value in wanted.items()
    }


# --- what HubSpot cannot hold ---------------------------------------------------------------------


def unfit(payload: Payload, held: Mapping[str, frozenset[str]], names: Names) -> Rejected | None:
    """Why HubSpot would refuse this, or lose a part of it; None if it would not."""
    kind = kind_of(payload)
    own, marker = own_fields(kind, names)
    if isinstance(payload, CrmContactDraft) and (marker is None or not marker.unique):
        return marker_missing(kind)
    if _nameless(payload, kind):
        return Rejected(
            code="name_unfit",
            words=f"HubSpot needs a name for each {WORDS[kind]}, and there is none.",
            field="name",
            next_step="Give the contact a name in the ledger; it is then tried again.",
        )
    for key, value in payload.values.items():
        if value and (key not in held[kind] or (key not in NATIVE[kind] and key not in own)):
            return _homeless(kind, key)
        if key == "phones" and "phones" not in own and len(decode_list(value)) > len(PHONES[kind]):
            return _no_room(kind)
        wrong = fields.misfit(own[key], own_text(key, value)) if key in own else None
        if wrong:
            return refused(key, wrong)
    return None


#: What HubSpot calls the two kinds.
WORDS = {"organization": "company", "person": "contact"}


def _nameless(payload: Payload, kind: str) -> bool:
    """A company needs its name; a contact a part of a name, or an e-mail."""
    wanted = payload.values
    if kind == "organization":
        return wanted.get("name", "") is None or (
            isinstance(payload, CrmContactDraft) and not wanted.get("name")
        )
    sent = [wanted[part] for part in _NAMES if part in wanted]
    if isinstance(payload, CrmContactDraft):
        return not any(sent) and not wanted.get("email")
    return "name" in wanted and not any(sent)


def _homeless(kind: str, key: str) -> Rejected:
    if key == "emails":
        words = "HubSpot lets no app add a second e-mail to a contact."
        step = "Add it in HubSpot by hand, or ignore it."
        return Rejected(code="field_not_held", words=words, field=key, next_step=step)
    return Rejected(
        code="field_not_held",
        words=f"HubSpot has no property for the {key} of a {WORDS[kind]}.",
        field=key,
        next_step=f"Name a property of your own for it in crm.contact_fields.{kind}.{key}, then "
        "run `syncjob init`.",
    )


def _no_room(kind: str) -> Rejected:
    return Rejected(
        code="field_not_held",
        words=f"A {WORDS[kind]} in HubSpot has room for {len(PHONES[kind])} phone number(s) only.",
        field="phones",
        next_step="Name a property of your own for further numbers in "
        f"crm.contact_fields.{kind}.phones, then run `syncjob init`.",
    )


def marker_missing(kind: str) -> Rejected:
    """The property for our marker is not in the account, there twice, or takes a value twice."""
    return Rejected(
        code="field_missing",
        words=f"There is no {WORDS[kind]} property with unique values for syncjob's own key, or "
        "more than one.",
        field=f"crm.{kind}_marker",
        next_step="Run `syncjob init`, which creates it; `syncjob check` says what it finds.",
    )


def refused(key: str, words: str) -> Rejected:
    """A value of a contact that HubSpot does not take."""
    return Rejected(
        code="contact_refused",
        words=words,
        field=key,
        next_step=f"Mend the {key or 'contact'} in the ledger; it is tried again once it changed.",
    )
