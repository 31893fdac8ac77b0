"""What Xero made of each action of a call: read element by element, verified, never assumed.

HTTP 200 means nothing by itself (facts: xero, 3): each element says for itself whether it was
stored. An element belongs to an action only if it bears that action's own key (our marker, or the
record's id); a refused one that echoes no key may take its place in the row if all others stand
in theirs. What cannot be told apart is Unknown and is settled by look-up. Nothing here raises.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from syncjob.connectors.xero import codec_papers_read, codec_read, words
from syncjob.connectors.xero.codec_read import Pages
from syncjob.connectors.xero.values import Fields
from syncjob.core.actions import (
    Action,
    ContactChange,
    ContactDraft,
    CreditDraft,
    InvoiceChange,
    InvoiceDraft,
    InvoiceEmail,
    InvoiceUpdate,
    MarkerChange,
    NotDone,
    Outcome,
    Rejected,
    Stale,
    Stored,
    TemplateChange,
    TemplateDraft,
    Unknown,
)
from syncjob.core.markers import marker_in, other_marker_in
from syncjob.core.records import Contact, CreditNote, Invoice, Template
from syncjob.errors import SchemaDrift
from syncjob.transport.parse import excerpt
from syncjob.transport.wire import Answer

#: Refusals of the request as such: the group is too large, unreadable, or one of it is not there.
_REFUSED_WHOLE = frozenset({400, 404, 405, 409, 412, 413, 415, 422})

#: What a status must have become for the change to count as made.
_REACHED = {"authorised": {"authorised", "paid"}, "deleted": {"deleted", "voided"}}


def outcomes(actions: Sequence[Action], answer: Answer, pages: Pages) -> list[Outcome]:
    """One outcome for each action, in their order."""
    status = answer.status
    if isinstance(actions[0].payload, InvoiceEmail) and status in (200, 204):
        return [Stored(record=None) for _ in actions]  # Xero answers with nothing (spec)
    if status == 200:
        return _read(actions, answer, pages)
    if status in _REFUSED_WHOLE:
        return _refused(actions, answer)
    if status in (401, 403, 429):
        said = f"Xero did not let the call in ({status}): {excerpt(answer.body)}"
        return [NotDone(error=said) for _ in actions]
    return _unknown(actions, f"Xero answered {status}: {excerpt(answer.body)}")


def _unknown(actions: Sequence[Action], why: str) -> list[Outcome]:
    return [Unknown(error=why) for _ in actions]


# --- a 200: each element for itself --------------------------------------------------------------


def _read(actions: Sequence[Action], answer: Answer, pages: Pages) -> list[Outcome]:
    try:
        elements = _elements(answer, _plural(actions[0]))
        owned = _assign(actions, elements)
    except SchemaDrift as drift:
        return _unknown(actions, str(drift))
    return [
        _outcome(action, element, pages) for action, element in zip(actions, owned, strict=True)
    ]


def _plural(action: Action) -> str:
    match action.payload:
        case ContactDraft() | MarkerChange() | ContactChange():
            return "Contacts"
        case TemplateDraft() | TemplateChange():
            return "RepeatingInvoices"
        case CreditDraft():
            return "CreditNotes"
    return "Invoices"


def _elements(answer: Answer, plural: str) -> list[Fields]:
    found = Fields(answer.json(), "answer").objects(plural)
    if found is None:
        raise SchemaDrift(f"Xero's answer has no {plural}.", where=answer.url)
    return found


def _assign(actions: Sequence[Action], elements: Sequence[Fields]) -> list[Fields | None]:
    """The element of each action, by key; by position only for a refused one without a key."""
    by_key: dict[str, list[Fields]] = {}
    keyless: dict[int, Fields] = {}
    borne = [_key_of(element, actions[0]) for element in elements]
    for position, (element, key) in enumerate(zip(elements, borne, strict=True)):
        if key is None:
            keyless[position] = element
        else:
            by_key.setdefault(key, []).append(element)
    keys = [_key(action) for action in actions]
    in_place = len(elements) == len(actions) and all(
        key is None or key == keys[position] for position, key in enumerate(borne)
    )
    owned: list[Fields | None] = []
    for position, key in enumerate(keys):
        found = by_key.get(key, [])
        spare = keyless.get(position) if in_place else None
        if len(found) == 1:
            owned.append(found[0])
        else:
            owned.append(spare if spare is not None and _failed(spare) else None)
    return owned


def _key(action: Action) -> str:
    """What tells this action's element from all others of the call."""
    match action.payload:
        case ContactDraft(marker=marker) | InvoiceDraft(marker=marker):
            return marker
        case TemplateDraft(marker=marker) | CreditDraft(marker=marker):
            return marker
        case (
            MarkerChange(contact_id=id)
            | ContactChange(contact_id=id)
            | InvoiceChange(invoice_id=id)
            | InvoiceUpdate(invoice_id=id)
            | InvoiceEmail(invoice_id=id)
        ):
            return id.lower()
        case TemplateChange(template_id=id):
            return id.lower()
        case _:
            raise ValueError(f"Xero has nothing for {action.kind}")


