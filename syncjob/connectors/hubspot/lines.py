"""Line items as lines: what their price, quantity and discount must come to is HubSpot's `amount`.

A discount amount is per unit, a percentage is of the whole line and rounded once on it (facts:
hubspot, 5d). HubSpot's own net amount decides: where the parts do not come to it, the line says its
doubt and its deal is held. A tiered price has no single unit price: such a line is invoiced as one
piece for its net amount, with the quantity in words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

import msgspec

from syncjob.connectors.hubspot.codec import day, number, number_of, properties_of, text
from syncjob.connectors.hubspot.fields import Item
from syncjob.core.money import MINOR_DIGITS, ZERO, half_up, plain
from syncjob.core.records import Line
from syncjob.errors import SchemaDrift

#: What is asked of every line item.
LINE = (
    "name", "description", "quantity", "price", "amount", "discount", "hs_discount_percentage",
    "hs_tax_rate_group_id", "hs_tax_rate", "hs_sku", "hs_product_id", "hs_line_item_currency_code",
    "recurringbillingfrequency", "hs_recurring_billing_period",
    "hs_recurring_billing_start_date", "hs_recurring_billing_number_of_payments",
    "hs_billing_start_delay_type", "hs_position_on_quote", "hs_pricing_model",
    "hs_lastmodifieddate",
)  # fmt: skip
HUNDRED = Decimal(100)

#: HubSpot's words for how often (facts: hubspot, 5d) as ours (core/rules/recurring) and months;
#: weeks are no number of months.
_OFTEN: dict[str, tuple[str, int | None]] = {
    "weekly": ("weekly", None),
    "biweekly": ("every 2 weeks", None),
    "monthly": ("monthly", 1),
    "quarterly": ("quarterly", 3),
    "per_six_months": ("semi-annually", 6),
    "annually": ("annually", 12),
    "per_two_years": ("every 2 years", 24),
    "per_three_years": ("every 3 years", 36),
    "per_four_years": ("every 4 years", 48),
    "per_five_years": ("every 5 years", 60),
}
_TERM = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?")
#: The only delay that says a day: the start date itself.
_ON_DATE = "hs_recurring_billing_start_date"


def to_line(item: Item, currency: str, rates: Mapping[str, Decimal]) -> Line:
    """One line item of a deal in this currency; `rates` are the account's tax rates by group.

    A line that cannot be read becomes one with a doubt, so that its deal is held instead of being
    invoiced without it.
    """
    try:
        return _line(item, currency, rates)
    except SchemaDrift as error:
        return doubtful(
            f"a line item cannot be read: {error.what.rstrip('.')}", str(item.get("id", "?"))
        )


def doubtful(words: str, line_id: str = "?") -> Line:
    """A line that only says why its deal cannot be understood."""
    return Line(id=line_id, name=None, quantity=ZERO, unit_price=ZERO, doubt=words)


def _line(item: Item, currency: str, rates: Mapping[str, Decimal]) -> Line:
    found = properties_of(item)
    quantity = number(found, "quantity")
    billing, cycles, doubt = _recurs(found)
    percent, tax_doubt = _tax(found, rates)
    made = Line(
        id=number_of(item),
        name=text(found, "name"),
        description=text(found, "description"),
        quantity=Decimal(1) if quantity is None else quantity,
        unit_price=number(found, "price") or ZERO,
        net=number(found, "amount"),
        tax_percent=percent,
        tax_method=None if percent is None else "exclusive",
        product_id=text(found, "hs_product_id"),
        sku=text(found, "hs_sku"),
        billing=billing,
        cycles=cycles,
        starts=day(found, _ON_DATE) if billing else None,
        order=_order(found),
        doubt=_other_currency(found, currency) or doubt or tax_doubt,
    )
    if text(found, "hs_pricing_model") not in (None, "flat"):
        return _tiered(made)
    return _discounted(made, found, currency)


def _order(found: Item) -> int:
    """The place on the quote; lines without one come last, in the order of their ids."""
    place = number(found, "hs_position_on_quote")
    return 1_000_000 if place is None else int(place)


def _other_currency(found: Item, currency: str) -> str | None:
    """A deal's currency may be changed under its lines; nothing says that their prices follow."""
    own = text(found, "hs_line_item_currency_code")
    if own is None or own.upper() == currency:
        return None
    return f"it is priced in {own}, the deal is in {currency}"


