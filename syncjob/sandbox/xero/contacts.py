"""Contacts: checking, matching by id, number or name, saving, archiving and merging."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from syncjob.sandbox.xero.models import Contact
from syncjob.sandbox.xero.wire import Element, words
from syncjob.sandbox.xero.world import Invalid, Organisation

_TEXTS = {
    "FirstName": 255,
    "LastName": 255,
    "EmailAddress": 255,
    "AccountNumber": 50,
    "CompanyNumber": 50,
    "TaxNumber": 50,
    "TaxNumberType": 10,
    "BankAccountDetails": 255,
    "AccountsReceivableTaxType": 50,
    "AccountsPayableTaxType": 50,
    "SalesDefaultLineAmountType": 20,
    "PurchasesDefaultLineAmountType": 20,
    "DefaultCurrency": 3,
    "XeroNetworkKey": 255,
    "SalesDefaultAccountCode": 10,
    "PurchasesDefaultAccountCode": 10,
    "TrackingCategoryName": 100,
    "TrackingCategoryOption": 100,
}
CONTACT_FIELDS = frozenset(_TEXTS) | words(
    "ContactID MergedToContactID ContactNumber ContactStatus Name ContactPersons Addresses "
    "Phones IsSupplier IsCustomer SalesTrackingCategories PurchasesTrackingCategories "
    "PaymentTerms UpdatedDateUTC ContactGroups Website BrandingTheme BatchPayments Discount "
    "Balances Attachments HasAttachments ValidationErrors HasValidationErrors "
    "StatusAttributeString"
)
_ADDRESS = {
    "AddressType": 10,
    "AddressLine1": 500,
    "AddressLine2": 500,
    "AddressLine3": 500,
    "AddressLine4": 500,
    "City": 255,
    "Region": 255,
    "PostalCode": 50,
    "Country": 50,
    "AttentionTo": 255,
}
_PHONE = {"PhoneType": 10, "PhoneNumber": 50, "PhoneAreaCode": 10, "PhoneCountryCode": 20}
PERSONS_MAX = 5
_PERSON = frozenset({"FirstName", "LastName", "EmailAddress", "IncludeInEmails"})
_TERM_TYPES = ("DAYSAFTERBILLDATE", "DAYSAFTERBILLMONTH", "OFCURRENTMONTH", "OFFOLLOWINGMONTH")
_EMAIL = re.compile(r"^[\x21-\x7e]+@[\x21-\x7e]+\.[\x21-\x7e]+$")
_COUNTRY = re.compile(r"^[A-Za-z ]*$")
NAME_TAKEN = (
    "The contact name {} is already assigned to another contact. "
    "The contact name must be unique across all active contacts."
)
ARCHIVED = (
    "The contact with the specified contact details has been archived. "
    "The contact must be un-archived before creating new invoices or credit notes."
)
NO_IDENTITY = (
    "The Contact must contain at least 1 of the following elements to identify the contact: "
    "Name, ContactID, ContactNumber"
)
#: No page gives these words: whether such contacts can be changed at all is open.
FROZEN = "The contact has been archived and must be un-archived before it can be changed."
ERASED = "The contact is the subject of a GDPR request and can no longer be changed."
#: Xero refuses any change of a contact whose Website was set by hand (a report of 2025-08:
#: github.com/XeroAPI/Xero-NetStandard/issues/623).
WEBSITE = "Website must be valid"


def save_contact(org: Organisation, sent: Element, create: bool, by_id: str | None) -> Contact:
    """PUT creates and refuses a match; POST updates a match or creates (facts: xero, 5)."""
    match = _match(org, sent, by_id)
    if create and match is not None:
        if sent.text("ContactNumber") and match.number == sent.text("ContactNumber"):
            raise Invalid("The Contact Number is already assigned to another contact.")
        raise Invalid(NAME_TAKEN.format(_name(sent)))
    if match is None:
        name = _name(sent)
        if not name:
            raise Invalid(NO_IDENTITY)
        match = Contact(org.entropy.uuid(), name)
    _check_changeable(org, match, sent)
    changed = _apply(org, match, sent)
    return org.contacts.put(replace(changed, updated=org.stamp()))


def _check_changeable(org: Organisation, contact: Contact, sent: Element) -> None:
    if contact.status == "GDPRREQUEST":
        raise Invalid(ERASED)
    revived = sent.text("ContactStatus") == "ACTIVE"
    if org.options.archived_frozen and contact.status == "ARCHIVED" and not revived:
        raise Invalid(FROZEN)
    if org.options.website_blocks and contact.fields.get("Website"):
        raise Invalid(WEBSITE)


def _name(sent: Element) -> str:
    return (sent.text("Name") or "").strip()


def _match(org: Organisation, sent: Element, by_id: str | None) -> Contact | None:
    wanted = by_id or sent.uuid("ContactID")
    if wanted:
        found = org.contacts.get(wanted)
        if found is None:
            raise Invalid("The contact with the supplied id was not found")
        return found
    number = sent.text("ContactNumber")
    found = org.contact_numbered(number) if number else None
    return found or (org.contact_named(_name(sent)) if _name(sent) else None)


def _apply(org: Organisation, contact: Contact, sent: Element) -> Contact:
    errors = list(_length_errors(sent, {"Name": 255, "ContactNumber": 50, **_TEXTS}))
    errors += _value_errors(org, sent)
    fields = dict(contact.fields)
    fields.update({n: (sent.text(n) or "").strip() for n in _TEXTS if n in sent})
    changed = replace(
        contact,
        name=_name(sent) if "Name" in sent else contact.name,
        number=sent.text("ContactNumber") if "ContactNumber" in sent else contact.number,
        status=sent.text("ContactStatus") or contact.status,
        fields=fields,
        addresses=_parts(org, sent, "Addresses", _ADDRESS, contact.addresses, errors),
        phones=_parts(org, sent, "Phones", _PHONE, contact.phones, errors),
        persons=_persons(org, sent, contact.persons, errors),
        terms=_terms(sent, contact.terms, errors),
    )
    errors += _clashes(org, changed)
    if errors:
        raise Invalid(*errors)
    return changed


def _length_errors(sent: Element, limits: dict[str, int]) -> Iterable[str]:
    for name, limit in limits.items():
        if len(sent.text(name) or "") > limit:
            yield f"The {name} field must not exceed {limit} characters."


def _value_errors(org: Organisation, sent: Element) -> list[str]:
    errors = []
    email, currency = (sent.text("EmailAddress") or "").strip(), sent.text("DefaultCurrency")
    if "Name" in sent and not _name(sent):
        errors.append("The contact name cannot be empty.")
    if email and not _EMAIL.match(email):
        errors.append("Email address must be valid.")
    if sent.text("ContactStatus") not in (None, "ACTIVE", "ARCHIVED"):
        errors.append("The ContactStatus must be ACTIVE or ARCHIVED.")
    if currency and currency not in org.currencies:
        errors.append(f"Organisation is not subscribed to currency {currency}")
    for name in ("AccountsReceivableTaxType", "AccountsPayableTaxType"):
        if sent.text(name) and org.tax_rate(sent.text(name) or "") is None:
            errors.append(f"The TaxType code '{sent.text(name)}' does not exist or is not active.")
    return errors


def _clashes(org: Organisation, contact: Contact) -> list[str]:
    errors = []
    named = org.contact_named(contact.name)
    if contact.status == "ACTIVE" and named is not None and named.id != contact.id:
        errors.append(NAME_TAKEN.format(contact.name))
    numbered = org.contact_numbered(contact.number) if contact.number else None
    if numbered is not None and numbered.id != contact.id:
        errors.append("The Contact Number is already assigned to another contact.")
    return errors


def _parts(
    org: Organisation,
    sent: Element,
    name: str,
    limits: dict[str, int],
    old: tuple[dict[str, str], ...],
    errors: list[str],
) -> tuple[dict[str, str], ...]:
    """Addresses or phones: each that is sent changes the one of its type, others stay.

    A phone is deleted by sending its type with every part empty (people who tried it:
    github.com/calcinai/xero-php/issues/736); what becomes of a part that is left out is open.
    """
    parts = sent.objects(name, limits)
    if parts is None:
        return old
    key = next(iter(limits))
    merged = {p[key]: p for p in old}
    for part in parts:
        errors += _length_errors(part, limits)
        if not _COUNTRY.match(part.text("Country") or "" if "Country" in limits else ""):
            errors.append("The Country field must only contain letters.")
        kind = part.text(key) or ("POBOX" if key == "AddressType" else "DEFAULT")
        before = merged.get(kind, {}) if org.options.parts_kept else {}
        given = {n: (part.text(n) or "").strip() for n in limits if n in part and n != key}
        blank = dict.fromkeys((n for n in limits if n != key), "")
        merged[kind] = {**blank, **before, **given, key: kind}
    return tuple(merged.values())


def _persons(
    org: Organisation, sent: Element, old: tuple[dict[str, Any], ...], errors: list[str]
) -> tuple[dict[str, Any], ...]:
    """A list that is sent replaces the whole; an empty one was seen to change nothing
    (github.com/XeroAPI/xero-node/issues/560, github.com/calcinai/xero-php/issues/171)."""
    persons = sent.objects("ContactPersons", _PERSON)
    if persons is None or (not persons and not org.options.empty_persons_clear):
        return old
    if len(persons) > PERSONS_MAX:
        raise Invalid(f"A contact can have at most {PERSONS_MAX} contact persons.")
    texts = ("FirstName", "LastName", "EmailAddress")
    for person in persons:
        errors += _length_errors(person, dict.fromkeys(texts, 255))
        email = (person.text("EmailAddress") or "").strip()
        if email and not _EMAIL.match(email):
            errors.append("Email address must be valid.")
    return tuple(
        {
            **{n: (p.text(n) or "").strip() for n in texts},
            "IncludeInEmails": bool(p.flag("IncludeInEmails")),
        }
        for p in persons
    )


def _terms(
    sent: Element, old: dict[str, dict[str, Any]] | None, errors: list[str]
) -> dict[str, dict[str, Any]] | None:
    terms = sent.object("PaymentTerms", ("Bills", "Sales"))
    if terms is None:
        return old
    found = dict(old or {})
    for side in ("Bills", "Sales"):
        term = terms.object(side, ("Day", "Type"))
        if term is None:
            continue
        day, kind = term.number("Day"), term.text("Type")
        if kind not in _TERM_TYPES or day is None:
            errors.append(f"The payment term type {kind} is not valid.")
        elif kind.startswith("OF") and not 1 <= day <= 31:
            errors.append("The payment term day must be between 1 and 31.")
        else:
            found[side] = {"Day": int(day), "Type": kind}
    return found


def contact_for_document(org: Organisation, sent: Element | None) -> Contact:
    """The contact of a new or changed document: by id, number or name; a new name creates one.

    A name that comes with an id renames that contact (facts: xero, 3).
    """
    if sent is None:
        raise Invalid("A Contact must be specified for this type of transaction")
    contact = _match(org, sent, None)
    if contact is None:
        return save_contact(org, sent, create=True, by_id=None)
    if contact.status != "ACTIVE":
        raise Invalid(ARCHIVED)
    renames = "ContactID" in sent and _name(sent) and _name(sent) != contact.name
    return save_contact(org, sent, create=False, by_id=contact.id) if renames else contact


def archive(org: Organisation, contact: Contact) -> Contact:
    return org.contacts.put(replace(contact, status="ARCHIVED", updated=org.stamp()))


def restore(org: Organisation, contact: Contact) -> Contact:
    """Un-archives, as a person. Not after a GDPR request, which Xero alone sets and unsets."""
    if contact.status == "GDPRREQUEST":
        raise Invalid(ERASED)
    active = replace(contact, status="ACTIVE", merged_to=None, updated=org.stamp())
    errors = _clashes(org, active)
    if errors:
        raise Invalid(*errors)
    return org.contacts.put(active)


def merge(org: Organisation, loser: Contact, survivor: Contact) -> None:
    """Documents move to the survivor, whose stamp stays as it was (facts: xero, 4)."""
    for table in (org.invoices, org.credits):
        for document in [d for d in table if d.contact_id == loser.id]:
            table.put(replace(document, contact_id=survivor.id))
    kept = replace(
        survivor,
        is_customer=survivor.is_customer or loser.is_customer,
        is_supplier=survivor.is_supplier or loser.is_supplier,
    )
    org.contacts.put(kept)
    gone = replace(loser, status="ARCHIVED", merged_to=survivor.id, updated=org.stamp())
    org.contacts.put(gone)
