"""What the bookkeeper does in Xero by hand: the acts of the control door."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from syncjob.sandbox.kernel import ActError
from syncjob.sandbox.xero import contacts, settle
from syncjob.sandbox.xero.dumping import plain
from syncjob.sandbox.xero.invoices import INVOICE_FIELDS, Writer, save_invoice
from syncjob.sandbox.xero.models import Contact, Document
from syncjob.sandbox.xero.people_batches import BATCH_ACTS
from syncjob.sandbox.xero.people_papers import PAPER_ACTS
from syncjob.sandbox.xero.people_settings import SERVER_ACTS, SETTINGS_ACTS
from syncjob.sandbox.xero.wire import Element, PostDataInvalid, loads
from syncjob.sandbox.xero.world import Invalid, Organisation

if TYPE_CHECKING:
    from syncjob.sandbox.xero.server import XeroServer

Payload = dict[str, Any]
OrgAct = Callable[[Organisation, Payload], Any]


def act(server: XeroServer, name: str, payload: Payload) -> dict[str, Any] | None:
    """Does one act. `organisation` in the payload (an id) chooses a tenant other than the first."""
    try:
        if name in SERVER_ACTS:
            return {"done": plain(SERVER_ACTS[name](server, payload))}
        if name not in _ORG_ACTS:
            return None
        wanted = payload.get("organisation")
        org = server.organisations[wanted] if wanted else server.organisation
        return {"done": plain(_ORG_ACTS[name](org, payload))}
    except (Invalid, PostDataInvalid) as error:
        raise ActError(str(error)) from error
    except KeyError as error:
        raise ActError(f"{name} needs {error}, or names a record that is not there") from error


def names() -> list[str]:
    return sorted([*_ORG_ACTS, *SERVER_ACTS])


# --- finding what a payload names


def _invoice(org: Organisation, payload: Payload) -> Document:
    wanted = str(payload["invoice"])
    found = org.invoices.get(wanted.lower()) or org.invoice_numbered(wanted, live_only=False)
    if found is None:
        raise ActError(f"no invoice {wanted!r}")
    return found


def _contact(org: Organisation, wanted: Any) -> Contact:
    found = org.contacts.get(str(wanted).lower()) or org.contact_numbered(str(wanted))
    found = found or org.contact_named(str(wanted))
    if found is None:
        raise ActError(f"no contact {wanted!r}")
    return found


def _amount(payload: Payload, default: Fraction) -> Fraction:
    value = payload.get("amount")
    return default if value is None else Fraction(str(value))


def _day(org: Organisation, payload: Payload, key: str = "date") -> date:
    value = payload.get(key)
    return org.today() if value is None else date.fromisoformat(value)


def _element(payload: Any, known: frozenset[str]) -> Element:
    return Element(loads(json.dumps(payload).encode()), "payload", known, strict=True)


# --- money


def _pay(org: Organisation, payload: Payload) -> Any:
    invoice = _invoice(org, payload)
    account = settle.payment_account(org, payload.get("account"), None)
    amount, day = _amount(payload, invoice.due), _day(org, payload)
    return settle.pay(org, invoice, amount, day, account, payload.get("reference", ""))


def _remove_payment(org: Organisation, payload: Payload) -> Any:
    if "payment" in payload:
        return settle.remove_payment(org, org.payments[payload["payment"]])
    invoice = _invoice(org, payload)
    live = [p for p in org.payments if p.document_id == invoice.id and p.status != "DELETED"]
    if not live:
        raise ActError("that invoice has no payment")
    return settle.remove_payment(org, live[-1])


def _credit(org: Organisation, payload: Payload) -> Any:
    return _settle_by(org, payload, "creditnote")


def _prepay(org: Organisation, payload: Payload) -> Any:
    return _settle_by(org, payload, "prepayment")


def _overpay(org: Organisation, payload: Payload) -> Any:
    return _settle_by(org, payload, "overpayment")


def _settle_by(org: Organisation, payload: Payload, kind: str) -> Any:
    """A new credit of `total` (default: `amount`), of which `amount` goes to the invoice."""
    invoice = _invoice(org, payload)
    amount, day = _amount(payload, invoice.due), _day(org, payload)
    total = Fraction(str(payload["total"])) if "total" in payload else amount
    like = invoice if kind == "creditnote" else None
    account = str(payload.get("account", "200" if like else "610"))
    credit = settle.new_credit(org, kind, invoice.contact_id, total, day, account, like)
    credit = replace(credit, currency=invoice.currency, rate=invoice.rate)
    org.credits.put(credit)
    if payload.get("allocate", True):
        settle.allocate(org, credit, invoice, amount, day, kind)
    return org.credits[credit.id]


def _unallocate(org: Organisation, payload: Payload) -> Any:
    settle.unallocate(org, payload["allocation"])


def _refund_credit(org: Organisation, payload: Payload) -> Any:
    wanted = payload["credit"]
    credit = org.credits.get(wanted) or org.credits.first(lambda c: c.number == wanted)
    if credit is None:
        raise ActError(f"no credit {wanted!r}")
    account = settle.payment_account(org, payload.get("account"), None)
    return settle.pay(org, credit, _amount(payload, credit.due), _day(org, payload), account)


# --- invoices


def _save(org: Organisation, payload: Payload, by_id: str | None) -> Document:
    sent = _element(payload, INVOICE_FIELDS)
    return save_invoice(org, sent, Writer(unitdp=4, create=by_id is None), by_id)


def _create_invoice(org: Organisation, payload: Payload) -> Any:
    return _save(org, {"Type": "ACCREC", **payload["fields"]}, None)


def _edit_invoice(org: Organisation, payload: Payload) -> Any:
    return _save(org, payload["fields"], _invoice(org, payload).id)


def _status(status: str) -> OrgAct:
    def change(org: Organisation, payload: Payload) -> Any:
        invoice = _invoice(org, payload)
        fields: Payload = {"Status": status}
        if status in ("AUTHORISED", "SUBMITTED") and invoice.due_day is None:
            fields["DueDate"] = _day(org, payload, "due_date").isoformat()
        return _save(org, fields, invoice.id)

    return change


def _expect_payment(org: Organisation, payload: Payload) -> Any:
    value = payload.get("date")
    day = None if value is None else date.fromisoformat(value)
    return org.invoices.put(replace(_invoice(org, payload), expected_day=day, updated=org.stamp()))


# --- contacts


def _create_contact(org: Organisation, payload: Payload) -> Any:
    sent = _element(payload["fields"], contacts.CONTACT_FIELDS)
    return contacts.save_contact(org, sent, create=True, by_id=None)


def _edit_contact(org: Organisation, payload: Payload) -> Any:
    sent = _element(payload["fields"], contacts.CONTACT_FIELDS)
    found = _contact(org, payload["contact"])
    return contacts.save_contact(org, sent, create=False, by_id=found.id)


def _rename_contact(org: Organisation, payload: Payload) -> Any:
    fields = {"Name": payload["name"]}
    return _edit_contact(org, {"contact": payload["contact"], "fields": fields})


def _archive_contact(org: Organisation, payload: Payload) -> Any:
    return contacts.archive(org, _contact(org, payload["contact"]))


def _restore_contact(org: Organisation, payload: Payload) -> Any:
    wanted = str(payload["contact"])
    found = org.contacts.get(wanted) or org.contacts.first(lambda c: c.name == wanted)
    if found is None:
        raise ActError(f"no contact {wanted!r}")
    return contacts.restore(org, found)


def _forget_contact(org: Organisation, payload: Payload) -> Any:
    found = _contact(org, payload["contact"])
    return org.contacts.put(replace(found, status="GDPRREQUEST", updated=org.stamp()))


def _edit_persons(org: Organisation, payload: Payload) -> Any:
    """The further persons as a person leaves them, none included."""
    found = _contact(org, payload["contact"])
    kept = replace(found, persons=())
    org.contacts.put(replace(kept, updated=org.stamp()))
    persons = payload["persons"]
    return _edit_contact(org, {"contact": found.id, "fields": {"ContactPersons": persons}})


def _set_website(org: Organisation, payload: Payload) -> Any:
    """The API only shows it."""
    found = _contact(org, payload["contact"])
    fields = {**found.fields, "Website": str(payload["website"])}
    return org.contacts.put(replace(found, fields=fields, updated=org.stamp()))


def _merge_contacts(org: Organisation, payload: Payload) -> Any:
    loser, survivor = _contact(org, payload["loser"]), _contact(org, payload["survivor"])
    contacts.merge(org, loser, survivor)
    return org.contacts[survivor.id]


_ORG_ACTS: dict[str, OrgAct] = {
    "pay": _pay,
    "remove_payment": _remove_payment,
    "credit": _credit,
    "refund_credit": _refund_credit,
    "allocate_prepayment": _prepay,
    "allocate_overpayment": _overpay,
    "remove_allocation": _unallocate,
    "approve": _status("AUTHORISED"),
    "submit": _status("SUBMITTED"),
    "void": _status("VOIDED"),
    "delete": _status("DELETED"),
    "create_invoice": _create_invoice,
    "edit_invoice": _edit_invoice,
    "set_expected_payment_date": _expect_payment,
    "create_contact": _create_contact,
    "edit_contact": _edit_contact,
    "rename_contact": _rename_contact,
    "archive_contact": _archive_contact,
    "restore_contact": _restore_contact,
    "forget_contact": _forget_contact,
    "merge_contacts": _merge_contacts,
    "set_contact_persons": _edit_persons,
    "set_website": _set_website,
    **PAPER_ACTS,
    **BATCH_ACTS,
    **SETTINGS_ACTS,
}
