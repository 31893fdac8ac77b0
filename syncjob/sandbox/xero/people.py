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
from syncjob.sandbox.xero.models import Account, Contact, Document, TaxRate
from syncjob.sandbox.xero.options import Limits
from syncjob.sandbox.xero.wire import Element, PostDataInvalid, loads
from syncjob.sandbox.xero.world import Invalid, Organisation

if TYPE_CHECKING:
    from syncjob.sandbox.xero.server import XeroServer

Payload = dict[str, Any]
OrgAct = Callable[[Organisation, Payload], Any]


def act(server: XeroServer, name: str, payload: Payload) -> dict[str, Any] | None:
    """Does one act. `organisation` in the payload (an id) chooses a tenant other than the first."""
    try:
        if name in _SERVER_ACTS:
            return {"done": plain(_SERVER_ACTS[name](server, payload))}
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
    return sorted([*_ORG_ACTS, *_SERVER_ACTS])


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


def _merge_contacts(org: Organisation, payload: Payload) -> Any:
    loser, survivor = _contact(org, payload["loser"]), _contact(org, payload["survivor"])
    contacts.merge(org, loser, survivor)
    return org.contacts[survivor.id]


# --- settings


def _set_lock_date(org: Organisation, payload: Payload) -> Any:
    """`period` and `year` as days; null lifts a lock, a missing one stays."""
    for key, name in (("period", "period_lock"), ("year", "year_lock")):
        if key in payload:
            value = payload[key]
            setattr(org, name, None if value is None else date.fromisoformat(value))


def _archive_account(org: Organisation, payload: Payload) -> Any:
    account = org.account(str(payload["account"]))
    if account is None:
        raise ActError(f"no account {payload['account']!r}")
    return org.accounts.put(replace(account, status="ARCHIVED", updated=org.stamp()))


def _add_account(org: Organisation, payload: Payload) -> Any:
    kind = payload.get("type", "REVENUE")
    return org.accounts.put(
        Account(
            org.entropy.uuid(),
            str(payload["code"]),
            payload["name"],
            kind,
            payload.get("class", "REVENUE" if kind in ("REVENUE", "SALES") else "EXPENSE"),
            payload.get("tax_type", org.region.sales_tax),
            updated=org.stamp(),
        )
    )


def _add_tax_rate(org: Organisation, payload: Payload) -> Any:
    custom = sum(t.tax_type.startswith("TAX") for t in org.tax_rates) + 1
    code = payload.get("tax_type", f"TAX{custom:03d}")
    revenue, expenses = payload.get("revenue", True), payload.get("expenses", True)
    rate = TaxRate(payload["name"], code, Fraction(str(payload["percent"])), revenue, expenses)
    org.tax_rates.append(rate)
    return rate


def _retire_tax_rate(org: Organisation, payload: Payload) -> Any:
    status, wanted = payload.get("status", "ARCHIVED"), payload["tax_type"]
    org.tax_rates = [
        replace(t, status=status) if t.tax_type == wanted else t for t in org.tax_rates
    ]


def _enable_currency(org: Organisation, payload: Payload) -> Any:
    if payload["currency"] not in org.currencies:
        org.currencies.append(payload["currency"])


def _add_tracking(org: Organisation, payload: Payload) -> Any:
    category = {
        "Name": payload["name"],
        "Status": "ACTIVE",
        "TrackingCategoryID": org.entropy.uuid(),
        "Options": [
            {
                "TrackingOptionID": org.entropy.uuid(),
                "Name": name,
                "Status": "ACTIVE",
                "HasValidationErrors": False,
                "IsDeleted": False,
                "IsArchived": False,
                "IsActive": True,
            }
            for name in payload["options"]
        ],
    }
    org.tracking.append(category)
    return category


def _set_plan_cap(org: Organisation, payload: Payload) -> Any:
    org.plan_cap = payload["cap"]


def _rename_organisation(org: Organisation, payload: Payload) -> Any:
    org.name = payload["name"]


# --- the app's connection


def _disconnect(server: XeroServer, payload: Payload) -> Any:
    server.identity.disconnect(payload.get("client_id"))


def _reconnect(server: XeroServer, payload: Payload) -> Any:
    """Binds an app to another organisation, made in `region` if no `organisation` is named."""
    wanted, client_id = payload.get("organisation"), payload.get("client_id")
    if wanted:
        org = server.organisations[wanted]
    else:
        region = payload.get("region", server.options.region)
        org = server.add_organisation(region, payload.get("name", "Second Company"))
    client_id = client_id or server.options.client_id
    server.identity.disconnect(client_id)
    server.identity.connect(client_id, org.id, org.name)
    return {"organisation": org.id}


def _expire_tokens(server: XeroServer, payload: Payload) -> Any:
    server.identity.access.clear()
    if payload.get("refresh"):
        server.identity.refresh.clear()


def _set_scopes(server: XeroServer, payload: Payload) -> Any:
    client_id = payload.get("client_id", server.options.client_id)
    app = server.identity.apps[client_id]
    server.identity.apps[client_id] = replace(app, scopes=tuple(payload["scopes"]))


def _set_limits(server: XeroServer, payload: Payload) -> Any:
    """Any of minute, day, app_minute, concurrent; `{"off": true}` switches limits off."""
    server.set_limits(None if payload.get("off") else Limits(**payload))


_SERVER_ACTS: dict[str, Callable[[XeroServer, Payload], Any]] = {
    "disconnect": _disconnect,
    "reconnect_other_organisation": _reconnect,
    "expire_tokens": _expire_tokens,
    "set_scopes": _set_scopes,
    "set_limits": _set_limits,
}
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
    "set_lock_date": _set_lock_date,
    "archive_account": _archive_account,
    "add_account": _add_account,
    "add_tax_rate": _add_tax_rate,
    "retire_tax_rate": _retire_tax_rate,
    "enable_currency": _enable_currency,
    "add_tracking": _add_tracking,
    "set_plan_cap": _set_plan_cap,
    "rename_organisation": _rename_organisation,
}
