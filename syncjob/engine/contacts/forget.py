"""A person is forgotten: the sync ends, personal values go, ids, amounts and numbers stay.

What may hold such values is looked through row by row, since a name or an address can stand in an
issue, an audit line or the bytes of a call as well as in a snapshot (BOOKKEEPING, "Whose
customer"). It happens seldom, so it may take a scan.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import msgspec

from syncjob.core.contacts.fields import decode_address, decode_list, decode_people, values_of
from syncjob.core.markers import contact_marker
from syncjob.core.page import MONEY_FACT
from syncjob.core.records import Contact, Side
from syncjob.engine.batch import Batch
from syncjob.engine.contacts.wants import bare
from syncjob.engine.nearby import PEOPLE_KEY
from syncjob.state.contacts import FORGOTTEN
from syncjob.transport.post import MAIL
from syncjob.transport.wire import Request

#: What stands where a personal value stood.
BLANK = "(forgotten)"
#: Shorter texts are in too many words to be replaced wherever they stand.
_LENGTH_MIN = 3
#: (table, column) whose texts may name a person. Keys, ids and amounts stand in others.
_TEXTS = (
    ("audit", "reason"), ("issue", "what"), ("issue", "next_step"), ("inbox", "reason"),
    ("inbox", "outcome"), ("parked", "issue"), ("cancelled", "reason"), ("intent", "action"),
    ("intent", "outcome"), ("call", "answer"), ("near", "body"), ("ruling", "words"),
)  # fmt: skip
#: Tables whose rows hold values by field (state/fields.py).
_FIELDS = ("audit", "base")
#: Fields of a contact that say nothing of who it is.
_PLAIN = ("marker", "currency", "terms", "status")
#: The one lookup key that says nothing of a person: our own marker.
_KEPT = "contact.marker"


def forget_contact(batch: Batch, ledger_id: str) -> None:
    """The ledger holds a request to erase this person: obeyed as soon as it is read, whether or
    not contacts are synced."""
    if batch.state.contacts.ended(ledger_id) is None:
        forget(batch, batch.state.links.contact_owner(ledger_id), ledger_id)


def forget(batch: Batch, crm_id: str | None, ledger_id: str | None) -> None:
    """End the sync of this customer and blank what says who it is; call it inside a commit."""
    state = batch.state
    found: list[tuple[Side, Contact]] = []
    ids: list[tuple[Side, str | None]] = [("crm", crm_id), ("ledger", ledger_id)]
    ids += [("crm", person) for person in _people(batch, crm_id, ledger_id)]
    for side, record_id in ids:
        if record_id is None:
            continue
        state.contacts.end(record_id, FORGOTTEN, batch=batch.id)
        state.matches.drop_of(record_id, ("pair", "crm_double", "ledger_double"))
        state.snapshots.unindex(record_id, keep=_KEPT)
        record = state.snapshots.get(side, "contacts", record_id, Contact)
        if record is not None:
            found.append((side, record))
    targets = _targets(batch, [i for _, i in ids if i], crm_id)
    past = {text for value in state.contacts.said(targets, _PLAIN) for text in _leaves(value)}
    for side, record in found:
        state.snapshots.replace(side, "contacts", bare(record))
    state.contacts.drop_bases(targets)
    if crm_id:
        state.book.note(f"answer:contact:{crm_id}", None)
    state.book.note(MONEY_FACT, None)  # counted anew, without the name, as the batch ends
    _blank(batch, past | {text for _, record in found for text in _texts(record)})
    batch.counts["forgotten"] += 1
    batch.log.info("contact.forgotten", crm=crm_id, ledger=ledger_id)


def _people(batch: Batch, crm_id: str | None, ledger_id: str | None) -> list[str]:
    """The CRM's persons who go with the customer: the main one, and whom the ledger names too."""
    if crm_id is None:
        return []
    get, main = batch.state.snapshots.get, batch.state.contacts.person(crm_id)
    ledger = get("ledger", "contacts", ledger_id, Contact) if ledger_id else None
    found = {main} if main else set()
    for person_id in batch.state.snapshots.find(PEOPLE_KEY, crm_id):
        person = get("crm", "contacts", person_id, Contact)
        if person and ledger and _signs(person) & _signs(ledger):
            found.add(person_id)
    return sorted(found)


