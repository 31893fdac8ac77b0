"""The arithmetic of deals, in fractions: product rows, deal discounts, recurring values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

Record = Mapping[str, Any]

_DECIMALS = {"JPY": 0, "KRW": 0, "CLP": 0, "VND": 0, "ISK": 0, "BHD": 3, "KWD": 3, "TND": 3}
_PER_YEAR = {"annually": 1, "semi-annually": 2, "quarterly": 4, "monthly": 12, "weekly": 52}


def decimals(currency: str | None) -> int:
    return _DECIMALS.get(currency or "", 2)


def rounded(amount: Fraction, currency: str | None) -> Decimal:
    """Half away from zero, to the currency's smallest unit."""
    places = decimals(currency)
    scaled = abs(amount) * 10**places
    units = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return Decimal(-units if amount < 0 else units).scaleb(-places)


def fraction(value: Any) -> Fraction:
    """An exact fraction of a stored or sent number; floats are read by their shortest text."""
    return Fraction(str(value)) if isinstance(value, float) else Fraction(value or 0)


def row_net(row: Record, per_unit: bool) -> Fraction:
    """Price times quantity less the row's own discount, in the terms of the price."""
    price, quantity = fraction(row["item_price"]), fraction(row["quantity"])
    discount = fraction(row["discount"])
    if row["discount_type"] == "percentage":
        return price * quantity * (1 - discount / 100)
    return price * quantity - discount * (quantity if per_unit else 1)


def row_sum(row: Record, per_unit: bool, with_tax: bool) -> Decimal:
    """The `sum` of a product row: rounded, with or without its tax."""
    net, tax = row_net(row, per_unit), fraction(row["tax"]) / 100
    if row["tax_method"] == "exclusive" and with_tax:
        net *= 1 + tax
    if row["tax_method"] == "inclusive" and not with_tax:
        net /= 1 + tax
    return rounded(net, row["currency"])


def deal_value(
    rows: Iterable[Record], discounts: Iterable[Record], currency: str | None
) -> Decimal:
    """Enabled rows less the deal's discounts; percentages are of the sum before any discount."""
    gross = sum((fraction(r["sum"]) for r in rows if r["is_enabled"]), Fraction(0))
    less = Fraction(0)
    for discount in discounts:
        amount = fraction(discount["amount"])
        less += gross * amount / 100 if discount["type"] == "percentage" else amount
    return rounded(gross - less, currency)


def recurring(rows: Iterable[Record], currency: str | None) -> dict[str, Decimal | None]:
    """Yearly, monthly and contract value of the enabled recurring rows, or nulls without any."""
    found = [r for r in rows if r["is_enabled"] and r["billing_frequency"] in _PER_YEAR]
    if not found:
        return {"acv": None, "arr": None, "mrr": None}
    yearly = sum(
        (fraction(r["sum"]) * _PER_YEAR[r["billing_frequency"]] for r in found), Fraction(0)
    )
    contract = sum((_first_year(r) for r in found), Fraction(0))
    return {
        "acv": rounded(contract, currency),
        "arr": rounded(yearly, currency),
        "mrr": rounded(yearly / 12, currency),
    }


def _first_year(row: Record) -> Fraction:
    periods = _PER_YEAR[row["billing_frequency"]]
    cycles = row["billing_frequency_cycles"]
    return fraction(row["sum"]) * (periods if cycles is None else min(periods, cycles))
