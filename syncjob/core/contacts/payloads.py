"""What is to be stored of a contact, on either side."""

from __future__ import annotations

from typing import Literal

import msgspec

from syncjob.core.records import Address, PaymentTerms, Person


class ContactDraft(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="contact"):
    """A contact to create in the ledger; `marker` goes into its ContactNumber.

    `follows` as in ContactChange.
    """

    marker: str
    name: str
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: str | None = None
    address: Address | None = None
    tax_number: str | None = None
    phones: tuple[str, ...] = ()  # further numbers beside `phone`
    street: Address | None = None
    currency: str | None = None
    terms: PaymentTerms | None = None
    people: tuple[Person, ...] = ()
    follows: dict[str, str | None] = {}


class CrmContactDraft(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="crm_contact"
):
    """An organization or a person to create in the CRM; `marker` goes into its marker field.

    `values` are texts as in core/contacts/fields.py, keyed by field; those that are None are left
    out. `organization_id` ("org:12") is where a person belongs; None for a lone one, and in a dry
    run. `follows` as in ContactChange.
    """

    kind: Literal["organization", "person"]
    marker: str
    values: dict[str, str | None]
    organization_id: str | None = None
    follows: dict[str, str | None] = {}


class ContactChange(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="contact_change"
):
    """New values for the fields of an existing contact, on either side; None clears a field.

    `contact_id` is the record's own id: "org:12", "person:7", or the ledger's. `values` are texts
    as in core/contacts/fields.py; a list's value is the whole list. `follows` holds what the
    other side said of these fields when this was decided: the base of both once it is stored.
    `apart`: a person took an earlier write back, so the two sides may differ in these fields and
    rest as they then are, until one of them changes again.
    """

    contact_id: str
    values: dict[str, str | None]
    follows: dict[str, str | None] = {}
    apart: bool = False


class MarkerChange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="marker"):
    """Our marker for a contact that bears none, on either side (Xero: ContactNumber; CRM: the
    marker field). `contact_id` as in ContactChange."""

    contact_id: str
    marker: str
