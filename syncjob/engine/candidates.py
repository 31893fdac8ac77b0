"""The ledger contacts that might be a CRM customer, by link, marker, name, e-mail and match."""

from __future__ import annotations

from syncjob.core.markers import contact_marker
from syncjob.core.records import Contact
from syncjob.core.rules.matching import Candidates, Near, email_key, name_key
from syncjob.engine.batch import Batch

#: A merge in the ledger may lead to a contact that was merged too; longer chains are a loop.
MERGES_MAX = 5


def find_candidates(
    batch: Batch, party_id: str | None, party: Contact | None, person: Contact | None
) -> Candidates:
    """The ledger contacts that might be this customer, each followed through its merges."""
    if party_id is None:
        return Candidates()
    find = batch.state.snapshots.find
    linked = batch.state.links.contact(party_id)
    marker = contact_marker(batch.config.connection.code, party_id)
    names = [name_key(party.name)] if party and party.name else []
    emails = {email_key(e) for c in (party, person) if c for e in c.emails} - {""}
    marked = _contacts(batch, find("contact.marker", marker))
    return Candidates(
        near=_near(batch, party_id),
        rivals=_rivals(batch, party_id),
        apart=batch.state.matches.apart_from(party_id),
        linked=survivor(batch, linked) if linked else None,
        by_marker=marked[0] if marked else None,
        by_name=_contacts(batch, [i for name in names for i in find("contact.name", name)]),
        by_email=_contacts(batch, [i for e in sorted(emails) for i in find("contact.email", e)]),
    )


def _near(batch: Batch, party_id: str) -> tuple[Near, ...]:
    """The customer's undecided matches with contacts that are still there, best first."""
    links, made = batch.state.links, []
    for found in batch.state.matches.of(party_id):
        contact = survivor(batch, found.second) if found.kind == "pair" else None
        if contact is not None and not contact.deleted:
            agreeing = "; ".join(found.agrees) or found.because
            owner = links.contact_owner(contact.id)
            made.append(Near(contact=contact, because=agreeing, owner=owner))
    return tuple({near.contact.id: near for near in reversed(made)}.values())[::-1]


def _rivals(batch: Batch, party_id: str) -> tuple[Contact, ...]:
    """The contacts of the customers that were merged into this one, if they are several."""
    olds = batch.state.merges.merged_into("contacts", party_id)
    linked = [i for crm_id in (*olds, party_id) if (i := batch.state.links.contact(crm_id))]
    found = _contacts(batch, linked) if olds else ()
    return found if len(found) > 1 else ()


def _contacts(batch: Batch, ids: list[str]) -> tuple[Contact, ...]:
    found = (survivor(batch, contact_id) for contact_id in dict.fromkeys(ids))
    return tuple({c.id: c for c in found if c is not None}.values())


def survivor(batch: Batch, contact_id: str) -> Contact | None:
    """The ledger contact of this id, or the one that it was merged into."""
    for _ in range(MERGES_MAX):
        contact = batch.state.snapshots.get("ledger", "contacts", contact_id, Contact)
        if contact is None or not contact.merged_into:
            return contact
        contact_id = contact.merged_into
    return None


def owners_of(batch: Batch, candidates: Candidates) -> dict[str, str]:
    """Which CRM contacts the candidates are linked with."""
    ids = {c.id for c in (*candidates.by_name, *candidates.by_email)}
    ids |= {c.id for c in (candidates.linked, candidates.by_marker) if c}
    owners = {ledger_id: batch.state.links.contact_owner(ledger_id) for ledger_id in ids}
    return {ledger_id: owner for ledger_id, owner in owners.items() if owner}
