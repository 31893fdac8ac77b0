"""Writes to HubSpot: actions as batch calls of up to a hundred records, each known by its own key.

Every write goes through a batch endpoint, a single one too: an update there refuses the old id of
a merged record without effect, where a plain PATCH would land on the record that took its place
(facts: hubspot, 5e). Each input bears a trace id, so that a refusal can say which one it means.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from syncjob.connectors.base import Prepared
from syncjob.connectors.hubspot import contact_writing, fields
from syncjob.connectors.hubspot.fields import Item
from syncjob.connectors.hubspot.names import Names
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
from syncjob.core.records import Activity, Contact, Deal
from syncjob.core.references import FieldInfo
from syncjob.transport.wire import Request

#: The most inputs of a batch call (facts: hubspot, 5d).
BATCH_MAX = 100
#: A subject longer than this is cut: it is one line of a list.
SUBJECT_MAX = 255
#: When on its day a task is due, and when its owner is reminded, by the account's clock.
_DUE_AT, _REMIND_AT = time(17), time(9)
#: A reminder lies at least so far ahead, on a full quarter of an hour, as HubSpot's own do.
_QUARTER = timedelta(minutes=15)
#: Association types of the vendor (facts: hubspot, 5d).
_TASK_TO = {"deal": 216, "person": 204, "org": 192}
_NOTE_TO_DEAL = 214
_PERSON_TO_PRIMARY_COMPANY = 1

#: POST of a body to a path below /crm/objects/<version>/, as a frozen request.
Form = Callable[[str, Item], Request]
#: The properties of these contacts as they now stand, by our id ("person:7").
Now = Callable[[Sequence[str]], Mapping[str, Item]]


def forms(
    actions: Sequence[Action], form: Form, names: Names, now: Now, moment: datetime
) -> list[Prepared]:
    """The actions as the fewest requests. `now` is asked once, for contacts whose phone numbers
    change; `moment` is the server's time, for reminders and notes."""
    changing = [a.payload.contact_id for a in actions if isinstance(a.payload, ContactChange)
                and contact_writing.needs_current(a.payload)]  # fmt: skip
    current = now(changing) if changing else {}
    made = []
    for path, group in _groups(actions):
        inputs = [input_of(action, names, current, moment) for action in group]
        made.append(Prepared(request=form(path, {"inputs": inputs}), actions=tuple(group)))
    return made


def _groups(actions: Sequence[Action]) -> list[tuple[str, list[Action]]]:
    """Actions of one kind and endpoint together, a record never twice in a call."""
    found: list[tuple[str, list[Action]]] = []
    ordered = sorted(actions, key=lambda a: (a.kind, path_of(a)))
    for (_, path), same in groupby(ordered, key=lambda a: (a.kind, path_of(a))):
        group: list[Action] = []
        for action in same:
            if len(group) == BATCH_MAX or key_of(action) in map(key_of, group):
                found.append((path, group))
                group = []
            group.append(action)
        found.append((path, group))
    return found


def path_of(action: Action) -> str:
    """Where the action goes, below /crm/objects/<version>/."""
    match action.payload:
        case DealChange():
            return "deals/batch/update"
        case ContactChange() | MarkerChange() | CrmContactDraft() as contact:
            objects = "companies" if is_organization(contact) else "contacts"
            return f"{objects}/batch/{'create' if action.creates else 'update'}"
        case Task():
            return "tasks/batch/create"
        case NoteDraft():
            return "notes/batch/create"
    raise ValueError(f"not a write to a CRM: {action.kind}")


def key_of(action: Action) -> str:
    """What tells an input from the others of its call: the record's number, or our marker."""
    match action.payload:
        case DealChange(deal_id=deal):
            return deal
        case ContactChange(contact_id=contact) | MarkerChange(contact_id=contact):
            return number_of(contact)
    return action.marker or ""


def input_of(action: Action, names: Names, current: Mapping[str, Item], moment: datetime) -> Item:
    """One input of the call."""
    key = key_of(action)
    properties: Mapping[str, str]
    match action.payload:
        case DealChange() as change:
            properties = deal_properties(change, names)
        case ContactChange() as contact:
            now = current.get(contact.contact_id)
            properties = contact_writing.properties(contact, names, now)
        case MarkerChange() as mark:
            field = _marker_field(mark, names)
            properties = {field.code if field else "": mark.marker}
        case _:
            return {"objectWriteTraceId": key, **_creation(action, names, moment)}
    return {"id": key, "objectWriteTraceId": key, "properties": properties}


def _creation(action: Action, names: Names, moment: datetime) -> Item:
    match action.payload:
        case CrmContactDraft() as draft:
            company = draft.organization_id
            types = [(company, _PERSON_TO_PRIMARY_COMPANY)] if company else []
            properties = contact_writing.properties(draft, names)
        case Task() as task:
            ids = (f"deal:{task.deal_id}", task.person_id, task.org_id)
            types = [(i, _TASK_TO[i.partition(":")[0]]) for i in ids if i]
            properties = _task(task, names.zone, moment)
        case NoteDraft() as note:
            types = [(note.deal_id, _NOTE_TO_DEAL)]
            properties = {
                "hs_note_body": _html(note.text, note.marker),
                "hs_timestamp": _iso(moment.replace(second=0)),
            }
        case _:
            raise ValueError(f"not a write to a CRM: {action.kind}")
    return {"properties": properties, "associations": [_associated(*pair) for pair in types]}


def _associated(other: str, type_id: int) -> Item:
    kind = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}
    return {"to": {"id": number_of(other)}, "types": [kind]}


# --- the content of each kind ---------------------------------------------------------------------


