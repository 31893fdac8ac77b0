"""Writes to Pipedrive: actions as the library's own requests, and what an answer means for one.

One deal a call: Pipedrive has no bulk PATCH, no idempotency key and no drafts.
"""

from __future__ import annotations

import html
import re
from typing import Any

from syncjob.connectors.base import Prepared
from syncjob.connectors.pipedrive import fields, values
from syncjob.connectors.pipedrive.client import V2Client, is_json, vendor_words
from syncjob.connectors.pipedrive.codec import Names, to_deal, to_organization, to_person
from syncjob.connectors.pipedrive.values import Item
from syncjob.core.actions import (
    Action,
    DealChange,
    MarkerChange,
    NotDone,
    Outcome,
    Rejected,
    Stored,
    Task,
    Unknown,
)
from syncjob.core.records import Activity, Contact, Deal, FieldInfo
from syncjob.errors import SchemaDrift
from syncjob.transport.parse import excerpt
from syncjob.transport.wire import Answer, Request

_CODE = re.compile(r"[0-9a-f]{40}")
#: A subject longer than this is cut: Pipedrive's short texts have 255 characters.
_SUBJECT_MAX = 255


def form(action: Action, client: V2Client, names: Names, activity_type: str) -> Prepared:
    """The action as one frozen request."""
    match action.payload:
        case DealChange() as change:
            request = _deal_request(change, client, names)
        case MarkerChange() as mark:
            request = _marker_request(mark, client, names)
        case Task() as task:
            request = client.form(client.activities.create_activity, _activity(task, activity_type))
        case other:
            raise ValueError(f"not a write to a CRM: {type(other).__name__}")
    return Prepared(request=request, actions=(action,))


def _deal_request(change: DealChange, client: V2Client, names: Names) -> Request:
    """PATCH of the deal's own fields and of nothing else: `value` beside products resets them, and
    an empty `custom_fields` is said to clear all (facts: pipedrive, 1b and 1c)."""
    if not change.fields:
        raise ValueError(f"a change of deal {change.deal_id} without fields")
    currency = change.currency or _currency(change, client, names)
    custom = dict(
        _field_pair(name, value, currency, names) for name, value in change.fields.items()
    )
    return client.form(client.deals.update_deal, int(change.deal_id), {"custom_fields": custom})


def _field_pair(
    name: str, value: str | None, currency: str | None, names: Names
) -> tuple[str, Any]:
    """A name that this account does not know goes as it is, for the server to refuse."""
    field = names.deal_fields.get(name)
    if field is None or not fields.is_custom(field):
        return name, value
    return field.code, fields.to_wire(field, value, currency)


def _currency(change: DealChange, client: V2Client, names: Names) -> str | None:
    """The deal's own currency, read (one token) only if an amount of money is written."""
    kinds = {n: f.kind for n, f in names.deal_fields.items()}
    if not any(v and kinds.get(n) == "monetary" for n, v in change.fields.items()):
        return None
    data = client.deals.get_deal(int(change.deal_id)).get("data")
    return values.text(data, "currency") if isinstance(data, dict) else None


def _marker_request(mark: MarkerChange, client: V2Client, names: Names) -> Request:
    kind, _, number = mark.contact_id.partition(":")
    field = names.organization_marker if kind == "org" else names.person_marker
    body = {"custom_fields": {field.code if field else "syncjob key": mark.marker}}
    update = (
        client.organizations.update_organization if kind == "org" else client.persons.update_person
    )
    return client.form(update, int(number), body)


def _activity(task: Task, activity_type: str) -> Item:
    """`person_id` is read-only in v2: the person goes in as the primary participant."""
    body: Item = {
        "subject": task.subject[:_SUBJECT_MAX],
        "type": activity_type,
        "owner_id": _number(task.owner_id),
        "deal_id": _number(task.deal_id),
        "due_date": task.due.isoformat(),
        "note": f"{html.escape(task.note).replace(chr(10), '<br>')}<br><br>{task.marker}",
    }
    if task.org_id:
        body["org_id"] = _number(task.org_id)
    if task.person_id:
        body["participants"] = [{"person_id": _number(task.person_id), "primary": True}]
    return body


def _number(record_id: str) -> int:
    """The vendor's number of an id with or without its kind ("person:7")."""
    return int(record_id.rpartition(":")[2])