# --- discounts ------------------------------------------------------------------------------------


def _discounted(line: Line, found: Item, currency: str) -> Line:
    each, percent = number(found, "discount") or ZERO, number(found, "hs_discount_percentage")
    gross = line.unit_price * line.quantity
    if each and percent:
        both = f"{plain(each)} a unit and {plain(percent)} %"
        return _doubt(line, f"it has two discounts ({both}), and nothing says which holds")
    off = gross * percent / HUNDRED if percent else each * line.quantity
    line = msgspec.structs.replace(
        line,
        discount_percent=percent or None,
        discount_amount=each * line.quantity if each else None,
    )
    if line.net is None:
        return line if not off else _doubt(line, "HubSpot gives no amount to check its discount by")
    digits = MINOR_DIGITS.get(currency, 2)
    # The amount was rounded once, on the line: the exact one is at most half a cent away.
    if abs(gross - off - line.net) <= Decimal(5).scaleb(-digits - 1):
        return msgspec.structs.replace(line, net=half_up(line.net, digits))
    less = f" less {plain(off)}" if off else ""
    sums = f"{plain(line.quantity)} x {plain(line.unit_price)}{less}"
    wanted = plain(half_up(gross - off, digits))
    return _doubt(line, f"{sums} is {plain(line.net)} in HubSpot: it should be {wanted}")


def _tiered(line: Line) -> Line:
    if line.net is None:
        return _doubt(line, "its price has tiers, and HubSpot gives no amount for it")
    words = "\n".join(filter(None, (line.description, f"Quantity: {plain(line.quantity)}")))
    return msgspec.structs.replace(
        line, quantity=Decimal(1), unit_price=line.net, description=words
    )


def _doubt(line: Line, words: str) -> Line:
    return msgspec.structs.replace(line, doubt=line.doubt or words)


# --- tax and billing ------------------------------------------------------------------------------


def _tax(found: Item, rates: Mapping[str, Decimal]) -> tuple[Decimal | None, str | None]:
    """The percentage of the line's tax rate: by its group, else as the line itself says."""
    group, said = text(found, "hs_tax_rate_group_id"), number(found, "hs_tax_rate")
    if group is None:
        return said, None
    known = rates.get(group)
    if known is None and said is None:
        return None, f"its tax rate ({group}) is not among those of the account"
    if known is not None and said is not None and known != said:
        return None, f"its tax rate is {plain(known)} % in the account and {plain(said)} % on it"
    return (said if known is None else known), None


def _recurs(found: Item) -> tuple[str | None, int | None, str | None]:
    """How often it is billed, how many times in all (None: until cancelled), and a doubt."""
    often = text(found, "recurringbillingfrequency")
    if often is None:
        return None, None, None
    if often not in _OFTEN:
        return often, None, None  # the rules hold what they do not know, and say its name
    words, months = _OFTEN[often]
    cycles, doubt = _cycles(found, often, months)
    delay = text(found, "hs_billing_start_delay_type")
    if delay not in (None, _ON_DATE) and text(found, _ON_DATE) is None:
        doubt = doubt or "its billing begins after a delay, and nothing says on which day"
    return words, cycles, doubt


def _cycles(found: Item, often: str, months: int | None) -> tuple[int | None, str | None]:
    payments = number(found, "hs_recurring_billing_number_of_payments")
    if payments is not None:
        whole = payments == payments.to_integral_value() and payments >= 1
        return (int(payments), None) if whole else (None, f"it has {plain(payments)} payments")
    term = text(found, "hs_recurring_billing_period")
    if term is None:
        return None, None
    parts = _TERM.fullmatch(term)
    length = int(parts[1] or 0) * 12 + int(parts[2] or 0) if parts else 0
    if not length or months is None or length % months:
        return None, f"its term {term} is no whole number of periods ({often})"
    return length // months, None
