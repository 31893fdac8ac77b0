"""What a person is told about a customer: what differs, what is held, and what to do next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from syncjob.core.actions import Issue
from syncjob.core.contacts.fields import decode_address, decode_people
from syncjob.core.contacts.merge import Field
from syncjob.core.records import Address, Contact, Side

#: Fields as people call them.
NAMES = {
    "first_name": "first name", "last_name": "last name", "email": "e-mail",
    "emails": "further e-mails", "postal": "billing address", "street": "delivery address",
    "tax_number": "tax number", "terms": "payment terms", "people": "further persons",
}  # fmt: skip


def shown(field: str, value: str | None) -> str:
    """A field's value as it stands in a sentence."""
    text = plain_text(field, value)
    return repr(text) if text else "empty"


def plain_text(field: str, value: str | None) -> str | None:
    """A field's value as a person reads it; None for nothing."""
    if not value:
        return None
    if field in ("postal", "street"):
        return _address(decode_address(value) or Address())
    if field == "people":
        return ", ".join(p.full_name or p.email or "" for p in decode_people(value))
    return value.replace("\n", ", ")


def _address(address: Address) -> str:
    if address.text and not address.lines:
        return address.text
    parts = (*address.lines, address.city, address.region, address.postal_code, address.country)
    return ", ".join(part for part in parts if part)


def differing(
    fields: Sequence[Field], crm: Contact, ledger: Contact, subject: str, *,
    conflict: bool, full: bool,
) -> Issue:  # fmt: skip
    """What the two sides say differently, field by field, with what they agreed on before."""
    listed = "; ".join(
        f"{NAMES.get(f.name, f.name)}: CRM {shown(f.name, f.crm)}, ledger "
        f"{shown(f.name, f.ledger)}" + (f", before {_before(f)}" if f.known else "")
        for f in fields
    )
    take = f"`syncjob resolve contact {crm.id} --take crm` or `--take ledger`"
    one = f" (`--field {fields[0].name}` for one field)" if len(fields) > 1 else ""
    later = "" if full else "; or confirm the owners with contacts.update: owners"
    return Issue(
        code="contact_conflict" if conflict else "contact_differs", subject=subject, state="note",
        field=fields[0].name, page=crm.page or ledger.page,
        what=f"CRM and ledger differ: {listed}. Nothing was overwritten.",
        next_step=f"{take}{one}{later}; or make them alike on either side.",
    )  # fmt: skip


def _before(field: Field) -> str:
    crm, ledger = shown(field.name, field.crm_base), shown(field.name, field.ledger_base)
    return crm if crm == ledger else f"{crm} and {ledger}"


def archived(crm: Contact, ledger: Contact, fields: Sequence[str], subject: str) -> Issue:
    """Something is to be written, and the ledger contact is archived."""
    return Issue(
        code="contact_archived", subject=subject, state="note", page=ledger.page,
        what=f"{ledger.name!r} is archived in the ledger, so changes wait: {_listed(fields)}.",
        next_step="Restore it in the ledger and they go on; or leave it, and nothing is written.",
    )  # fmt: skip


def supplier_held(crm: Contact, ledger: Contact, fields: Sequence[str], subject: str) -> Issue:
    """A customer that is also a supplier: who pays and is paid is not changed from a CRM."""
    return Issue(
        code="contact_is_supplier", subject=subject, state="note", page=ledger.page,
        what=f"{ledger.name!r} is also a supplier, so the ledger is not changed: "
        f"{_listed(fields)} of {crm.id} differ.",
        next_step="Change it in the ledger by hand, or set contacts.suppliers: true.",
    )  # fmt: skip


def not_cleared(crm: Contact, ledger: Contact, fields: Mapping[str, Side], subject: str) -> Issue:
    """A value was taken away on one side, and the other (`fields` says which) cannot be without."""
    listed = "; ".join(
        f"{NAMES.get(field, field)} of {crm.id}" if side == "crm"
        else f"{NAMES.get(field, field)} of {ledger.name!r} in the ledger"
        for field, side in fields.items()
    )  # fmt: skip
    return Issue(
        code="contact_not_cleared", subject=subject, state="note", field=next(iter(fields)),
        page=ledger.page or crm.page,
        what=f"What the other side no longer says cannot be taken away by us: {listed}.",
        next_step="Take it away there by hand, or put it back where it was cleared.",
    )  # fmt: skip


def deleted_in_crm(
    crm: Contact, ledger: Contact, survivors: Mapping[str, str | None], subject: str
) -> Issue:
    """The CRM record is gone, and nobody has clearly taken its place."""
    if len(survivors) == 1:
        heir = next(iter(survivors))
        what = f"was merged into {heir} in the CRM, which has a ledger contact of its own"
        step = f"Merge {ledger.name!r} into that contact in the ledger, or leave both."
    else:
        what = "was deleted in the CRM"
        step = "Restore it in the CRM to go on, or leave it; nothing is made or deleted for it."
    return Issue(
        code="contact_deleted", subject=subject, state="note", page=ledger.page or crm.page,
        what=f"{crm.name or crm.id} {what}; the ledger's {ledger.name!r} stays as it is.",
        next_step=step,
    )  # fmt: skip


def merged_in_ledger(crm: Contact, ledger: Contact, rival: str, subject: str) -> Issue:
    """Two customers of the CRM, whose ledger contacts somebody has made one."""
    return Issue(
        code="contact_merged", subject=subject, state="note", page=crm.page or ledger.page,
        what=f"The ledger contact of {crm.name or crm.id} was merged into {ledger.name!r}, which "
        f"is {rival} in the CRM; nothing is written for {crm.id}.",
        next_step=f"Merge {crm.id} into {rival} in the CRM too; or undo it in the ledger.",
    )  # fmt: skip


def _listed(fields: Sequence[str]) -> str:
    return ", ".join(NAMES.get(field, field) for field in dict.fromkeys(fields))