def deal_properties(change: DealChange, names: Names) -> dict[str, str]:
    """The deal's own properties and, for a move, stage and pipeline together: a stage of another
    pipeline alone is refused. A name that this account does not know goes as it is."""
    if not change.fields and change.move is None:
        raise ValueError(f"a change of deal {change.deal_id} without fields")
    made: dict[str, str] = {}
    for name, value in change.fields.items():
        field = names.deal_fields.get(name)
        if field is None or field.fixed:
            made[name] = value or ""
        else:
            made[field.code] = fields.to_wire(field, value)
    if change.move is not None:
        made["dealstage"] = change.move.stage_id
        if change.move.stage_id in names.pipelines:
            made["pipeline"] = names.pipelines[change.move.stage_id]
    return made


def _task(task: Task, zone: str, moment: datetime) -> dict[str, str]:
    """Due at the end of its day; a reminder makes it visible whatever the owner's settings are
    (facts: hubspot, 5d), so it lies in the future even where the day is half over."""
    home = ZoneInfo(zone)
    due = datetime.combine(task.due, _DUE_AT, home)
    remind = datetime.combine(task.due, _REMIND_AT, home).astimezone(UTC)
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    quarters = (moment - midnight) // _QUARTER + 2
    remind = max(remind, midnight + quarters * _QUARTER)
    return {
        "hs_timestamp": _iso(due.astimezone(UTC)),
        "hs_task_subject": task.subject[:SUBJECT_MAX],
        "hs_task_body": _html(task.note, task.marker),
        "hubspot_owner_id": task.owner_id,
        "hs_task_status": "NOT_STARTED",
        "hs_task_priority": "HIGH",
        "hs_task_type": "TODO",
        "hs_task_reminders": str(int(remind.timestamp()) * 1000),
    }


def _html(text: str, marker: str) -> str:
    """A text as the CRM shows it, with our marker below."""
    return f"{html.escape(text).replace(chr(10), '<br>')}<br><br>{marker}"


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def number_of(record_id: str) -> str:
    """The vendor's number of an id with or without its kind ("person:7")."""
    return record_id.rpartition(":")[2]


def is_organization(payload: ContactChange | CrmContactDraft | MarkerChange) -> bool:
    """Whether a company is written; else a contact."""
    if isinstance(payload, CrmContactDraft):
        return payload.kind == "organization"
    return payload.contact_id.startswith("org:")


def _marker_field(mark: MarkerChange, names: Names) -> FieldInfo | None:
    return names.organization_marker if is_organization(mark) else names.person_marker


def bears(text: str | None, marker: str) -> bool:
    """Whether a text holds exactly this marker ("NW-1042-A1" is not in "NW-1042-A11", and
    "NW-1042-A1.paid" not in "NW-1042-A1.paid.261122")."""
    pattern = rf"(?<![A-Za-z0-9-]){re.escape(marker)}(?![A-Za-z0-9-]|\.[A-Za-z0-9])"
    return text is not None and re.search(pattern, text) is not None


# --- what HubSpot would refuse --------------------------------------------------------------------


def unfit(action: Action, held: Mapping[str, frozenset[str]], names: Names) -> Rejected | None:
    """Why HubSpot would refuse the action, as far as our copy of the account's names can tell.

    `held` are the fields that each kind of contact has here.
    """
    match action.payload:
        case CrmContactDraft() | ContactChange() as contact:
            return contact_writing.unfit(contact, held, names)
        case MarkerChange() as mark:
            field = _marker_field(mark, names)
            if field is None or not field.unique:
                return contact_writing.marker_missing(
                    "organization" if is_organization(mark) else "person"
                )
        case DealChange() as change:
            return _deal_unfit(change, names)
    return None


def _deal_unfit(change: DealChange, names: Names) -> Rejected | None:
    for name, value in change.fields.items():
        field = names.deal_fields.get(name)
        if field is None or field.fixed:
            return field_missing(name, f'There is no deal property of ours named "{name}".')
        wrong = fields.misfit(field, value)
        if wrong and value and field.kind in (fields.CHOICE, fields.CHOICES):
            return option_missing(name, value, wrong)
        if wrong:
            return field_wrong(name, wrong)
    return None


def field_missing(name: str, words: str) -> Rejected:
    """The account has no such property, or HubSpot writes it itself."""
    step = f'Create one deal property named "{name}" (`syncjob init`), or take it out of '
    return Rejected(code="field_missing", words=words, field=name, next_step=f"{step}crm.fields.")


def option_missing(name: str, value: str, words: str) -> Rejected:
    """A choice that the property does not have."""
    step = f'Add the option "{value}" to the deal property "{name}" in HubSpot.'
    return Rejected(code="field_option_missing", words=words, field=name, next_step=step)


def field_wrong(name: str, words: str) -> Rejected:
    """A value that the property does not take."""
    step = "Correct the property in HubSpot or its name in crm.fields, then run again."
    return Rejected(
        code="field_refused" if name else "refused", words=words, field=name, next_step=step
    )


# --- the base after a settle ----------------------------------------------------------------------


def stored_form(action: Action, names: Names) -> dict[str, str | None]:
    """What HubSpot will show for the action's values: amounts plain, texts trimmed."""
    match action.payload:
        case CrmContactDraft() | ContactChange() as contact:
            return contact_writing.stored_form(contact, names)
        case DealChange(fields=wanted):
            return {n: fields.normal(names.deal_fields.get(n), v) for n, v in wanted.items()}
        case MarkerChange(marker=marker):
            return {"marker": marker}
        case Task() as task:
            return {
                "subject": task.subject[:SUBJECT_MAX].strip(),
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
