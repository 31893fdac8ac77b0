"""Writes to Pipedrive: actions as the library's own requests, and what the server makes of them.

One record a call: Pipedrive has no bulk PATCH, no idempotency key and no drafts.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from typing import Any

from syncjob.connectors.base import Prepared
from syncjob.connectors.pipedrive import contact_writing, fields, values
from syncjob.connectors.pipedrive.answers import field_missing, field_wrong, option_missing
from syncjob.connectors.pipedrive.client import V2Client
from syncjob.connectors.pipedrive.codec import Names
from syncjob.connectors.pipedrive.options import MARKER_FIELD
from syncjob.connectors.pipedrive.values import Item
from syncjob.core.actions import (
    Action,
    ContactChange,
    CrmContactDraft,
    DealChange,
    MarkerChange,
    NoteDraft,
    Rejected,
    Task,
)
from syncjob.core.records import Activity, Contact, Deal, FieldInfo
from syncjob.transport.wire import Request

#: The key of the activity type that every account begins with.
ACTIVITY_TYPE = "task"
#: A subject longer than this is cut: Pipedrive's short texts have 255 characters.
_SUBJECT_MAX = 255


def form(
    action: Action, client: V2Client, names: Names, now: Callable[[str], Item | None]
) -> Prepared:
    """The action as one frozen request. `now` reads a contact (one token) whose lists change."""
    match action.payload:
        case CrmContactDraft() as draft:
            library = client.library
            kind = library.organizations if draft.kind == "organization" else library.persons
            make = getattr(kind, f"create_{draft.kind}")
            request = client.form(make, contact_writing.body(draft, names))
        case ContactChange() as change:
            request = _contact_request(change, client, names, now)
        case DealChange() as change:
            request = _deal_request(change, client, names)
        case MarkerChange() as mark:
            request = _marker_request(mark, client, names)
        case Task() as task:
            request = client.form(client.library.activities.create_activity, _activity(task))
        case NoteDraft() as note:
            request = client.form(client.library.notes.create_note, _note(note))
        case other:
            raise ValueError(f"not a write to a CRM: {type(other).__name__}")
    return Prepared(request=request, actions=(action,))


def _contact_request(
    change: ContactChange, client: V2Client, names: Names, now: Callable[[str], Item | None]
) -> Request:
    """PATCH of the fields that change and of no other."""
    current = now(change.contact_id) if contact_writing.needs_current(change) else None
    body = contact_writing.body(change, names, current)
    return client.form(_update(change.contact_id, client), _number(change.contact_id), body)


def _update(contact_id: str, client: V2Client) -> Callable[..., Any]:
    library, organization = client.library, contact_id.startswith("org:")
    made: Callable[..., Any] = (
        library.organizations.update_organization if organization else library.persons.update_person
    )
    return made


def _deal_request(change: DealChange, client: V2Client, names: Names) -> Request:
    """PATCH of the deal's own fields and of nothing else: `value` beside products resets them, and
    an empty `custom_fields` is said to clear all (facts: pipedrive, 1b and 1c)."""
    if not change.fields and change.move is None:
        raise ValueError(f"a change of deal {change.deal_id} that changes nothing")
    body: Item = {}
    if change.fields:
        currency = change.currency or _currency(change, client, names)
        body["custom_fields"] = dict(
            _field_pair(name, value, currency, names) for name, value in change.fields.items()
        )
    if change.move is not None:
        body["stage_id"] = int(change.move.stage_id)  # the stage brings its pipeline
    return client.form(client.library.deals.update_deal, int(change.deal_id), body)


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
    data = client.fetch(f"deals/{int(change.deal_id)}").get("data")
    return values.text(data, "currency") if isinstance(data, dict) else None


def _marker_request(mark: MarkerChange, client: V2Client, names: Names) -> Request:
    field = _marker_field(mark, names)
    body = {"custom_fields": {field.code if field else MARKER_FIELD: mark.marker}}
    return client.form(_update(mark.contact_id, client), _number(mark.contact_id), body)


def _marker_field(mark: MarkerChange, names: Names) -> FieldInfo | None:
    organization = mark.contact_id.startswith("org:")
    return names.organization_marker if organization else names.person_marker


def _activity(task: Task) -> Item:
    """`person_id` is read-only in v2: the person goes in as the primary participant."""
    body: Item = {
        "subject": task.subject[:_SUBJECT_MAX],
        "type": ACTIVITY_TYPE,
        "owner_id": _number(task.owner_id),
        "deal_id": _number(task.deal_id),
        "due_date": task.due.isoformat(),
        "note": _html(task.note, task.marker),
    }
    if task.org_id:
        body["org_id"] = _number(task.org_id)
    if task.person_id:
        body["participants"] = [{"person_id": _number(task.person_id), "primary": True}]
    return body


def _note(note: NoteDraft) -> Item:
    return {"deal_id": _number(note.deal_id), "content": _html(note.text, note.marker)}


def _html(text: str, marker: str) -> str:
    """A text as the CRM shows it, with our marker below."""
    return f"{html.escape(text).replace(chr(10), '<br>')}<br><br>{marker}"


def _number(record_id: str) -> int:
    """The vendor's number of an id with or without its kind ("person:7")."""
    return int(record_id.rpartition(":")[2])


