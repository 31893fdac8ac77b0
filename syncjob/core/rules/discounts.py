"""Discounts on a whole deal, which a ledger does not know: a line of their own, or spread.

Each percentage is taken of the sum of the lines after their own discounts; if the CRM compounds
them, the comparison of the totals says so. Keeps invariant 8 (to the cent).
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

import msgspec

from syncjob.core.money import half_up, plain
from syncjob.core.records import Deal, InvoiceLine
from syncjob.core.rules.arithmetic import line_amount
from syncjob.core.rules.texts import one_line
from syncjob.errors import Held

_HUNDRED = Decimal(100)
_CENT = Decimal("0.01")


class Off(NamedTuple):
    """One discount of the deal: its words and its amount, in the terms of the prices."""

    words: str
    amount: Decimal


def deal_discounts(deal: Deal, lines: Sequence[InvoiceLine]) -> list[Off]:
    """The deal's own discounts on these lines. Raises Held "discount_invalid"."""
    before = sum((line_amount(line) for line in lines), Decimal(0))
    made = []
    for discount in deal.discounts or ():
        percent, off = discount.percent, discount.amount or Decimal(0)
        if percent is not None:
            off = before * percent / _HUNDRED
        if off < 0 or (percent is not None and not 0 <= percent <= _HUNDRED):
            shown = f"{plain(off)} {deal.currency}" if percent is None else f"{plain(percent)}%"
            raise _invalid(f"The deal has a discount of {shown} as a whole.")
        off = half_up(off)
        words = "Discount" if percent is None else f"Discount {plain(percent)}%"
        if off:
            made.append(Off(one_line(discount.description) or words, off))
    return made


def own_line(lines: Sequence[InvoiceLine], off: Off, account: str) -> InvoiceLine:
    """A negative line, taxed as the lines are. It bears their account and tracking where they all
    have the same, else `account` and none. Raises Held "discount_mixed_tax"."""
    if len({line.tax_code for line in lines}) > 1:
        raise Held(
            "discount_mixed_tax",
            f'The deal\'s discount "{off.words}" ({off.amount:,.2f}) covers lines with different '
            "tax rates, so its own tax is not known.",
            field="discounts",
            next_step="Give the discount on the lines instead of on the whole deal, or set "
            "invoices.deal_discount: spread.",
        )
    accounts = {line.account for line in lines}
    tracking = {line.tracking for line in lines}
    return InvoiceLine(
        description=off.words,
        quantity=Decimal(1),
        unit_price=-off.amount,
        tax_code=lines[0].tax_code,
        account=lines[0].account if len(accounts) == 1 else account,
        tracking=lines[0].tracking if len(tracking) == 1 else (),
    )


def spread(lines: Sequence[InvoiceLine], offs: Sequence[Off]) -> list[InvoiceLine]:
    """The lines, each with its share of the discounts taken off: the shares are in proportion to
    what the lines come to, and sum to the discounts exactly. Lines that come to nothing or less
    bear none. Raises Held "discount_invalid" where there is more discount than there is to pay."""
    total = sum((off.amount for off in offs), Decimal(0))
    amounts = [max(line_amount(line), Decimal(0)) for line in lines]
    if total > sum(amounts):
        raise _invalid(f"The deal's discounts ({total:,.2f}) are more than its lines come to.")
    shares = shared(total, amounts)
    return [
        line if not share else _less(line, share) for line, share in zip(lines, shares, strict=True)
    ]


def shared(total: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """`total` (whole cents) in proportion to the weights, to the cent, summing exactly: what is
    left after rounding down goes to the largest remainders, the first of equals."""
    whole = sum(weights, Decimal(0))
    if not whole:
        return [Decimal(0)] * len(weights)
    exact = [total * weight / whole for weight in weights]
    floors = [(part / _CENT).to_integral_value(rounding="ROUND_FLOOR") * _CENT for part in exact]
    left = int((total - sum(floors, Decimal(0))) / _CENT)
    order = sorted(range(len(exact)), key=lambda n: (floors[n] - exact[n], n))
    return [floors[n] + (_CENT if n in order[:left] else 0) for n in range(len(exact))]


def _less(line: InvoiceLine, share: Decimal) -> InvoiceLine:
    """The line with this much less to pay. Its own discount becomes an amount with the share in
    it, since a ledger's line has one discount (facts: xero, 3); where nothing is left it is all of
    the line, because an amount in cents may be half a cent more than that."""
    if share == line_amount(line):
        return msgspec.structs.replace(line, discount_percent=_HUNDRED, discount_amount=None)
    gross = line.quantity * line.unit_price
    off = half_up(gross - line_amount(line) + share)
    return msgspec.structs.replace(line, discount_percent=None, discount_amount=off)


def _invalid(what: str) -> Held:
    return Held(
        "discount_invalid",
        what,
        field="discounts",
        next_step="Correct the deal's discount in the CRM.",
    )
