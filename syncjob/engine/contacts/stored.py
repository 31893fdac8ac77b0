"""What an answer to a contact's write means for the state: snapshot, link, and what both agreed on.

The base of the side that was written is that server's own answer; the base of the other side is
what it said when the write was decided, so that an edit made there meanwhile still counts.
"""

from __future__ import annotations

import msgspec

from syncjob.core.actions import Action, ContactChange, ContactDraft, CrmContactDraft, MarkerChange
from syncjob.core.contacts.case import crm_values, holds
from syncjob.core.contacts.fields import Values, values_of
from syncjob.core.contacts.merge import agreed
from syncjob.core.contacts.words import NAMES
from syncjob.core.markers import contact_of_marker
from syncjob.core.records import Contact, Side
from syncjob.engine.auditing import tie_contacts
from syncjob.engine.batch import Batch
from syncjob.engine.contacts.cases import load_contact, load_contact_context
from syncjob.engine.contacts.wants import answers, is_on
from syncjob.engine.pull import store_records
from syncjob.state.fields import Pair


def contact_stored(batch: Batch, action: Action, record: object, *, settled: bool) -> None:
    """A contact was made, changed or marked; call it inside a commit."""
    payload = action.payload
    assert isinstance(payload, CrmContactDraft | ContactChange | MarkerChange | ContactDraft)
    found = record if isinstance(record, Contact) else None
    if found is not None:
        side: Side = "crm" if action.side == "crm" else "ledger"
        store_records(batch, side, "contacts", [found], strong=True)
    if isinstance(payload, ContactDraft) and found is not None:
        _made_in_ledger(batch, payload, found)
    apart = isinstance(payload, ContactChange) and payload.apart
    if isinstance(payload, MarkerChange) or not (apart or is_on(batch)):
        return
    if isinstance(payload, CrmContactDraft) and found is not None:
        _made_in_crm(batch, action, payload, found)
    key = _pair(batch, action, found)
    if key is not None:
        agree(batch, action, key, _now(batch, action, found, settled=settled))
    _want(batch, action, key)


def agree(batch: Batch, action: Action, key: str, stored: Values) -> None:
    """Both sides agree on these fields of the write; a person's word on them is used up."""
    payload = action.payload
    assert isinstance(payload, CrmContactDraft | ContactChange | ContactDraft)
    if isinstance(payload, ContactChange) and payload.apart:
        put_back = {field: stored[field] for field in payload.values if field in stored}
        _rest(batch, action, key, put_back)
        return
    country = _country(batch)
    base, fields = batch.state.contacts.base(key), payload.follows.keys() & stored.keys()
    said = answers(batch, key)
    found: dict[str, Pair] = {}
    for field in fields:
        both = (stored[field], payload.follows[field])
        now = both if action.side == "crm" else both[::-1]
        # A person's word ends what was agreed before: a list that has no room for all is left so.
        found[field] = agreed(field, now, None if field in said else base.get(field), country)
    batch.state.contacts.agree(key, found)
    left = {f: word for f, word in said.items() if f not in found}
    rest = msgspec.json.encode(left).decode() if left else None
    batch.state.book.note(f"answer:contact:{key}", rest)


def _rest(batch: Batch, action: Action, key: str, stored: Values) -> None:
    """What was put back on one side, and what the other says, is what they agree on, though it
    differs: the merge then rests until one of them changes. What somebody has edited meanwhile is
    read later, and so counts as such a change."""
    case = load_contact(batch, key)
    if case is None or case.crm is None or case.ledger is None:
        return  # parted meanwhile
    payload, context = action.payload, load_contact_context(batch)
    assert isinstance(payload, ContactChange)
    crm, ledger = crm_values(case, context), values_of(case.ledger)
    written = payload.contact_id  # it may have another partner by now, and the pair another base
    fields = [f for f in stored if f in crm and holds(case, context, action.side, written, f)]
    both = {f: (crm[f], stored[f]) for f in fields}
    if action.side == "crm":
        both = {f: (stored[f], ledger[f]) for f in fields}
    batch.state.contacts.agree(case.crm.id, both)


def words_of(action: Action) -> str:
    """What a write did, for the table: "ledger: e-mail, phones changed"."""
    payload = action.payload
    side = "CRM" if action.side == "crm" else "ledger"
    if isinstance(payload, ContactChange):
        return f"{side}: {', '.join(NAMES.get(f, f) for f in payload.values)} changed"
    if isinstance(payload, CrmContactDraft):
        return f"{payload.kind} created in the CRM"
    return f"{side}: linked by our marker"


def changed_contact(batch: Batch, action: Action) -> Contact | None:
    """The record that a refused write was for: its next change deserves another try."""
    payload, get = action.payload, batch.state.snapshots.get
    if isinstance(payload, ContactChange | MarkerChange):
        side: Side = "crm" if action.side == "crm" else "ledger"
        return get(side, "contacts", payload.contact_id, Contact)
    owner = _pair(batch, action, None)
    ledger_id = batch.state.links.contact(owner) if owner else None
    ledger_id = ledger_id or action.subject.removeprefix("contact:ledger:")
    return get("ledger", "contacts", ledger_id, Contact)


def _country(batch: Batch) -> str | None:
    ledger = batch.ledger_reference
    return batch.config.contacts.country or (ledger.organisation.country if ledger else None)


def _pair(batch: Batch, action: Action, record: Contact | None) -> str | None:
    """The CRM customer whose link this write concerns."""
    payload, links = action.payload, batch.state.links
    if isinstance(payload, ContactDraft):
        return contact_of_marker(batch.config.connection.code, payload.marker)
    if isinstance(payload, CrmContactDraft):
        return payload.organization_id or (record.id if record else None)
    key = action.subject.removeprefix("contact:")
    if key.startswith("ledger:"):
        return links.contact_owner(key.removeprefix("ledger:"))
    return key


def _now(batch: Batch, action: Action, record: Contact | None, *, settled: bool) -> Values:
    """What the server stored of the written fields: its answer, or after a look-up the form that
    it is known to give to what was sent."""
    form = batch.side("crm" if action.side == "crm" else "ledger").stored_form(action)
    answered = values_of(record) if record is not None else {}
    if settled or record is None:
        return {**answered, **{f: v for f, v in form.items() if f in answered or not answered}}
    if isinstance(action.payload, ContactChange):
        return {f: answered[f] for f in action.payload.values}
    return answered


def _made_in_ledger(batch: Batch, draft: ContactDraft, made: Contact) -> None:
    marked = contact_of_marker(batch.config.connection.code, draft.marker)
    crm_id = batch.state.merges.survivor("contacts", marked) if marked else None
    links = batch.state.links
    if crm_id and not links.contact(crm_id) and not links.contact_owner(made.id):
        tie_contacts(batch, crm_id, made.id, how="created")


def _made_in_crm(batch: Batch, action: Action, draft: CrmContactDraft, made: Contact) -> None:
    """The new record is the ledger contact's partner, or its organization's main person."""
    links = batch.state.links
    if draft.organization_id is not None:
        batch.state.contacts.remember_person(draft.organization_id, made.id)
        return
    ledger_id = action.subject.removeprefix("contact:ledger:")
    if not links.contact(made.id) and not links.contact_owner(ledger_id):
        tie_contacts(batch, made.id, ledger_id, how="created")


def _want(batch: Batch, action: Action, key: str | None) -> None:
    """Look at the customer once more: what is left to do follows from what was stored."""
    keys = [key] if key else []
    if action.subject.startswith("contact:"):
        keys.append(action.subject.removeprefix("contact:"))
    batch.state.contacts.want(keys, "its last write was stored")
