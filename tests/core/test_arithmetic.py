"""The prediction against an independent computation in fractions, and the tolerance."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncjob.core.records import InvoiceLine
from syncjob.core.rules.arithmetic import Prediction, compare, predict, tolerance, unforeseen

from .make import D

RATES = {"T20": D(20), "T5": D(5), "T8875": D("8.875"), "T0": D(0)}


def cents(exact: Fraction) -> Fraction:
    """Half away from zero to two decimals, in fractions only."""
    sign = -1 if exact < 0 else 1
    return Fraction(sign * floor(abs(exact) * 100 + Fraction(1, 2)), 100)


def by_hand(lines: list[InvoiceLine], kind: str) -> tuple[Fraction, Fraction]:
    """(tax, total), computed from the definition."""
    tax = total = Fraction(0)
    for one in lines:
        exact = Fraction(one.quantity) * Fraction(one.unit_price)
        exact *= 1 - Fraction(one.discount_percent or 0) / 100
        amount = cents(exact - Fraction(one.discount_amount or 0))
        rate = Fraction(RATES[one.tax_code or "T0"]) / 100
        if kind == "exclusive":
            line_tax = cents(amount * rate)
            total += amount + line_tax
        else:
            line_tax = cents(amount * rate / (1 + rate)) if kind == "inclusive" else Fraction(0)
            total += amount
        tax += line_tax
    return tax, total


def numbers(low: str, high: str, places: int) -> st.SearchStrategy[Decimal]:
    return st.decimals(low, high, places=places, allow_nan=False, allow_infinity=False)


LINES = st.lists(
    st.builds(
        InvoiceLine,
        description=st.just("x"),
        quantity=numbers("0.0001", "5000", 4),
        unit_price=numbers("-9999", "99999", 4),
        discount_percent=st.none() | numbers("0", "100", 2),
        tax_code=st.sampled_from(sorted(RATES)),
    )
    | st.builds(
        InvoiceLine,
        description=st.just("x"),
        quantity=numbers("0.5", "50", 1),
        unit_price=numbers("0", "999", 2),
        discount_amount=numbers("0", "99", 2),
        tax_code=st.sampled_from(sorted(RATES)),
    ),
    max_size=8,
)


@given(LINES, st.sampled_from(["exclusive", "inclusive", "no_tax"]))
def test_the_prediction_equals_the_sum_in_fractions(lines, kind):
    sums = predict(lines, kind, RATES)
    tax, total = by_hand(lines, kind)
    assert Fraction(sums.total_tax) == tax
    assert Fraction(sums.total) == total
    assert sums.sub_total + sums.total_tax == sums.total
    assert all(s.amount.as_tuple().exponent == -2 for s in sums.lines)


@pytest.mark.parametrize(
    ("quantity", "price", "percent", "code", "kind", "amount", "tax"),
    [
        ("1", "0.125", None, "T0", "exclusive", "0.13", "0.00"),
        ("1", "-0.125", None, "T0", "exclusive", "-0.13", "0.00"),
        ("3", "33.33", "10", "T20", "exclusive", "89.99", "18.00"),
        ("1", "100", None, "T20", "inclusive", "100.00", "16.67"),
        ("1", "128.93", None, "T8875", "exclusive", "128.93", "11.44"),
        ("1", "100", None, "T20", "no_tax", "100.00", "0.00"),
    ],
)
def test_known_lines(quantity, price, percent, code, kind, amount, tax):
    one = InvoiceLine(
        description="x",
        quantity=D(quantity),
        unit_price=D(price),
        discount_percent=D(percent) if percent else None,
        tax_code=code,
    )
    (found,) = predict([one], kind, RATES).lines
    assert (str(found.amount), str(found.tax)) == (amount, tax)


def test_a_line_whose_tax_nobody_knows_cannot_be_predicted():
    unknown = InvoiceLine(description="x", quantity=D(1), unit_price=D(1))
    with pytest.raises(KeyError):
        predict([unknown], "exclusive", RATES)
    assert predict([unknown], "no_tax", {}).total == 1


def test_a_cent_a_line_five_at_most():
    assert [tolerance(n) for n in (0, 1, 4, 5, 6, 100)] == [
        D("0.00"), D("0.01"), D("0.04"), D("0.05"), D("0.05"), D("0.05"),
    ]  # fmt: skip


SUMS = Prediction(lines=(), sub_total=D("100.00"), total_tax=D("20.00"), total=D("120.00"))


@pytest.mark.parametrize(
    ("value", "kind", "lines", "verdict"),
    [
        ("100", "net", 1, "equal"),
        ("120.00", "gross", 1, "equal"),
        ("100", "gross", 1, "differs"),
        ("100.01", "net", 1, "rounding"),
        ("99.98", "net", 1, "differs"),
        ("99.98", "net", 2, "rounding"),
        ("100.05", "net", 50, "rounding"),
        ("100.051", "net", 50, "differs"),
    ],
)
def test_like_is_compared_with_like(value, kind, lines, verdict):
    result = compare(D(value), kind, SUMS, lines)
    assert result.verdict == verdict
    assert kind in result.words
    assert ("difference" in result.words) is (verdict != "equal")


def test_both_sums_and_the_whole_difference_are_shown():
    assert compare(D("1234.5"), "net", SUMS, 1).words == (
        "the deal says 1,234.50 net, the invoice 100.00, a difference of 1,134.50"
    )
    assert "a difference of 0.004 by rounding" in compare(D("100.004"), "net", SUMS, 1).words
    assert "of 1,000.50" in compare(D("1100.50"), "net", SUMS, 1).words
    assert "of 1,000.25" in compare(D("1100.25"), "net", SUMS, 1).words
    assert compare(D("1e40"), "net", SUMS, 1).verdict == "differs"


@pytest.mark.parametrize(
    ("stored", "lines", "words"),
    [
        (("100.00", "20.00", "120.00"), 1, None),
        (("100.00", "20.01", "120.01"), 1, None),
        (("100.00", "20.02", "120.02"), 1, "total tax is 20.02, 20.00 was expected"),
        (("100.00", "20.02", "120.02"), 2, None),
        (("99.98", "20.02", "120.00"), 1, "sub total is 99.98, 100.00 was expected"),
        (("100.00", "20.00", "120.05"), 50, None),
        (("100.00", "20.00", "120.06"), 50, "total is 120.06, 120.00 was expected"),
    ],
)
def test_what_the_ledger_summed_otherwise_than_foreseen(stored, lines, words):
    net, tax, total = map(D, stored)
    theirs = Prediction(lines=(), sub_total=net, total_tax=tax, total=total)
    said = unforeseen(SUMS, theirs, lines)
    assert (said or None) == (f"the ledger's {words}" if words else None)
