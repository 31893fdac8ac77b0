"""Lines that are no product of the deal: freight and the like, from amounts in its fields."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from syncjob.core.policy_rules import ExtraLine
from syncjob.core.records import Line
from syncjob.core.rules.texts import one_line, short
from syncjob.core.rules.when import Facts
from syncjob.errors import Held

#: What the id of such a row begins with; no vendor's does.
EXTRA = "extra:"


def extra_rows(facts: Facts) -> Iterator[tuple[ExtraLine, Line]]:
    """A row for each configured line whose field holds an amount; none for empty and zero.

    Raises Held "extra_line_invalid" for a text that is no amount: nothing is left out unseen.
    """
    for number, extra in enumerate(facts.policy.extra_lines, 1):
        text = one_line(facts.deal.fields.get(extra.field))
        amount = _amount(text) if text else Decimal(0)
        if amount is None:
            raise _no_line(extra, text, facts.deal.currency)
        if amount:
            yield (
                extra,
                Line(
                    id=f"{EXTRA}{number}",
                    name=extra.description,
                    quantity=Decimal(1),
                    unit_price=amount,
                ),
            )


def _no_line(extra: ExtraLine, text: str, currency: str) -> Held:
    """The CRM's connector names the currency of an amount that is not in the deal's."""
    number, _, code = text.rpartition(" ")
    abroad = code != currency and len(code) == 3 and code.isalpha() and code.isupper()
    abroad = abroad and _amount(number) is not None
    why = f"and the deal is in {currency}" if abroad else "which is no amount"
    mend = f"Give the amount in {currency}" if abroad else "Correct the field"
    return Held(
        "extra_line_invalid",
        f'The field "{extra.field}" says "{short(text)}", {why}, so the line '
        f'"{extra.description}" cannot be made.',
        field=extra.field,
        next_step=f"{mend} in the CRM, or empty {'the field' if abroad else 'it'} for no such "
        "line.",
    )


def _amount(text: str) -> Decimal | None:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None
