"""Everything the rules need to know about one customer on both sides, gathered from the state."""

from __future__ import annotations

from typing import cast

import msgspec

from syncjob.core.actions import Issue
from syncjob.core.contacts.case import ContactCase, ContactContext, Take, possible_names
from syncjob.core.markers import contact_marker, crm_marker, person_marker
from syncjob.core.records import Contact, Deal, Side
from syncjob.core.rules.matching import Candidates, email_key, name_key
from syncjob.engine.batch import Batch
from syncjob.engine.candidates import find_candidates, owners_of, survivor
from syncjob.engine.contacts.wants import CRM_EMAIL, CRM_NAME, DEAL_KEY, answers, is_on
from syncjob.engine.nearby import PEOPLE_KEY
from syncjob.engine.recovery import creates_wait

#: How many CRM records of one name or e-mail are looked at: more say nothing about any of them.
TWINS_MAX = 20


def load_contact_context(batch: Batch, *, dry: bool = False) -> ContactContext:
    """What holds for every customer of this batch; a dry run also shows what has to wait."""
    ledger = batch.ledger_reference
    country = batch.config.contacts.country or (ledger.organisation.country if ledger else None)
    both = (batch.crm.capabilities.contact_fields, batch.ledger.capabilities.contact_fields)
    return ContactContext(
        code=batch.config.connection.code, policy=batch.config.contacts, country=country,
        fields={kind: held for side in both for kind, held in side.items()},
        reference_hash=batch.reference_hash, wait=None if dry else creates_wait(batch),
        room=batch.crm.capabilities.contact_room,
    )  # fmt: skip


def load_contact(batch: Batch, key: str) -> ContactCase | None:
    """The customer with both its sides; None if neither was ever read, and for what is part of
    another customer (a person of an organization)."""
    if key.startswith("ledger:"):
        ledger_id = key.removeprefix("ledger:")
        owner = batch.state.links.contact_owner(ledger_id)
        return load_contact(batch, owner) if owner else _ledger_alone(batch, ledger_id)
    crm = _crm(batch, key)
    if crm is None or _is_part(batch, crm):
        return None
    return _with_crm(batch, crm)


def crossing_of(batch: Batch, key: str | None) -> tuple[ContactCase, ContactContext] | None:
    """A deal's customer that has no ledger contact yet: what else the new one is to say."""
    if key is None or not is_on(batch) or batch.state.links.contact(key):
        return None
    case = load_contact(batch, key)
    return (case, load_contact_context(batch)) if case and case.crm else None


def _is_part(batch: Batch, crm: Contact) -> bool:
    """Whether this person crosses with its organization and not for itself."""
    if crm.kind != "person" or crm.organization_id is None:
        return False
    alone = batch.config.contacts.unit == "person"
    return not alone and batch.state.links.contact(crm.id) is None


def _with_crm(batch: Batch, crm: Contact) -> ContactCase:
    state = batch.state
    linked = state.links.contact(crm.id)
    ledger = survivor(batch, linked) if linked else None
    owner = state.links.contact_owner(ledger.id) if ledger else None
    person, further = _people(batch, crm)
    candidates = Candidates() if linked else find_candidates(batch, crm.id, crm, person)
    case = ContactCase(
        crm=crm, person=person, further=further, ledger=ledger, linked=linked is not None,
        base=state.contacts.base(crm.id), busy=_busy(batch, crm, person, ledger),
        answers={f: (cast(Take, t), d) for f, (t, d) in answers(batch, crm.id).items()},
        ended=state.contacts.ended(crm.id, ledger.id if ledger else None),
        rival=owner if owner != crm.id else None, marked=_marked(batch, crm, ledger),
        candidates=candidates, owners=owners_of(batch, candidates), crosses=_crosses(batch, crm),
        staff=_is_staff(batch, crm), known_person=_knows_person(batch, crm, ledger),
        taken=_taken(batch, crm, ledger), parked=_parked(batch, crm, person, ledger),
    )  # fmt: skip
    if crm.deleted and ledger is not None:
        return msgspec.structs.replace(case, survivors=_heirs(batch, crm, ledger))
    return case


def _ledger_alone(batch: Batch, ledger_id: str) -> ContactCase | None:
    ledger = batch.state.snapshots.get("ledger", "contacts", ledger_id, Contact)
    if ledger is None:
        return None
    near = [p.first for p in batch.state.matches.of(ledger_id) if p.kind == "pair"]
    return ContactCase(
        ledger=ledger, ended=batch.state.contacts.ended(ledger_id), near=tuple(near),
        busy=batch.state.journal.busy_subject(f"contact:ledger:{ledger_id}"),
        twins=_twins(batch, ledger), parked=_parked(batch, None, None, ledger),
        known_person=_elsewhere(batch, ledger),
    )  # fmt: skip


