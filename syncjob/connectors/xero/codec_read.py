"""Xero's JSON into our records: invoices, contacts, payments, credit notes.

Written by hand and not by the SDK, whose deserialiser turns null into the text "None" and loses
a whole page to one unknown word (facts: xero, 6). Every function raises SchemaDrift for a record
that it cannot read with certainty.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Literal
from urllib.parse import quote

import msgspec

from syncjob.connectors.xero import contact_parts
from syncjob.connectors.xero.values import Fields
from syncjob.core.markers import marker_in, other_marker_in
from syncjob.core.records import (
    Contact,
    CreditNote,
    CreditOrigin,
    Invoice,
    InvoiceLine,
    InvoiceStatus,
    LineAmounts,
    Payment,
    Settlement,
)
from syncjob.errors import SchemaDrift

#: Documented form of a deep link (Xero developer documentation, "Deep link to Xero").
_LOGIN = "https://go.xero.com/organisationlogin/default.aspx"
_HOME = "https://go.xero.com"

STATUSES: dict[str, InvoiceStatus] = {
    "DRAFT": "draft",
    "SUBMITTED": "submitted",
    "AUTHORISED": "authorised",
    "PAID": "paid",
    "VOIDED": "voided",
    "DELETED": "deleted",
}
LINE_AMOUNTS: dict[str, LineAmounts] = {
    "Exclusive": "exclusive",
    "Inclusive": "inclusive",
    "NoTax": "no_tax",
}
_KINDS: dict[str, Literal["sale", "bill"]] = {"ACCREC": "sale", "ACCPAY": "bill"}
_CREDIT_KINDS: dict[str, Literal["sale", "bill"]] = {
    "ACCRECCREDIT": "sale",
    "ACCPAYCREDIT": "bill",
}
_PAYMENT_STATUSES: dict[str, Literal["authorised", "deleted"]] = {
    "AUTHORISED": "authorised",
    "DELETED": "deleted",
}
#: A contact's own setting has words of its own; NONE means that it has none.
_CONTACT_AMOUNTS: dict[str, LineAmounts] = {"EXCLUSIVE": "exclusive", "INCLUSIVE": "inclusive"}
#: ContactStatus -> (archived, deleted): a GDPR request ends the sync for good (BOOKKEEPING).
_CONTACT_STATUSES = {
    "ACTIVE": (False, False),
    "ARCHIVED": (True, False),
    "GDPRREQUEST": (True, True),
}
_SETTLED: tuple[
    tuple[str, str, str, Literal["payment", "credit_note", "prepayment", "overpayment"]], ...
] = (
    ("Payments", "PaymentID", "Amount", "payment"),
    ("CreditNotes", "CreditNoteID", "AppliedAmount", "credit_note"),
    ("Prepayments", "PrepaymentID", "AppliedAmount", "prepayment"),
    ("Overpayments", "OverpaymentID", "AppliedAmount", "overpayment"),
)


class Pages:
    """The links to records in Xero's own pages, through the organisation's short code."""

    def __init__(self, short_code: str | None = None) -> None:
        self._code = short_code

    def invoice(self, id: str) -> str:
        return self._to("/AccountsReceivable/View.aspx?InvoiceID=", id)

    def contact(self, id: str) -> str:
        return self._to("/Contacts/View/", id)

    def credit_note(self, id: str) -> str:
        return self._to("/AccountsReceivable/ViewCreditNote.aspx?creditNoteID=", id)

    def template(self, id: str) -> str:
        return self._to("/RepeatTransactions/View.aspx?repeatID=", id)

    def _to(self, path: str, id: str) -> str:
        if not self._code:
            return f"{_HOME}{path}{id}"
        return f"{_through_login(self._code, path)}{quote(id, safe='/')}"


@cache
def _through_login(code: str, path: str) -> str:
    """The link to a kind of page, up to the record's id."""
    code = quote(code, safe="!")
    return f"{_LOGIN}?shortcode={code}&redirecturl={quote(path, safe='/')}"


#: In these states money and credit may have been applied.
_APPROVED = frozenset({"authorised", "paid"})


def invoice(fields: Fields, pages: Pages) -> Invoice:
    """An invoice or a bill; lines are None where the answer gave none (a list without `page`).

    Raises SchemaDrift also where its sums contradict each other.
    """
    made = _invoice(fields, pages)
    accounted = made.due + made.paid + made.credited
    # What an approved one asks for is the rest (facts: xero, 3), less a deduction under the UK's
    # construction scheme, which Xero does not count as paid.
    if made.status in _APPROVED and not fields.amount("CISDeduction") and accounted != made.total:
        raise SchemaDrift(
            f"Xero's {fields.what} is of {made.total}, but {made.paid} paid, {made.credited} "
            f"credited and {made.due} due come to {accounted}.",
            next_step="The record is left alone; look at it in Xero.",
        )
    return made


