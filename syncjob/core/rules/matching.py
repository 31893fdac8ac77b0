"""Whose customer: which ledger contact a deal is billed to, or the one that must be created.

The order is BOOKKEEPING's ("Whose customer"): link, our marker, name and e-mail agreeing, exact
name if unique; whatever else looks alike is held, because a wrong customer on an invoice costs
more than a deal that waits.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

import msgspec

from syncjob.core.actions import ContactDraft
from syncjob.core.records import Address, Contact, Deal
from syncjob.core.rules.texts import clean, one_line, short
from syncjob.errors import Held

#: Lengths that the ledger takes (facts: xero, 5); what is longer is held, never cut.
NAME_LENGTH_MAX = 255
_LENGTHS = {
    "name": NAME_LENGTH_MAX,
    "first_name": 255,
    "last_name": 255,
    "email": 255,
    "tax_number": 50,
}
_ADDRESS_LENGTHS = {"city": 255, "region": 255, "postal_code": 50}
_ADDRESS_LINE_LENGTH_MAX = 500
_COUNTRY_LENGTH_MAX = 50
_PHONE_LENGTH_MAX = 50
#: The same few customers are looked for again with each of their deals.
KEYS_KEPT = 4096


class Near(msgspec.Struct, frozen=True, kw_only=True):
    """A ledger contact that looks like the customer, though a person has not said so yet; why, and
    the other CRM customer that it is linked with, if it is."""

    contact: Contact
    because: str
    owner: str | None = None


class Candidates(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The ledger contacts that might be the customer, archived ones included.

    `linked` has its merges followed already. `by_name` and `by_email` may hold more than what
    fits (an index by `name_key` and `email_key` does): each is looked at again here. `near` are
    the undecided matches (state/matches), best first; `apart` the ids of those that a person said
    are not this customer. `rivals` are those of customers that were merged into this one.
    """

    linked: Contact | None = None
    by_marker: Contact | None = None
    by_name: tuple[Contact, ...] = ()
    by_email: tuple[Contact, ...] = ()
    near: tuple[Near, ...] = ()
    apart: frozenset[str] = frozenset()
    rivals: tuple[Contact, ...] = ()

    def __iter__(self) -> Iterator[Contact]:
        """All of them, some more than once."""
        yield from (c for c in (self.linked, self.by_marker) if c is not None)
        yield from (*self.by_name, *self.by_email)


@lru_cache(maxsize=KEYS_KEPT)
def name_key(name: str | None) -> str:
    """The form in which names are compared and indexed; "" for no name.

    NFKC, case folded, runs of white space made one: "ACME  Ltd" and "Acme Ltd" agree.
    """
    folded = unicodedata.normalize("NFKC", one_line(name)).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def email_key(email: str | None) -> str:
    """The form in which e-mail addresses are compared and indexed; "" for none."""
    return name_key(email).replace(" ", "")


def require_party(deal: Deal) -> str:
    """The CRM contact to bill: "org:12", else "person:7". Raises Held "no_customer"."""
    party = deal.org_id or deal.person_id
    if party:
        return party
    raise Held(
        "no_customer",
        "The deal has neither an organization nor a person, so there is nobody to invoice.",
        field="organization",
        next_step="Set the deal's organization (or person) in the CRM.",
    )


def find_contact(
    wanted: Contact, person: Contact | None, candidates: Candidates, marker: str
) -> Contact | ContactDraft:
    """The ledger contact to bill, or the draft of a new one that will bear `marker`.

    `wanted` is the deal's organization, else its person; `person` the deal's main person.

    Raises Held: "contact_forgotten", "customers_merged", "contact_archived", "contact_no_name",
    "contact_email_other_name", "contact_supplier_only", "contact_near_match", "contact_name_apart",
    "contact_two_candidates", "contact_<field>_too_long", "contact_email_unusable".
    """
    known = candidates.linked or candidates.by_marker
    if wanted.forgotten or (known and known.forgotten):
        raise _forgotten(wanted)
    if candidates.rivals:
        raise _merged(wanted, candidates.rivals)
    if known:
        return _in_use(wanted, known)
    found = _look_alike(wanted, person, candidates)
    if found:
        return _customer(wanted, found)
    if candidates.near:
        _refuse_near(wanted, candidates.near)
    _refuse_apart(wanted, candidates)
    return _new_contact(wanted, person, marker)


def look_alike(one: ContactDraft, other: ContactDraft) -> bool:
    """Whether two new contacts of one batch may be the same customer: one name or one e-mail.

    The later must wait until the first is in the ledger, where `find_contact` then judges it.
    """
    same_email = bool(email_key(one.email)) and email_key(one.email) == email_key(other.email)
    return name_key(one.name) == name_key(other.name) or same_email