def _crm(batch: Batch, contact_id: str) -> Contact | None:
    return batch.state.snapshots.get("crm", "contacts", contact_id, Contact)


# --- people ------------------------------------------------------------------------------------


def _people(batch: Batch, crm: Contact) -> tuple[Contact | None, tuple[Contact, ...]]:
    """An organization's main person and its others; nobody where each person is a customer."""
    if crm.kind != "organization" or batch.config.contacts.unit == "person":
        return None, ()
    ids = batch.state.snapshots.find(PEOPLE_KEY, crm.id)
    found = {i: c for i in ids if (c := _crm(batch, i)) and _here(batch, c, crm)}
    main = _main_person(batch, crm, found)
    others = sorted((c for i, c in found.items() if i != main), key=_number)
    return found.get(main or ""), tuple(others)


def _here(batch: Batch, person: Contact, crm: Contact) -> bool:
    """Whether the person is of this organization, and no customer of its own."""
    ours = not person.deleted and person.organization_id == crm.id
    alone = batch.state.links.contact(person.id) is not None
    return ours and not alone and batch.state.contacts.ended(person.id) is None


def _main_person(batch: Batch, crm: Contact, people: dict[str, Contact]) -> str | None:
    """The remembered one, else that of the newest won deal, else the oldest with an e-mail."""
    known = batch.state.contacts.person(crm.id)
    if known in people:
        return known
    for deal in sorted(_deals(batch, crm.id), key=lambda d: (d.won_at is not None, d.won_at, d.id),
                       reverse=True):  # fmt: skip
        if deal.person_id in people:
            return deal.person_id
    ordered = sorted(people.values(), key=lambda c: (not c.emails, *_number(c)))
    return ordered[0].id if ordered else None


def _knows_person(batch: Batch, crm: Contact, ledger: Contact | None) -> bool:
    """Whether the person that the ledger names is in the CRM, or was: it is not made again."""
    main = batch.state.contacts.person(crm.id)
    was = _crm(batch, main) if main else None
    if ledger is None or was is None:
        return ledger is not None and _elsewhere(batch, ledger)
    return was.forgotten or bool(signs(was) & signs(ledger)) or _elsewhere(batch, ledger)


def _elsewhere(batch: Batch, ledger: Contact) -> bool:
    """Whether a person of the CRM has the e-mail of a ledger contact, or without one its name."""
    emails = {email_key(email) for email in ledger.emails} - {""}
    find = batch.state.snapshots.find
    keys = [(CRM_EMAIL, email) for email in sorted(emails)] or [
        (CRM_NAME, name_key(" ".join(filter(None, (ledger.first_name, ledger.last_name)))))
    ]
    ids = {i for kind, key in keys if key for i in find(kind, key, most=TWINS_MAX)}
    return any(i.startswith("person:") for i in ids)


def signs(contact: Contact) -> set[str]:
    """What a person is known by: the name in two parts, and each e-mail."""
    names = " ".join(filter(None, (contact.first_name, contact.last_name)))
    return {sign.casefold() for sign in (names, *contact.emails) if sign}


def _number(contact: Contact) -> tuple[int, str]:
    number = contact.id.partition(":")[2]
    return (int(number) if number.isdecimal() else 0, contact.id)


def _deals(batch: Batch, crm_id: str) -> list[Deal]:
    ids = batch.state.snapshots.find(DEAL_KEY, crm_id)
    found = (batch.state.snapshots.get("crm", "deals", i, Deal) for i in ids)
    return [deal for deal in found if deal is not None]


# --- what bears on it --------------------------------------------------------------------------


def _crosses(batch: Batch, crm: Contact) -> bool:
    match batch.config.contacts.which:
        case "all":
            return True
        case "won":
            return bool(batch.state.snapshots.find(DEAL_KEY, crm.id, most=1))
        case _:
            return False


def _is_staff(batch: Batch, crm: Contact) -> bool:
    """Whether the person is a user of the CRM, and those are not asked for."""
    if crm.kind != "person" or batch.config.contacts.staff or batch.crm_reference is None:
        return False
    users = {email_key(user.email) for user in batch.crm_reference.users} - {""}
    return bool(users & {email_key(email) for email in crm.emails})


