"""A plain model of what each deal's fields should say, computed from the servers' own records.

Its arithmetic is its own, in fractions: it must be able to disagree with the program.
"""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import Any

from syncjob.sandbox.xero.models import Document
from syncjob.sandbox.xero.world import Organisation

#: Deals of the simulation are taxed at 10%, exclusive, like their account (AU GST).
TAX = Fraction(1, 10)
IGNORE_DUE_BELOW = Fraction(5)


def half_up(amount: Fraction) -> Fraction:
    """To the cent, halves away from zero."""
    sign = -1 if amount < 0 else 1
    return Fraction(sign * int(abs(amount) * 100 + Fraction(1, 2)), 100)


def deal_total(company: Any, deal_id: int) -> Fraction:
    """Net of the enabled lines with tax on each, as the CRM's rows say."""
    total = Fraction(0)
    for row in company.children("rows", deal_id):
        if row.get("is_enabled", True):
            total += line_total(row)
    return total


def line_total(row: dict[str, Any]) -> Fraction:
    """One line's net, rounded, with its rounded tax."""
    percentage = row.get("discount_type", "percentage") == "percentage"
    discount = str(row.get("discount") or 0)
    return _line_total(str(row["item_price"]), str(row["quantity"]), discount, percentage)


@lru_cache(maxsize=4096)
def _line_total(price: str, quantity: str, off: str, percentage: bool) -> Fraction:
    """Kept: every deed and every batch asks for all lines again."""
    gross = Fraction(price) * Fraction(quantity)
    discount = Fraction(off)
    if percentage:
        gross -= gross * discount / 100
    else:
        gross -= discount
    net = half_up(gross)
    return net + half_up(net * TAX)


def cash_and_credit(org: Organisation, invoice: Document) -> tuple[Fraction, Fraction]:
    """Money received, and credit given by credit notes."""
    credit = Fraction(0)
    cash = invoice.paid
    for applied in invoice.applied:
        if applied.kind == "payment":
            continue
        source = org.credits.get(applied.source_id)
        if source is not None and source.type == "ACCRECCREDIT":
            credit += applied.amount
        else:
            cash += applied.amount
    return cash, credit


def word(org: Organisation, invoice: Document) -> str:
    """The deal's status for its invoice."""
    plain = {"DRAFT": "draft", "SUBMITTED": "awaiting approval", "VOIDED": "voided",
             "DELETED": "deleted"}  # fmt: skip
    if invoice.status in plain:
        return plain[invoice.status]
    cash, credit = cash_and_credit(org, invoice)
    if invoice.due > 0:
        return "part-paid" if cash > 0 else "part-credited" if credit > 0 else "awaiting payment"
    if cash <= 0:
        return "credited"
    return "refunded" if _refunded(org, invoice) >= cash else "paid"


def _refunded(org: Organisation, invoice: Document) -> Fraction:
    """Money given back for the credit notes on this invoice."""
    notes = {a.source_id for a in invoice.applied if a.kind != "payment"}
    found = (org.credits.get(note) for note in notes)
    return sum((n.paid for n in found if n is not None and n.type == "ACCRECCREDIT"), Fraction(0))


def overdue(invoice: Document, today: date) -> bool:
    """Approved, and a day later than due (or than a later expected date) with more than a
    trifle unpaid."""
    if invoice.status != "AUTHORISED" or invoice.due < IGNORE_DUE_BELOW or not invoice.due_day:
        return False
    begins = invoice.due_day
    if invoice.expected_day is not None:
        begins = max(begins, invoice.expected_day)
    return today >= begins + timedelta(days=1)


