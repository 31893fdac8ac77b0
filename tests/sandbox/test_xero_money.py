"""The sandbox's sums against decimals that know nothing of its fractions."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from syncjob.sandbox.xero.wire import num, round_half_up

from .xero_support import World, line

CENT = Decimal("0.01")
RATES = {"OUTPUT": Decimal(10), "EXEMPTOUTPUT": Decimal(0)}
prices = st.decimals("0", "99999.99", places=2)
quantities = st.decimals("0.0001", "999", places=4)
discounts = st.decimals("0", "100", places=2)
lines = st.lists(
    st.tuples(prices, quantities, st.none() | discounts, st.sampled_from(sorted(RATES))),
    min_size=1,
    max_size=5,
)


def cents(value: Decimal) -> Decimal:
    return value.quantize(CENT, ROUND_HALF_UP)


@settings(max_examples=150, deadline=None)
@given(lines, st.sampled_from(["Exclusive", "Inclusive", "NoTax"]))
def test_totals(sent: list[Any], style: str) -> None:
    amounts, taxes = Decimal(0), Decimal(0)
    rows = []
    for price, quantity, discount, tax in sent:
        net = cents(price * quantity * (100 - (discount or 0)) / 100)
        rate = RATES[tax]
        part = net * rate / (100 + rate if style == "Inclusive" else 100)
        amounts += net
        taxes += Decimal(0) if style == "NoTax" else cents(part)
        more = {} if discount is None else {"DiscountRate": float(discount)}
        rows.append(line(float(price), float(quantity), TaxType=tax, **more))
    row = World().invoice(LineItems=rows, LineAmountTypes=style)
    total = amounts if style == "Inclusive" else amounts + taxes
    assert (row["TotalTax"], row["Total"]) == (Fraction(taxes), Fraction(total))
    assert row["SubTotal"] + row["TotalTax"] == row["Total"]


@given(st.decimals("-1e9", "1e9", places=6), st.sampled_from([2, 4]))
def test_rounding_and_printing(value: Decimal, dp: int) -> None:
    expected = value.quantize(Decimal(1).scaleb(-dp), ROUND_HALF_UP)
    assert round_half_up(Fraction(value), dp) == Fraction(expected)
    assert Decimal(num(Fraction(value), dp)) == expected
