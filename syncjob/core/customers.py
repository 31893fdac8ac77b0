"""CRM customers and ledger contacts as the match compares them and as a review shows them.

A CRM customer is an organization with its people, or a person without one (organization beats
person, BOOKKEEPING "Whose customer"). A ledger contact is one by itself, archived ones too;
deleted and merged records are nobody.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import msgspec

from syncjob.core.contacts.payloads import ContactDraft
from syncjob.core.match.records import Pair, Party, PartyKind
from syncjob.core.records import Address, Contact
from syncjob.core.review import Face, Kind, Proposal
from syncjob.core.rules.texts import one_line, short

#: How many of an organization's people are compared and shown: more say nothing more.
PEOPLE_MAX = 20
_KINDS: dict[str, PartyKind] = {"organization": "organization", "person": "person"}


class Customer(msgspec.Struct, frozen=True):
    """A record that may have a twin on the other side, with the people that belong to it."""

    record: Contact
    people: tuple[Contact, ...] = ()

    @property
    def id(self) -> str:
        return self.record.id

    @property
    def name(self) -> str:
        return short(one_line(self.record.name)) or self.record.id


def customers(contacts: Iterable[Contact]) -> list[Customer]:
    """The customers among one side's contacts, in the order of their ids."""
    live = [c for c in contacts if not (c.deleted or c.merged_into or c.forgotten)]
    standing = {c.id for c in live}
    people: dict[str, list[Contact]] = {}
    for contact in live:
        home = contact.organization_id
        if contact.kind == "person" and home in standing and home is not None:
            people.setdefault(home, []).append(contact)
    heads = [c for c in live if not (c.kind == "person" and c.organization_id in standing)]
    return [customer(c, people.get(c.id, ())) for c in sorted(heads, key=_order)]


def customer(record: Contact, people: Iterable[Contact] = ()) -> Customer:
    """A record with its people in a fixed order, those with an e-mail address first."""
    ordered = sorted(people, key=lambda p: (not p.emails, *_order(p)))
    return Customer(record, tuple(ordered[:PEOPLE_MAX]))


def _order(contact: Contact) -> tuple[int, str]:
    """Numbered ids by number, so that the oldest of a CRM comes first."""
    return (len(contact.id), contact.id)


# --- for the match --------------------------------------------------------------------------------


def party(one: Customer) -> Party:
    """The customer as the match compares it."""
    record, everyone = one.record, (one.record, *one.people)
    human = record if record.first_name or record.last_name or not one.people else one.people[0]
    address = _address(one)
    lines = address.lines or ((address.text,) if address.text else ())
    return Party(
        id=record.id,
        kind=_KINDS.get(record.kind, "contact"),
        name=record.name,
        first_name=human.first_name,
        last_name=human.last_name,
        emails=_distinct(email for c in everyone for email in _emails(c)),
        phones=_distinct(phone for c in everyone for phone in c.phones),
        lines=lines,
        city=address.city,
        region=address.region,
        postal_code=address.postal_code,
        country=address.country,
        tax_number=record.tax_number,
    )


def party_of_draft(draft: ContactDraft, kind: PartyKind = "organization") -> Party:
    """A ledger contact that is about to be made, as the match compares it; its id is its marker."""
    whole = Contact(
        id=draft.marker, kind="contact", name=draft.name, first_name=draft.first_name,
        last_name=draft.last_name, emails=(draft.email,) if draft.email else (),
        phones=(draft.phone, *draft.phones) if draft.phone else draft.phones,
        address=draft.address, street=draft.street, tax_number=draft.tax_number,
        people=draft.people,
    )  # fmt: skip
    return msgspec.structs.replace(party(customer(whole)), kind=kind)


def _emails(contact: Contact) -> list[str]:
    """Its own addresses, then those of further persons that a ledger keeps in the contact."""
    return [*contact.emails, *(person.email for person in contact.people if person.email)]


def _address(one: Customer) -> Address:
    """The customer's billing address, else its other one, else that of the first of its people who
    has one."""
    everyone = (one.record, *one.people)
    found = (a for c in everyone for a in (c.address, c.street) if a is not None)
    return next(found, Address())


def _distinct(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in texts if text.strip()))


def digest(left: Party, right: Party) -> str:
    """What was compared, as a short text: another one means that something has changed."""
    both = msgspec.json.encode(left) + msgspec.json.encode(right)
    return hashlib.blake2b(both, digest_size=8).hexdigest()


