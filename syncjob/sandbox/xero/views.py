"""How documents, payments, accounts and items look on the wire."""

from __future__ import annotations

from typing import Any

from syncjob.sandbox.xero.contact_views import contact_stub, contact_view, sprinkle
from syncjob.sandbox.xero.models import Account, Applied, Document, Item, Line, Payment
from syncjob.sandbox.xero.settle import find_document
from syncjob.sandbox.xero.wire import iso_day, ms_date, ms_stamp, num
from syncjob.sandbox.xero.world import DEAD, Organisation

Json = dict[str, Any]
_STAMP = "%Y-%m-%dT%H:%M:%SZ"
_CREDIT_KEYS = {
    "ACCRECCREDIT": ("CreditNoteID", "ACCRECCREDIT"),
    "ARPREPAYMENT": ("PrepaymentID", "RECEIVE-PREPAYMENT"),
    "AROVERPAYMENT": ("OverpaymentID", "RECEIVE-OVERPAYMENT"),
}


def line_view(line: Line, unitdp: int) -> Json:
    view: Json = {}
    if line.item_code:
        view["ItemCode"] = line.item_code
    view |= {"Description": line.description, "UnitAmount": num(line.unit_amount, unitdp)}
    if line.tax_type:
        view["TaxType"] = line.tax_type
    view |= {"TaxAmount": num(line.tax_amount)}
    view["LineAmount"] = num(line.line_amount)
    if line.account_code:
        view["AccountCode"] = line.account_code
    if line.discount_rate is not None:
        view["DiscountRate"] = num(line.discount_rate)
    if line.discount_amount is not None:
        view["DiscountAmount"] = num(line.discount_amount)
    view["Tracking"] = [dict(t) for t in line.tracking]
    return view | {"Quantity": num(line.quantity, 4), "LineItemID": line.id}


def invoice_view(
    org: Organisation,
    invoice: Document,
    lines: bool = True,
    unitdp: int = 2,
    summary: bool = False,
    single: bool = False,
) -> Json:
    """One invoice; `lines` as paging and single reads give them, `summary` without settlements.

    Only a `single` read or a write's answer shows the contact whole.
    """
    contact = org.contacts[invoice.contact_id]
    dead = invoice.status in DEAD
    view: Json = {
        "Type": invoice.type,
        "InvoiceID": invoice.id,
        "InvoiceNumber": invoice.number,
    }
    sprinkle(org, invoice.id, view, Reference=invoice.reference, Url=invoice.url)
    if not summary:
        view |= _settlements(invoice)
    view |= {
        "AmountDue": num(0 if dead else invoice.due),
        "AmountPaid": num(invoice.paid),
        "AmountCredited": num(invoice.credited),
        "SentToContact": invoice.sent,
        "CurrencyRate": num(invoice.rate, 6),
        "IsDiscounted": bool(invoice.discount),
        "HasAttachments": False,
        "HasErrors": False,
        "InvoiceAddresses": [],
        "Contact": contact_view(org, contact, False) if single else contact_stub(contact),
        **_days(invoice),
        "Status": invoice.status,
        "LineAmountTypes": invoice.line_amount_types,
        "LineItems": [line_view(x, unitdp) for x in invoice.lines] if lines else [],
        **_sums(invoice),
    }
    if invoice.discount:
        view["TotalDiscount"] = num(invoice.discount)
    if invoice.repeating_id:
        view["RepeatingInvoiceID"] = invoice.repeating_id
    if invoice.theme_id:
        view["BrandingThemeID"] = invoice.theme_id
    if invoice.status == "PAID" and invoice.paid_on is not None:
        view["FullyPaidOnDate"] = ms_date(invoice.paid_on)
    return view


def _days(document: Document) -> Json:
    view = {"DateString": iso_day(document.day), "Date": ms_date(document.day)}
    if document.due_day is not None:
        view["DueDateString"] = iso_day(document.due_day)
        view["DueDate"] = ms_date(document.due_day)
    if document.expected_day is not None:
        key = "ExpectedPaymentDate" if document.type == "ACCREC" else "PlannedPaymentDate"
        view[key] = ms_date(document.expected_day)
    return view


def _sums(document: Document) -> Json:
    return {
        "SubTotal": num(document.subtotal),
        "TotalTax": num(document.total_tax),
        "Total": num(document.total),
        "UpdatedDateUTC": ms_stamp(document.updated),
        "UpdatedDateUTCString": document.updated.strftime(_STAMP),
        "CurrencyCode": document.currency,
    }


def _settlements(invoice: Document) -> Json:
    """Payments and credits inside an invoice: id, date and amount only (facts: xero, 3)."""

    def of(kind: str, key: str) -> list[Json]:
        return [
            {key: a.source_id, "AppliedAmount": num(a.amount), "Date": ms_date(a.day)}
            | ({"CreditNoteNumber": a.number} if kind == "creditnote" else {})
            | {"Total": num(a.amount), "HasErrors": False}
            for a in invoice.applied
            if a.kind == kind
        ]

    return {
        "Payments": [_payment_mark(a) for a in invoice.applied if a.kind == "payment"],
        "CreditNotes": of("creditnote", "CreditNoteID"),
        "Prepayments": of("prepayment", "PrepaymentID"),
        "Overpayments": of("overpayment", "OverpaymentID"),
    }


def _payment_mark(applied: Applied) -> Json:
    view: Json = {"PaymentID": applied.id, "Date": ms_date(applied.day)}
    view["Amount"] = num(applied.amount)
    if applied.reference:
        view["Reference"] = applied.reference
    if applied.number:
        view["BatchPaymentID"] = applied.number
    return view | {
        "CurrencyRate": num(1, 6),
        "HasAccount": False,
        "HasValidationErrors": False,
    }


