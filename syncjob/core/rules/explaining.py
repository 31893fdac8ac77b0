"""Why an invoice is not to the cent what its deal says, in words; and the line for rounding.

A difference is of prices (quantity times price, rounded by line), of discounts, or of tax. Only
the first may be made up for by a line, and only where the firm wants that (BOOKKEEPING, "Money").
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

from syncjob.core.money import ZERO, half_up, plain
from syncjob.core.policy import Invoices
from syncjob.core.records import Deal, InvoiceLine, LedgerReference, Line, LineAmounts, TaxRate
from syncjob.core.rules.arithmetic import HUNDRED, LINES_TOLD_MAX, Comparison, line_amount
from syncjob.core.rules.basis import account_of
from syncjob.core.rules.texts import line_label
from syncjob.errors import Held

#: BOOKKEEPING, "Money": a rounding line is at most this.
ROUNDING_MAX = Decimal("0.05")

Kind = Literal["net", "gross"]


def explain(
    deal: Deal,
    rows: Sequence[Line],
    lines: Sequence[InvoiceLine],
    taxes: Sequence[tuple[Decimal, Decimal]],
    kind: Kind,
    line_amounts: LineAmounts,
) -> str:
    """Where the deal's value and the invoice part, as far as the CRM's own figures show it.

    `lines` are the rows' lines before the deal's own discounts; `taxes` the (percent, tax) of
    each. "" where nothing can be told.
    """
    found = [*_prices(rows, lines)]
    if kind == "gross" and line_amounts == "exclusive":
        found += _taxes(rows, lines, taxes)
    if deal.discounts:
        found.append("the deal has discounts as a whole, which the CRM may reckon otherwise")
    more = f" and {len(found) - LINES_TOLD_MAX} more" if len(found) > LINES_TOLD_MAX else ""
    return "; ".join(found[:LINES_TOLD_MAX]) + more


def _prices(rows: Sequence[Line], lines: Sequence[InvoiceLine]) -> list[str]:
    found = []
    for row, line in zip(rows, lines, strict=True):
        ours = line_amount(line)
        if row.net is None or row.net == ours:
            continue
        discounted = row.discount_percent or row.discount_amount
        why = "its discount is rounded" if discounted else "rounding"
        found.append(
            f"the {line_label(row)} is {plain(row.net)} in the CRM, {ours:,.2f} here: {why}"
        )
    return found


def _taxes(
    rows: Sequence[Line], lines: Sequence[InvoiceLine], taxes: Sequence[tuple[Decimal, Decimal]]
) -> list[str]:
    found = []
    theirs = ours = ZERO
    for row, line, (percent, tax) in zip(rows, lines, taxes, strict=True):
        asked = row.tax_percent or ZERO
        if asked != percent:
            found.append(
                f"the {line_label(row)} has {plain(asked)}% tax in the CRM, {plain(percent)}% here"
            )
        amount = line_amount(line) if row.net is None else row.net
        theirs, ours = theirs + amount * asked / HUNDRED, ours + tax
    if not found and theirs != ours:
        found.append(f"tax: {ours:,.2f}, rounded by line, where the CRM's comes to {plain(theirs)}")
    return found


def rounding_line(
    policy: Invoices, ledger: LedgerReference, found: Comparison, line_amounts: LineAmounts
) -> tuple[InvoiceLine, TaxRate | None] | None:
    """The line that makes the invoice what the deal says, if the firm wants one and prices alone
    were rounded. Raises Held "rounding_rate_unusable", and what `account_of` raises."""
    wanted, gap = policy.rounding, half_up(found.crm - found.ledger)
    in_terms_of_prices = {
        "exclusive": ("net",), "inclusive": ("gross",), "no_tax": ("net", "gross"),
    }  # fmt: skip
    if (
        wanted.account is None
        or found.verdict != "rounding"
        or not gap
        or abs(gap) > ROUNDING_MAX
        or policy.value_is not in in_terms_of_prices[line_amounts]
    ):
        return None
    account = account_of(wanted.account, ledger.accounts, "invoices.rounding.account")
    rate = None if line_amounts == "no_tax" else _untaxed(wanted.rate, ledger)
    line = InvoiceLine(
        description="Rounding", quantity=Decimal(1), unit_price=gap, account=account.code,
        tax_code=rate.code if rate else None,
    )  # fmt: skip
    return line, rate


def _untaxed(name: str | None, ledger: LedgerReference) -> TaxRate:
    named = (r for r in ledger.tax_rates if r.name.casefold() == (name or "").casefold())
    rate = next((r for r in named if r.active and r.for_sales and not r.percent), None)
    if rate is None:
        raise Held(
            "rounding_rate_unusable",
            f'invoices.rounding.rate is "{name or ""}", which is no rate of 0% for sales.',
            field="tax",
            next_step="Name a rate of 0% there, or switch the rounding line off.",
        )
    return rate
