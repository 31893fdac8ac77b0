"""How the ledger will add an invoice up, and whether that agrees with what the CRM says.

Keeps invariant 8 (to the cent). The policy is Xero's: a line's amount is rounded half up to two
decimals, its tax is taken from that rounded amount and rounded half up, and totals are sums of
rounded lines (facts: xero, 3: 40 of 40 lines and 32 of 32 totals of printed invoices). Xero keeps
two decimals in every currency, so JPY and BHD are predicted with two as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Literal, Protocol

import msgspec

from syncjob.core.money import ZERO, half_up, plain
from syncjob.core.records import InvoiceLine, LineAmounts

HUNDRED = Decimal(100)

#: A cent a line, five at most, is rounding (BOOKKEEPING, "Money").
_CENT = Decimal("0.01")
_TOLERANCE_MAX = Decimal("0.05")

#: So many lines are named in an explanation: enough to see what is going on.
LINES_TOLD_MAX = 3


class LineSum(msgspec.Struct, frozen=True):
    """One line's amount (after discount, as the ledger shows it) and its tax."""

    amount: Decimal
    tax: Decimal


class Prediction(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger will compute; sub_total is without tax whatever the line amounts are."""

    lines: tuple[LineSum, ...]
    sub_total: Decimal
    total_tax: Decimal
    total: Decimal


class Sums(Protocol):
    """Anything with a net and a gross sum: a Prediction, a draft, an invoice."""

    @property
    def sub_total(self) -> Decimal: ...

    @property
    def total(self) -> Decimal: ...


class FullSums(Sums, Protocol):
    """Sums with their tax."""

    @property
    def total_tax(self) -> Decimal: ...


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """The CRM's figure beside the ledger's, and what to think of it."""

    kind: Literal["net", "gross"]
    verdict: Literal["equal", "rounding", "differs"]
    words: str
    crm: Decimal
    ledger: Decimal


def is_text(line: InvoiceLine) -> bool:
    """Whether a line is only words, without quantity, price and account."""
    return not line.quantity and not line.unit_price and line.account is None


def line_amount(line: InvoiceLine) -> Decimal:
    """Quantity times unit price less the discount, two decimals, half up."""
    gross = line.quantity * line.unit_price
    if line.discount_percent is not None:
        gross -= gross * line.discount_percent / HUNDRED
    if line.discount_amount is not None:
        gross -= line.discount_amount
    return half_up(gross)


def line_tax(amount: Decimal, line_amounts: LineAmounts, percent: Decimal) -> Decimal:
    """The tax on (exclusive) or in (inclusive) a line's rounded amount, half up."""
    if line_amounts == "no_tax":
        return half_up(ZERO)
    base = HUNDRED + percent if line_amounts == "inclusive" else HUNDRED
    return half_up(amount * percent / base)


def predict(
    lines: Sequence[InvoiceLine], line_amounts: LineAmounts, rates: Mapping[str, Decimal]
) -> Prediction:
    """What the ledger will make of these lines.

    `rates` maps tax code to percent. Raises KeyError for a line whose code is not in it, or that
    has none though tax applies: the ledger would fall back on its account, unseen.
    """
    sums = []
    for line in lines:
        if is_text(line):
            sums.append(LineSum(half_up(ZERO), half_up(ZERO)))
            continue
        amount = line_amount(line)
        percent = ZERO if line_amounts == "no_tax" else rates[line.tax_code or ""]
        sums.append(LineSum(amount, line_tax(amount, line_amounts, percent)))
    amounts = sum((s.amount for s in sums), half_up(ZERO))
    tax = sum((s.tax for s in sums), half_up(ZERO))
    sub_total = amounts - tax if line_amounts == "inclusive" else amounts
    return Prediction(lines=tuple(sums), sub_total=sub_total, total_tax=tax, total=sub_total + tax)


def tolerance(line_count: int) -> Decimal:
    """How far two sums over so many lines may differ by rounding: a cent a line, five at most."""
    return min(_CENT * line_count, _TOLERANCE_MAX)


def compare(
    crm_value: Decimal, value_is: Literal["net", "gross"], sums: Sums, line_count: int
) -> Comparison:
    """The CRM's value against the ledger's sum of the same kind: net or gross of tax."""
    ledger = sums.sub_total if value_is == "net" else sums.total
    gap = abs(crm_value - ledger)
    both = f"the deal says {crm_value:,.2f} {value_is}, the invoice {ledger:,.2f}"
    if gap == 0:
        return Comparison(
            kind=value_is, verdict="equal", words=both, crm=crm_value, ledger=ledger
        )  # fmt: skip
    words = f"{both}, a difference of {_exact(gap)}"
    if gap <= tolerance(line_count):
        words += " by rounding; the ledger's figure stands"
        return Comparison(
            kind=value_is, verdict="rounding", words=words, crm=crm_value, ledger=ledger
        )  # fmt: skip
    return Comparison(kind=value_is, verdict="differs", words=words, crm=crm_value, ledger=ledger)


def unforeseen(foreseen: FullSums, stored: FullSums, line_count: int) -> str | None:
    """Where the ledger has added an invoice up otherwise than foreseen, by more than rounding.

    A cent a line is explained and the ledger's figure stands (whether it takes tax from the
    rounded amount is not public; facts: xero, 3); more means another rate, price or discount.
    """
    for name in ("sub_total", "total_tax", "total"):
        ours, theirs = getattr(foreseen, name), getattr(stored, name)
        if abs(ours - theirs) > tolerance(line_count):
            words = name.replace("_", " ")
            return f"the ledger's {words} is {theirs:,.2f}, {ours:,.2f} was expected"
    return None


def which_lines(
    lines: Sequence[InvoiceLine], taxes: Sequence[Decimal], stored: Sequence[InvoiceLine] | None
) -> str:
    """In words, the lines that a ledger has added up otherwise than foreseen; "" if none, or if
    they cannot be told."""
    if stored is None or not len(lines) == len(taxes) == len(stored):
        return ""
    found = []
    for number, (line, tax, other) in enumerate(zip(lines, taxes, stored, strict=True), 1):
        amount = ZERO if is_text(line) else line_amount(line)
        for name, ours, theirs in (("amount", amount, other.amount), ("tax", tax, other.tax)):
            if theirs is not None and theirs != ours:
                found.append(f"the {name} of line {number} is {theirs:,.2f}, not {ours:,.2f}")
    more = f" and {len(found) - LINES_TOLD_MAX} more" if len(found) > LINES_TOLD_MAX else ""
    return "; ".join(found[:LINES_TOLD_MAX]) + more


def _exact(gap: Decimal) -> str:
    """Two decimals, or all there are, so that a gap of 0.004 is not shown as 0.00."""
    text = plain(gap)
    return text if len(text.partition(".")[2]) > 2 else f"{gap:,.2f}"