def _signs(contact: Contact) -> set[str]:
    names = " ".join(filter(None, (contact.first_name, contact.last_name)))
    return {sign.casefold() for sign in (names, *contact.emails) if sign}


def _targets(batch: Batch, ids: list[str], crm_id: str | None) -> list[str]:
    """Under which names bases and audit speak of this customer."""
    targets = [f"contact:{i}" for i in ids]
    for one in (crm_id, *batch.state.merges.merged_into("contacts", crm_id)) if crm_id else ():
        marker = contact_marker(batch.config.connection.code, one)
        targets += [f"pair:{one}", f"contact:{one}", f"contact:{marker}"]
    return targets


def _leaves(value: str) -> Iterator[str]:
    """The texts in a field's value: the lines of a list, the parts of an address."""
    for line in value.split("\n"):
        parts = msgspec.json.decode(line) if line.startswith("{") else line
        listed = parts.values() if isinstance(parts, dict) else [parts]
        for part in listed:
            yield from part if isinstance(part, list) else [part]


def _texts(contact: Contact) -> Iterator[str]:
    """Everything personal that a contact says, each as a text that can be looked for."""
    values = values_of(contact)
    for field in ("name", "first_name", "last_name", "email", "tax_number"):
        yield values[field] or ""
    yield " ".join(filter(None, (contact.first_name, contact.last_name)))
    for field in ("emails", "phones"):
        yield from decode_list(values[field])
    yield from contact.copied
    for field in ("postal", "street"):
        address = decode_address(values[field])
        if address is not None:
            yield from (*address.lines, address.text or "", address.postal_code or "")
    for person in decode_people(values["people"]):
        yield from (person.first_name or "", person.last_name or "", person.email or "")


def _blank(batch: Batch, texts: set[str]) -> None:
    """Replace these texts wherever a row may hold them, as typed and as JSON and pages write
    them."""
    forms = {form for text in texts if len(text) >= _LENGTH_MIN for form in _forms(text)}
    if not forms:
        return
    ordered = sorted(forms, key=len, reverse=True)
    begins = r"(?:(?<!\w)|(?<=\\n))"  # of a word, or of a line that JSON wrote
    wanted = re.compile("|".join(rf"{begins}{re.escape(form)}(?!\w)" for form in ordered))
    for table, column in _TEXTS:
        batch.state.contacts.rewrite(table, column, lambda text: wanted.sub(BLANK, text))
    for table in _FIELDS:
        batch.state.contacts.rewrite_fields(table, lambda text: wanted.sub(BLANK, text))
    batch.state.contacts.rewrite("call", "request", lambda text: _in_bytes(text, wanted))


def _forms(text: str) -> Iterator[str]:
    """The text as typed, as a page writes it, as JSON does with accents or without, and as JSON
    within JSON does."""
    yield text
    yield html.escape(text, quote=False)
    for ascii_only in (True, False):
        once = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
        yield once
        yield json.dumps(once, ensure_ascii=False)[1:-1]


def _in_bytes(text: str, wanted: re.Pattern[str]) -> str:
    """A journaled request with its bytes rewritten: a call that is over is never sent again."""
    request = msgspec.json.decode(text, type=Request)
    if request.url.startswith(f"{MAIL}:"):  # its form breaks words and hides accents
        body = BLANK.encode() if wanted.search(_mail_text(request.body)) else request.body
    else:
        body = wanted.sub(BLANK, request.body.decode(errors="replace")).encode()
    if body == request.body:
        return text
    return msgspec.json.encode(msgspec.structs.replace(request, body=body)).decode()


def _mail_text(body: bytes) -> str:
    """An e-mail's subject and text as a person reads them."""
    mail = message_from_bytes(body, _class=EmailMessage, policy=default)
    return f"{mail['Subject']}\n{mail.get_content()}"
