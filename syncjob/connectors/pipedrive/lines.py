"""Product rows of deals as lines, and what a row's discount must mean for its sum to come out.

Nothing that Pipedrive publishes says whether a discount amount is taken off each unit or off the
line once, nor whether `sum` holds the tax (facts: pipedrive, 1b). So each row's own `sum` decides:
a reading counts only if it is the only one that gives that sum, else the line says its doubt.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

import msgspec

from syncjob.connectors.pipedrive import values
from syncjob.connectors.pipedrive.values import Item
from syncjob.core.money import MINOR_DIGITS, ZERO, half_up, plain
from syncjob.core.records import Discount, Instalment, Line, LineAmounts
from syncjob.errors import SchemaDrift

HUNDRED = Decimal(100)
_METHODS: dict[str, LineAmounts] = {
    "inclusive": "inclusive",
    "exclusive": "exclusive",
    "none": "no_tax",
}


class Reading(NamedTuple):
    """One way to understand a row: its amount in its price's terms, the discount on the line."""

    amount: Decimal
    discount: Decimal


def enabled(row: Item) -> bool:
    """Whether a row counts in the deal; only an explicit false takes it out."""
    return row.get("is_enabled") is not False


def to_line(row: Item, currency: str | None = None) -> Line:
    """One product row of a deal in this currency. A row that cannot be read becomes a line with a
    doubt, so that its deal is held instead of being invoiced without it."""
    try:
        return _in_currency(_line(row), values.text(row, "currency"), currency)
    except SchemaDrift as error:
        words = f"a product row cannot be read: {error.what.rstrip('.')}"
        return doubtful(words, str(row.get("id", "?")))


def _in_currency(line: Line, own: str | None, deals: str | None) -> Line:
    """A deal's currency may be changed under its rows; nothing says that their prices follow."""
    if not own or not deals or own.upper() == deals.upper():
        return line
    words = f"it is priced in {own}, the deal is in {deals}"
    return msgspec.structs.replace(line, doubt=words)


def doubtful(words: str, row_id: str = "?") -> Line:
    """A line that only says why its deal cannot be understood."""
    return Line(id=row_id, name=None, quantity=ZERO, unit_price=ZERO, doubt=words)


def missing_line(count: int) -> Line:
    """Stands for the rows of a deal that counts products but lists none."""
    return doubtful(f"Pipedrive counts {count} products on the deal but lists none")


def _line(row: Item) -> Line:
    values.flag(row, "is_enabled")  # another word than true or false may mean either
    kind = values.text(row, "discount_type")
    discount = values.number(row, "discount") or ZERO
    total, method = values.number(row, "sum"), _tax_method(row)
    reading, doubt = read_sum(row, total)
    percent = discount if discount and kind == "percentage" else None
    amount = reading.discount if reading and discount and kind == "amount" else None
    order = values.number(row, "order_nr")
    billing = values.text(row, "billing_frequency")
    return Line(
        id=values.needed_id(row),
        name=values.text(row, "name"),
        quantity=values.needed_number(row, "quantity"),
        unit_price=values.needed_number(row, "item_price"),
        description=values.text(row, "comments"),
        discount_percent=percent,
        discount_amount=amount,
        net=_net(reading, total, values.text(row, "currency")),
        tax_percent=values.number(row, "tax"),
        tax_method=method,
        product_id=values.ident(row, "product_id"),
        billing=None if billing == "one-time" else billing,
        cycles=_cycles(row),
        starts=values.day(row, "billing_start_date") if row.get("billing_start_date") else None,
        order=int(order or 0),
        doubt=doubt,
    )


def _cycles(row: Item) -> int | None:
    """How many periods are billed in all; none is for ever (facts: pipedrive, 1b)."""
    cycles = values.number(row, "billing_frequency_cycles")
    return None if cycles is None else int(cycles)


def _tax_method(row: Item) -> LineAmounts | None:
    method = values.text(row, "tax_method")
    if method is None:
        return None
    if method not in _METHODS:
        raise values.drift("tax_method", method, "inclusive, exclusive or none")
    return _METHODS[method]


