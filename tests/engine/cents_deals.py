"""Random deals for `test_cents`: ordinary ones, odd ones, and ones that must not be invoiced."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.engine.cents_model import DEFAULT, FOREIGN, NOT_ENABLED, RATES, Firm

#: Names that people and programs have pasted together: other scripts, marks, controls, length.
NAMES = (
    "Widget", "Œuvre d’été", "שלום עולם", "مرحبا \u202eabc\u202c", "Z\u0301\u0323a\u0300lgo\u0336",
    "👩‍👩‍👧 family", "tab\tand\x07bell", "line\r\none", "nul\x00byte", "C1\x85\x9f", "\ufeffBOM",
    "x" * 255, "é" * 120 + "e\u0301" * 60, "'; DROP TABLE deals;--", "<b>&amp;</b>", "名" * 200,
    "\u200b", "bad\ufffeend", "=1+1",
)  # fmt: skip


def random_deal(firm: Firm, chance: Random) -> dict[str, Any]:
    """What `create_deal` takes, already won."""
    currency = chance.choices([firm.base, *FOREIGN, NOT_ENABLED], weights=[10, 2, 1, 1, 0.3])[0]
    deal: dict[str, Any] = {"currency": currency, "status": "won"}
    if chance.random() < 0.06:
        return {**deal, "value": _number(chance, 0, 5000, chance.choice([0, 2, 3, 5]))}
    method = _method(firm, chance)
    count = chance.choice([1, 1, 2, 3, 4, 6, 9]) if chance.random() < 0.99 else 70
    deal["lines"] = [{**_line(firm, chance), "tax_method": method} for _ in range(count)]
    if chance.random() < 0.2:
        deal["discounts"] = [_deal_discount(chance) for _ in range(chance.choice([1, 1, 2]))]
    return deal


def _method(firm: Firm, chance: Random) -> str:
    fitting = {"no_tax": "none", "as_deal": chance.choice(["exclusive", "inclusive", "none"])}
    if chance.random() < 0.9:
        return fitting.get(firm.amounts, firm.amounts)
    return chance.choice(["exclusive", "inclusive", "none"])


def _line(firm: Firm, chance: Random) -> dict[str, Any]:
    line: dict[str, Any] = {
        "name": chance.choice(NAMES),
        "price": _price(chance),
        "quantity": _quantity(chance),
        "tax": _tax(firm, chance),
    }
    if chance.random() < 0.15:
        line["comments"] = chance.choice(NAMES)
    if chance.random() < 0.12:
        line["enabled"] = False
    if chance.random() < 0.015:
        line["billing_frequency"] = chance.choice(["monthly", "annually"])
    return line | _line_discount(chance)


def _price(chance: Random) -> float:
    digits = chance.choice([0, 2, 2, 2, 3, 4])
    roll = chance.random()
    if roll < 0.05:
        return _number(chance, -200, 0, digits)
    if roll < 0.07:
        return chance.choice([0, 0.00004, 0.00005, 0.0001, 0.123456, 1e-12])
    if roll < 0.08:
        return chance.choice([9999999999.99, 1000000000, 10000000000, 123456789.9999, 1e14])
    return _number(chance, 0, chance.choice([2, 100, 3000]), digits)


def _quantity(chance: Random) -> float:
    roll = chance.random()
    if roll < 0.02:
        return chance.choice([0, 0.00001, -1, -2.5])
    if roll < 0.3:
        return chance.choice([6.333, 0.5, 2.25, 0.0833, 1.66667, 0.3333333333333333, 1000, 12345])
    return chance.choice([1, 1, 2, 3, 7, 12])


def _tax(firm: Firm, chance: Random) -> float:
    known = sorted(RATES[firm.region]) if firm.rules else [DEFAULT[firm.region]]
    if firm.amounts == "no_tax" and chance.random() < 0.9:
        return 0
    if chance.random() < 0.97:
        return float(chance.choice([*known, DEFAULT[firm.region], DEFAULT[firm.region]]))
    return chance.choice([0, 5, 10, 15, 20, 8.875, -10, 100])


def _line_discount(chance: Random) -> dict[str, Any]:
    roll = chance.random()
    if roll < 0.3:
        percents = [5, 10, 12.5, 33.33, 33.333, 66.6667, 100, 2.125, 0.004, 99.999]
        return {"discount": chance.choice(percents), "discount_type": "percentage"}
    if roll < 0.31:
        return {"discount": chance.choice([120, -5]), "discount_type": "percentage"}
    if roll < 0.5:
        amount = chance.choice([0.01, 0.005, 1, 2.5, 4.99, 10, 33.333])
        return {"discount": amount, "discount_type": "amount"}
    return {}


def _deal_discount(chance: Random) -> dict[str, Any]:
    kind = chance.choice(["percentage", "amount"])
    amounts = {"percentage": [5, 10, 33.333, 100, 0.5, 12.345], "amount": [1, 5, 10.01, 0.004, 99]}
    return {"type": kind, "amount": chance.choice(amounts[kind]), "description": chance.choice(
        ["", "Spring", "רבע", "x" * 300]
    )}  # fmt: skip


def _number(chance: Random, low: float, high: float, digits: int) -> float:
    return round(chance.uniform(low, high), digits)