def _forgotten(wanted: Contact) -> Held:
    return Held(
        "contact_forgotten",
        f"The customer {wanted.id} was forgotten, as an erasure request or `syncjob forget` asked, "
        "so nothing is made for it.",
        field="organization",
        next_step="Invoice it in the ledger by hand, or give the deal a new customer in the CRM.",
    )


def _merged(wanted: Contact, rivals: tuple[Contact, ...]) -> Held:
    found = {c.id: c for c in rivals}
    names = " and ".join(_told_apart(c, found) for c in rivals)
    return Held(
        "customers_merged",
        f"{_label(wanted)} was merged in the CRM from customers with contacts of their own in the "
        f"ledger: {names}. Nobody can say which of them is to be billed.",
        next_step="Merge them in the ledger into the one that is to stay.",
    )


def _in_use(wanted: Contact, found: Contact) -> Contact:
    if not (found.archived or found.deleted):
        return found
    raise Held(
        "contact_archived",
        f'{_label(wanted)} is "{found.name}" in the ledger, where it is archived, '
        "so nothing can be invoiced to it.",
        field="name",
        next_step=f'Restore "{found.name}" in the ledger, or merge it into the one in use.',
    )


def _customer(wanted: Contact, found: Contact) -> Contact:
    """A look-alike that has only bills may be another firm; a link or marker says it is not."""
    if found.is_supplier and not found.is_customer:
        raise Held(
            "contact_supplier_only",
            f'{_label(wanted)} looks like the ledger contact "{found.name}", '
            "which has only bills and no sales.",
            field="name",
            next_step=f'If it is the customer, make its first sales invoice to "{found.name}" '
            "in the ledger by hand; else give one of the two another name.",
        )
    return found


def _refuse_near(wanted: Contact, near: tuple[Near, ...]) -> None:
    """What looks like the customer waits for a person, who alone can tell."""
    best = near[0]
    found = {n.contact.id: n.contact for n in near}
    names = ", ".join(_told_apart(n.contact, found) for n in near)
    linked = f", which is linked with {best.owner}" if best.owner else ""
    decide = f"syncjob match decide {wanted.id} --contact {best.contact.id}"
    one = f"merge {wanted.id} and {best.owner} in the CRM" if best.owner else f"`{decide} --same`"
    raise Held(
        "contact_near_match",
        f"{_label(wanted)} may be in the ledger already, as {names}{linked}: {best.because}.",
        field="name",
        next_step=f"If they are one: {one}; if not: `{decide} --different`. `syncjob match` "
        "shows all such pairs side by side.",
    )


def _refuse_apart(wanted: Contact, given: Candidates) -> None:
    """A ledger has each name once: a namesake that is another customer keeps its name."""
    key = name_key(wanted.name)
    twins = [c for c in given.by_name if c.id in given.apart and name_key(c.name) == key]
    if key and _live({c.id: c for c in twins}):
        raise Held(
            "contact_name_apart",
            f"{_label(wanted)} is another customer than the ledger's contact of that name, as "
            "a person said, and the ledger takes each name only once.",
            field="name",
            next_step="Give it a name of its own in the CRM, with its town for example.",
        )


def _look_alike(wanted: Contact, person: Contact | None, given: Candidates) -> Contact | None:
    """The one contact that must be meant by its name; None if nothing looks like it."""
    emails = _emails(wanted, person)
    key = name_key(wanted.name)
    by_name = [c for c in given.by_name if c.id not in given.apart]
    by_email = [c for c in given.by_email if c.id not in given.apart]
    named = _distinct(c for c in by_name if key and name_key(c.name) == key)
    mailed = _distinct(c for c in by_email if emails & {email_key(e) for e in c.emails})
    live_named, live_mailed = _live(named), _live(mailed)
    agreeing = {i: c for i, c in live_named.items() if i in live_mailed}
    if len(agreeing) == 1:
        return next(iter(agreeing.values()))
    if live_named:
        return _only(wanted, live_named | live_mailed)
    if named:
        return _in_use(wanted, next(iter(named.values())))
    if mailed:
        _refuse_by_email(wanted, live_mailed or mailed)
    return None


def _only(wanted: Contact, found: dict[str, Contact]) -> Contact:
    if len(found) == 1:
        return next(iter(found.values()))
    names = ", ".join(_told_apart(c, found) for c in found.values())
    raise Held(
        "contact_two_candidates",
        f"{_label(wanted)} could be any of these ledger contacts: {names}.",
        field="name",
        next_step="Merge them in the ledger, or correct the names and e-mail addresses "
        "so that one is meant.",
    )


def _told_apart(contact: Contact, others: dict[str, Contact]) -> str:
    """A contact by name and e-mail, with its page or id where another bears that name too."""
    twins = sum(name_key(c.name) == name_key(contact.name) for c in others.values()) > 1
    marks = (*contact.emails[:1], *((contact.page or contact.id,) if twins else ()))
    return f'"{contact.name}"' + (f" ({', '.join(marks)})" if marks else "")


