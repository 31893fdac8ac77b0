"""Rounding half up, and numbers as text."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncjob.core.money import MINOR_DIGITS, Money, half_up, plain

AMOUNTS = st.decimals("-1e9", "1e9", places=6)


@pytest.mark.parametrize(
    ("amount", "digits", "text"),
    [
        ("0.005", 2, "0.01"),
        ("-0.005", 2, "-0.01"),
        ("0.015", 2, "0.02"),
        ("0.025", 2, "0.03"),
        ("0.0049999", 2, "0.00"),
        ("-0.004", 2, "0.00"),
        ("1.00005", 4, "1.0001"),
        ("2.5", 0, "3"),
        ("1E+3", 2, "1000.00"),
    ],
)
def test_half_goes_away_from_zero(amount, digits, text):
    assert str(half_up(Decimal(amount), digits)) == text


@given(AMOUNTS, st.integers(0, 4))
def test_rounding_moves_by_half_a_unit_at_most_and_once(amount, digits):
    rounded = half_up(amount, digits)
    assert abs(Fraction(rounded) - Fraction(amount)) <= Fraction(1, 2 * 10**digits)
    assert half_up(rounded, digits) == rounded
    assert half_up(-amount, digits) == -rounded


@given(AMOUNTS)
def test_plain_keeps_the_value_and_has_no_exponent(amount):
    text = plain(amount)
    assert Decimal(text) == amount
    assert "E" not in text
    assert not (("." in text) and text.endswith("0"))


def test_plain_examples():
    assert [plain(Decimal(t)) for t in ("12.50", "1E+3", "20.00", "100", "0.10")] == [
        "12.5", "1000", "20", "100", "0.1",
    ]  # fmt: skip


def test_money_is_shown_with_its_currency():
    assert str(Money(Decimal("1234.5"), "GBP")) == "1,234.50 GBP"
    assert MINOR_DIGITS["JPY"] == 0
    assert MINOR_DIGITS["BHD"] == 3
    assert "GBP" not in MINOR_DIGITS


def test_absurd_amounts_round_like_others():
    assert half_up(Decimal("1e30")) == Decimal("1e30")
    assert half_up(Decimal("123456789012345678901234567890.125")) == Decimal(
        "123456789012345678901234567890.13"
    )
    assert half_up(Decimal("-1e900")) == Decimal("-1e900")
    assert half_up(Decimal("1e12900")) == Decimal("1e12900")
