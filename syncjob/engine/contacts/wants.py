"""Which customers a changed record makes worth deciding; nothing while contact sync is off."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec

from syncjob.core.markers import ledger_of_marker
from syncjob.core.records import Contact, Deal, Record, Side
from syncjob.engine.auditing import audit_link, tie_contacts
from syncjob.engine.batch import Batch

#: The kind of the lookup keys under which a customer's won deals are found.
DEAL_KEY = "deal.party"
#: The kinds under which CRM customers are found by name and e-mail.
CRM_NAME, CRM_EMAIL = "crm.name", "crm.email"
#: Counted up when what is indexed or decided changes, so that everything is decided anew.
_VERSION = 1
_GROUP = 500

STREAMS: tuple[tuple[Side, str], ...] = (("crm", "organizations"), ("crm", "persons"))


def is_on(batch: Batch) -> bool:
    """Whether contacts cross at all (`contacts.update`)."""
    return batch.config.contacts.update != "off"


def streams(batch: Batch) -> tuple[tuple[Side, str], ...]:
    """What is read besides, only while contact sync is on."""
    return STREAMS if is_on(batch) else ()


# --- records as they are read ------------------------------------------------------------------


def take_deal(batch: Batch, deal: Deal) -> None:
    """A won deal makes its customer one of those that cross."""
    if not is_on(batch):
        return
    parties = [p for p in (deal.org_id, deal.person_id) if p] if deal.status == "won" else []
    before = batch.state.snapshots.keys(deal.id, DEAL_KEY)
    batch.state.snapshots.index(deal.id, {DEAL_KEY: parties})
    if set(before) != set(parties):
        batch.state.contacts.want([*before, *parties], "a deal changed hands")


def take_crm(batch: Batch, contact: Contact, organizations: Sequence[str]) -> None:
    """A CRM record changed; `organizations` are those it belonged to so far. Call it before the
    record is indexed anew. A marker of ours in it restores a lost link."""
    if not is_on(batch):
        return
    links, state = batch.state.links, batch.state
    ledger_id = ledger_of_marker(batch.config.connection.code, contact.marker)
    free = ledger_id and not links.contact(contact.id) and not links.contact_owner(ledger_id)
    if ledger_id and free and not contact.deleted:
        tie_contacts(batch, contact.id, ledger_id, how="marker")
    state.contacts.want([contact.id], "the CRM's record changed")
    homes = [*organizations, *state.contacts.organization_of(contact.id)]
    if contact.organization_id:
        homes.append(contact.organization_id)
    state.contacts.want(homes, "one of its people changed")


def follow_merge(batch: Batch, contact: Contact) -> None:
    """A ledger contact that was merged: its link moves to the survivor, which says other things,
    on which nobody has agreed yet."""
    if contact.merged_into is None:
        return
    links = batch.state.links
    owner = links.contact_owner(contact.id)
    links.repoint_contact(contact.id, contact.merged_into)
    if owner is not None and links.contact(owner) == contact.merged_into:
        audit_link(batch, owner, contact.id, contact.merged_into, how="merged in the ledger")
        batch.state.contacts.drop_base(owner)


def take_ledger(batch: Batch, contact: Contact) -> None:
    """A ledger contact changed: its customer, or itself if it has none."""
    if not is_on(batch):
        return
    ids = [contact.id, *([contact.merged_into] if contact.merged_into else [])]
    batch.state.contacts.want([key_of(batch, i) for i in ids], "the ledger's contact changed")


def key_of(batch: Batch, ledger_id: str) -> str:
    """The customer that a ledger contact is: its CRM record, else itself."""
    return batch.state.links.contact_owner(ledger_id) or f"ledger:{ledger_id}"


def stripped(batch: Batch, records: Sequence[Record]) -> Sequence[Record]:
    """What may be kept of records: of those to be forgotten, their ids and numbers alone."""
    if not batch.state.contacts.any_ended():
        return records
    return [
        bare(record)
        if isinstance(record, Contact) and batch.state.contacts.ended(record.id)
        else record
        for record in records
    ]


def bare(contact: Contact) -> Contact:
    """A contact that is forgotten: without anything that says who it is."""
    return Contact(
        id=contact.id, kind=contact.kind, name=None, updated=contact.updated, page=contact.page,
        marker=contact.marker, archived=contact.archived, deleted=contact.deleted,
        forgotten=True, merged_into=contact.merged_into,
        is_customer=contact.is_customer, is_supplier=contact.is_supplier,
        sales_tax=contact.sales_tax, terms=contact.terms, currency=contact.currency,
        organization_id=contact.organization_id,
    )  # fmt: skip


# --- everything anew ---------------------------------------------------------------------------


def want_changed_config(batch: Batch) -> None:
    """When contact sync is switched on (again), or its rules change, every customer is decided
    anew; a trial of one deal leaves that to the next batch."""
    book, said = batch.state.book, batch.config.contacts.model_dump_json()
    now = hashlib.sha256(f"{_VERSION}|{said}".encode()).hexdigest()[:16] if is_on(batch) else None
    if book.fact("contacts_decided_with") == now or batch.options.deal is not None:
        return
    if now is None:
        with batch.state.commit():
            book.note("contacts_decided_with", None)
        return
    _index_deals(batch)
    with batch.state.commit():
        batch.state.contacts.want_all(ledger=batch.config.contacts.create_in_crm)
        book.note("contacts_decided_with", now)


def _index_deals(batch: Batch) -> None:
    """The won deals by customer, from what was read before anyone asked for that."""
    ids = batch.state.snapshots.ids("crm", "deals")
    for start in range(0, len(ids), _GROUP):
        with batch.state.commit():
            for deal_id in ids[start : start + _GROUP]:
                deal = batch.state.snapshots.get("crm", "deals", deal_id, Deal)
                if deal is not None:
                    take_deal(batch, deal)


def answers(batch: Batch, key: str) -> dict[str, tuple[str, str]]:
    """A person's words about this customer's fields: whose value, and for which values."""
    known = batch.state.book.fact(f"answer:contact:{key}")
    return msgspec.json.decode(known, type=dict[str, tuple[str, str]]) if known else {}
