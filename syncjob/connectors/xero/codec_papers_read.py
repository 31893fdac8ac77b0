"""Xero's repeating invoices as our records. Credit notes and invoices are read in codec_read.py."""

from __future__ import annotations

from typing import Literal

from syncjob.connectors.xero.codec_read import LINE_AMOUNTS, Pages, lines_of
from syncjob.connectors.xero.values import Fields
from syncjob.core.markers import other_marker_in
from syncjob.core.records import Template
from syncjob.errors import SchemaDrift

_STATUSES: dict[str, Literal["draft", "authorised", "deleted"]] = {
    "DRAFT": "draft",
    "AUTHORISED": "authorised",
    "DELETED": "deleted",
}
_UNITS: dict[str, Literal["weekly", "monthly"]] = {"WEEKLY": "weekly", "MONTHLY": "monthly"}


def template(fields: Fields, pages: Pages) -> Template | None:
    """A repeating sales invoice; None for a repeating bill. Raises SchemaDrift."""
    if fields.text("Type") != "ACCREC":
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