def fields_for(org: Organisation, invoice: Document) -> dict[str, Any]:
    """What the deal's own fields say about this invoice; the note and the stamp left out."""
    said: dict[str, Any] = {"Invoice status": word(org, invoice)}
    if invoice.status == "DELETED":
        names = ("number", "link", "total", "due", "paid", "credited", "due date", "paid on")
        return said | {f"Invoice {name}": None for name in (*names, "overdue", "overdue amount")}
    cash, credit = cash_and_credit(org, invoice)
    paid_days = [
        a.day for a in invoice.applied if a.kind == "payment" or _is_money(org, a.source_id)
    ]
    numbered = invoice.status in ("AUTHORISED", "PAID", "VOIDED")
    return said | {
        "Invoice number": invoice.number if numbered else None,
        "Invoice total": invoice.total,
        "Invoice due": Fraction(0) if invoice.status == "VOIDED" else invoice.due,
        "Invoice paid": cash,
        "Invoice credited": credit,
        "Invoice due date": invoice.due_day.isoformat() if invoice.due_day else None,
        "Invoice paid on": max(paid_days).isoformat() if paid_days else None,
        "Invoice overdue": "yes" if overdue(invoice, org.today()) else "no",
        "Invoice overdue amount": invoice.due if overdue(invoice, org.today()) else None,
    }


def _is_money(org: Organisation, source_id: str) -> bool:
    source = org.credits.get(source_id)
    return source is not None and source.type != "ACCRECCREDIT"


# --- a deal with any number of invoices -----------------------------------------------------------


def deal_says(org: Organisation, invoices: list[Document], *, to_come: bool) -> dict[str, Any]:
    """What the deal's own fields say about all its invoices together; `to_come`: there will be
    more. Numbers are a set."""
    each = [fields_for(org, invoice) for invoice in invoices]
    if len(invoices) == 1 and not to_come:
        number = each[0]["Invoice number"]
        return each[0] | {"Invoice number": frozenset({number} - {None})}
    word_now = _joint_word(org, invoices, to_come=to_come)
    if all(invoice.status == "DELETED" for invoice in invoices):
        return each[0] | {"Invoice number": frozenset()}
    sums: dict[str, Fraction | None] = {
        name: sum((one[name] for one in each if one[name] is not None), Fraction(0))
        for name in ("Invoice total", "Invoice due", "Invoice paid", "Invoice credited")
    }
    paid_days = [one["Invoice paid on"] for one in each if one["Invoice paid on"]]
    late = [one["Invoice overdue amount"] for one in each if one["Invoice overdue amount"]]
    if len({invoice.currency for invoice in invoices}) > 1:  # of several there is no sum
        sums, late = dict.fromkeys(sums, None), []
    return sums | {
        "Invoice status": word_now,
        "Invoice number": frozenset(n for one in each if (n := one["Invoice number"])),
        "Invoice due date": _next_day(invoices),
        "Invoice paid on": max(paid_days, default=None),
        "Invoice overdue": "yes" if any(x["Invoice overdue"] == "yes" for x in each) else "no",
        "Invoice overdue amount": sum(late, Fraction(0)) if late else None,
    }


def _joint_word(org: Organisation, invoices: list[Document], *, to_come: bool) -> str:
    """docs/schedules.md, "What the deal says"."""
    approved = [i for i in invoices if i.status in ("AUTHORISED", "PAID")]
    sums = [cash_and_credit(org, invoice) for invoice in approved]
    cash, credit = sum(c for c, _ in sums), sum(c for _, c in sums)
    unsettled = [
        i for i in invoices if i.status in ("DRAFT", "SUBMITTED") or (i in approved and i.due)
    ]
    if not to_come and not unsettled and approved:
        if cash <= 0:
            return "credited"
        refunded = sum((_refunded(org, invoice) for invoice in approved), Fraction(0))
        return "refunded" if refunded >= cash else "paid"
    if cash > 0:
        return "part-paid"
    if credit > 0:
        return "part-credited"
    statuses = {invoice.status for invoice in invoices}
    for status, said in (("AUTHORISED", "awaiting payment"), ("SUBMITTED", "awaiting approval"),
                         ("DRAFT", "draft"), ("PAID", "credited")):  # fmt: skip
        if status in statuses:
            return said
    return word(org, invoices[0])


def _next_day(invoices: list[Document]) -> str | None:
    """The due date of the invoice whose money is expected next; of settled ones the last."""
    approved = [i for i in invoices if i.status == "AUTHORISED" and i.due > 0]
    waiting = approved or [i for i in invoices if i.status in ("DRAFT", "SUBMITTED")]
    days = sorted(i.due_day for i in waiting or invoices if i.due_day)
    if not days:
        return None
    return (days[0] if waiting else days[-1]).isoformat()