def proposal(kind: Kind, pair: Pair, left: Customer, right: Customer, advice: str = "") -> Proposal:
    """A pair of the match as it waits for a person."""
    return Proposal(
        kind=kind,
        first=left.id,
        second=right.id,
        first_name=left.name,
        second_name=right.name,
        score=round(pair.score * 1000),
        band=pair.band,
        agrees=pair.agrees,
        differs=pair.differs,
        because=pair.because,
        advice=advice,
        digest=digest(party(left), party(right)),
    )


def as_asked(made: Proposal, contact: Contact, *, suppliers: bool) -> Proposal | None:
    """The proposal as BOOKKEEPING lets it stand for this ledger contact; None for not at all.

    An archived contact, and one that has only bills, is never linked without a person; what only
    looks like a supplier is left out unless suppliers were asked for.
    """
    if only_bills(contact):
        if made.band == "near" and not suppliers:
            return None
        made = _near(made, "it has only bills in the ledger")
    return _near(made, "it is archived in the ledger") if contact.archived else made


def _near(made: Proposal, why: str) -> Proposal:
    said = made.because if made.band == "near" else ""
    because = " ".join(text for text in (said, f"A person must look: {why}.") if text)
    return msgspec.structs.replace(made, band="near", because=because)


def only_bills(contact: Contact) -> bool:
    """Whether the ledger knows the contact as a supplier and nothing else."""
    return contact.is_supplier and not contact.is_customer


# --- for a person ---------------------------------------------------------------------------------


def face(one: Customer, *, linked: str | None = None) -> Face:
    """The customer as a review shows it."""
    record = one.record
    lines = [("name", record.name or "")]
    lines += [("person", name) for name in _names(one)]
    known = party(one)
    lines += [("e-mail", email) for email in known.emails]
    lines += [("phone", phone) for phone in known.phones]
    lines += [("address", text) for text in _address_lines(_address(one))]
    lines += [("tax number", record.tax_number or ""), ("currency", record.currency or "")]
    lines += [("state", text) for text in _states(record, linked)]
    return Face(
        id=record.id, name=one.name, page=record.page,
        lines=tuple((what, one_line(value)) for what, value in lines if one_line(value)),
    )  # fmt: skip


def _names(one: Customer) -> list[str]:
    record = one.record
    own = " ".join(n for n in (record.first_name, record.last_name) if n)
    named = [own] if own and own != record.name else []
    further = [person.full_name for person in record.people if person.full_name]
    return [*named, *further, *(person.name or person.id for person in one.people)]


def _address_lines(address: Address) -> list[str]:
    town = " ".join(p for p in (address.postal_code, address.city, address.region) if p)
    whole = [text for text in (*address.lines, town, address.country or "") if text]
    return whole or ([address.text] if address.text else [])


def _states(record: Contact, linked: str | None) -> list[str]:
    states = ["archived"] if record.archived else []
    states += ["only bills"] if only_bills(record) else []
    states += ["has sales"] if record.is_customer else []
    return [*states, *([f"linked with {linked}"] if linked else [])]


# --- which of two doubles stays -------------------------------------------------------------------


def merge_advice(
    one: Customer, other: Customer, linked: Sequence[str], where: str, *, differing: bool
) -> str:
    """What to merge into what, and why: the one that is linked, has sales, is in use, says more,
    or is older stays. `linked` are the ids that have a link to the other side; `differing` pairs
    may be two branches of one firm."""
    if {one.id, other.id} <= set(linked):
        return (
            f"Both are linked with a record of the other side. Merge those first, then "
            f"{one.id} and {other.id} in the {where}."
        )
    first, second = (_worth(c, linked) for c in (one, other))
    stays, goes = (one, other) if [*first.values()] >= [*second.values()] else (other, one)
    better, worse = (first, second) if stays is one else (second, first)
    why = next((text for text, value in better.items() if value > worse[text]), "")
    reason = f"the latter {why}" if why else "either may stay"
    sure = "If they are one customer and no two branches: in" if differing else "In"
    return (
        f'{sure} the {where}, merge "{goes.name}" ({goes.id}) into "{stays.name}" ({stays.id}); '
        f"{reason}."
    )


def _worth(one: Customer, linked: Sequence[str]) -> dict[str, int]:
    """What speaks for keeping the record, the weightiest first."""
    record = one.record
    known = face(one).lines
    number = record.id.partition(":")[2]
    return {
        "is linked with the other side": int(one.id in linked),
        "bears our marker": int(record.marker is not None),
        "is in use": int(not record.archived),
        "has sales": int(record.is_customer),
        "says more": len(known),
        "is older": -int(number) if number.isdigit() else 0,
    }
