"""Everything the rules may look at when they decide about one customer on both sides."""

from __future__ import annotations

import hashlib
from typing import Literal

import msgspec

from syncjob.core.actions import Action, Issue
from syncjob.core.contacts.fields import PARTS, PERSONAL, Values, encode_people, values_of
from syncjob.core.policy_contacts import Contacts
from syncjob.core.records import Contact, Person
from syncjob.core.rules.matching import Candidates, name_key

Take = Literal["crm", "ledger"]


class ContactCase(msgspec.Struct, frozen=True, kw_only=True):
    """A CRM customer with its ledger contact, or one of them without a partner.

    `crm` is the organization or lone person, `person` the organization's main person, `further`
    its other people. `base` holds what each side said when both last agreed, as (crm, ledger).
    `answers` are a person's words on a field: whose value, given for which values (`digest`).
    `candidates` and `owners` as for a deal. `crosses`: the config lets this customer be made in
    the ledger. `taken` are names (`name_key`) that other active ledger contacts bear.
    `known_person`: the person that the ledger names is in the CRM, or was.
    `twins` are CRM records that look like a ledger contact without partner, `near` the undecided
    matches of it. `survivors` are CRM customers to which everything of a deleted one has moved,
    with the ledger contact each is linked with, merges followed. `rival`: another CRM customer that
    the survivor of a merge in the ledger is linked with. `marked`: our marker stands on a contact
    that was merged into this one. `ended`: why this customer is left alone for good.
    """

    crm: Contact | None = None
    person: Contact | None = None
    further: tuple[Contact, ...] = ()
    ledger: Contact | None = None
    linked: bool = False
    base: dict[str, tuple[str | None, str | None]] = {}
    answers: dict[str, tuple[Take, str]] = {}
    busy: bool = False
    ended: str | None = None
    candidates: Candidates = Candidates()
    owners: dict[str, str] = {}
    crosses: bool = False
    staff: bool = False
    taken: frozenset[str] = frozenset()
    known_person: bool = False
    twins: tuple[Contact, ...] = ()
    near: tuple[str, ...] = ()
    survivors: tuple[tuple[str, str | None], ...] = ()
    rival: str | None = None
    marked: bool = False
    parked: dict[str, tuple[str, Issue]] = {}

    @property
    def subject(self) -> str:
        """The customer as actions and issues name it."""
        if self.crm is not None:
            return f"contact:{self.crm.id}"
        assert self.ledger is not None
        return f"contact:ledger:{self.ledger.id}"


class ContactContext(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for every customer of this batch. `fields` as Capabilities.contact_fields of both
    sides; `country` is where phone numbers without + are; `wait` says why nothing is created;
    `room` how many entries of a list the CRM takes, by the kind of record and the field."""

    code: str
    policy: Contacts
    fields: dict[str, frozenset[str]]
    country: str | None = None
    reference_hash: str = ""
    wait: str | None = None
    room: dict[str, dict[str, int]] = {}


class ContactDecision(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules say about one customer now.

    `link`: the ledger contact to link with, `agreed`: fields on which both sides say the same
    (each side's own form), `follow`: the CRM customer that the link moves to after a merge there,
    `forget`: personal values are to be blanked and the sync ends. `replaced`: the fields in which
    a value would be overwritten that was never compared before, and on which nobody was asked.
    """

    subject: str
    actions: tuple[Action, ...] = ()
    issues: tuple[Issue, ...] = ()
    waits: str | None = None
    story: tuple[str, ...] = ()
    link: str | None = None
    agreed: dict[str, tuple[str | None, str | None]] = {}
    follow: str | None = None
    forget: bool = False
    replaced: tuple[str, ...] = ()


# --- what a customer says ------------------------------------------------------------------------


def holders(case: ContactCase, context: ContactContext) -> dict[str, Contact]:
    """Which CRM record holds each field that both sides can hold."""
    crm, ledger = case.crm, context.fields.get("contact", frozenset())
    if crm is None:
        return {}
    found: dict[str, Contact] = {}
    if crm.kind == "person":  # its name is one text: a CRM makes the parts of it, or it of them
        ledger = ledger - PARTS
    for field in sorted(ledger):
        if field == "people":
            if context.policy.further_persons and crm.kind == "organization":
                found[field] = crm
        elif case.person and field in PERSONAL & context.fields.get("person", frozenset()):
            found[field] = case.person
        elif field in context.fields.get(crm.kind, frozenset()):
            found[field] = crm
    return found


def crm_values(case: ContactCase, context: ContactContext) -> Values:
    """What the CRM says of the customer, for the fields that both sides can hold."""
    said = {c.id: values_of(c) for c in (case.crm, case.person) if c is not None}
    found = {field: said[c.id][field] for field, c in holders(case, context).items()}
    if "people" in found:
        found["people"] = encode_people(_person(one) for one in case.further)
    return found


def _person(contact: Contact) -> Person:
    first, last = contact.first_name, contact.last_name
    if not (first or last):
        last = contact.name
    email = contact.emails[0] if contact.emails else None
    return Person(first_name=first, last_name=last, email=email)


def holds(case: ContactCase, context: ContactContext, side: str, record: str, field: str) -> bool:
    """Whether this record of this side is the one of the pair that holds the field now."""
    if side == "crm":
        holder = holders(case, context).get(field)
        return holder is not None and holder.id == record
    return case.ledger is not None and case.ledger.id == record


def digest(crm: str | None, ledger: str | None) -> str:
    """Names two values without holding them: a person's answer is for these and no others."""
    return hashlib.sha256(msgspec.json.encode([crm, ledger])).hexdigest()[:16]


# --- names ---------------------------------------------------------------------------------------


def possible_names(crm: Contact, policy: Contacts) -> tuple[str, ...]:
    """The name as it is, with the config's suffix, and with the record's own number at last."""
    name = " ".join((crm.name or "").split())
    number = crm.id.partition(":")[2]
    city = crm.address.city if crm.address else None
    code = crm.address.postal_code if crm.address else None
    suffixed = policy.name_suffix.format(
        name=name, city=city or number, postal_code=code or number, id=number
    )
    return tuple(dict.fromkeys((name, suffixed, f"{name} ({number})")))


def free_name(case: ContactCase, policy: Contacts) -> str | None:
    """The first of the possible names that no other active ledger contact bears."""
    assert case.crm is not None
    names = possible_names(case.crm, policy)
    return next((name for name in names if name_key(name) not in case.taken), None)
