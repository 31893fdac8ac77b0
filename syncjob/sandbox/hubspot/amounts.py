"""The arithmetic of line items, in fractions: discounts, tax, tiers, recurring values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

from syncjob.sandbox.hubspot.wire import number

_DECIMALS = {"JPY": 0, "KRW": 0, "CLP": 0, "VND": 0, "ISK": 0, "BHD": 3, "KWD": 3, "TND": 3}
MONTHS = {
    "weekly": Fraction(12, 52), "biweekly": Fraction(12, 26), "monthly": Fraction(1),
    "quarterly": Fraction(3), "per_six_months": Fraction(6), "annually": Fraction(12),
    "per_two_years": Fraction(24), "per_three_years": Fraction(36),
    "per_four_years": Fraction(48), "per_five_years": Fraction(60),
}  # fmt: skip
_PERIOD = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?", re.ASCII)

Props = Mapping[str, str]


def rounded(amount: Fraction, currency: str | None) -> Decimal:
    """Half away from zero, to the currency's smallest unit."""
    places = _DECIMALS.get(currency or "", 2)
    scaled = abs(amount) * 10**places
    units = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return Decimal(-units if amount < 0 else units).scaleb(-places)


def _value(props: Props, name: str) -> Fraction:
    found = number(props.get(name) or "")
    return Fraction(0) if found is None else found


def unit_price(props: Props) -> Fraction:
    """The price of one; of a tiered line it follows from the quantity."""
    if props.get("hs_pricing_model") not in ("volume", "stairstep", "graduated"):
        return _value(props, "price")
    quantity = _value(props, "quantity")
    return tiered(props, quantity) / quantity if quantity else Fraction(0)


def tiered(props: Props, quantity: Fraction) -> Fraction:
    """What `quantity` costs by the tiers: `hs_tier_ranges` "1;11" with `hs_tier_prices` "10;8".

    volume: all at the reached tier's price; stairstep: that tier's price as it is; graduated: each
    part at its own tier's price.
    """
    starts = [number(t) or Fraction(0) for t in (props.get("hs_tier_ranges") or "").split(";")]
    prices = [number(t) or Fraction(0) for t in (props.get("hs_tier_prices") or "").split(";")]
    steps = sorted(zip(starts, prices, strict=False))
    reached = [price for start, price in steps if start <= quantity] or [steps[0][1]]
    if props["hs_pricing_model"] == "volume":
        return reached[-1] * quantity
    if props["hs_pricing_model"] == "stairstep":
        return reached[-1]
    total, ends = Fraction(0), [*(s for s, _ in steps[1:]), None]
    for (start, price), end in zip(steps, ends, strict=True):
        upto = quantity if end is None else min(quantity, end - 1)
        total += max(Fraction(0), upto - start + 1) * price
    return total


def line(props: Props, rate: Fraction | None) -> dict[str, Decimal]:
    """The calculated amounts of a line: net after discount is rounded once, on the line."""
    currency = props.get("hs_line_item_currency_code")
    quantity = _value(props, "quantity") if "quantity" in props else Fraction(1)
    before = unit_price(props) * quantity
    if "hs_discount_percentage" in props:
        less = before * _value(props, "hs_discount_percentage") / 100
    else:
        less = _value(props, "discount") * quantity
    net = rounded(before - less, currency)
    made = {
        "hs_pre_discount_amount": rounded(before, currency),
        "hs_total_discount": rounded(less, currency),
        "amount": net,
    }
    if rate is not None:
        tax = rounded(Fraction(net) * rate / 100, currency)
        made |= {"hs_tax_amount": tax, "hs_post_tax_amount": net + tax}
    return made | _recurring(props, net, currency)


def _recurring(props: Props, net: Decimal, currency: str | None) -> dict[str, Decimal]:
    """Yearly, monthly and contract value; a line without a frequency is paid once."""
    months = MONTHS.get(props.get("recurringbillingfrequency") or "")
    if months is None:
        return {"hs_acv": net, "hs_tcv": net, "hs_arr": Decimal(0), "hs_mrr": Decimal(0)}
    term = term_months(props)
    monthly = Fraction(net) / months
    whole = monthly * (term or 12)
    first = monthly * min(term or 12, Fraction(12))
    return {
        "hs_acv": rounded(first, currency),
        "hs_tcv": rounded(whole, currency),
        "hs_arr": rounded(monthly * 12, currency),
        "hs_mrr": rounded(monthly, currency),
    }


def term_months(props: Props) -> Fraction | None:
    """The billing period in months: from `P12M`, or from the number of payments."""
    payments = number(props.get("hs_recurring_billing_number_of_payments") or "")
    months = MONTHS.get(props.get("recurringbillingfrequency") or "")
    if payments is not None and months is not None:
        return payments * months
    match = _PERIOD.fullmatch(props.get("hs_recurring_billing_period") or "")
    if match is None or not any(match.groups()):
        return None
    years, months_, days = (int(g or 0) for g in match.groups())
    return Fraction(12 * years + months_) + Fraction(days, 30)
