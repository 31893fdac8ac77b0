"""Contacts as the SDK's models: made whole, changed part by part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from xero_python.accounting.models import (
    Address,
    Bill,
    Contact,
    ContactPerson,
    Contacts,
    PaymentTerm,
    PaymentTermType,
    Phone,
)

from syncjob.connectors.xero.contact_parts import POSTAL, STREET, TERMS, Kept, person_key
from syncjob.connectors.xero.contact_write import (
    address_parts,
    clean,
    draft_values,
    persons,
    phone_changes,
)
from syncjob.connectors.xero.sdk import currency_code
from syncjob.connectors.xero.sdk_papers import PaperWriter
from syncjob.core.actions import ContactChange, ContactDraft, MarkerChange
from syncjob.core.contacts.fields import Values, decode_address, decode_list, decode_terms
from syncjob.transport.wire import Request

_PLAIN = {
    "name": "name",
    "first_name": "first_name",
    "last_name": "last_name",
    "email": "email_address",
    "tax_number": "tax_number",
}
_TERM_WORDS = {ours: wire for wire, ours in TERMS.items()}


#: A change with what it must know of the contact as it stands.
Change = tuple[ContactChange, Kept]


class ContactWriter(PaperWriter):
    """All writes, those of contacts included."""

    def create_contacts(self, drafts: Sequence[ContactDraft], key: str) -> Request:
        """PUT: a contact that exists already is refused and never changed."""
        made = [_draft(draft) for draft in drafts]
        return self._send(self._api.create_contacts, Contacts(contacts=made), key)

    def change_contacts(self, changes: Sequence[Change], key: str) -> Request:
        """POST with the ContactID and what changes: Xero keeps what is left out."""
        changed = [_change(change) for change in changes]
        return self._send(self._api.update_or_create_contacts, Contacts(contacts=changed), key)

    def mark_contacts(self, changes: Sequence[MarkerChange], key: str) -> Request:
        """POST with the ContactID and the ContactNumber only: nothing else changes."""
        marked = [
            Contact(contact_id=change.contact_id, contact_number=change.marker)
            for change in changes
        ]
        return self._send(self._api.update_or_create_contacts, Contacts(contacts=marked), key)


def _draft(draft: ContactDraft) -> Any:
    """A new contact: only what is said of it."""
    said: Values = {field: value for field, value in draft_values(draft).items() if value}
    return Contact(contact_number=clean(draft.marker), **_fields(said, None))


def _change(change: Change) -> Any:
    payload, kept = change
    return Contact(contact_id=payload.contact_id, **_fields(payload.values, kept))


def _fields(values: Values, kept: Kept | None) -> dict[str, Any]:
    """The model's arguments for the fields that are named; `kept` None makes a new contact, to
    which nothing empty is sent."""
    made: dict[str, Any] = {
        wire: clean(values[field]) or "" for field, wire in _PLAIN.items() if field in values
    }
    addresses = [
        _address(kind, values[field], kept)
        for field, kind in (("street", STREET), ("postal", POSTAL))
        if field in values
    ]
    if addresses:
        made["addresses"] = addresses
    if "phones" in values:
        now = kept.phones if kept else {}
        made["phones"] = _phones(phone_changes(now, decode_list(values["phones"])), kept) or None
    if values.get("currency"):
        made["default_currency"] = currency_code(values["currency"] or "")
    if values.get("terms"):
        made["payment_terms"] = _terms(values["terms"], kept)
    if values.get("people"):
        made["contact_persons"] = _people(values["people"], kept)
    return made


def _phones(changes: Mapping[str, str], kept: Kept | None) -> list[Any]:
    """Each with all its parts, for one that is left out may stay as it was; of a new contact only
    the number."""
    rest = {"phone_area_code": "", "phone_country_code": ""} if kept else {}
    return [Phone(phone_type=kind, phone_number=text, **rest) for kind, text in changes.items()]


def _address(kind: str, value: str | None, kept: Kept | None) -> Any:
    """All parts of the address, the empty ones too unless the contact is new."""
    parts = address_parts(decode_address(value))
    names = {_snake(name): text for name, text in parts.items() if text or kept is not None}
    attention = kept.attention.get(kind) if kept else None
    return Address(address_type=kind, attention_to=attention, **names)


def _snake(name: str) -> str:
    """ "AddressLine1" -> "address_line1"."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)[1:]


def _terms(value: str | None, kept: Kept | None) -> Any:
    """The terms for sales; those for bills go along as they are."""
    terms = decode_terms(value)
    sales = terms and _term(terms.day, _TERM_WORDS[terms.kind])
    bills = _term(*kept.bills) if kept and kept.bills else None
    return PaymentTerm(sales=sales, bills=bills)


def _term(day: int, kind: str) -> Any:
    return Bill(day=day, type=PaymentTermType[kind])


def _people(value: str | None, kept: Kept | None) -> list[Any]:
    """The whole list; whoever is copied on e-mails stays so."""
    copied = kept.copied if kept else frozenset()
    return [
        ContactPerson(
            first_name=one.first_name,
            last_name=one.last_name,
            email_address=one.email,
            include_in_emails=person_key(one.first_name, one.last_name, one.email) in copied,
        )
        for one in persons(value)
    ]
