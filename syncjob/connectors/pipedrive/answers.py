"""What an answer to a write means for its one action: vendor's words, our names for fields."""

from __future__ import annotations

import re
from typing import Any

from syncjob.connectors.pipedrive import contact_writing, fields, values
from syncjob.connectors.pipedrive.client import is_json, vendor_words
from syncjob.connectors.pipedrive.codec import Names, to_deal
from syncjob.connectors.pipedrive.contacts import to_organization, to_person
from syncjob.connectors.pipedrive.values import Item
from syncjob.core.actions import (
    Action,
    ContactChange,
    CrmContactDraft,
    DealChange,
    MarkerChange,
    NotDone,
    Outcome,
    Rejected,
    Stored,
    Unknown,
)
from syncjob.core.records import Contact, Deal, FieldInfo
from syncjob.errors import SchemaDrift
from syncjob.transport.parse import excerpt
from syncjob.transport.wire import Answer

_CODE = re.compile(r"[0-9a-f]{40}")


def outcome(action: Action, answer: Answer, names: Names) -> Outcome:
    """What became of the one action of a call. Never raises for what the answer holds."""
    if answer.no_word:
        return Unknown(error=f"Pipedrive answered {answer.status}: {excerpt(answer.body)!r}")
    if answer.status in (401, 429):
        return NotDone(error=f"Pipedrive refused before looking ({answer.status})")
    if answer.status == 403 and not is_json(answer):
        return NotDone(error=f"Pipedrive's firewall refused (403): {excerpt(answer.body)!r}")
    try:
        envelope = answer.json()
    except SchemaDrift as error:
        return Unknown(error=error.what)
    if answer.status >= 400:
        return _rejected(action, answer.status, envelope, names)
    return _stored(action, envelope, names)


def _stored(action: Action, envelope: Any, names: Names) -> Outcome:
    """Success only if the answer shows the very record that was written."""
    data = envelope.get("data") if isinstance(envelope, dict) else None
    if not isinstance(data, dict) or envelope.get("success") is not True:
        return Unknown(error="Pipedrive answered without the record that it stored")
    try:
        return _shown(action, data, names)
    except SchemaDrift as error:
        return Unknown(error=f"Pipedrive's answer cannot be read: {error.what}")


def _shown(action: Action, data: Item, names: Names) -> Outcome:
    record: Deal | Contact | None
    match action.payload:
        case DealChange(deal_id=wanted):
            record = to_deal(data, names)
        case MarkerChange(contact_id=wanted):
            record = _contact(wanted, data, names)
        case ContactChange(contact_id=wanted) as change:
            record = _contact(wanted, contact_writing.as_stored(change, data, names), names)
        case CrmContactDraft(kind=kind) as draft:
            # A create is known by being answered at all: nothing else can bear this record's id.
            read = to_organization if kind == "organization" else to_person
            return Stored(record=read(contact_writing.as_stored(draft, data, names), names))
        case _:
            values.needed_id(data)
            return Stored(record=None)
    if record.id != wanted:
        return Unknown(error=f"Pipedrive answered about {record.id} instead of {wanted}")
    return Stored(record=record if _shows_fields(action, data, names) else None)


def _contact(contact_id: str, data: Item, names: Names) -> Contact:
    return (to_organization if contact_id.startswith("org:") else to_person)(data, names)


def _shows_fields(action: Action, data: Item, names: Names) -> bool:
    """Whether the answer holds any of the values written; if none, it leaves custom fields out (as
    the vendor's own example does) and must not be read as if they were empty."""
    if not isinstance(action.payload, DealChange):
        return True
    known = names.deal_fields
    written = [known[n].code for n, v in action.payload.fields.items() if v and n in known]
    shown = data.get("custom_fields") or {}
    return not written or any(code in shown for code in written)