def credit_view(
    org: Organisation,
    credit: Document,
    lines: bool = True,
    unitdp: int = 2,
    single: bool = False,
) -> Json:
    """A credit note, prepayment or overpayment."""
    key, kind = _CREDIT_KEYS[credit.type]
    contact = org.contacts[credit.contact_id]
    view: Json = {key: credit.id, "ID": credit.id, "Type": kind}
    if credit.type == "ACCRECCREDIT":
        view["CreditNoteNumber"] = credit.number
        view["HasErrors"] = False
    sprinkle(org, credit.id, view, Reference=credit.reference)
    view |= {
        "Payments": [_payment_mark(a) for a in credit.applied if a.kind == "payment"],
        "Allocations": [_allocation_view(a) for a in credit.applied if a.kind == "allocation"],
        "RemainingCredit": num(0 if credit.status in DEAD else credit.due),
        "CurrencyRate": num(credit.rate, 6),
        "HasAttachments": False,
        "Contact": contact_view(org, contact, False) if single else contact_stub(contact),
        **_days(credit),
        "Status": credit.status,
        "LineAmountTypes": credit.line_amount_types,
        "LineItems": [line_view(x, unitdp) for x in credit.lines] if lines else [],
        **_sums(credit),
    }
    if credit.status == "PAID" and credit.paid_on is not None and credit.type == "ACCRECCREDIT":
        view["FullyPaidOnDate"] = ms_date(credit.paid_on)
    return view


def _allocation_view(applied: Applied) -> Json:
    return {
        "AllocationID": applied.id,
        "Amount": num(applied.amount),
        "Date": ms_date(applied.day),
        "Invoice": {"InvoiceID": applied.source_id, "InvoiceNumber": applied.number},
        "IsDeleted": False,
    }


def payment_view(org: Organisation, payment: Payment) -> Json:
    document = find_document(org, payment.document_id)
    assert document is not None
    account = org.account(payment.account_code)
    view: Json = {
        "PaymentID": payment.id,
        "Date": ms_date(payment.day),
        "BankAmount": num(payment.amount),
        "Amount": num(payment.amount),
    }
    sprinkle(org, payment.id, view, Reference=payment.reference or None)
    if payment.batch:
        view |= {"BatchPaymentID": payment.batch, "BatchPayment": _batch(org, payment)}
    return view | {
        "CurrencyRate": num(document.rate, 6),
        "PaymentType": payment.kind,
        "Status": payment.status,
        "UpdatedDateUTC": ms_stamp(payment.updated),
        "UpdatedDateUTCString": payment.updated.strftime(_STAMP),
        "HasAccount": True,
        "IsReconciled": False,
        "Account": {"AccountID": account.id, "Code": account.code} if account else {},
        "Invoice": _document_stub(org, document),
        "HasValidationErrors": False,
    }


def _batch(org: Organisation, payment: Payment) -> Json:
    """The batch as a payment shows it: two of its values are texts there (facts: xero, 7)."""
    total = sum(p.amount for p in org.payments if p.batch == payment.batch)
    return {
        "BatchPaymentID": payment.batch, "Type": "RECBATCH", "Status": payment.status,
        "TotalAmount": f"{float(total):.2f}", "IsReconciled": "false",
        "Date": ms_date(payment.day), "UpdatedDateUTC": ms_stamp(payment.updated),
    }  # fmt: skip


def _document_stub(org: Organisation, document: Document) -> Json:
    """The document inside a payment; credit notes too stand there as an Invoice (spec example)."""
    empty: dict[str, list[Json]] = {
        k: [] for k in ("Payments", "CreditNotes", "Prepayments", "Overpayments")
    }
    return {
        "Type": document.type,
        "InvoiceID": document.id,
        "InvoiceNumber": document.number,
        **empty,
        "HasErrors": False,
        "IsDiscounted": False,
        "Contact": contact_stub(org.contacts[document.contact_id]),
        "LineItems": [],
        "CurrencyCode": document.currency,
    }


def account_view(account: Account) -> Json:
    view: Json = {
        "AccountID": account.id,
        "Code": account.code,
        "Name": account.name,
        "Status": account.status,
        "Type": account.type,
        "TaxType": account.tax_type,
        "Class": account.klass,
        "EnablePaymentsToAccount": account.payments,
        "ShowInExpenseClaims": False,
        "ReportingCode": account.type,
        "HasAttachments": False,
        "UpdatedDateUTC": ms_stamp(account.updated),
        "AddToWatchlist": False,
    }
    if account.type == "BANK":
        view |= {"BankAccountType": "BANK", "BankAccountNumber": "000123456789"}
        view["CurrencyCode"] = account.currency
    if account.system:
        view["SystemAccount"] = account.system
    return view


def item_view(item: Item) -> Json:
    details: Json = {}
    if item.price is not None:
        details["UnitPrice"] = num(item.price, 4)
    if item.account_code:
        details["AccountCode"] = item.account_code
    if item.tax_type:
        details["TaxType"] = item.tax_type
    return {
        "ItemID": item.id,
        "Code": item.code,
        "Name": item.name,
        "Description": item.description,
        "UpdatedDateUTC": ms_stamp(item.updated),
        "SalesDetails": details,
        "PurchaseDetails": {},
        "IsTrackedAsInventory": False,
        "IsSold": True,
        "IsPurchased": False,
    }