def bears(note: str | None, marker: str) -> bool:
    """Whether a note holds exactly this marker ("NW-1042-A1" is not in "NW-1042-A11")."""
    pattern = rf"(?<![A-Za-z0-9-]){re.escape(marker)}(?![A-Za-z0-9-])"
    return note is not None and re.search(pattern, note) is not None


# --- what an answer means ---------------------------------------------------------------------


def outcome(action: Action, answer: Answer, names: Names) -> Outcome:
    """What became of the one action of a call. Never raises for what the answer holds."""
    if answer.status >= 500 or answer.status < 200 or 300 <= answer.status < 400:
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
            read = to_organization if wanted.startswith("org:") else to_person
            record = read(data, names)
        case _:
            values.needed_id(data)
            return Stored(record=None)
    if record.id != wanted:
        return Unknown(error=f"Pipedrive answered about {record.id} instead of {wanted}")
    return Stored(record=record)


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
        return Rejected(
            code="deal_gone" if isinstance(action.payload, DealChange) else "record_gone",
            words=words,
            next_step="Restore it in Pipedrive, or ignore this deal.",
        )
    if status == 403:
        return Rejected(
            code="forbidden",
            words=words,
            next_step="Use the API token of an admin, or let its user edit all deals.",
        )
    return _field_refused(action, words, names)


def _field_refused(action: Action, words: str, names: Names) -> Rejected:
    """A refused value, with the field's name where Pipedrive says its 40-hex code."""
    by_code = {f.code: (name, f) for name, f in names.deal_fields.items()}
    plain = _CODE.sub(lambda m: by_code[m[0]][0] if m[0] in by_code else m[0], words)
    named = [by_code[c] for c in _CODE.findall(words) if c in by_code]
    change = action.payload.fields if isinstance(action.payload, DealChange) else {}
    name, field = named[0] if len(named) == 1 else _suspect(change, words, names)
    if name and field is None:
        return Rejected(
            code="field_missing",
            words=plain,
            field=name,
            next_step=f'Create one deal field named "{name}" (`syncjob init`), or take it out of'
            " crm.fields.",
        )
    value = change.get(name) if name else None
    if field and value and field.kind in ("enum", "set") and not fields.has_option(field, value):
        return Rejected(
            code="field_option_missing",
            words=plain,
            field=name,
            next_step=f'Add the option "{value}" to the deal field "{name}" in Pipedrive.',
        )
    return Rejected(
        code="field_refused" if name else "refused",
        words=plain,
        field=name,
        next_step="Correct the field in Pipedrive or its name in crm.fields, then run again.",
    )


def _suspect(
    change: dict[str, str | None], words: str, names: Names
) -> tuple[str, FieldInfo | None]:
    """The field that a refusal without a code speaks of, if that can be told."""
    known = names.deal_fields
    unknown = [n for n in change if n not in known or not fields.is_custom(known[n])]
    spoken = next((n for n in unknown if n in words), unknown[0] if len(change) == 1 else None)
    if unknown and spoken:
        return spoken, None
    for name, value in change.items():
        field = known.get(name)
        if (
            field
            and value
            and field.kind in ("enum", "set")
            and not fields.has_option(field, value)
        ):
            return name, field
    return "", None


# --- the base after a settle -------------------------------------------------------------------


def stored_form(action: Action, names: Names) -> dict[str, str | None]:
    """What Pipedrive will show for the action's values: amounts plain, texts trimmed."""
    match action.payload:
        case DealChange(fields=wanted):
            return {n: fields.normal(names.deal_fields.get(n), v) for n, v in wanted.items()}
        case MarkerChange(marker=marker):
            return {"marker": marker}
        case Task() as task:
            return {
                "subject": task.subject[:_SUBJECT_MAX].strip(),
                "deal": task.deal_id,
                "due": task.due.isoformat(),
            }
    raise ValueError(f"not a write to a CRM: {action.kind}")


def current_form(action: Action, record: Any, names: Names) -> dict[str, str | None]:
    """The same values as they now stand in the record."""
    match action.payload, record:
        case DealChange(fields=wanted), Deal():
            known, now = names.deal_fields, record.fields
            return {n: fields.normal(known.get(n), now.get(n)) for n in wanted}
        case MarkerChange(), Contact():
            return {"marker": record.marker}
        case Task(), Activity():
            due = record.due.isoformat() if record.due else None
            return {"subject": record.subject, "deal": record.deal_id, "due": due}
    raise ValueError(f"{action.kind} does not write a {type(record).__name__}")