def _rejected(action: Action, status: int, envelope: Any, names: Names) -> Outcome:
    words = vendor_words(envelope)
    code = str(envelope.get("code") or "") if isinstance(envelope, dict) else ""
    if status in (402, 403) and (status == 402 or code.startswith("feature_capping")):
        return Rejected(
            code="account_closed" if status == 402 else "plan_limit",
            words=words,
            next_step="Look at the plan and its limits in Pipedrive; the rest waits for it.",
            scope="organisation",
        )
    if "archive" in f"{code} {words}".lower():
        return Rejected(
            code="deal_archived",
            words=words,
            next_step="Unarchive the deal in Pipedrive; its fields are then brought up to date.",
        )
    if status in (404, 410):
        return _gone(action, words)
    if status == 403:
        return Rejected(
            code="forbidden",
            words=words,
            next_step="Use the API token of an admin, or let its user edit all deals.",
        )
    if isinstance(action.payload, ContactChange | CrmContactDraft):
        return _contact_refused(action.payload, words, names)
    return _field_refused(action, words, names)


def _gone(action: Action, words: str) -> Rejected:
    if isinstance(action.payload, ContactChange):
        return Rejected(
            code="contact_gone",
            words=words,
            next_step="It was deleted or merged: restore it in Pipedrive within 30 days, or "
            "ignore it.",
        )
    return Rejected(
        code="deal_gone" if isinstance(action.payload, DealChange) else "record_gone",
        words=words,
        next_step="Restore it in Pipedrive, or ignore this deal.",
    )


#: How Pipedrive calls a contact's own values where it refuses one.
_SPOKEN = (
    ("custom_fields", ""),
    ("emails", "email"),
    ("phones", "phones"),
    ("postal_address", "postal"),
    ("address", "postal"),
    ("first_name", "first_name"),
    ("last_name", "last_name"),
    ("name", "name"),
)


def _contact_refused(
    payload: ContactChange | CrmContactDraft, words: str, names: Names
) -> Rejected:
    """A refused value of a contact, by the field that Pipedrive names, if it names one."""
    own, marker = contact_writing.own_fields(payload, names)
    by_code = {field.code: (key, field.name) for key, field in own.items()}
    plain = _CODE.sub(lambda m: by_code[m[0]][1] if m[0] in by_code else m[0], words)
    spoken = [by_code[code][0] for code in _CODE.findall(words) if code in by_code]
    if marker and marker.code in words:
        return contact_writing.marker_missing(
            "organization" if contact_writing.is_organization(payload) else "person"
        )
    said = (key for word, key in _SPOKEN if re.search(rf"\b{word}\b", words))
    return contact_writing.refused(spoken[0] if spoken else next(said, ""), plain)


def _field_refused(action: Action, words: str, names: Names) -> Rejected:
    """A refused value, with the field's name where Pipedrive says its 40-hex code."""
    by_code = {f.code: (name, f) for name, f in names.deal_fields.items()}
    plain = _CODE.sub(lambda m: by_code[m[0]][0] if m[0] in by_code else m[0], words)
    spoken = list(dict.fromkeys(c for c in _CODE.findall(words) if c in by_code))
    change = action.payload.fields if isinstance(action.payload, DealChange) else {}
    name, field = by_code[spoken[0]] if len(spoken) == 1 else _suspect(change, words, names)
    if name and field is None:
        return field_missing(name, plain)
    value = change.get(name) if name else None
    if field and value and field.kind in ("enum", "set") and fields.misfit(field, value):
        return option_missing(name, value, plain)
    return field_wrong(name, plain)


def _suspect(
    change: dict[str, str | None], words: str, names: Names
) -> tuple[str, FieldInfo | None]:
    """The field that a refusal without a code speaks of, if that can be told."""
    known = names.deal_fields
    unknown = [n for n in change if n not in known or not fields.is_custom(known[n])]
    spoken = [n for n in unknown if n in words] or (unknown if len(change) == 1 else [])
    if spoken:
        return spoken[0], None
    for name, value in change.items():
        field = known.get(name)
        if field and fields.misfit(field, value):
            return name, field
    return "", None


def field_missing(name: str, words: str) -> Rejected:
    step = f'Create one deal field named "{name}" (`syncjob init`), or take it out of crm.fields.'
    return Rejected(code="field_missing", words=words, field=name, next_step=step)


def option_missing(name: str, value: str, words: str) -> Rejected:
    step = f'Add the option "{value}" to the deal field "{name}" in Pipedrive.'
    return Rejected(code="field_option_missing", words=words, field=name, next_step=step)


def field_wrong(name: str, words: str) -> Rejected:
    step = "Correct the field in Pipedrive or its name in crm.fields, then run again."
    return Rejected(
        code="field_refused" if name else "refused", words=words, field=name, next_step=step
    )
