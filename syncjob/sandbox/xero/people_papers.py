"""What the bookkeeper does by hand with repeating invoices, credit notes and sent invoices."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

from syncjob.sandbox.kernel import ActError
from syncjob.sandbox.xero import repeating, settle
from syncjob.sandbox.xero.credit_notes import CREDIT_FIELDS, save_credit
from syncjob.sandbox.xero.invoices import Writer
from syncjob.sandbox.xero.models import Document, Template
from syncjob.sandbox.xero.wire import Element, loads
from syncjob.sandbox.xero.world import Organisation

Payload = dict[str, Any]
OrgAct = Callable[[Organisation, Payload], Any]


def _template(org: Organisation, payload: Payload) -> Template:
    """By id, or by a text that its reference holds."""
    wanted = str(payload["template"])
    found = org.templates.get(wanted) or org.templates.first(
        lambda t: wanted in (t.document.reference or "")
    )
    if found is None:
        raise ActError(f"no repeating invoice {wanted!r}")
    return found


def _change_template(status: str) -> OrgAct:
    def change(org: Organisation, payload: Payload) -> Any:
        return repeating.change_status(org, _template(org, payload), status)

    return change


def _credit(org: Organisation, payload: Payload) -> Document:
    wanted = str(payload["credit"])
    found = org.credits.get(wanted) or org.credits.first(lambda c: c.number == wanted)
    if found is None:
        raise ActError(f"no credit note {wanted!r}")
    return found


def _save_credit(org: Organisation, fields: Payload, by_id: str) -> Document:
    sent = Element(loads(json.dumps(fields).encode()), "payload", CREDIT_FIELDS, strict=True)
    return save_credit(org, sent, Writer(unitdp=4), by_id)


def _credit_status(status: str) -> OrgAct:
    def change(org: Organisation, payload: Payload) -> Any:
        return _save_credit(org, {"Status": status}, _credit(org, payload).id)

    return change


def _edit_credit(org: Organisation, payload: Payload) -> Any:
    return _save_credit(org, payload["fields"], _credit(org, payload).id)


def _allocate_credit(org: Organisation, payload: Payload) -> Any:
    """Apply an approved credit note to an invoice: all of it, or `amount`."""
    credit, wanted = _credit(org, payload), str(payload["invoice"])
    invoice = org.invoices.get(wanted) or org.invoice_numbered(wanted)
    if invoice is None:
        raise ActError(f"no invoice {wanted!r}")
    amount = Fraction(str(payload.get("amount", min(credit.due, invoice.due))))
    return settle.allocate(org, credit, invoice, amount, org.today(), "creditnote")


def _mark_sent(org: Organisation, payload: Payload) -> Any:
    """Mark as sent, or not: on a part-paid invoice it moves no stamp (facts: xero, 4)."""
    wanted = str(payload["invoice"])
    invoice = org.invoices.get(wanted) or org.invoice_numbered(wanted)
    if invoice is None:
        raise ActError(f"no invoice {wanted!r}")
    stamp = invoice.updated if invoice.applied else org.stamp()
    return org.invoices.put(replace(invoice, sent=payload.get("sent", True), updated=stamp))


PAPER_ACTS: dict[str, OrgAct] = {
    "approve_template": _change_template("AUTHORISED"),
    "draft_template": _change_template("DRAFT"),
    "delete_template": _change_template("DELETED"),
    "approve_credit": _credit_status("AUTHORISED"),
    "delete_credit": _credit_status("DELETED"),
    "void_credit": _credit_status("VOIDED"),
    "edit_credit": _edit_credit,
    "allocate_credit": _allocate_credit,
    "mark_sent": _mark_sent,
}