def read_sum(row: Item, total: Decimal | None) -> tuple[Reading | None, str | None]:
    """The only reading of the row that gives its sum, or None with the doubt in words."""
    readings = _readings(row)
    if len(readings) == 1 and total is None:
        return readings[0], None
    if total is None:
        return None, "Pipedrive gives no sum to tell whether the discount is per unit or per line"
    minor = MINOR_DIGITS.get(values.text(row, "currency") or "", 2)
    # The sum was rounded to the minor unit in some way: the exact one is at most half of it away.
    half = Decimal(5).scaleb(-minor - 1)
    tax = (values.number(row, "tax") or ZERO) / HUNDRED
    fitting = {
        r: None for r in readings for s in _sums(r.amount, tax, row) if abs(s - total) <= half
    }
    if len({r.amount for r in fitting}) == 1:
        return next(iter(fitting)), None
    return None, _words(row, total, readings, bool(fitting))


def _readings(row: Item) -> list[Reading]:
    price, quantity = values.needed_number(row, "item_price"), values.needed_number(row, "quantity")
    gross, discount = price * quantity, values.number(row, "discount") or ZERO
    if not discount:
        return [Reading(gross, ZERO)]
    match values.text(row, "discount_type"):
        case "percentage":
            off = gross * discount / HUNDRED
            return [Reading(gross - off, off)]
        case "amount":
            once, each = Reading(gross - discount, discount), discount * quantity
            return [once] if each == discount else [once, Reading(gross - each, each)]
    raise values.drift("discount_type", row.get("discount_type"), "percentage or amount")


def _sums(amount: Decimal, tax: Decimal, row: Item) -> tuple[Decimal, ...]:
    """What `sum` may be for an amount in the price's terms: as it is, or with tax put on or off."""
    match values.text(row, "tax_method"):
        case "exclusive":
            return (amount, amount * (1 + tax))
        case "inclusive" if tax > -1:
            return (amount, amount / (1 + tax))
    return (amount,)


def _net(reading: Reading | None, total: Decimal | None, currency: str | None) -> Decimal | None:
    """The line's amount in the terms of its price: Pipedrive's own sum where it is that."""
    if reading is None or total is None:
        return total
    rounded = half_up(reading.amount, MINOR_DIGITS.get(currency or "", 2))
    return total if abs(total - reading.amount) <= abs(rounded - reading.amount) else rounded


def _words(row: Item, total: Decimal, readings: list[Reading], several: bool) -> str:
    price, quantity = values.needed_number(row, "item_price"), values.needed_number(row, "quantity")
    discount = values.number(row, "discount") or ZERO
    off = f"{plain(discount)}{' %' if row.get('discount_type') == 'percentage' else ''}"
    wanted = " or ".join(dict.fromkeys(plain(half_up(r.amount)) for r in readings))
    why = "more than one reading fits" if several else f"it should be {wanted}, tax aside"
    return f"{plain(quantity)} x {plain(price)} less {off} is {plain(total)} in Pipedrive: {why}"


def wire_sum(rows: Iterable[Item]) -> Decimal | None:
    """What the enabled rows add up to in Pipedrive's own sums; None if one gives none."""
    try:
        sums = [values.number(row, "sum") for row in rows if enabled(row)]
    except SchemaDrift:
        return None
    known = [s for s in sums if s is not None]
    return sum(known, ZERO) if len(known) == len(sums) else None


def to_discount(item: Item) -> Discount:
    """A discount on the whole deal. Raises SchemaDrift."""
    amount = values.needed_number(item, "amount")
    kind = values.text(item, "type")
    if kind not in ("percentage", "amount"):
        raise values.drift("type", kind, "percentage or amount")
    return Discount(
        id=values.needed_id(item),
        description=values.text(item, "description"),
        percent=amount if kind == "percentage" else None,
        amount=amount if kind == "amount" else None,
    )


def to_instalment(item: Item) -> Instalment:
    """One part of the deal's own payment schedule. Raises SchemaDrift."""
    return Instalment(
        id=values.needed_id(item),
        amount=values.needed_number(item, "amount"),
        due=values.day(item, "billing_date"),
        description=values.text(item, "description"),
    )
