"""Batch payments: one transfer that pays several invoices, made and deleted whole by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from syncjob.sandbox.kernel import ActError
from syncjob.sandbox.xero import settle
from syncjob.sandbox.xero.world import Organisation

Payload = dict[str, Any]


def pay_batch(org: Organisation, payload: Payload) -> Any:
    """Pays all that is due on `invoices` in one transfer on `date`; each has its own payment."""
    day = date.fromisoformat(payload["date"]) if payload.get("date") else org.today()
    account = settle.payment_account(org, payload.get("account"), None)
    batch, paid = org.entropy.uuid(), []
    for wanted in payload["invoices"]:
        invoice = org.invoices.get(str(wanted)) or org.invoice_numbered(str(wanted))
        if invoice is None:
            raise ActError(f"no invoice {wanted!r}")
        made = settle.pay(org, invoice, invoice.due, day, account)
        paid.append(org.payments.put(replace(made, batch=batch)))
        marked = org.invoices[invoice.id]
        applied = tuple(replace(a, number=batch) if a.id == made.id else a for a in marked.applied)
        org.invoices.put(replace(marked, applied=applied))
    return {"batch": batch, "payments": [one.id for one in paid]}


def remove_batch(org: Organisation, payload: Payload) -> Any:
    """Deletes every payment of a `batch`."""
    found = [p for p in org.payments if p.batch == payload["batch"] and p.status != "DELETED"]
    if not found:
        raise ActError("no such batch payment")
    return [settle.remove_payment(org, payment).id for payment in found]


BATCH_ACTS = {"pay_batch": pay_batch, "remove_batch": remove_batch}
