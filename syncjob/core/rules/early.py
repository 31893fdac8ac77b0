"""Early payment terms such as 2/10 net 30: what is printed, and whether a short payment was right.

UK law allows two ways (HMRC, Revenue and Customs Brief 49, 2014): a credit note for the discount
once it is taken, or words on the invoice that stand in its place. Both need the terms on the
invoice from the start. The discount is on the full price, and the tax falls with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal

import msgspec

from syncjob.core.actions import InvoiceDraft
from syncjob.core.money import half_up, plain
from syncjob.core.policy_rules import Early, Evidence
from syncjob.core.records import EarlyOffer, Invoice, InvoiceLine, LineAmounts, Settlement
from syncjob.core.rules.arithmetic import HUNDRED, is_text, line_amount, line_tax

#: A payer may round the reduced sum down line by line; more than this is a short payment.
SLACK_MAX = Decimal("0.05")

#: What the words of early payment may show.
PLACES = (
    "percent", "days", "day", "discount", "reduced", "reduced_tax", "total", "currency",
)  # fmt: skip

_TERMS = (
    "{percent}% discount for payment received by {day}: {reduced} {currency} instead of "
    "{total} {currency}."
)
#: What HMRC asks an invoice to say where no credit note follows.
_NO_CREDIT_NOTE = (
    " No credit note will be issued: following payment you must ensure that you have only "
    "recovered the tax actually paid ({reduced_tax} {currency} if the discount is taken)."
)
_CREDIT_NOTE = " A credit note for {discount} {currency} follows if the discount is taken."


class Reduced(msgspec.Struct, frozen=True, kw_only=True):
    """What an invoice comes to if it is paid by `day`: totals in its currency, tax included."""

    day: date
    total: Decimal
    tax: Decimal
    discount: Decimal


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """A short payment in time: what is missing is the discount that was offered."""

    paid_on: date
    missing: Decimal
    evidence: Evidence


def reduced(
    offer: EarlyOffer,
    day: date,
    lines: Sequence[InvoiceLine],
    line_amounts: LineAmounts,
    rates: Mapping[str, Decimal],
) -> Reduced:
    """The invoice dated `day` with the discount on each line, its tax rounded by line as ever.

    `rates` maps tax code to percent; a line without one bears no tax.
    """
    total = tax = full = Decimal(0)
    for line in lines:
        percent = rates.get(line.tax_code or "", Decimal(0))
        amount = line_amount(line)
        less = half_up(amount - amount * offer.percent / HUNDRED)
        taxes = [line_tax(a, line_amounts, percent) for a in (amount, less)]
        on_top = line_amounts == "exclusive"
        full += amount + (taxes[0] if on_top else 0)
        total += less + (taxes[1] if on_top else 0)
        tax += taxes[1]
    last = day + timedelta(days=offer.days)
    return Reduced(day=last, total=total, tax=tax, discount=full - total)


def wording(offer: EarlyOffer, policy: Early, sums: Reduced, total: Decimal, currency: str) -> str:
    """The words that the invoice bears, filled in; the config's own, or those of the evidence."""
    text = policy.wording
    if text is None:
        text = _TERMS + (_NO_CREDIT_NOTE if policy.evidence == "wording" else _CREDIT_NOTE)
    places = {
        "percent": plain(offer.percent), "days": str(offer.days), "day": sums.day.isoformat(),
        "discount": f"{sums.discount:,.2f}", "reduced": f"{sums.total:,.2f}",
        "reduced_tax": f"{sums.tax:,.2f}", "total": f"{total:,.2f}", "currency": currency,
    }  # fmt: skip
    for name, value in places.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def reworded(
    draft: InvoiceDraft, day: date, policy: Early, rates: Mapping[str, Decimal]
) -> InvoiceDraft | None:
    """The draft on another day, its words of early payment with it; None if it bears none, or
    bears that day already. Its due date is left to the caller."""
    if draft.early is None or day == draft.date:
        return None
    said, says = (_words_of(draft, draft.early, on, policy, rates) for on in (draft.date, day))
    lines = tuple(
        msgspec.structs.replace(line, description=says)
        if is_text(line) and line.description == said
        else line
        for line in draft.lines
    )
    return None if lines == draft.lines else msgspec.structs.replace(draft, date=day, lines=lines)


def _words_of(
    draft: InvoiceDraft, offer: EarlyOffer, day: date, policy: Early, rates: Mapping[str, Decimal]
) -> str:
    sums = reduced(offer, day, draft.lines, draft.line_amounts, rates)
    return wording(offer, policy, sums, draft.total, draft.currency)


def early_payment(
    offer: EarlyOffer | None,
    evidence: Evidence,
    dated: date,
    total: Decimal,
    due: Decimal,
    settlements: Sequence[Settlement],
) -> Taken | None:
    """Whether what is still due is the discount for payment in time, and nothing more.

    `dated` is the invoice's date, `total` and `due` its figures. All payments must have come
    within the offer's days, and what is missing must be the offered percentage of the total, with
    a few cents for rounding by line. None while nothing was paid, or more is missing, or it came
    late.
    """
    payments = [s for s in settlements if s.kind == "payment"]
    if offer is None or due <= 0 or not payments or any(p.date is None for p in payments):
        return None
    last = max(p.date for p in payments if p.date is not None)
    offered = half_up(total * offer.percent / HUNDRED)
    if last > dated + timedelta(days=offer.days) or due > offered + SLACK_MAX:
        return None
    return Taken(paid_on=last, missing=due, evidence=evidence)


def not_overdue(offer: EarlyOffer | None, evidence: Evidence, invoice: Invoice) -> Invoice:
    """The invoice as overdue rules are to see it: what is open after a short payment in time is
    a discount, not a debt, so that its day never comes (BOOKKEEPING, "Money")."""
    if offer is None or invoice.date is None or invoice.status != "authorised":
        return invoice
    taken = early_payment(
        offer, evidence, invoice.date, invoice.total, invoice.due, invoice.settlements
    )
    return invoice if taken is None else msgspec.structs.replace(invoice, expected_on=date.max)
