"""Invoices: creating, editing and the status lifecycle, with Xero's refusals."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from urllib.parse import urlsplit

from syncjob.sandbox.xero.contacts import CONTACT_FIELDS, contact_for_document
from syncjob.sandbox.xero.lines import LINE_FIELDS, check_for_approval, price_lines, with_totals
from syncjob.sandbox.xero.models import ZERO, Document
from syncjob.sandbox.xero.wire import Element, round_half_up, words
from syncjob.sandbox.xero.world import DEAD, Invalid, Organisation

INVOICE_FIELDS = words(
    "Type Contact LineItems Date DueDate LineAmountTypes InvoiceNumber Reference "
    "BrandingThemeID Url CurrencyCode CurrencyRate Status SentToContact ExpectedPaymentDate "
    "PlannedPaymentDate CISDeduction CISRate SubTotal TotalTax Total TotalDiscount InvoiceID "
    "RepeatingInvoiceID HasAttachments IsDiscounted Payments Prepayments Overpayments "
    "AmountDue AmountPaid FullyPaidOnDate AmountCredited UpdatedDateUTC UpdatedDateUTCString "
    "CreditNotes Attachments HasErrors StatusAttributeString ValidationErrors Warnings "
    "InvoiceAddresses DateString DueDateString RoundingAmount EnteredTotal"
)
NOT_FOUND = "The document with the supplied id was not found for this endpoint."
WRONG_STATUS = "Invoice not of valid status for modification"
SETTLED = "This document cannot be edited as it has a payment or credit note allocated to it."
UNIQUE = "Invoice # must be unique."
_MOVES = {
    "DRAFT": ("DRAFT", "SUBMITTED", "AUTHORISED", "DELETED"),
    "SUBMITTED": ("DRAFT", "SUBMITTED", "AUTHORISED", "DELETED"),
    "AUTHORISED": ("AUTHORISED", "VOIDED"),
    "PAID": ("PAID",),
}
_STYLES = ("Exclusive", "Inclusive", "NoTax")


@dataclass(frozen=True)
class Writer:
    """Who writes, and how: `app` is a client id, or None for a person in Xero itself."""

    app: str | None = None
    unitdp: int = 2
    create: bool = False


def save_invoice(
    org: Organisation, sent: Element, writer: Writer, by_id: str | None = None
) -> Document:
    """PUT creates; POST updates by id or by a live sales number, else creates (facts: xero, 3)."""
    old = _existing(org, sent, writer, by_id)
    if old is None:
        return _create(org, sent, writer)
    return _update(org, old, sent, writer)


def _existing(
    org: Organisation, sent: Element, writer: Writer, by_id: str | None
) -> Document | None:
    wanted = by_id or sent.uuid("InvoiceID")
    number = sent.text("InvoiceNumber")
    if writer.create:
        if wanted:
            raise Invalid("An InvoiceID cannot be given to a new invoice.")
        return None
    if wanted:
        found = org.invoices.get(wanted)
        if found is None:
            raise Invalid(NOT_FOUND)
        return found
    return org.invoice_numbered(number) if number and sent.text("Type") != "ACCPAY" else None


def _create(org: Organisation, sent: Element, writer: Writer) -> Document:
    kind = sent.text("Type")
    if kind not in ("ACCREC", "ACCPAY"):
        raise Invalid("The Invoice Type must be ACCREC or ACCPAY.")
    status = sent.text("Status") or "DRAFT"
    if status not in ("DRAFT", "SUBMITTED", "AUTHORISED"):
        raise Invalid(f"The Status {status} is not valid for a new invoice.")
    if not sent.raw.get("LineItems"):
        raise Invalid("One or more line items must be specified")
    number = sent.text("InvoiceNumber") or ""
    _refuse_number(org, kind, number, "")
    blank = Document(
        org.entropy.uuid(),
        kind,
        contact_for_document(org, sent.object("Contact", CONTACT_FIELDS)).id,
        sent.day("Date") or org.today(),
        "DRAFT",
        org.region.currency,
        org.rate(org.region.currency),
        number=number,
        theme_id=org.theme_id if kind == "ACCREC" else None,
        created_by=writer.app,
    )
    document = _edit(org, blank, sent, writer)
    document = _move(org, document, status)
    if kind == "ACCREC" and not number:
        document = replace(document, number=org.next_number("INV"))
    org.mark_role(document)
    return org.invoices.put(replace(document, updated=org.stamp()))


def _refuse_number(org: Organisation, kind: str, number: str, own_id: str) -> None:
    if len(number) > 255:
        raise Invalid("The Invoice Number must not exceed 255 characters.")
    taken = org.invoice_numbered(number) if number and kind == "ACCREC" else None
    if taken is not None and taken.id != own_id:
        raise Invalid(UNIQUE)


def _update(org: Organisation, old: Document, sent: Element, writer: Writer) -> Document:
    if old.status in DEAD:
        raise Invalid(WRONG_STATUS)
    status = sent.text("Status") or old.status
    if status != old.status and status not in _MOVES[old.status]:
        raise Invalid(WRONG_STATUS)
    if old.status in ("AUTHORISED", "PAID"):
        org.refuse_locked(old.day)
    if status in DEAD:
        return org.invoices.put(replace(end(old, status), updated=org.stamp()))
    new = _edit(org, old, sent, writer)
    if old.applied or old.status == "PAID":
        return _save_settled(org, old, new)
    _refuse_number(org, old.type, new.number, old.id)
    new = _move(org, new, status)
    return org.invoices.put(replace(new, updated=org.stamp()))


def end(old: Document, status: str) -> Document:
    """Deleted from draft or submitted; voided from authorised, unless something is applied."""
    if old.applied:
        raise Invalid(WRONG_STATUS, SETTLED)
    if status not in _MOVES[old.status]:
        raise Invalid(WRONG_STATUS)
    return replace(old, status=status)


def _save_settled(org: Organisation, old: Document, new: Document) -> Document:
    """What may still change once money is applied; two of them move no stamp (facts: xero, 4)."""
    quiet = replace(old, due_day=new.due_day, sent=new.sent)
    loud = replace(
        quiet,
        reference=new.reference,
        url=new.url,
        expected_day=new.expected_day,
        theme_id=new.theme_id,
    )
    if loud != new:
        raise Invalid(WRONG_STATUS, SETTLED)
    return org.invoices.put(new if quiet == new else replace(new, updated=org.stamp()))


def _edit(org: Organisation, old: Document, sent: Element, writer: Writer) -> Document:
    """The document with the fields that were sent, and its totals."""
    if sent.text("Type") not in (None, old.type):
        raise Invalid("The Type of an invoice cannot be changed.")
    sent_lines = sent.objects("LineItems", LINE_FIELDS)
    if sent_lines == []:
        raise Invalid("One or more line items must be specified")
    if old.type == "ACCPAY" and any(
        "DiscountRate" in x or "DiscountAmount" in x for x in sent_lines or []
    ):
        raise Invalid("Discounts may not be applied to ACCPAY invoices.")
    lines = old.lines
    if sent_lines is not None:
        lines = price_lines(org, sent_lines, old.lines, writer.unitdp)
    new = replace(_heads(org, old, sent), lines=lines)
    new = with_totals(org, new)
    if new.total < 0:
        raise Invalid("The document total must not be negative.")
    return new


def _heads(org: Organisation, old: Document, sent: Element) -> Document:
    contact_id = old.contact_id
    contact = sent.object("Contact", CONTACT_FIELDS)
    if contact is not None and old.lines:
        same = contact.uuid("ContactID") == contact_id and "Name" not in contact
        contact_id = contact_id if same else contact_for_document(org, contact).id
    currency, rate = _currency(org, old, sent)
    style = sent.text("LineAmountTypes") or old.line_amount_types
    if style not in _STYLES:
        raise Invalid(f"The LineAmountTypes {style} is not valid.")
    flag = sent.flag("SentToContact")
    if flag and (sent.text("Status") or old.status) not in ("AUTHORISED", "PAID"):
        raise Invalid("Only approved invoices may have SentToContact updated.")
    return replace(
        old,
        contact_id=contact_id,
        day=sent.day("Date") or old.day,
        due_day=sent.day("DueDate") or old.due_day,
        expected_day=_expected(sent) or old.expected_day,
        number=sent.text("InvoiceNumber") or old.number,
        reference=_reference(old, sent),
        url=_url(old, sent),
        theme_id=_theme(org, old, sent),
        currency=currency,
        rate=rate,
        line_amount_types=style,
        sent=old.sent if flag is None else flag,
    )


def _expected(sent: Element) -> date | None:
    return sent.day("ExpectedPaymentDate") or sent.day("PlannedPaymentDate")


def _reference(old: Document, sent: Element) -> str | None:
    if "Reference" not in sent or old.type != "ACCREC":
        return old.reference
    text = sent.text("Reference") or ""
    if len(text) > 255:
        raise Invalid("The Reference must not exceed 255 characters.")
    return text


def _url(old: Document, sent: Element) -> str | None:
    if "Url" not in sent:
        return old.url
    text = sent.text("Url") or ""
    parts = urlsplit(text)
    if text and (parts.scheme not in ("http", "https") or not parts.netloc):
        raise Invalid("The Url must be a valid absolute URL.")
    return text or None


def _theme(org: Organisation, old: Document, sent: Element) -> str | None:
    theme = sent.uuid("BrandingThemeID")
    if theme is not None and theme not in org.themes:
        raise Invalid("The BrandingTheme could not be found.")
    return theme or old.theme_id


def _currency(org: Organisation, old: Document, sent: Element) -> tuple[str, Fraction]:
    """The currency, which must be enabled, with its rate: the day's unless one is given."""
    currency = sent.text("CurrencyCode") or old.currency
    if currency not in org.currencies:
        raise Invalid(f"Organisation is not subscribed to currency {currency}")
    rate = sent.number("CurrencyRate")
    if currency == org.region.currency:
        return currency, Fraction(1)
    if rate is not None and rate <= 0:
        raise Invalid("The CurrencyRate must be greater than zero.")
    if rate is None and currency == old.currency:
        return currency, old.rate
    return currency, round_half_up(org.rate(currency) if rate is None else rate, 6)


def _move(org: Organisation, document: Document, status: str) -> Document:
    """Checks what the new status asks for; a document with nothing due becomes PAID at once."""
    org.refuse_locked(document.day)
    if status == "DRAFT":
        return replace(document, status=status)
    errors = check_for_approval(document)
    if document.due_day is None:
        errors.append("The document DueDate field must be specified.")
    if errors:
        raise Invalid(*dict.fromkeys(errors))
    if status == "AUTHORISED" and document.status != status:
        org.refuse_over_cap(document)
    document = replace(document, status=status)
    if status == "AUTHORISED" and document.due == ZERO:
        return replace(document, status="PAID", paid_on=document.day)
    return document
