"""A customer that one side lacks: whether it may be made there, and what it would say.

A name that is taken is answered by the match, else by the config's suffix; whatever looks like a
customer that is there already waits for a person.
"""

from __future__ import annotations

import re

import msgspec

from syncjob.core.actions import ContactDraft, CrmContactDraft
from syncjob.core.contacts.case import ContactCase, ContactContext, crm_values, free_name
from syncjob.core.contacts.fields import (
    PERSONAL,
    Values,
    decode_address,
    decode_list,
    decode_people,
    decode_terms,
    values_of,
)
from syncjob.core.contacts.merge import within
from syncjob.core.markers import contact_marker, crm_marker, person_marker
from syncjob.core.records import Contact
from syncjob.core.rules.matching import Candidates, find_contact
from syncjob.errors import Held

#: A marker that some connection of syncjob gave to a ledger contact.
_MARKER = re.compile(r"^[A-Z0-9]{2,4}-[OP][A-Za-z0-9]+$")
#: The hold of a customer whose namesake in the ledger is another customer.
_NAMESAKE = "contact_name_apart"


def new_in_ledger(case: ContactCase, context: ContactContext) -> Contact | ContactDraft:
    """The ledger contact that is this customer and free, or the draft of a new one.

    Raises Held as `find_contact` does, and "contact_no_free_name".
    """
    assert case.crm is not None
    marker = contact_marker(context.code, case.crm.id)
    free = _free(case)
    try:
        found = find_contact(case.crm, case.person, free, marker)
    except Held as held:
        if held.code != _NAMESAKE:
            raise
        apart = msgspec.structs.replace(free, by_name=())
        found = find_contact(case.crm, case.person, apart, marker)
    return completed(case, context, found) if isinstance(found, ContactDraft) else found


def _free(case: ContactCase) -> Candidates:
    """The candidates that no other customer of the CRM is linked with."""
    given = case.candidates
    near = tuple(n for n in given.near if n.contact.id not in case.owners)
    by_name, by_email = (
        tuple(c for c in group if c.id not in case.owners)
        for group in (given.by_name, given.by_email)
    )
    marked = given.by_marker
    return msgspec.structs.replace(
        given, by_name=by_name, by_email=by_email, near=near,
        by_marker=None if marked and marked.id in case.owners else marked,
    )  # fmt: skip


def completed(case: ContactCase, context: ContactContext, found: ContactDraft) -> ContactDraft:
    """The deal's draft of a contact with everything else that the CRM knows of it."""
    name = free_name(case, context.policy)
    assert case.crm is not None
    if name is None:
        raise Held(
            "contact_no_free_name",
            f"Every form of the name {case.crm.name!r} is another contact's in the ledger.",
            field="name",
            next_step="Give it a name of its own in the CRM.",
        )
    said = crm_values(case, context)
    phones = decode_list(said.get("phones"))
    return msgspec.structs.replace(
        found,
        name=name,
        phones=tuple(number for number in phones if number != found.phone),
        street=decode_address(said.get("street")),
        currency=said.get("currency"),
        terms=decode_terms(said.get("terms")),
        people=decode_people(said.get("people")),
        follows=said,
    )


def new_in_crm(case: ContactCase, context: ContactContext) -> CrmContactDraft | str:
    """The CRM record to make for a ledger contact without partner, or why there is none to make.

    Raises Held "contact_near_match", "contact_maybe_in_crm".
    """
    ledger, policy = case.ledger, context.policy
    assert ledger is not None
    if not policy.create_in_crm:
        return "the config makes nothing in the CRM (contacts.create_in_crm)"
    if ledger.archived or ledger.deleted or ledger.merged_into or not ledger.name:
        return "it is archived, merged or without a name"
    asked = policy.suppliers and ledger.is_supplier
    if ledger.is_supplier and not ledger.is_customer and not asked:
        return "it is a supplier (contacts.suppliers)"
    if not ledger.is_customer and policy.which != "all" and not asked:
        return "it has no sales (contacts.which)"
    if _MARKER.match(ledger.marker or "") and not (ledger.marker or "").startswith(context.code):
        return "it is a customer of another connection"
    _unlike_any(case, ledger)
    kind = policy.unit
    values = {f: v for f, v in values_of(ledger).items() if f in context.fields.get(kind, ())}
    if missing_person(case, context) is not None:  # who is made next, and holds them
        held = PERSONAL & context.fields.get("person", frozenset())
        values = {f: v for f, v in values.items() if f not in held}
    said: Values = {f: v for f, v in values.items() if v}
    return CrmContactDraft(
        kind=kind, marker=crm_marker(context.code, ledger.id),
        values=_within(kind, said, context), follows=said,
    )  # fmt: skip


def _within(kind: str, said: Values, context: ContactContext) -> Values:
    """The values with as many entries of each list as such a record of the CRM has room for."""
    room = context.room.get(kind, {})
    return {field: within(field, value, room.get(field)) for field, value in said.items()}


def _unlike_any(case: ContactCase, ledger: Contact) -> None:
    """Raises Held while a record of the CRM may be this ledger contact."""
    if case.near:
        raise Held(
            "contact_near_match",
            f"{ledger.name!r} of the ledger may be {', '.join(case.near)} in the CRM.",
            next_step="`syncjob match` shows them side by side and takes your answer.",
        )
    if case.twins:
        twin = case.twins[0]
        raise Held(
            "contact_maybe_in_crm",
            f"{ledger.name!r} of the ledger has the name or e-mail of {twin.id} "
            f"({twin.name}) in the CRM, and they are not linked.",
            next_step=f"If they are one, `syncjob match decide {twin.id} --contact {ledger.id} "
            "--same`; else give one of them another name or e-mail.",
        )


def missing_person(case: ContactCase, context: ContactContext) -> CrmContactDraft | None:
    """The main person of an organization that has none (or is yet to be made), as the ledger
    names it; None if there is none to make."""
    crm, ledger = case.crm, case.ledger
    if ledger is None or not context.policy.create_in_crm or context.policy.unit == "person":
        return None
    if case.person is not None or case.further or (crm and crm.kind == "person"):
        return None
    if case.known_person:  # deleted, forgotten, or with another organization now
        return None
    held = context.fields.get("person", frozenset()) & PERSONAL
    said: Values = {f: v for f, v in values_of(ledger).items() if f in held and v}
    if not ("first_name" in said or "last_name" in said):
        return None
    name = " ".join(filter(None, (said.get("first_name"), said.get("last_name"))))
    return CrmContactDraft(
        kind="person", marker=person_marker(context.code, ledger.id), follows=said,
        values=_within("person", {"name": name, **said}, context),
        organization_id=crm.id if crm else None,
    )  # fmt: skip
