"""One product row of a deal as one line of an invoice: its words, its price, its discount."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal

import msgspec

from syncjob.core.money import half_up, plain
from syncjob.core.records import Deal, InvoiceLine, Line
from syncjob.core.rules.arithmetic import line_amount
from syncjob.core.rules.texts import clean, line_label, one_line, short
from syncjob.errors import Held

#: Length that the ledger takes in a line's description.
DESCRIPTION_LENGTH_MAX = 4000

#: Decimals the ledger keeps of a quantity, and of a price when asked with unitdp=4.
FINE_DIGITS = 4

#: The largest line amount the ledger takes (facts: xero, 3).
AMOUNT_MAX = Decimal("9999999999.99")

_CENT = Decimal("0.01")
_HUNDRED = Decimal(100)
_PLACE = re.compile(r"\{([^{}]*)\}")
#: {field:Project} is the deal's field of that name.
_FIELD = "field:"
_OF_DEAL = ("title", "date", "month")
_PLACES = ("name", "description", "sku", *_OF_DEAL)


def unknown_places(template: str, *, of_line: bool = True) -> list[str]:
    """The placeholders in a description template that mean nothing, for `syncjob check`."""
    known = _PLACES if of_line else _OF_DEAL
    found = _PLACE.findall(template)
    return [place for place in found if place not in known and not place.startswith(_FIELD)]


def unknown_in(template: str, known: Collection[str]) -> list[str]:
    """The placeholders in a template that are not among the known ones."""
    return [place for place in _PLACE.findall(template) if place not in known]


def fields_in(template: str) -> list[str]:
    """The names of the deal's fields that a template shows."""
    found = _PLACE.findall(template)
    return [place.removeprefix(_FIELD) for place in found if place.startswith(_FIELD)]


def deal_texts(deal: Deal, day: date) -> dict[str, str]:
    """What a template may show of a deal whose invoice is dated `day`; `filled` takes a field that
    is not here for an empty one."""
    fields = {f"{_FIELD}{name}": clean(value) for name, value in deal.fields.items() if value}
    iso = day.isoformat()
    return fields | {"title": clean(deal.title), "date": iso, "month": iso[:7]}


def filled(template: str, texts: Mapping[str, str]) -> str:
    """The template with its placeholders filled, without lines left empty. A field that the deal
    does not have is empty; another placeholder that is not known stays as it is written."""

    def text_of(found: re.Match[str]) -> str:
        place = found[1]
        return texts.get(place, "" if place.startswith(_FIELD) else found[0])

    text = _PLACE.sub(text_of, template)
    return "\n".join(part for part in clean(text).split("\n") if part.strip())


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
            f"The {label} is billed {line.billing}, and invoices.recurring says hold.",
            field="billing_frequency",
            next_step="Set invoices.recurring to template or first_period; or make a repeating "
            "invoice in the ledger by hand, or bill the line one-time.",
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
    line: Line,
    texts: Mapping[str, str],
    template: str,
    *,
    account: str,
    tax_code: str | None,
    item: str | None,
    tracking: tuple[tuple[str, str], ...] = (),
) -> InvoiceLine:
    """The row as the ledger will be sent it. Raises Held "description_too_long".

    Price and quantity are rounded half up to the ledger's four decimals; where the line would then
    come to another sum it is one piece at its own, with the quantity in words, as Xero advises
    (developer.xero.com, "Rounding in Xero"). A discount percentage with more than two decimals
    becomes an amount, because the ledger keeps two and then refuses to approve the line; an amount
    with more than two, such as so much off each of 1.25 units, is the cents that leave the line at
    its own sum.
    """
    quantity = half_up(line.quantity, FINE_DIGITS)
    price = half_up(line.unit_price, FINE_DIGITS)
    percent, amount = line.discount_percent or None, line.discount_amount or None
    if percent is not None and percent != half_up(percent):
        amount, percent = quantity * price * percent / _HUNDRED, None
    made = InvoiceLine(
        description=describe(line, texts, template),
        quantity=quantity,
        unit_price=price,
        discount_percent=percent,
        discount_amount=None if amount is None else _in_cents(quantity * price, amount),
        tax_code=tax_code,
        account=account,
        item=item,
        tracking=tracking,
    )
    if is_fine(line.quantity, FINE_DIGITS) or is_fine(line.unit_price, FINE_DIGITS):
        exact = _replaced(
            made, line.quantity, line.unit_price, line.discount_percent, line.discount_amount
        )
        return made if line_amount(made) == line_amount(exact) else one_piece(exact)
    return made


def _replaced(
    line: InvoiceLine, quantity: Decimal, price: Decimal, percent: Decimal | None,
    amount: Decimal | None,
) -> InvoiceLine:  # fmt: skip
    return msgspec.structs.replace(
        line, quantity=quantity, unit_price=price, discount_percent=percent or None,
        discount_amount=amount or None,
    )  # fmt: skip


def is_fine(number: Decimal, digits: int) -> bool:
    """Whether the number has more decimals than so many."""
    return half_up(number, digits) != number


def one_piece(line: InvoiceLine) -> InvoiceLine:
    """The line as one piece at the sum that it comes to exactly: its quantity, price and discount
    stand in its words, if it is not one unit at its price. Raises Held "description_too_long"."""
    piece = _replaced(line, Decimal(1), line_amount(line), None, None)
    if line.quantity == 1 and not line.discount_percent and not line.discount_amount:
        return piece
    words = f"Quantity: {plain(line.quantity)} x {plain(line.unit_price)}"
    if line.discount_percent:
        words += f", less {plain(line.discount_percent)}%"
    elif line.discount_amount:
        words += f", less {plain(line.discount_amount)}"
    text = "\n".join(filter(None, (line.description, words)))
    _check_length(text, f'line "{short(one_line(line.description))}"')
    return msgspec.structs.replace(piece, description=text)


def _in_cents(gross: Decimal, discount: Decimal) -> Decimal:
    """The discount in whole cents by which the line comes to what it comes to exactly: 9.7625
    less 0.625 is 9.14, less 0.63 it would be 9.13.

    Half a cent less half of that is nothing, which no whole cents leave: it stays at a cent, since
    a discount never makes a line negative.
    """
    cents = half_up(discount)
    fitting = cents + half_up(gross - cents) - half_up(gross - discount)
    below = half_up(gross - fitting) < 0 <= gross - discount
    return fitting - _CENT if below else fitting


def describe(line: Line, texts: Mapping[str, str], template: str) -> str:
    """The template filled with the row's texts and the deal's, as `filled` does. Where it comes
    out empty, the row's name or description stands. Raises Held "description_too_long"."""
    own = {
        "name": clean(line.name),
        "description": clean(line.description),
        "sku": clean(line.sku),
    }
    text = filled(template, {**texts, **own}) or own["name"] or own["description"]
    _check_length(text, line_label(line))
    return text


def _check_length(text: str, label: str) -> None:
    if len(text) > DESCRIPTION_LENGTH_MAX:
        raise Held(
            "description_too_long",
            f"The description of the {label} has {len(text)} characters; "
            f"the ledger takes {DESCRIPTION_LENGTH_MAX}.",
            field="description",
            next_step="Shorten it in the CRM.",
        )


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