def _marked(batch: Batch, crm: Contact, ledger: Contact | None) -> bool:
    """Whether a contact with our marker was merged into this one."""
    marker = contact_marker(batch.config.connection.code, crm.id)
    ids = batch.state.snapshots.find("contact.marker", marker)
    heirs = {found.id for i in ids if (found := survivor(batch, i)) is not None}
    return ledger is not None and ledger.id in heirs


def _taken(batch: Batch, crm: Contact, ledger: Contact | None) -> frozenset[str]:
    """Which of the names that the ledger contact might bear are another active contact's."""
    keys = {name_key(name) for name in possible_names(crm, batch.config.contacts)} - {""}
    return frozenset(key for key in keys if _bears(batch, key, ledger))


def _bears(batch: Batch, key: str, ledger: Contact | None) -> bool:
    for contact_id in batch.state.snapshots.find("contact.name", key, most=TWINS_MAX):
        other = batch.state.snapshots.get("ledger", "contacts", contact_id, Contact)
        mine = ledger is not None and ledger.id == contact_id
        if other is not None and not mine and not (other.archived or other.merged_into):
            return True
    return False


def _twins(batch: Batch, ledger: Contact) -> tuple[Contact, ...]:
    """The CRM records with the name or the e-mail of a ledger contact."""
    find = batch.state.snapshots.find
    ids = dict.fromkeys(find(CRM_NAME, name_key(ledger.name), most=TWINS_MAX))
    for email in ledger.emails:
        ids |= dict.fromkeys(find(CRM_EMAIL, email_key(email), most=TWINS_MAX))
    apart = batch.state.matches.apart_from(ledger.id)
    found = (_crm(batch, i) for i in sorted(ids) if i not in apart)
    return tuple(c for c in found if c is not None and not c.deleted)


def _heirs(batch: Batch, crm: Contact, ledger: Contact) -> tuple[tuple[str, str | None], ...]:
    """To whom everything of a deleted CRM record has moved: Pipedrive's lists do not name the
    survivor of a merge, but its deals and people go with it (facts: pipedrive, 1d). One that
    stays behind says that there was no merge: nobody takes the place of what was only deleted."""
    heirs: set[str | None] = set()
    for deal_id in batch.state.contacts.deals_billed(ledger.id):
        deal = batch.state.snapshots.get("crm", "deals", deal_id, Deal)
        if deal is not None and deal.status != "deleted":
            heirs.add(deal.org_id if crm.kind == "organization" else deal.person_id)
    main = batch.state.contacts.person(crm.id)
    person = _crm(batch, main) if main else None
    if person is not None and not person.deleted:
        heirs.add(person.organization_id)
    if crm.merged_into:
        heirs = {crm.merged_into}
    if heirs & {None, crm.id}:
        return ()
    live = [h for h in sorted(heirs, key=str) if h and _alive(batch, h)]
    return tuple((heir, _partner(batch, heir)) for heir in live)


def _partner(batch: Batch, crm_id: str) -> str | None:
    """The ledger contact that a CRM customer is linked with, through its merges."""
    linked = batch.state.links.contact(crm_id)
    found = survivor(batch, linked) if linked else None
    return found.id if found else linked


def _alive(batch: Batch, crm_id: str) -> bool:
    record = _crm(batch, crm_id)
    return record is not None and not record.deleted


# --- what is under way, what was refused ---------------------------------------------------------


def _busy(batch: Batch, crm: Contact, person: Contact | None, ledger: Contact | None) -> bool:
    marker = contact_marker(batch.config.connection.code, crm.id)
    journal = batch.state.journal
    if journal.busy_subject(f"contact:{crm.id}"):
        return True
    sides: list[tuple[Side, str]] = [("ledger", f"contact:{marker}")]
    for record in (crm, person, ledger):
        if record is not None:
            sides += [("crm", f"contact:{record.id}"), ("ledger", f"contact:{record.id}")]
    alone = ledger is not None and journal.busy_subject(f"contact:ledger:{ledger.id}")
    return alone or journal.busy(sides)


def _parked(
    batch: Batch, crm: Contact | None, person: Contact | None, ledger: Contact | None
) -> dict[str, tuple[str, Issue]]:
    """What the vendors refused for this customer."""
    code, targets = batch.config.connection.code, []
    for record in (crm, person, ledger):
        if record is not None:
            targets += [f"contact:{record.id}", f"mark:{record.id}"]
    if crm is not None:
        targets.append(f"contact:{contact_marker(code, crm.id)}")
    if ledger is not None:
        made = (crm_marker(code, ledger.id), person_marker(code, ledger.id))
        targets += [f"contact:{marker}" for marker in made]
    return batch.state.book.parked_for(targets)
