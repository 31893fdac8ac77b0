"""A new CRM customer is compared with the ledger's contacts before one is created for it.

The same match as at set-up (core/match), but for one customer at a time: an index of signs brings
the few contacts that may be it, so that the work follows what is new and not what is there. What
looks like it waits for a person (state/matches); nothing is linked here. The match, with what it
compares words and numbers by, is loaded by the first contact: most batches see none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from syncjob.core.contacts.payloads import ContactDraft
from syncjob.core.customers import (
    Customer,
    as_asked,
    customer,
    digest,
    party,
    party_of_draft,
    proposal,
)
from syncjob.core.markers import contact_of_marker
from syncjob.core.match.parameters import DEFAULT, Parameters
from syncjob.core.match.records import Known, PartyKind
from syncjob.core.records import Contact, Side
from syncjob.core.review import Proposal
from syncjob.engine.batch import Batch

#: The kinds of the lookup keys under which the contacts of each side are found by their signs.
NEAR_KEY, CRM_NEAR_KEY = "contact.near", "crm.near"
#: The kind under which a CRM organization's people are found.
PEOPLE_KEY = "contact.people"
_KEYS_FACT = "match_keys"
_GROUP = 500
#: So many customers are remembered as compared by this batch; of a larger load some are compared
#: twice, instead of all being kept in memory.
COMPARED_MAX = 5_000
_SIDES: tuple[tuple[Side, str], ...] = (("ledger", NEAR_KEY), ("crm", CRM_NEAR_KEY))


def parameters(batch: Batch, *, others: int = 0) -> Parameters:
    """The match's parameters for this connection: phones without a country are the config's, else
    the ledger's."""
    ledger = batch.ledger_reference
    own = ledger.organisation.country if ledger else None
    country = batch.config.contacts.country or own
    return msgspec.structs.replace(DEFAULT, country=country, others=others)


# --- the index ------------------------------------------------------------------------------------


def near_keys(contact: Contact) -> list[str]:
    """The signs of a contact by itself; none for one that is nobody's any more."""
    if contact.deleted or contact.merged_into:
        return []
    from syncjob.core.match.keys import blocking_keys

    return list(blocking_keys(party(customer(contact))))


def people_keys(contact: Contact) -> list[str]:
    """The organization that a CRM person belongs to."""
    return [contact.organization_id] if contact.organization_id and not contact.deleted else []


def index_all(batch: Batch) -> None:
    """Give every contact its signs, once after they came to be, or were made otherwise."""
    from syncjob.core.match.keys import keys_version

    book, snapshots = batch.state.book, batch.state.snapshots
    if book.fact(_KEYS_FACT) == keys_version():
        return
    for side, kind in _SIDES:
        ids = snapshots.ids(side, "contacts")
        for start in range(0, len(ids), _GROUP):
            with batch.state.commit():
                for contact_id in ids[start : start + _GROUP]:
                    contact = snapshots.get(side, "contacts", contact_id, Contact)
                    if contact is not None:
                        snapshots.index(contact_id, {kind: near_keys(contact)})
    with batch.state.commit():
        book.note(_KEYS_FACT, keys_version())


# --- one customer ---------------------------------------------------------------------------------


def note_near(batch: Batch, crm_ids: Iterable[str]) -> set[str]:
    """Compare these CRM customers with the ledger's contacts, and remember what a person must
    decide; those that are linked are settled. Returns those that look like one as never before."""
    index_all(batch)
    if len(batch.compared) > COMPARED_MAX:
        batch.compared.clear()
    new = [i for i in dict.fromkeys(crm_ids) if i not in batch.compared and _open(batch, i)]
    batch.compared.update(new)
    alike: set[str] = set()
    for crm_id in new:
        one = crm_customer(batch, crm_id)
        if one is not None and _remember(batch, one, _found(batch, one)):
            alike.add(crm_id)
    return alike


def note_near_of_ledger(batch: Batch, ledger_ids: Iterable[str]) -> None:
    """The same for ledger contacts without partner: the CRM's customers that share a sign with one
    of them are compared with the ledger, before the CRM is given a new one."""
    index_all(batch)
    get = batch.state.snapshots.get
    found: dict[str, None] = {}
    for ledger_id in ledger_ids:
        contact = get("ledger", "contacts", ledger_id, Contact)
        if contact is None or batch.state.links.contact_owner(ledger_id) is not None:
            continue
        found |= dict.fromkeys(_sharing(batch, customer(contact), CRM_NEAR_KEY))
    note_near(batch, customers_of(batch, found))


def customers_of(batch: Batch, crm_ids: Iterable[str]) -> list[str]:
    """Who these CRM records are as customers: people count with their organization, unless the
    config makes each person one."""
    if batch.config.contacts.unit == "person":
        return list(crm_ids)
    get = batch.state.snapshots.get
    records = [(i, get("crm", "contacts", i, Contact)) for i in crm_ids]
    return [(r.organization_id if r and r.kind == "person" else None) or i for i, r in records]