def _invoice(fields: Fields, pages: Pages) -> Invoice:
    id = fields.need_id("InvoiceID")
    url, reference = fields.text("Url"), fields.text("Reference")
    number = fields.text("InvoiceNumber")
    contact_fields, settled = fields.object("Contact"), _settlements(fields)
    return Invoice(
        id=id,
        updated=fields.instant("UpdatedDateUTC"),
        page=pages.invoice(id),
        kind=fields.choice("Type", _KINDS),
        status=fields.choice("Status", STATUSES),
        currency=fields.need("CurrencyCode"),
        contact_id=contact_fields.id("ContactID") if contact_fields else None,
        number=number,
        date=fields.day("Date"),
        due_date=fields.day("DueDate"),
        expected_on=fields.day("ExpectedPaymentDate"),
        line_amounts=fields.choice("LineAmountTypes", LINE_AMOUNTS),
        lines=lines_of(fields),
        sub_total=fields.need_amount("SubTotal"),
        total_tax=fields.need_amount("TotalTax"),
        total=fields.need_amount("Total"),
        due=fields.need_amount("AmountDue"),
        paid=fields.need_amount("AmountPaid"),
        credited=_credited(fields, settled),
        paid_on=fields.day("FullyPaidOnDate"),
        reference=reference,
        url=url,
        marker=marker_in(url, reference, number),
        settlements=settled,
        sent=fields.flag("SentToContact"),
        branding=fields.id("BrandingThemeID"),
        repeating_id=fields.id("RepeatingInvoiceID"),
        currency_rate=fields.amount("CurrencyRate"),
    )


def lines_of(fields: Fields) -> tuple[InvoiceLine, ...] | None:
    lines = fields.objects("LineItems")
    return None if lines is None else tuple(_line(line) for line in lines)


def _line(fields: Fields) -> InvoiceLine:
    """A line; one that is only a text has no quantity and no price, which is zero of both."""
    return InvoiceLine(
        id=fields.id("LineItemID"),
        description=fields.text("Description"),
        quantity=fields.amount("Quantity") or Decimal(0),
        unit_price=fields.amount("UnitAmount") or Decimal(0),
        discount_percent=fields.amount("DiscountRate"),
        discount_amount=fields.amount("DiscountAmount"),
        tax_code=fields.text("TaxType"),
        account=fields.text("AccountCode"),
        item=fields.text("ItemCode"),
        tracking=_tracking(fields, "Tracking", "Name", "Option"),
        amount=fields.amount("LineAmount"),
        tax=fields.amount("TaxAmount"),
    )


def _tracking(fields: Fields, group: str, name: str, option: str) -> tuple[tuple[str, str], ...]:
    """(category, option) by name; what has lost its option says nothing."""
    pairs = ((t.text(name), t.text(option)) for t in fields.objects(group) or ())
    return tuple((category, chosen) for category, chosen in pairs if category and chosen)


def _settlements(fields: Fields) -> tuple[Settlement, ...]:
    return tuple(
        Settlement(
            id=item.need_id(key),
            kind=kind,
            amount=item.need_amount(amount),
            date=item.day("Date"),
        )
        for group, key, amount, kind in _SETTLED
        for item in fields.objects(group) or ()
        if item.has(amount)
    )


def _credited(fields: Fields, settled: tuple[Settlement, ...]) -> Decimal:
    """What Xero says was credited; single reads and writes leave it out (its own examples do), and
    then it is the sum of the credits applied."""
    said = fields.amount("AmountCredited")
    credits = (item.amount for item in settled if item.kind != "payment")
    return sum(credits, Decimal(0)) if said is None else said


