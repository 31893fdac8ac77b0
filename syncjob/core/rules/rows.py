"""One product row of a deal as one line of an invoice: its words, its price, its discount."""

from __future__ import annotations

import re
from decimal import Decimal

from syncjob.core.money import half_up, plain
from syncjob.core.records import InvoiceLine, Line
from syncjob.core.rules.texts import clean, line_label
from syncjob.errors import Held

#: Length that the ledger takes in a line's description.
DESCRIPTION_LENGTH_MAX = 4000

#: Decimals the ledger keeps of a quantity, and of a price when asked with unitdp=4.
FINE_DIGITS = 4

#: The largest line amount the ledger takes (facts: xero, 3).
AMOUNT_MAX = Decimal("9999999999.99")

_HUNDRED = Decimal(100)
_PLACE = re.compile(r"\{([^{}]*)\}")
_PLACES = ("name", "description", "sku", "title")


def unknown_places(template: str) -> list[str]:
    """The placeholders in a description template that mean nothing, for `syncjob check`."""
    return [place for place in _PLACE.findall(template) if place not in _PLACES]


def check_row(line: Line) -> None:
    """Raise Held for a row that no rule covers.

    Codes: "line_doubt", "recurring_line", "zero_quantity", "line_without_product",
    "discount_invalid", "amount_too_large". A negative price or quantity is allowed: what counts
    is the total.
    """
    label = line_label(line)
    _check_size(line, label)  # first: the CRM's own sums of such amounts are not exact
    if line.doubt:
        raise Held(
            "line_doubt",
            f"The CRM's figures for the {label} are unclear: {line.doubt}.",
            field="lines",
            next_step="Correct that line in the CRM; a discount is clear as a percentage.",
        )
    if line.billing and line.billing != "one-time":
        raise Held(
            "recurring_line",
            f"The {label} is billed {line.billing}; only one-time lines can be invoiced.",
            field="billing_frequency",
            next_step="Make a repeating invoice in the ledger by hand, or bill the line one-time.",
        )
    if not half_up(line.quantity, FINE_DIGITS):
        raise Held(
            "zero_quantity",
            f"The {label} has the quantity {plain(line.quantity)}.",
            field="quantity",
            next_step="Give it a quantity, or remove the line from the deal.",
        )
    if not clean(line.name) and not clean(line.description):
        raise Held(
            "line_without_product",
            f"The {label} has neither a product nor a description.",
            field="name",
            next_step="Choose its product, or describe it, in the CRM.",
        )
    _check_discount(line, label)


def to_line(
    line: Line, title: str, template: str, *, account: str, tax_code: str | None, item: str | None
) -> InvoiceLine:
    """The row as the ledger will be sent it. Raises Held "description_too_long".

    Price and quantity are rounded half up to the ledger's four decimals; what that changes shows
    in the comparison of the totals. A discount percentage with more than two decimals becomes an
    amount, because the ledger keeps two and then refuses to approve the line.
    """
    quantity = half_up(line.quantity, FINE_DIGITS)
    price = half_up(line.unit_price, FINE_DIGITS)
    percent, amount = line.discount_percent or None, line.discount_amount or None
    if percent is not None and percent != half_up(percent):
        amount, percent = quantity * price * percent / _HUNDRED, None
    return InvoiceLine(
        description=describe(line, title, template),
        quantity=quantity,
        unit_price=price,
        discount_percent=percent,
        discount_amount=None if amount is None else half_up(amount),
        tax_code=tax_code,
        account=account,
        item=item,
    )


def describe(line: Line, title: str, template: str) -> str:
    """The template filled with the row's texts, without lines left empty.

    Where it comes out empty, the row's name or description stands. A placeholder that is not
    known stays as it is written. Raises Held "description_too_long".
    """
    texts = {
        "name": clean(line.name),
        "description": clean(line.description),
        "sku": clean(line.sku),
        "title": clean(title),
    }
    filled = _PLACE.sub(lambda found: texts.get(found[1], found[0]), template)
    text = "\n".join(part for part in clean(filled).split("\n") if part.strip())
    text = text or texts["name"] or texts["description"]
    if len(text) > DESCRIPTION_LENGTH_MAX:
        raise Held(
            "description_too_long",
            f"The description of the {line_label(line)} has {len(text)} characters; "
            f"the ledger takes {DESCRIPTION_LENGTH_MAX}.",
            field="description",
            next_step="Shorten it in the CRM.",
        )
    return text


def _check_size(line: Line, label: str) -> None:
    parts = (line.quantity, line.unit_price, line.discount_amount or Decimal(0))
    largest = max(abs(part) for part in (*parts, line.quantity * line.unit_price))
    if largest > AMOUNT_MAX:
        raise Held(
            "amount_too_large",
            f"The {label} has an amount of {largest:,.2f}; the ledger takes {AMOUNT_MAX:,.2f}.",
            field="item_price",
            next_step="Correct its quantity, price and discount in the CRM.",
        )


def _check_discount(line: Line, label: str) -> None:
    percent = line.discount_percent
    if percent is None or 0 <= percent <= _HUNDRED:
        return
    raise Held(
        "discount_invalid",
        f"The {label} has a discount of {plain(percent)}%.",
        field="discount",
        next_step="Correct the discount in the CRM; the ledger takes 0 to 100%.",
    )
