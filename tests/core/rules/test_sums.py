"""Any lines, discounts and rates: what is predicted is what the sandbox's own fractions give.

The sandbox imports nothing of the program; its lines and totals are asked here directly.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from syncjob.core.money import half_up
from syncjob.core.policy import Tax, TaxRule
from syncjob.core.records import Discount, InvoiceLine, TaxRate
from syncjob.core.rules.arithmetic import line_amount
from syncjob.core.rules.discounts import Off, shared, spread
from syncjob.core.rules.invoicing import draft_invoice
from syncjob.core.rules.rows import to_line
from syncjob.errors import Held
from syncjob.sandbox.xero.lines import LINE_FIELDS, _amounts, with_totals
from syncjob.sandbox.xero.models import ZERO, Document, Line
from syncjob.sandbox.xero.wire import Element
from tests.core.make import context, customer, deal, ledger, line, policy

CENT = Decimal("0.01")
STYLES = {"exclusive": "Exclusive", "inclusive": "Inclusive", "no_tax": "NoTax"}

prices = st.decimals("0.0001", "9999.9999", places=4)
quantities = st.decimals("0.01", "999.99", places=2)
percents = st.decimals("0", "100", places=3)
rates = st.decimals("0", "30", places=3)
rows = st.fixed_dictionaries(
    {"unit_price": prices, "quantity": quantities},
    optional={"discount_percent": percents},
)


def no_floats(value: Any) -> bool:
    """Whether nothing in a record, however deep, is a float."""
    if isinstance(value, (tuple, list)):
        return all(map(no_floats, value))
    if hasattr(value, "__struct_fields__"):
        return all(no_floats(getattr(value, name)) for name in value.__struct_fields__)
    return not isinstance(value, float)


def as_xero_reckons(
    lines: tuple[InvoiceLine, ...], style: str, percents: dict[str, Decimal]
) -> Any:
    """The totals by the sandbox's own arithmetic, from what would be sent of these lines."""
    org = SimpleNamespace(
        tax_rate=lambda code: SimpleNamespace(percent=Fraction(percents[code])) if code else None
    )
    made = []
    for one in lines:
        sent = {"Quantity": one.quantity, "UnitAmount": one.unit_price}
        if one.discount_percent is not None:
            sent["DiscountRate"] = one.discount_percent
        if one.discount_amount is not None:
            sent["DiscountAmount"] = one.discount_amount
        sent = {name: Fraction(number) for name, number in sent.items()}
        blank = Line("1", "x", ZERO, ZERO, one.account, one.tax_code or "", ZERO, ZERO)
        made.append(_amounts(blank, Element(sent, "line", LINE_FIELDS, True), 4, False))
    blank = Document("1", "ACCREC", "c", date(2026, 1, 1), "DRAFT", "GBP", Fraction(1))
    document = replace(blank, lines=tuple(made), line_amount_types=STYLES[style])
    return with_totals(org, document)  # type: ignore[arg-type]


@given(
    st.lists(st.tuples(rows, st.integers(0, 2)), min_size=1, max_size=6),
    st.tuples(rates, rates, rates),
    st.sampled_from(sorted(STYLES)),
    st.sampled_from(("own_line", "spread")),
    st.one_of(st.none(), percents),
)
def test_the_total_that_is_predicted_is_the_one_that_xero_reckons(
    given_rows: Any, given_rates: Any, style: Any, how: Any, off: Decimal | None
) -> None:
    known = tuple(
        TaxRate(code=f"T{n}", name=f"rate {n}", percent=percent, active=True, for_sales=True)
        for n, percent in enumerate(given_rates)
    )
    taxes = Tax(
        amounts=style,
        rules=tuple(
            TaxRule(name=f"r{n}", when={"products": f"P{n}"}, rate=f"rate {n}") for n in range(3)
        ),
    )
    lines = tuple(
        line(id=str(n), name=f"P{rate}", **row) for n, (row, rate) in enumerate(given_rows)
    )
    discounts = (Discount(id="d", percent=off),) if off is not None else ()
    books = ledger(tax_rates=(*ledger().tax_rates, *known))
    sale = deal(lines=lines, discounts=discounts, value=None)
    try:
        draft, _, _ = draft_invoice(
            sale, customer(), context(ledger=books, policy=policy(tax=taxes, deal_discount=how))
        )
    except Held as held:
        assert held.code in ("total_not_positive", "discount_mixed_tax"), held
        return
    assert no_floats(draft)
    theirs = as_xero_reckons(draft.lines, style, {rate.code: rate.percent for rate in known})
    assert (Fraction(draft.sub_total), Fraction(draft.total_tax), Fraction(draft.total)) == (
        theirs.subtotal, theirs.total_tax, theirs.total,
    )  # fmt: skip
    assert [Fraction(tax) for tax in draft.taxes] == [one.tax_amount for one in theirs.lines]
    assert draft.due_date >= draft.date


@given(st.decimals("0", "99999.99", places=2), st.lists(st.decimals("0", "99999", places=2)))
def test_shares_sum_to_the_whole_and_are_within_a_cent_of_their_due(
    total: Decimal, weights: list[Decimal]
) -> None:
    shares = shared(total, weights)
    whole = sum(weights, Decimal(0))
    if not whole:
        assert not any(shares)
        return
    assert sum(shares, Decimal(0)) == total
    for share, weight in zip(shares, weights, strict=True):
        exact = Fraction(total) * Fraction(weight) / Fraction(whole)
        assert abs(Fraction(share) - exact) < Fraction(1, 100)
        assert share == share.quantize(CENT)


@given(st.lists(rows, min_size=1, max_size=6), st.decimals("0", "1", places=4))
def test_spread_discounts_come_off_to_the_cent(given_rows: Any, part: Decimal) -> None:
    lines = [
        InvoiceLine(
            description="x", quantity=row["quantity"], unit_price=row["unit_price"],
            discount_percent=round(row.get("discount_percent", Decimal(0)), 2) or None,
        )
        for row in given_rows
    ]  # fmt: skip
    before = sum((line_amount(one) for one in lines), Decimal(0))
    off = (before * part).quantize(CENT, rounding="ROUND_FLOOR")
    after = spread(lines, [Off("Discount", off)] if off else [])
    assert sum((line_amount(one) for one in after), Decimal(0)) == before - off
    assert all(one.discount_percent is None or one.discount_amount is None for one in after)


@given(
    st.decimals("0.01", "999.99", places=2), st.decimals("0.25", "9", places=2),
    st.decimals("0.01", "9.99", places=2),
)  # fmt: skip
def test_a_discount_off_each_of_a_broken_number_of_units_is_right_to_the_cent(
    price: Decimal, quantity: Decimal, each: Decimal
) -> None:
    """0.50 off each of 1.25 units at 7.81: in cents of their own the line would lose one."""
    own = line(unit_price=price, quantity=quantity, discount_amount=quantity * each)
    sent = to_line(own, {}, "{name}", account="200", tax_code=None, item=None)
    assert sent.discount_amount == half_up(sent.discount_amount or Decimal(0))
    exact = half_up(quantity * (price - each))
    unreachable = exact == 0 and each <= price and (quantity * price / CENT) % 1 == Decimal("0.5")
    assert line_amount(sent) == (CENT if unreachable else exact)
