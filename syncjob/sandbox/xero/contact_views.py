"""How contacts look on the wire, and the nulls and gaps that a client must expect."""

from __future__ import annotations

from typing import Any
from zlib import crc32

from syncjob.sandbox.xero.contacts import CONTACT_FIELDS
from syncjob.sandbox.xero.models import Contact, Document
from syncjob.sandbox.xero.wire import ms_stamp, num
from syncjob.sandbox.xero.world import Organisation

Json = dict[str, Any]
Debts = dict[str, list[Document]]
_ALWAYS = ("EmailAddress", "BankAccountDetails")
_ADDRESS_PARTS = ("City", "Region", "PostalCode", "Country")


def sprinkle(org: Organisation, id: str, view: Json, **optional: str | None) -> None:
    """Adds optional texts; an unset one is null or missing, by a draw that stays for a record."""
    for name, value in optional.items():
        if value is not None:
            view[name] = value
            continue
        draw = crc32(f"{org.options.seed}/{id}/{name}".encode()) % 1000
        if draw < org.options.null_rate * 1000:
            view[name] = None


def contact_stub(contact: Contact) -> Json:
    """A contact inside another record of a list."""
    return {
        "ContactID": contact.id,
        "Name": contact.name,
        "Addresses": [],
        "Phones": [],
        "ContactGroups": [],
        "ContactPersons": [],
        "HasValidationErrors": False,
    }


def contact_view(
    org: Organisation,
    contact: Contact,
    full: bool = True,
    debts: Debts | None = None,
    written: bool = False,
) -> Json:
    """`full` is what paging and single reads add; a plain list or summary leaves it out. The
    answer to a write (`written`) has it too, but for the balances (the spec's own examples)."""
    view: Json = {"ContactID": contact.id}
    sprinkle(org, contact.id, view, ContactNumber=contact.number)
    view |= {"ContactStatus": contact.status, "Name": contact.name}
    for name, value in contact.fields.items():
        if name in CONTACT_FIELDS:
            view[name] = value
    optional = {n: view.get(n) for n in _ALWAYS}
    sprinkle(org, contact.id, view, **optional)
    view |= {
        "Addresses": _addresses(contact),
        "Phones": _phones(contact),
        "UpdatedDateUTC": ms_stamp(contact.updated),
        "ContactGroups": [],
        "IsSupplier": contact.is_supplier,
        "IsCustomer": contact.is_customer,
        "HasAttachments": False,
        "HasValidationErrors": False,
    }
    view["ContactPersons"] = [dict(p) for p in contact.persons] if full else []
    if full and contact.terms:
        view["PaymentTerms"] = contact.terms
    if full and contact.merged_to:
        view["MergedToContactID"] = contact.merged_to
    if full and not written:
        mine = (open_documents(org) if debts is None else debts).get(contact.id, [])
        view["Balances"] = _balances(org, mine)
    return view


def _addresses(contact: Contact) -> list[Json]:
    stored = {a["AddressType"]: a for a in contact.addresses}
    return [
        {
            "AddressType": kind,
            **dict.fromkeys(_ADDRESS_PARTS, ""),
            **{k: v for k, v in stored.get(kind, {}).items() if v},
        }
        for kind in ("STREET", "POBOX")
    ]


def _phones(contact: Contact) -> list[Json]:
    stored = {p["PhoneType"]: p for p in contact.phones}
    blank = {"PhoneNumber": "", "PhoneAreaCode": "", "PhoneCountryCode": ""}
    kinds = ["DDI", "DEFAULT", "FAX", "MOBILE", *(["OFFICE"] if "OFFICE" in stored else [])]
    return [{"PhoneType": k, **blank, **stored.get(k, {})} for k in kinds]


def open_documents(org: Organisation) -> Debts:
    """The approved, unpaid documents of each contact."""
    debts: Debts = {}
    for document in org.invoices:
        if document.status == "AUTHORISED":
            debts.setdefault(document.contact_id, []).append(document)
    return debts


def _balances(org: Organisation, mine: list[Document]) -> Json:
    today = org.today()

    def sums(kind: str) -> Json:
        due = [d for d in mine if d.type == kind]
        late = [d for d in due if d.due_day is not None and d.due_day < today]
        return {
            "Outstanding": num(sum(d.due for d in due)),
            "Overdue": num(sum(d.due for d in late)),
        }

    return {"AccountsReceivable": sums("ACCREC"), "AccountsPayable": sums("ACCPAY")}
