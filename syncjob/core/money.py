"""Money as Decimal with its currency, and the rounding that ledgers document.

Keeps invariant 8 (to the cent). Nothing here accepts or returns a float.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal

import msgspec

ZERO = Decimal(0)

#: Digits enough for the product of any three numbers that JSON is read with (4,300 digits each):
#: what a CRM sends may be absurd, and one absurd row must not stop all others, as the usual 28
#: digits would. Digits that are not there cost nothing.
_WIDE = Context(prec=20_000, rounding=ROUND_HALF_UP)

#: The smallest amount by decimals, for those that are asked for a hundred times a deal.
_UNITS = {digits: Decimal(1).scaleb(-digits) for digits in range(7)}

#: ISO 4217 currencies whose minor unit is not 2 digits and that CRMs and Xero both offer.
MINOR_DIGITS = {
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"), 0),
    **dict.fromkeys(("RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
}


class Money(msgspec.Struct, frozen=True):
    """An amount (Decimal, major units) in a currency (ISO 4217 code)."""

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        return f"{self.amount:,.2f} {self.currency}"


def half_up(amount: Decimal, digits: int = 2) -> Decimal:
    """Round half away from zero to `digits` decimals (Xero's own invoices; facts: xero, 3).

    Zero is never negative: "-0.00" would be a change to whoever compares texts.
    """
    unit = _UNITS.get(digits)
    rounded = _WIDE.quantize(amount, unit or Decimal(1).scaleb(-digits))
    return rounded if unit and rounded else _WIDE.add(rounded, ZERO)


def plain(amount: Decimal) -> str:
    """The shortest plain notation, never an exponent: 12.50 -> "12.5", 1E+3 -> "1000"."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
