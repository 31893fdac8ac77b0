"""HubSpot's errors: read from bodies whose every field may be missing, and as outcomes.

An error names properties in `errors[].context`, or only inside its message, which holds a list of
problems as JSON; both are read (facts: hubspot, 5a and 5d). An admin's rule may refuse a write over
a property that we never sent: that deal is parked with HubSpot's words (facts: hubspot, 5a).
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from syncjob.connectors.hubspot import contact_writing, fields, writing
from syncjob.connectors.hubspot.names import Names
from syncjob.core.actions import (
    Action,
    ContactChange,
    CrmContactDraft,
    DealChange,
    MarkerChange,
    NotDone,
    Rejected,
)

#: Longer words of a vendor tell a person no more.
_WORDS_MAX = 400
_PROBLEMS = re.compile(r"\[\{.*\}\]", re.DOTALL)
_EXISTING = re.compile(r"(?:Existing ID|existing id)\D{0,3}(\d+)|(\d+) already has that value")
_SCOPE = re.compile(r"\b(?:crm|tax_rates|e-commerce|oauth|sales)[a-z_]*\.[a-z_.]+\b")
_SCOPE_KEYS = ("requiredGranularScopes", "missingScopes", "requiredScopes")


class Refusal(NamedTuple):
    """One error: what it is about, as far as it says so."""

    status: int
    category: str
    words: str
    properties: tuple[str, ...] = ()  # internal names that it speaks of
    codes: tuple[str, ...] = ()  # such as INVALID_OPTION
    scopes: tuple[str, ...] = ()

    @property
    def rights(self) -> bool:
        """Whether the app as a whole may not do this."""
        return self.category == "MISSING_SCOPES" or (self.status == 403 and bool(self.scopes))


def read(body: Any, status: int) -> Refusal:
    """The error in a body, or as much of it as is there."""
    if not isinstance(body, dict):
        return Refusal(status, "", f"no reason given ({status})")
    message = body.get("message")
    text = message if isinstance(message, str) and message.strip() else "no reason given"
    problems = [*_problems(text), *_dicts(body.get("errors"))]
    said = list(dict.fromkeys(filter(None, (_said(p) for p in problems))))
    contexts = [body.get("context"), *(p.get("context") for p in problems)]
    found = [str(p["name"]) for p in problems if isinstance(p.get("name"), str)]
    found += [v for context in contexts for k, v in _pairs(context) if "propert" in k.lower()]
    codes = [p.get("code") or p.get("error") or p.get("subCategory") for p in problems]
    scopes = [v for context in contexts for k, v in _pairs(context) if k in _SCOPE_KEYS]
    if status == 403:
        scopes += _SCOPE.findall(text)
    return Refusal(
        status=_status(body, status),
        category=str(body.get("category") or body.get("errorType") or ""),
        words=("; ".join(said) or text)[:_WORDS_MAX],
        properties=tuple(dict.fromkeys(found)),
        codes=tuple(dict.fromkeys(str(code) for code in codes if code)),
        scopes=tuple(dict.fromkeys(scopes)),
    )


def in_words(body: Any, status: int) -> str:
    """What an error says, and which scopes are missing, in one line."""
    refusal = read(body, status)
    scopes = f" It needs {', '.join(refusal.scopes)}." if refusal.scopes else ""
    return " ".join(f"{refusal.words.rstrip('.')}.{scopes}".split())


def by_key(errors: Any, keys: Collection[str]) -> dict[str, Refusal]:
    """The errors of a batch by the input that each names in its context (ids, trace ids)."""
    found: dict[str, Refusal] = {}
    for error in _dicts(errors):
        contexts = [error.get("context"), *(p.get("context") for p in _dicts(error.get("errors")))]
        named = [
            v for context in contexts for k, v in _pairs(context) if "propert" not in k.lower()
        ]
        for key in [*named, str(error.get("id") or "")]:
            if key in keys:
                found[key] = read(error, 400)
    return found


def _status(body: dict[str, Any], status: int) -> int:
    """Inside a batch an error has no status of its own but a category."""
    if status != 400:
        return status
    known = {"OBJECT_NOT_FOUND": 404, "CONFLICT": 409, "MISSING_SCOPES": 403}
    return known.get(str(body.get("category") or ""), status)


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _pairs(context: Any) -> Iterator[tuple[str, str]]:
    """(key, text) of a context, whose values are texts or lists of texts."""
    for key, value in context.items() if isinstance(context, dict) else ():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str | int) and not isinstance(one, bool):
                yield str(key), str(one)


def _problems(message: str) -> list[dict[str, Any]]:
    """The list of problems that older messages hold as JSON."""
    found = _PROBLEMS.search(message)
    if found is None:
        return []
    try:
        return _dicts(json.loads(found[0]))
    except (ValueError, RecursionError):
        return []


def _said(problem: dict[str, Any]) -> str:
    message = problem.get("message")
    return message.strip() if isinstance(message, str) else ""


# --- as outcomes ----------------------------------------------------------------------------------


def outcome(action: Action, refusal: Refusal, names: Names) -> Rejected | NotDone:
    """What the refusal means for this one action."""
    if refusal.category in ("RATE_LIMITS", "RATE_LIMIT"):
        return NotDone(error=f"HubSpot: {refusal.words}")
    if refusal.status == 403:
        return _forbidden(refusal)
    if refusal.status in (404, 410):
        return _gone(action, refusal.words)
    if refusal.status in (413, 414):
        step = "Shorten the texts of this record; it is then tried again."
        return Rejected(code="too_long", words=refusal.words, next_step=step)
    if isinstance(action.payload, ContactChange | CrmContactDraft | MarkerChange):
        return _contact_refused(action.payload, refusal, names)
    if isinstance(action.payload, DealChange):
        return _deal_refused(action.payload, refusal, names)
    return _record_refused(refusal)


def _forbidden(refusal: Refusal) -> Rejected:
    scopes = ", ".join(refusal.scopes)
    step = f"Tick {scopes} for the key or app in HubSpot" if scopes else "Let the key or app do so"
    return Rejected(
        code="forbidden",
        words=refusal.words,
        next_step=f"{step}; it is tried again within the hour.",
    )


def _gone(action: Action, words: str) -> Rejected:
    if isinstance(action.payload, DealChange):
        code, what = "deal_gone", "or ignore this deal"
    elif isinstance(action.payload, ContactChange | MarkerChange):
        code, what = "contact_gone", "or ignore it"
    else:
        code, what = "record_gone", "or ignore this deal"
    return Rejected(
        code=code,
        words=words,
        next_step="It was deleted or merged: restore it in HubSpot within 90 days, "
        f"{what}. A merge is followed by itself.",
    )


def _record_refused(refusal: Refusal) -> Rejected:
    step = "Correct what HubSpot names; it is tried again once the deal changes."
    return Rejected(code="refused", words=refusal.words, next_step=step)


def _deal_refused(change: DealChange, refusal: Refusal, names: Names) -> Rejected:
    """A value of ours, by its property's name; or somebody's rule about another property."""
    by_code = {field.code: name for name, field in names.deal_fields.items()}
    ours = [by_code.get(code, code) for code in refusal.properties]
    ours = [name for name in ours if name in change.fields]
    words = _plain(refusal.words, names)
    others = [c for c in refusal.properties if by_code.get(c, c) not in change.fields]
    if others and not ours and not (change.move and set(others) & {"dealstage", "pipeline"}):
        return _rule(others, words, names)
    name = ours[0] if ours else (next(iter(change.fields)) if len(change.fields) == 1 else "")
    field, value = names.deal_fields.get(name), change.fields.get(name)
    if "PROPERTY_DOESNT_EXIST" in refusal.codes and name:
        return writing.field_missing(name, words)
    choice = field is not None and field.kind in (fields.CHOICE, fields.CHOICES)
    if "INVALID_OPTION" in refusal.codes and choice and value:
        return writing.option_missing(name, value, words)
    return writing.field_wrong(name if ours else "", words)


def _rule(codes: list[str], words: str, names: Names) -> Rejected:
    """An admin's rule of the account: it holds for people and, from 2026-09 on, for apps."""
    labels = ", ".join(f'"{names.titles.get(code, code)}"' for code in codes)
    return Rejected(
        code="crm_rule",
        words=words,
        field=codes[0],
        next_step=f"A rule in HubSpot asks for {labels}: fill it in on the deal, or change the "
        "rule. It is tried again within the hour.",
    )


