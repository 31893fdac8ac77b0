"""Payments, credit notes, prepayments and overpayments, and what they leave due."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction

from syncjob.sandbox.xero.invoices import NOT_FOUND
from syncjob.sandbox.xero.models import ZERO, Account, Applied, Document, Line, Payment
from syncjob.sandbox.xero.store import Table
from syncjob.sandbox.xero.wire import Element, words
from syncjob.sandbox.xero.world import Invalid, Organisation

PAYMENT_FIELDS = words(
    "Invoice CreditNote Prepayment Overpayment InvoiceNumber CreditNoteNumber BatchPayment "
    "Account Code Date CurrencyRate Amount BankAmount Reference IsReconciled Status PaymentType "
    "UpdatedDateUTC UpdatedDateUTCString PaymentID BatchPaymentID BankAccountNumber Particulars "
    "Details HasAccount HasValidationErrors StatusAttributeString ValidationErrors Warnings"
)
ACCOUNT_FIELDS = words(
    "Code Name AccountID Type BankAccountNumber Status Description BankAccountType CurrencyCode "
    "TaxType EnablePaymentsToAccount ShowInExpenseClaims Class SystemAccount ReportingCode "
    "ReportingCodeName HasAttachments UpdatedDateUTC AddToWatchlist ValidationErrors"
)
KINDS = {
    "ACCREC": "ACCRECPAYMENT",
    "ACCPAY": "ACCPAYPAYMENT",
    "ACCRECCREDIT": "ARCREDITPAYMENT",
    "ARPREPAYMENT": "ARPREPAYMENTPAYMENT",
    "AROVERPAYMENT": "AROVERPAYMENTPAYMENT",
}
TOO_MUCH = "Payment amount exceeds the amount outstanding on this document"


def home(org: Organisation, document: Document) -> Table[Document]:
    return org.invoices if document.type in ("ACCREC", "ACCPAY") else org.credits


def find_document(org: Organisation, id: str) -> Document | None:
    return org.invoices.get(id) or org.credits.get(id)


def settled(org: Organisation, document: Document, applied: tuple[Applied, ...]) -> Document:
    """The document with those settlements: PAID at nothing due, back to AUTHORISED otherwise."""
    new = replace(document, applied=applied, updated=org.stamp())
    if new.due == ZERO:
        last = max((a.day for a in applied), default=document.day)
        new = replace(new, status="PAID", paid_on=last)
    else:
        new = replace(new, status="AUTHORISED", paid_on=None)
    return home(org, document).put(new)


def payment_account(org: Organisation, code: str | None, by_id: str | None) -> Account:
    account = org.accounts.get(by_id) if by_id else org.account(code or "090")
    if account is None or account.status != "ACTIVE":
        raise Invalid("Account could not be found")
    if account.type != "BANK" and not account.payments:
        raise Invalid("Account type is invalid for making payments")
    return account


def pay(
    org: Organisation,
    document: Document,
    amount: Fraction,
    day: date,
    account: Account,
    reference: str = "",
) -> Payment:
    """A payment; on a credit note or prepayment it is a refund (facts: xero, 3, settlement)."""
    if document.status != "AUTHORISED":
        raise Invalid("Payments can only be made against Authorised documents")
    if amount <= 0:
        raise Invalid("Payment amount must be greater than zero")
    if amount > document.due:
        raise Invalid(TOO_MUCH)
    org.refuse_locked(day)
    payment = Payment(
        org.entropy.uuid(),
        document.id,
        KINDS[document.type],
        amount,
        day,
        account.code,
        reference,
        updated=org.stamp(),
    )
    mark = Applied(payment.id, "payment", amount, day, reference=reference)
    settled(org, document, (*document.applied, mark))
    return org.payments.put(payment)


def remove_payment(org: Organisation, payment: Payment) -> Payment:
    if payment.status == "DELETED":
        raise Invalid("Payment has already been deleted")
    org.refuse_locked(payment.day)
    document = find_document(org, payment.document_id)
    assert document is not None
    settled(org, document, tuple(a for a in document.applied if a.id != payment.id))
    return org.payments.put(replace(payment, status="DELETED", updated=org.stamp()))


def save_payment(org: Organisation, sent: Element) -> Payment:
    """PUT or POST /Payments: one payment on one document, found by id or number."""
    document = _target(org, sent)
    account = sent.object("Account", ACCOUNT_FIELDS)
    code = account.text("Code") if account else sent.text("Code")
    by_id = account.uuid("AccountID") if account else None
    if code is None and by_id is None:
        raise Invalid("Account must be specified")
    amount = sent.number("Amount")
    if amount is None:
        raise Invalid("Amount must be specified")
    day = sent.day("Date") or org.today()
    return pay(
        org, document, amount, day, payment_account(org, code, by_id), sent.text("Reference") or ""
    )


def _target(org: Organisation, sent: Element) -> Document:
    for name, id_name, number_name in (
        ("Invoice", "InvoiceID", "InvoiceNumber"),
        ("CreditNote", "CreditNoteID", "CreditNoteNumber"),
        ("Prepayment", "PrepaymentID", ""),
        ("Overpayment", "OverpaymentID", ""),
    ):
        raw = sent.raw.get(name)
        inner = raw if isinstance(raw, dict) else {}
        number = inner.get(number_name) or sent.raw.get(number_name)
        if inner.get(id_name):
            found = find_document(org, str(inner[id_name]).lower())
        elif number:
            tables = (*org.invoices, *org.credits)
            found = next((d for d in reversed(tables) if d.number == number), None)
        else:
            continue
        if found is None:
            raise Invalid(NOT_FOUND)
        return found
    raise Invalid("A payment must name an Invoice, CreditNote, Prepayment or Overpayment")


def new_credit(
    org: Organisation,
    kind: str,
    contact_id: str,
    total: Fraction,
    day: date,
    account_code: str,
    like: Document | None = None,
) -> Document:
    """An authorised credit note, prepayment or overpayment, taxed like the invoice it answers."""
    style, tax_type, tax = "NoTax", org.region.none_tax, ZERO
    if like is not None and like.total:
        style, tax_type = "Inclusive", like.lines[0].tax_type
        tax = Fraction(round(total * like.total_tax / like.total * 100), 100)
    line = Line(
        org.entropy.uuid(), "Credit", Fraction(1), total, account_code, tax_type, total, tax
    )
    document = Document(
        org.entropy.uuid(),
        {"creditnote": "ACCRECCREDIT", "prepayment": "ARPREPAYMENT"}.get(kind, "AROVERPAYMENT"),
        contact_id,
        day,
        "AUTHORISED",
        like.currency if like else org.region.currency,
        like.rate if like else Fraction(1),
        number=org.next_number("CN") if kind == "creditnote" else "",
        reference=like.number if like else None,
        line_amount_types=style,
        lines=(line,),
        subtotal=total - tax,
        total_tax=tax,
        total=total,
        updated=org.stamp(),
    )
    return org.credits.put(document)


def allocate(
    org: Organisation, credit: Document, invoice: Document, amount: Fraction, day: date, kind: str
) -> str:
    """Applies part of a credit to an invoice; both documents move."""
    if credit.status != "AUTHORISED" or invoice.status != "AUTHORISED":
        raise Invalid("Allocations can only be made between Authorised documents")
    if amount <= 0 or amount > credit.due or amount > invoice.due:
        raise Invalid("The allocation amount exceeds what is outstanding")
    allocation = org.entropy.uuid()
    there = Applied(allocation, "allocation", amount, day, invoice.number, source_id=invoice.id)
    here = Applied(allocation, kind, amount, day, credit.number, source_id=credit.id)
    settled(org, credit, (*credit.applied, there))
    settled(org, invoice, (*invoice.applied, here))
    return allocation


def unallocate(org: Organisation, allocation: str) -> None:
    for table in (org.invoices, org.credits):
        for document in list(table):
            left = tuple(a for a in document.applied if a.id != allocation)
            if len(left) != len(document.applied):
                settled(org, document, left)
