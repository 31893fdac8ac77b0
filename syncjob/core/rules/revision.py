"""A deal that was changed after it was invoiced: what is different, in words.

Only our own untouched draft is ever made to follow (core/parts); of anything else a person decides,
and these words are what there is to decide on (BOOKKEEPING, "What may be done at all").
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher

import msgspec

from syncjob.core.actions import InvoiceDraft
from syncjob.core.money import plain
from syncjob.core.records import Deal, InvoiceLine
from syncjob.core.rules.arithmetic import is_text, line_amount
from syncjob.core.rules.texts import one_line, short

#: So many differences are told one by one; who wants the others compares the two.
TOLD_MAX = 5


def deal_print(deal: Deal, fields: Iterable[str]) -> str:
    """A digest of all that an invoice is made of: the deal's lines and discounts, its customer and
    currency, its value where it has no lines, and these fields. "" for a deal without its lines.
    """
    if deal.lines is None:
        return ""
    said = (
        deal.title, deal.currency, deal.org_id, deal.person_id, deal.lines, deal.discounts,
        None if deal.lines else deal.value,
        [(name, deal.fields.get(name)) for name in sorted(set(fields))],
    )  # fmt: skip
    return hashlib.sha256(msgspec.json.encode(said, order="sorted")).hexdigest()[:16]


def difference(before: InvoiceDraft, now: InvoiceDraft) -> str:
    """What an invoice would say otherwise if it were made of the deal as it is now; "" if nothing.

    Dates are no difference: an invoice keeps the day on which it was made.
    """
    found = [*_lines(before.lines, now.lines)]
    for name in ("currency", "reference", "line_amounts", "branding", "currency_rate", "terms"):
        if getattr(before, name) != getattr(now, name):
            found.append(f"its {name.replace('_', ' ')} is another")
    if not found:
        return ""
    more = f"; and {len(found) - TOLD_MAX} more" if len(found) > TOLD_MAX else ""
    total = f"total {before.total:,.2f} {before.currency} before, {now.total:,.2f} now"
    return "; ".join(found[:TOLD_MAX]) + f"{more}; {total}"


def _lines(before: Sequence[InvoiceLine], now: Sequence[InvoiceLine]) -> Iterator[str]:
    """Lines that are new, gone or changed, in their order."""
    old, new = [_says(line) for line in before], [_says(line) for line in now]
    for how, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if how == "equal":
            continue
        pairs = min(b - a, d - c)
        for n in range(pairs):
            yield from _changed(before[a + n], now[c + n])
        yield from (f"{_name(line)} ({_sum(line)}) is gone" for line in before[a + pairs : b])
        yield from (f"{_name(line)} ({_sum(line)}) is new" for line in now[c + pairs : d])


def _changed(one: InvoiceLine, other: InvoiceLine) -> Iterator[str]:
    if one.description != other.description:
        yield f"{_name(one)} ({_sum(one)}) is {_name(other)} ({_sum(other)}) now"
    elif _sum(one) != _sum(other):
        yield f"{_name(one)} is {_sum(other)} now, {_sum(one)} before"
    else:
        yield f"{_name(one)} has another account, tax, item or tracking"


def _says(line: InvoiceLine) -> tuple[object, ...]:
    return (
        line.description, line.quantity, line.unit_price, line.discount_percent or 0,
        line.discount_amount or 0, line.tax_code, line.account, line.item, line.tracking,
    )  # fmt: skip


def _name(line: InvoiceLine) -> str:
    return f'"{short(one_line(line.description))}"'


def _sum(line: InvoiceLine) -> str:
    if is_text(line):
        return "words"
    return f"{plain(line.quantity)} x {plain(line.unit_price)} = {line_amount(line):,.2f}"
