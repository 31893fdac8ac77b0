"""The writes that come after an invoice, as the SDK forms them: templates, credit notes, e-mails.

Repeating invoices and credit notes are created as drafts and never edited; the SDK's flags for
sending are left out, so that Xero's default (off) stands. See sdk.py for what the SDK is kept from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xero_python.accounting.models import (
    Contact,
    CreditNotes,
    RepeatingInvoice,
    RepeatingInvoices,
    RequestEmpty,
    Schedule,
)
from xero_python.accounting.models import CreditNote as SdkCreditNote

from syncjob.connectors.xero.fields import one_line
from syncjob.connectors.xero.sdk import (
    FOUR_DECIMALS,
    LINE_AMOUNTS,
    Writer,
    currency_code,
    exactly,
    frozen,
    line_item,
)
from syncjob.core.actions import CreditDraft, InvoiceEmail, TemplateChange, TemplateDraft
from syncjob.transport.wire import Request

CreditNote = exactly(SdkCreditNote)

#: Xero's words for our terms. The schema has two sets of the first two kinds; those that speak of
#: an invoice's date are the ones for sales (spec, Schedule.DueDateType).
DUE_TYPES = {
    "days_after_bill": "DAYSAFTERINVOICEDATE",
    "days_after_month": "DAYSAFTERINVOICEMONTH",
    "of_current_month": "OFCURRENTMONTH",
    "of_following_month": "OFFOLLOWINGMONTH",
}


class PaperWriter(Writer):
    """All writes of one organisation."""

    def create_templates(self, drafts: Sequence[TemplateDraft], key: str) -> Request:
        """PUT; a POST could also delete one (facts: xero, 3)."""
        made = RepeatingInvoices(repeating_invoices=[_template(draft) for draft in drafts])
        return self._send(self._api.create_repeating_invoices, made, key)

    def delete_templates(self, changes: Sequence[TemplateChange], key: str) -> Request:
        """POST of ids and the status DELETED: all that a POST can do to a template that is there
        (facts: xero, 3)."""
        gone = [
            RepeatingInvoice(repeating_invoice_id=change.template_id, status="DELETED")
            for change in changes
        ]
        made = RepeatingInvoices(repeating_invoices=gone)
        return self._send(self._api.update_or_create_repeating_invoices, made, key)

    def create_credit_notes(self, drafts: Sequence[CreditDraft], key: str) -> Request:
        """PUT: each is new, and Xero gives it its number."""
        made = CreditNotes(credit_notes=[_credit_note(draft) for draft in drafts])
        return self._send(self._api.create_credit_notes, made, key, unitdp=FOUR_DECIMALS)

    def email_invoice(self, emails: Sequence[InvoiceEmail], key: str) -> Request:
        """POST without words of ours: Xero takes address, subject and text from its settings."""
        (email,) = emails  # one call an invoice (facts: xero, 1)
        request = self._api.email_invoice(
            self._tenant,
            email.invoice_id,
            frozen(RequestEmpty()),
            idempotency_key=key,
            _preload_content=False,
        )
        assert isinstance(request, Request)
        return request


def _template(draft: TemplateDraft) -> Any:
    return RepeatingInvoice(
        type="ACCREC",
        contact=Contact(contact_id=draft.contact_id),
        status="DRAFT",
        schedule=Schedule(
            period=draft.period,
            unit=draft.unit.upper(),
            due_date=draft.terms.day,
            due_date_type=DUE_TYPES[draft.terms.kind],
            start_date=draft.first,
            end_date=draft.last,
        ),
        line_amount_types=LINE_AMOUNTS[draft.line_amounts],
        line_items=[line_item(line) for line in draft.lines],
        currency_code=currency_code(draft.currency),
        reference=one_line(draft.reference),
        branding_theme_id=draft.branding,
    )


def _credit_note(draft: CreditDraft) -> Any:
    return CreditNote(
        type="ACCRECCREDIT",
        contact=Contact(contact_id=draft.contact_id),
        status="DRAFT",
        date=draft.date,
        line_amount_types=LINE_AMOUNTS[draft.line_amounts],
        line_items=[line_item(line) for line in draft.lines],
        currency_code=currency_code(draft.currency),
        currency_rate=draft.currency_rate,
        reference=one_line(draft.reference),
        branding_theme_id=draft.branding,
    )