def _open(batch: Batch, crm_id: str) -> bool:
    return batch.state.links.contact(crm_id) is None


def crm_customer(batch: Batch, crm_id: str) -> Customer | None:
    """The CRM customer with those of its people that have been read; None if it is gone."""
    snapshots = batch.state.snapshots
    record = snapshots.get("crm", "contacts", crm_id, Contact)
    if record is None or record.deleted:
        return None
    ids = snapshots.find(PEOPLE_KEY, crm_id)
    people = (snapshots.get("crm", "contacts", i, Contact) for i in ids)
    return customer(record, (p for p in people if p is not None and not p.deleted))


def _found(batch: Batch, one: Customer) -> list[Proposal]:
    """What of the ledger may be this customer and is not linked with another, best first."""
    right = {c.id: c for c in _neighbours(batch, one)}
    if not right:
        return []
    from syncjob.core.match.match import match

    apart = {(one.id, other) for other in batch.state.matches.apart_from(one.id)}
    others = max(batch.state.snapshots.count("ledger", "contacts") - len(right), 0)
    found = match(
        [party(one)], [party(c) for c in right.values()], parameters(batch, others=others),
        Known(apart=frozenset(apart)),
    )  # fmt: skip
    made = (proposal("pair", pair, one, right[pair.right]) for pair in (*found.pairs, *found.near))
    suppliers = batch.config.contacts.suppliers
    asked = (as_asked(p, right[p.second].record, suppliers=suppliers) for p in made)
    return [p for p in asked if p is not None and _free(batch, p)]


def _free(batch: Batch, made: Proposal) -> bool:
    """Whether the contact is free; one that is linked with another customer says no more than that
    the two customers may be one, which must be certain to keep a deal waiting."""
    return made.band == "certain" or batch.state.links.contact_owner(made.second) is None


def _neighbours(batch: Batch, one: Customer) -> list[Customer]:
    """The ledger contacts that share a sign which few others have."""
    get = batch.state.snapshots.get
    records = (get("ledger", "contacts", i, Contact) for i in _sharing(batch, one, NEAR_KEY))
    return [customer(r) for r in records if r and not (r.deleted or r.merged_into)]


def _sharing(batch: Batch, one: Customer, kind: str) -> list[str]:
    """The ids of one side's contacts that share a sign with this one, where few do."""
    from syncjob.core.match.keys import blocking_keys

    most, ids = DEFAULT.block_max, set[str]()
    for key in blocking_keys(party(one), parameters(batch)):
        block = batch.state.snapshots.find(kind, key, most=most + 1)
        ids.update(block if len(block) <= most else ())
    return sorted(ids)


def _remember(batch: Batch, one: Customer, found: Sequence[Proposal]) -> bool:
    """Bring the customer's undecided proposals up to date: what was proposed of records that have
    changed since, and is proposed no more, is dropped. Says whether any is new."""
    matches = batch.state.matches
    known = {p.second: p for p in matches.of(one.id) if p.kind == "pair"}
    new = [p for p in found if not _same(known.get(p.second), p)]
    stale = [p for p in known.values() if _stale(batch, one, p)]
    gone = [p for p in stale if p.second not in {f.second for f in found}]
    if new or gone:
        with batch.state.commit():
            for old in gone:
                matches.drop(old.first, old.second)
            matches.propose(new, batch=batch.id)
    return bool(new)


def _same(known: Proposal | None, found: Proposal) -> bool:
    """Whether this was proposed before, of the same records: what the whole match said stands."""
    return known is not None and known.digest == found.digest


def _stale(batch: Batch, one: Customer, known: Proposal) -> bool:
    other = batch.state.snapshots.get("ledger", "contacts", known.second, Contact)
    if other is None or other.deleted or other.merged_into:
        return True
    return digest(party(one), party(customer(other))) != known.digest


# --- new ones among themselves --------------------------------------------------------------------


def alike_drafts(batch: Batch, drafts: Sequence[ContactDraft]) -> dict[str, ContactDraft]:
    """Of contacts that are about to be made, those that are certainly one with an earlier of them,
    by marker: that one goes first, and the next batch sees both sides."""
    if len(drafts) < 2:
        return {}
    from syncjob.core.match.match import doubles

    code, matches = batch.config.connection.code, batch.state.matches
    crm_ids = {draft.marker: contact_of_marker(code, draft.marker) or "" for draft in drafts}
    place = {draft.marker: number for number, draft in enumerate(drafts)}
    others = batch.state.snapshots.count("ledger", "contacts")
    parties = [party_of_draft(d, _kind_of(crm_ids[d.marker])) for d in drafts]
    late: dict[str, ContactDraft] = {}
    for pair in doubles(parties, parameters(batch, others=others)):
        one, other = sorted((pair.left, pair.right), key=place.__getitem__)
        if pair.band == "certain" and not matches.are_apart(crm_ids[one], crm_ids[other]):
            late.setdefault(other, drafts[place[one]])
    return late


def _kind_of(crm_id: str) -> PartyKind:
    return "person" if crm_id.startswith("person:") else "organization"