def contact(fields: Fields, pages: Pages) -> Contact:
    """A contact of any status."""
    id = fields.need_id("ContactID")
    archived, deleted = fields.choice("ContactStatus", _CONTACT_STATUSES)
    email = fields.text("EmailAddress")
    return Contact(
        id=id,
        updated=fields.instant("UpdatedDateUTC"),
        page=pages.contact(id),
        kind="contact",
        name=fields.text("Name"),
        first_name=fields.text("FirstName"),
        last_name=fields.text("LastName"),
        emails=(email,) if email else (),
        phones=tuple(contact_parts.phones(fields).values()),
        address=contact_parts.address(fields, contact_parts.POSTAL),
        street=contact_parts.address(fields, contact_parts.STREET),
        people=contact_parts.people(fields),
        tax_number=fields.text("TaxNumber"),
        marker=fields.text("ContactNumber"),
        archived=archived,
        deleted=deleted,
        forgotten=deleted,
        merged_into=fields.id("MergedToContactID"),
        is_customer=fields.flag("IsCustomer"),
        is_supplier=fields.flag("IsSupplier"),
        copied=_copied(fields),
        currency=fields.text("DefaultCurrency"),
        terms=contact_parts.terms(fields),
        sales_tax=fields.text("AccountsReceivableTaxType"),
        sales_account=fields.text("SalesDefaultAccountCode"),
        sales_tracking=_tracking(
            fields, "SalesTrackingCategories", "TrackingCategoryName", "TrackingOptionName"
        ),
        sales_amounts=_CONTACT_AMOUNTS.get(fields.text("SalesDefaultLineAmountType") or ""),
    )


def _copied(fields: Fields) -> tuple[str, ...]:
    """The addresses of the contact's persons whom Xero includes in e-mails."""
    persons = fields.objects("ContactPersons") or ()
    emails = (p.text("EmailAddress") for p in persons if p.flag("IncludeInEmails"))
    return tuple(email for email in emails if email)


def payment(fields: Fields, pages: Pages) -> Payment | None:
    """A payment of a sale or of a customer's credit; None for those made to suppliers."""
    kind = fields.text("PaymentType") or ""
    if kind.startswith(("ACCPAY", "AP")):
        return None
    paid, credit = fields.object("Invoice"), fields.object("CreditNote")
    account = fields.object("Account")
    invoice_id = paid.id("InvoiceID") if paid else None
    return Payment(
        id=fields.need_id("PaymentID"),
        updated=fields.instant("UpdatedDateUTC"),
        page=pages.invoice(invoice_id) if invoice_id else None,
        amount=fields.need_amount("Amount"),
        currency=_currency(paid, credit),
        date=fields.day("Date"),
        status=fields.choice("Status", _PAYMENT_STATUSES),
        invoice_id=invoice_id,
        credit_note_id=credit.id("CreditNoteID") if credit else None,
        account=(account.text("Code") or account.id("AccountID")) if account else None,
    )


def _currency(*documents: Fields | None) -> str | None:
    codes = (document.text("CurrencyCode") for document in documents if document)
    return next((code for code in codes if code), None)


def credit_note(fields: Fields, pages: Pages) -> CreditNote:
    """A credit note; what was refunded is the sum of the payments made on it."""
    id = fields.need_id("CreditNoteID")
    reference = fields.text("Reference")
    return msgspec.structs.replace(
        credit(fields, id, _CREDIT_KINDS, "credit_note"),
        page=pages.credit_note(id),
        number=fields.text("CreditNoteNumber"),
        marker=other_marker_in(reference),
    )


def credit(
    fields: Fields,
    id: str,
    kinds: Mapping[str, Literal["sale", "bill"]],
    origin: CreditOrigin,
) -> CreditNote:
    """What credit notes, prepayments and overpayments have in common. Raises SchemaDrift."""
    owner = fields.object("Contact")
    refunds = (item.amount("Amount") or Decimal(0) for item in fields.objects("Payments") or ())
    return CreditNote(
        id=id,
        updated=fields.instant("UpdatedDateUTC"),
        number=None,
        origin=origin,
        kind=fields.choice("Type", kinds),
        status=fields.choice("Status", STATUSES),
        contact_id=owner.id("ContactID") if owner else None,
        currency=fields.need("CurrencyCode"),
        total=fields.need_amount("Total"),
        remaining=fields.need_amount("RemainingCredit"),
        accounts=tuple(sorted({line.account for line in lines_of(fields) or () if line.account})),
        allocations=_allocations(fields),
        refunded=sum(refunds, Decimal(0)),
        sub_total=fields.amount("SubTotal"),
        reference=fields.text("Reference"),
    )


def _allocations(fields: Fields) -> tuple[tuple[str, Decimal], ...]:
    """(invoice id, amount) of the live allocations."""
    found = []
    for item in fields.objects("Allocations") or ():
        target = item.object("Invoice")
        if target is not None and not item.flag("IsDeleted"):
            found.append((target.need_id("InvoiceID"), item.need_amount("Amount")))
    return tuple(found)