def bears(note: str | None, marker: str) -> bool:
    """Whether a note holds exactly this marker ("NW-1042-A1" is not in "NW-1042-A11", and
    "NW-1042-A1.paid" not in "NW-1042-A1.paid.261122")."""
    pattern = rf"(?<![A-Za-z0-9-]){re.escape(marker)}(?![A-Za-z0-9-]|\.[A-Za-z0-9])"
    return note is not None and re.search(pattern, note) is not None


def unfit(action: Action, held: Mapping[str, frozenset[str]], names: Names) -> Rejected | None:
    """Why Pipedrive would refuse the action, as far as our copy of the account's names can tell.

    `held` are the fields that each kind of contact has here.
    """
    match action.payload:
        case CrmContactDraft() | ContactChange() as contact:
            return contact_writing.unfit(contact, held, names)
        case MarkerChange() as mark if _marker_field(mark, names) is None:
            kind = "organization" if mark.contact_id.startswith("org:") else "person"
            return contact_writing.marker_missing(kind)
        case DealChange() as change:
            return _deal_unfit(change, names)
    return None


def _deal_unfit(change: DealChange, names: Names) -> Rejected | None:
    for name, value in change.fields.items():
        field = names.deal_fields.get(name)
        if field is None or not fields.is_custom(field):
            return field_missing(name, f'There is no deal field of ours named "{name}".')
        wrong = fields.misfit(field, value)
        if wrong and value and field.kind in ("enum", "set"):
            return option_missing(name, value, wrong)
        if wrong:
            return field_wrong(name, wrong)
    return None


# --- the base after a settle -------------------------------------------------------------------


def stored_form(action: Action, names: Names) -> dict[str, str | None]:
    """What Pipedrive will show for the action's values: amounts plain, texts trimmed."""
    match action.payload:
        case CrmContactDraft() | ContactChange() as contact:
            return contact_writing.stored_form(contact, names)
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
        case NoteDraft(deal_id=deal):
            return {"deal": deal}
    raise ValueError(f"not a write to a CRM: {action.kind}")


def current_form(action: Action, record: Any, names: Names) -> dict[str, str | None]:
    """The same values as they now stand in the record."""
    match action.payload, record:
        case (CrmContactDraft() | ContactChange()) as contact, Contact():
            return contact_writing.current_form(contact, record, names)
        case DealChange(fields=wanted), Deal():
            known, now = names.deal_fields, record.fields
            return {n: fields.normal(known.get(n), now.get(n)) for n in wanted}
        case MarkerChange(), Contact():
            return {"marker": record.marker}
        case NoteDraft(), Activity():
            return {"deal": record.deal_id}
        case Task(), Activity():
            due = record.due.isoformat() if record.due else None
            return {"subject": record.subject, "deal": record.deal_id, "due": due}
    raise ValueError(f"{action.kind} does not write a {type(record).__name__}")
