"""What an answer to a batch write means for each of its actions.

A status says little: HubSpot answers 207, or 200 with `errors` in the body, and results may come in
another order or be fewer than the inputs (facts: hubspot, 5d). An input that neither a result nor
an error names stays open and is looked up. Every field of an error may be missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from syncjob.connectors.base import Prepared
from syncjob.connectors.hubspot import contact_writing, refusals, writing
from syncjob.connectors.hubspot.contacts import to_contact
from syncjob.connectors.hubspot.fields import Item, moment_of
from syncjob.connectors.hubspot.names import Names
from syncjob.connectors.hubspot.refusals import Refusal
from syncjob.core.actions import (
    Action,
    CrmContactDraft,
    NotDone,
    Outcome,
    Stored,
    Unknown,
)
from syncjob.errors import SchemaDrift
from syncjob.transport.parse import excerpt
from syncjob.transport.wire import Answer

#: Refused before looking: not let in, too fast, a record locked (423), an account on the move
#: between data centres (477); none of them has an effect (facts: hubspot, 5f).
_NOT_NOW = frozenset({401, 423, 429, 477})
#: A body or an address that is too long: smaller groups fit.
_TOO_LARGE = frozenset({413, 414})


def outcomes(prepared: Prepared, answer: Answer, names: Names) -> list[Outcome]:
    """One outcome for each action of the call, in its order. Never raises for what an answer
    holds."""
    actions, status = prepared.actions, answer.status
    if answer.no_word:
        return _all(actions, Unknown(error=f"HubSpot answered {status}: {excerpt(answer.body)!r}"))
    if status in _NOT_NOW:
        return _all(actions, NotDone(error=f"HubSpot refused before looking ({status})"))
    if status in _TOO_LARGE and len(actions) > 1:
        return _all(
            actions, NotDone(error=f"HubSpot: the call is too large ({status})", halve=True)
        )
    try:
        body = answer.json()
    except SchemaDrift as error:
        if status == 403:
            words = f"HubSpot's firewall refused (403): {excerpt(answer.body)!r}"
            return _all(actions, NotDone(error=words))
        return _all(actions, Unknown(error=error.what))
    if status >= 400:
        return _refused_whole(actions, refusals.read(body, status), names)
    return _each(actions, body, names)


def _all(actions: Sequence[Action], outcome: Outcome) -> list[Outcome]:
    return [outcome] * len(actions)


def _refused_whole(actions: Sequence[Action], refusal: Refusal, names: Names) -> list[Outcome]:
    """Nothing of the call was done. What is wrong with the app is wrong for each action; else the
    call is halved until the one at fault stands alone."""
    if len(actions) == 1 or refusal.rights:
        return [refusals.outcome(action, refusal, names) for action in actions]
    words = f"HubSpot refused all of them ({refusal.status}): {refusal.words}"
    return _all(actions, NotDone(error=words[:500], halve=True))


# --- results and errors ---------------------------------------------------------------------------


def _each(actions: Sequence[Action], body: Any, names: Names) -> list[Outcome]:
    if not isinstance(body, dict) or not isinstance(body.get("results", []), list):
        return _all(actions, Unknown(error="HubSpot answered without results"))
    results = _by_key(actions, body.get("results", []), names)
    errors = refusals.by_key(body.get("errors"), {writing.key_of(action) for action in actions})
    made: list[Outcome] = []
    for action in actions:
        key = writing.key_of(action)
        if key in results:
            made.append(_stored(action, results[key], names))
        elif key in errors:
            made.append(refusals.outcome(action, errors[key], names))
        else:
            made.append(Unknown(error="HubSpot's answer says nothing about this record"))
    return made


def _by_key(actions: Sequence[Action], results: list[Any], names: Names) -> dict[str, Item]:
    """The results by the key of the action that each belongs to; one that fits none is left out."""
    updates = {writing.key_of(a) for a in actions if not a.creates}
    markers = [a.marker for a in actions if a.creates and a.marker]
    found: dict[str, Item] = {}
    for result in results:
        number = result.get("id") if isinstance(result, dict) else None
        if not isinstance(number, str) or not number:
            continue
        if number in updates:
            found[number] = result
        marker = _marker_of(result, markers, names)
        if marker is not None:
            found.setdefault(marker, result)
    return found


def _marker_of(result: Item, markers: Sequence[str], names: Names) -> str | None:
    """Which of our creations this is: by the trace id, else by the marker in its properties."""
    trace = result.get("objectWriteTraceId")
    if trace in markers:
        return str(trace)
    shown = result.get("properties")
    if not isinstance(shown, dict):
        return None
    carriers = [field.code for field in (names.organization_marker, names.person_marker) if field]
    for key in (*carriers, "hs_task_body", "hs_note_body"):
        text = shown.get(key)
        for marker in markers:
            if isinstance(text, str) and writing.bears(text, marker):
                return marker
    return None


def _stored(action: Action, result: Item, names: Names) -> Outcome:
    """Done. An update's answer shows some properties only, so it is no whole record; a record that
    was just made has nothing but what it shows."""
    if isinstance(action.payload, CrmContactDraft):
        try:
            made = to_contact(action.payload.kind, _with_sent(action, result, names), names)
        except SchemaDrift as error:
            return Unknown(error=f"HubSpot's answer cannot be read: {error.what}")
        return Stored(record=made)
    stamp = result.get("updatedAt")
    return Stored(record=None, stamp=moment_of(stamp) if isinstance(stamp, str) else None)


def _with_sent(action: Action, result: Item, names: Names) -> Item:
    """The new record, with what was sent and taken where the answer leaves it out, and the company
    that it was tied to as it was made."""
    draft = action.payload
    assert isinstance(draft, CrmContactDraft)
    sent: Item = dict(contact_writing.properties(draft, names))
    if draft.organization_id:
        sent["associatedcompanyid"] = writing.number_of(draft.organization_id)
    shown = result.get("properties")
    known = {k: v for k, v in shown.items() if v is not None} if isinstance(shown, dict) else {}
    return {**result, "properties": {**sent, **known}}
