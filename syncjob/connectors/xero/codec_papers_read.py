"""Xero's repeating invoices, prepayments and overpayments as our records."""

from __future__ import annotations

from typing import Literal

from syncjob.connectors.xero.codec_read import LINE_AMOUNTS, Pages, credit, lines_of
from syncjob.connectors.xero.values import Fields
from syncjob.core.markers import other_marker_in
from syncjob.core.records import CreditNote, Template
from syncjob.errors import SchemaDrift

_STATUSES: dict[str, Literal["draft", "authorised", "deleted"]] = {
    "DRAFT": "draft",
    "AUTHORISED": "authorised",
    "DELETED": "deleted",
}
#: Sales, and what suppliers bill us.
_TYPES: dict[str, Literal["sale", "bill"]] = {"ACCREC": "sale", "ACCPAY": "bill"}
_UNITS: dict[str, Literal["weekly", "monthly"]] = {"WEEKLY": "weekly", "MONTHLY": "monthly"}

#: What customers paid ahead or too much, and (the same lists hold both) what we paid suppliers.
_PREPAYMENTS: dict[str, Literal["sale", "bill"]] = {
    "RECEIVE-PREPAYMENT": "sale",
    "ARPREPAYMENT": "sale",
    "SPEND-PREPAYMENT": "bill",
    "APPREPAYMENT": "bill",
}
_OVERPAYMENTS: dict[str, Literal["sale", "bill"]] = {
    "RECEIVE-OVERPAYMENT": "sale",
    "AROVERPAYMENT": "sale",
    "SPEND-OVERPAYMENT": "bill",
}


def prepayment(fields: Fields, _pages: Pages) -> CreditNote:
    """Money that came before its invoice. Raises SchemaDrift."""
    return credit(fields, fields.need_id("PrepaymentID"), _PREPAYMENTS, "prepayment")


def overpayment(fields: Fields, _pages: Pages) -> CreditNote:
    """More money than the invoice asked for. Raises SchemaDrift."""
    return credit(fields, fields.need_id("OverpaymentID"), _OVERPAYMENTS, "overpayment")


def template(fields: Fields, pages: Pages) -> Template | None:
    """A repeating sales invoice; None for a repeating bill. Raises SchemaDrift."""
    if fields.choice("Type", _TYPES) == "bill":
        return None
    id = fields.need_id("RepeatingInvoiceID")
    schedule, owner = fields.object("Schedule"), fields.object("Contact")
    period = schedule.amount("Period") if schedule else None
    if schedule is None or period is None:
        raise SchemaDrift("A repeating invoice has no schedule.", where=id)
    reference = fields.text("Reference")
    return Template(
        id=id,
        page=pages.template(id),
        status=fields.choice("Status", _STATUSES),
        currency=fields.need("CurrencyCode"),
        contact_id=owner.id("ContactID") if owner else None,
        unit=schedule.choice("Unit", _UNITS),
        period=int(period),
        starts=schedule.day("StartDate"),
        next_on=schedule.day("NextScheduledDate"),
        ends=schedule.day("EndDate"),
        line_amounts=fields.choice("LineAmountTypes", LINE_AMOUNTS),
        lines=lines_of(fields) or (),
        total=fields.need_amount("Total"),
        reference=reference,
        marker=other_marker_in(reference),
    )


def template_marker(fields: Fields) -> str | None:
    """The marker that a repeating invoice bears which cannot be read otherwise; None if it bears
    none, empty if its reference cannot be read either."""
    try:
        return other_marker_in(fields.text("Reference"))
    except SchemaDrift:
        return ""