def _refuse_by_email(wanted: Contact, mailed: dict[str, Contact]) -> None:
    other = _in_use(wanted, _only(wanted, mailed))
    raise Held(
        "contact_email_other_name",
        f'{_label(wanted)} has the e-mail address of the ledger contact "{other.name}".',
        field="email",
        next_step="If they are the same customer, give both the same name; "
        "else correct the e-mail address of one of them.",
    )


def _emails(wanted: Contact, person: Contact | None) -> set[str]:
    both = (*wanted.emails, *(person.emails if person else ()))
    return {key for key in map(email_key, both) if key}


def _distinct(contacts: Iterable[Contact]) -> dict[str, Contact]:
    """By id, in the order of ids, so that the answer never depends on the order of rows."""
    return dict(sorted((c.id, c) for c in contacts))


def _live(contacts: dict[str, Contact]) -> dict[str, Contact]:
    return {i: c for i, c in contacts.items() if not (c.archived or c.deleted)}


def _label(wanted: Contact) -> str:
    kind = {"organization": "The organization", "person": "The person"}.get(
        wanted.kind, "The contact"
    )
    return f'{kind} "{short(one_line(wanted.name))}"'


# --- a new contact --------------------------------------------------------------------------------


def _new_contact(wanted: Contact, person: Contact | None, marker: str) -> ContactDraft:
    """The draft of a contact: organization beats person, the main person's e-mail comes first."""
    people = person or (wanted if wanted.kind == "person" else None)
    texts = {
        "name": one_line(wanted.name),
        "first_name": one_line(people.first_name) if people else "",
        "last_name": one_line(people.last_name) if people else "",
        "email": one_line(_first(person, wanted, "emails")),
        "tax_number": one_line(wanted.tax_number),
    }
    if not texts["name"]:
        raise Held(
            "contact_no_name",
            f"The {wanted.kind} {wanted.id} of the deal has no name.",
            field="name",
            next_step="Give it its full name in the CRM.",
        )
    for field, text in texts.items():
        _within(wanted, field, text, _LENGTHS[field])
    phone = one_line(_first(person, wanted, "phones"))
    return ContactDraft(
        marker=marker,
        name=texts["name"],
        first_name=texts["first_name"] or None,
        last_name=texts["last_name"] or None,
        email=_sendable(wanted, texts["email"]),
        # No invoice needs a phone: one that does not fit is left out rather than held.
        phone=phone if phone and len(phone) <= _PHONE_LENGTH_MAX else None,
        address=_address(wanted),
        tax_number=texts["tax_number"] or None,
    )


def _first(person: Contact | None, wanted: Contact, group: str) -> str | None:
    for contact in (person, wanted):
        values: tuple[str, ...] = getattr(contact, group) if contact else ()
        if values:
            return values[0]
    return None


def _within(wanted: Contact, field: str, text: str, length_max: int) -> None:
    if len(text) <= length_max:
        return
    words = field.replace("_", " ")
    raise Held(
        f"contact_{field}_too_long",
        f'The {words} "{short(text)}" of {wanted.kind} {wanted.id} has {len(text)} characters; '
        f"the ledger takes {length_max}.",
        field=field,
        next_step=f"Shorten the {words} in the CRM.",
    )


def _sendable(wanted: Contact, email: str) -> str | None:
    """The ledger takes ASCII addresses only (facts: xero, 5)."""
    if email and not email.isascii():
        raise Held(
            "contact_email_unusable",
            f'The e-mail address "{email}" of {_label(wanted)} has letters beyond a-z, '
            "which the ledger refuses.",
            field="email",
            next_step="Correct the e-mail address in the CRM.",
        )
    return email or None


def _address(wanted: Contact) -> Address | None:
    given = wanted.address
    if given is None:
        return None
    lines = tuple(text for text in map(one_line, given.lines) if text)
    text = clean(given.text)
    for line in (*lines, text):
        _within(wanted, "address", line, _ADDRESS_LINE_LENGTH_MAX)
    parts = {field: one_line(getattr(given, field)) for field in _ADDRESS_LENGTHS}
    for field, value in parts.items():
        _within(wanted, field, value, _ADDRESS_LENGTHS[field])
    return Address(
        lines=lines,
        city=parts["city"] or None,
        region=parts["region"] or None,
        postal_code=parts["postal_code"] or None,
        country=_country(given.country),
        text=text or None,
    )


def _country(country: str | None) -> str | None:
    """The ledger takes ASCII letters only (facts: xero, 5); anything else is left out."""
    text = one_line(country)
    letters = text.isascii() and text.replace(" ", "").isalpha()
    return text if letters and len(text) <= _COUNTRY_LENGTH_MAX else None