def _plain(words: str, names: Names) -> str:
    """Internal names as people know them."""
    titles = {f.code: name for name, f in names.deal_fields.items()}
    for code in sorted({**names.titles, **titles}, key=len, reverse=True):
        if code in words:
            label = titles.get(code) or names.titles[code]
            words = re.sub(rf"(?<![\w-]){re.escape(code)}(?![\w-])", label, words)
    return words


#: How HubSpot calls a contact's own values where it refuses one.
_SPOKEN = {
    "email": "email", "phone": "phones", "mobilephone": "phones", "firstname": "first_name",
    "lastname": "last_name", "name": "name", "address": "postal", "address2": "postal",
    "city": "postal", "state": "postal", "zip": "postal", "country": "postal",
}  # fmt: skip


def _contact_refused(
    payload: ContactChange | CrmContactDraft | MarkerChange, refusal: Refusal, names: Names
) -> Rejected:
    """A duplicate by e-mail or marker, by the record that is there; else a refused value."""
    organization = writing.is_organization(payload)
    own, marker = contact_writing.own_fields("organization" if organization else "person", names)
    there = _EXISTING.search(refusal.words)
    if there is not None or refusal.status == 409:
        number = next(filter(None, there.groups()), "") if there else ""
        return _taken(number, organization, refusal.words, names)
    by_code = {field.code: key for key, field in own.items()}
    said = [by_code.get(code) or _SPOKEN.get(code) for code in refusal.properties]
    if marker and marker.code in refusal.properties:
        return contact_writing.marker_missing("organization" if organization else "person")
    sent = payload.values if not isinstance(payload, MarkerChange) else {}
    others = [c for c, key in zip(refusal.properties, said, strict=True) if key not in sent]
    if others and not any(key in sent for key in said):
        labels = ", ".join(others)
        return Rejected(
            code="crm_rule",
            words=refusal.words,
            field=others[0],
            next_step=f"A rule in HubSpot asks for {labels}: fill it in there, or change the rule. "
            "It is tried again within the hour.",
        )
    return contact_writing.refused(next((key for key in said if key), ""), refusal.words)


def _taken(number: str, organization: bool, words: str, names: Names) -> Rejected:
    page = names.page(f"{'org' if organization else 'person'}:{number}") if number else ""
    which = f"record {number} ({page})" if number else "another record"
    return Rejected(
        code="contact_exists",
        words=words,
        field="email" if not organization else "",
        next_step=f"In HubSpot {which} has it already. If the two are one, tie them with "
        "`syncjob match`; else correct the e-mail on one of them.",
    )