def _key_of(element: Fields, like: Action) -> str | None:
    """The key that an element bears, of the kind that the call's actions have."""
    match like.payload:
        case ContactDraft():
            return element.text("ContactNumber")
        case InvoiceDraft():
            url, reference = element.text("Url"), element.text("Reference")
            return marker_in(url, reference, element.text("InvoiceNumber"))
        case TemplateDraft() | CreditDraft():
            return other_marker_in(element.text("Reference"))
        case MarkerChange() | ContactChange():
            return element.id("ContactID")
        case TemplateChange():
            return element.id("RepeatingInvoiceID")
        case _:
            return element.id("InvoiceID")


def _failed(element: Fields) -> bool:
    """Whether the element says of itself that it was not stored."""
    return (
        element.text("StatusAttributeString") == "ERROR"
        or element.flag("HasErrors")
        or element.flag("HasValidationErrors")
        or bool(_messages(element, "ValidationErrors"))
    )


def _messages(element: Fields, name: str) -> tuple[str, ...]:
    texts = (item.text("Message") for item in element.objects(name) or ())
    return tuple(dict.fromkeys(text for text in texts if text))


def _outcome(action: Action, element: Fields | None, pages: Pages) -> Outcome:
    if element is None:
        return Unknown(error="Xero's answer has no element that bears this action's key.")
    try:
        if _failed(element):
            return _refusal(action, _messages(element, "ValidationErrors"))
        record = _record(action, element, pages)
        doubt = _doubt(action, record)
        warnings = _messages(element, "Warnings")
    except SchemaDrift as drift:
        return Unknown(error=str(drift))
    return Unknown(error=doubt) if doubt else Stored(record=record, warnings=warnings)


def _refusal(action: Action, messages: Sequence[str]) -> Outcome:
    """A change that came too late is planned again; everything else is the record's own fault."""
    refused = words.rejected(messages)
    late = refused.code == words.STATUS_CONFLICT and isinstance(
        action.payload, InvoiceChange | InvoiceUpdate
    )
    return Stale(current=None) if late else refused


_Made = Contact | Invoice | Template | CreditNote


def _record(action: Action, element: Fields, pages: Pages) -> _Made:
    if isinstance(action.payload, ContactDraft | MarkerChange | ContactChange):
        return codec_read.contact(element, pages)
    if isinstance(action.payload, CreditDraft):
        return codec_read.credit_note(element, pages)
    if isinstance(action.payload, TemplateDraft | TemplateChange):
        made = codec_papers_read.template(element, pages)
        if made is None:
            raise SchemaDrift("Xero answers with a repeating bill.", where=action.target)
        return made
    return codec_read.invoice(element, pages)


def _doubt(action: Action, record: _Made) -> str | None:
    """Why an element without errors does not show what was asked for; None if it does."""
    match action.payload, record:
        case InvoiceUpdate(), Invoice(status=status) if status != "draft":
            return f"Xero reports no error, yet the invoice is {status}."
        case ((InvoiceDraft() | InvoiceUpdate()), Invoice(lines=lines)):
            # Without its lines the answer cannot be the base: they would seem a person's edit.
            if not lines:
                return "Xero reports no error, yet shows no lines of the invoice."
        case InvoiceChange(status=wanted), Invoice(status=status):
            if status not in _REACHED[wanted]:
                return f"Xero reports no error, yet the invoice is {status}."
        case MarkerChange(marker=marker), Contact():
            if record.marker != marker:
                return "Xero reports no error, yet the contact does not bear the marker."
        case TemplateChange(), Template(status=status) if status != "deleted":
            return f"Xero reports no error, yet the repeating invoice is {status}."
        case (
            (TemplateDraft() | CreditDraft()),
            (Template(status=status) | CreditNote(status=status)),
        ) if status != "draft":
            return f"Xero reports no error, yet what was made is {status} and no draft."
    return None


# --- refused whole: nothing was saved ------------------------------------------------------------


class _Whole(msgspec.Struct, frozen=True, kw_only=True):
    """A call refused whole: what was said of it, and of which keys."""

    said: str
    of_key: dict[str, Rejected]


def _refused(actions: Sequence[Action], answer: Answer) -> list[Outcome]:
    """The elements that are named are rejected; the others did nothing and are planned again."""
    whole = _whole(answer, actions[0])
    if "idempotency key" in whole.said.lower():
        return [NotDone(error=whole.said) for _ in actions]
    for_all = words.rejected((whole.said,))
    if for_all.scope == "organisation":
        return [for_all for _ in actions]
    named = [whole.of_key.get(_key(action)) for action in actions]
    if any(named):
        return [
            rejection or NotDone(error=f"Another record of the call was refused: {whole.said}")
            for rejection in named
        ]
    if len(actions) == 1:
        said = tuple(of.words for of in whole.of_key.values()) or (whole.said,)
        return [words.rejected(said)]
    return [NotDone(error=whole.said, halve=True) for _ in actions]


def _whole(answer: Answer, like: Action) -> _Whole:
    fallback = f"Xero refused the call ({answer.status}): {excerpt(answer.body)}"
    try:
        body = Fields(answer.json(), "answer")
        texts = [body.text(name) for name in ("Type", "Title", "Message", "Detail")]
        found: dict[str, Rejected] = {}
        for number, element in enumerate(body.objects("Elements") or ()):
            messages = _messages(element, "ValidationErrors")
            if messages:
                found[_key_of(element, like) or f"#{number}"] = words.rejected(messages)
    except SchemaDrift:
        return _Whole(said=fallback, of_key={})
    said = ": ".join(dict.fromkeys(text for text in texts if text))
    return _Whole(said=said or fallback, of_key=found)
