"""Credit notes: creating, editing and the status lifecycle; applying one is a person's act.

They have no Url and no discounts (spec, CreditNote and LineItem); the number is Xero's own unless
one is given.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from syncjob.sandbox.xero.contacts import CONTACT_FIELDS, contact_for_document
from syncjob.sandbox.xero.invoices import NOT_FOUND, SETTLED, WRONG_STATUS, Writer
from syncjob.sandbox.xero.lines import LINE_FIELDS, check_for_approval, price_lines, with_totals
from syncjob.sandbox.xero.models import Document
from syncjob.sandbox.xero.wire import Element, round_half_up, words
from syncjob.sandbox.xero.world import Invalid, Organisation

CREDIT_FIELDS = words(
    "Type Contact Date DueDate Status LineAmountTypes LineItems SubTotal TotalTax Total "
    "CurrencyCode CreditNoteID CreditNoteNumber Reference SentToContact CurrencyRate "
    "RemainingCredit Allocations AppliedAmount Payments BrandingThemeID HasAttachments HasErrors "
    "StatusAttributeString ValidationErrors Warnings InvoiceAddresses FullyPaidOnDate "
    "UpdatedDateUTC UpdatedDateUTCString CISDeduction CISRate"
)
_MOVES = {
    "DRAFT": ("DRAFT", "SUBMITTED", "AUTHORISED", "DELETED"),
    "SUBMITTED": ("DRAFT", "SUBMITTED", "AUTHORISED", "DELETED"),
    "AUTHORISED": ("AUTHORISED", "VOIDED"),
    "PAID": ("PAID",),
}


def save_credit(
    org: Organisation, sent: Element, writer: Writer, by_id: str | None = None
) -> Document:
    """PUT creates; POST updates by id, or creates."""
    wanted = by_id or sent.uuid("CreditNoteID")
    if writer.create and wanted:
        raise Invalid("A CreditNoteID cannot be given to a new credit note.")
    if wanted is None:
        return _create(org, sent, writer)
    old = org.credits.get(wanted)
    if old is None or old.type != "ACCRECCREDIT":
        raise Invalid(NOT_FOUND)
    return _update(org, old, sent, writer)


def _create(org: Organisation, sent: Element, writer: Writer) -> Document:
    if sent.text("Type") != "ACCRECCREDIT":
        raise Invalid("The Credit Note Type must be ACCRECCREDIT.")
    status = sent.text("Status") or "DRAFT"
    if status not in ("DRAFT", "SUBMITTED", "AUTHORISED"):
        raise Invalid(f"The Status {status} is not valid for a new credit note.")
    if not sent.raw.get("LineItems"):
        raise Invalid("One or more line items must be specified")
    number = sent.text("CreditNoteNumber") or ""
    if number and org.credits.first(lambda c: c.number == number and c.status != "DELETED"):
        raise Invalid("Credit Note # must be unique.")
    blank = Document(
        org.entropy.uuid(), "ACCRECCREDIT",
        contact_for_document(org, sent.object("Contact", CONTACT_FIELDS)).id,
        org.today(), "DRAFT", org.region.currency, Fraction(1), theme_id=org.theme_id,
        created_by=writer.app,
    )  # fmt: skip
    document = _moved(org, _edit(org, blank, sent, writer), status)
    document = replace(document, number=number or org.next_number("CN"), updated=org.stamp())
    return org.credits.put(document)


def _update(org: Organisation, old: Document, sent: Element, writer: Writer) -> Document:
    status = sent.text("Status") or old.status
    if old.status in ("VOIDED", "DELETED") or status not in _MOVES[old.status]:
        raise Invalid(WRONG_STATUS)
    if old.applied:
        raise Invalid(WRONG_STATUS, SETTLED)
    if status in ("VOIDED", "DELETED"):
        org.refuse_locked(old.day) if old.status == "AUTHORISED" else None
        return org.credits.put(replace(old, status=status, updated=org.stamp()))
    new = _moved(org, _edit(org, old, sent, writer), status)
    return org.credits.put(replace(new, updated=org.stamp()))


def _edit(org: Organisation, old: Document, sent: Element, writer: Writer) -> Document:
    sent_lines = sent.objects("LineItems", LINE_FIELDS)
    if any("DiscountRate" in x or "DiscountAmount" in x for x in sent_lines or []):
        raise Invalid("Discounts may not be applied to credit notes.")
    style = sent.text("LineAmountTypes") or old.line_amount_types
    if style not in ("Exclusive", "Inclusive", "NoTax"):
        raise Invalid(f"The LineAmountTypes {style} is not valid.")
    reference = sent.text("Reference") if "Reference" in sent else old.reference
    if len(reference or "") > 255:
        raise Invalid("The Reference must not exceed 255 characters.")
    currency, rate = _currency(org, old, sent)
    lines = old.lines
    if sent_lines is not None:
        lines = price_lines(org, sent_lines, old.lines, writer.unitdp)
    new = replace(
        old, day=sent.day("Date") or old.day, reference=reference, line_amount_types=style,
        currency=currency, rate=rate, lines=lines,
        number=sent.text("CreditNoteNumber") or old.number,
    )  # fmt: skip
    new = with_totals(org, new)
    if new.total < 0:
        raise Invalid("The document total must not be negative.")
    return new


def _currency(org: Organisation, old: Document, sent: Element) -> tuple[str, Fraction]:
    currency = sent.text("CurrencyCode") or old.currency
    if currency not in org.currencies:
        raise Invalid(f"Organisation is not subscribed to currency {currency}")
    rate = sent.number("CurrencyRate")
    if currency == org.region.currency:
        return currency, Fraction(1)
    if rate is not None and rate <= 0:
        raise Invalid("The CurrencyRate must be greater than zero.")
    if rate is None and currency == old.currency and old.lines:
        return currency, old.rate
    return currency, round_half_up(org.rate(currency) if rate is None else rate, 6)


def _moved(org: Organisation, document: Document, status: str) -> Document:
    org.refuse_locked(document.day)
    errors = check_for_approval(document) if status != "DRAFT" else []
    if errors:
        raise Invalid(*dict.fromkeys(errors))
    return replace(document, status=status)
