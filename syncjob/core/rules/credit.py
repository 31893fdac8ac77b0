"""A credit note at a person's word: which lines, at which sum, and how much is left to credit.

Same accounts, rates, tracking and currency rate as the invoice, naming it and the reason, a draft
dated today that a person approves and applies (BOOKKEEPING, "Money").
"""

from __future__ import annotations

import hashlib
from collections.abc import Container, Sequence
from datetime import date
from decimal import Decimal
from typing import Literal

import msgspec

from syncjob.core.actions import CreditDraft
from syncjob.core.money import ZERO, half_up, plain
from syncjob.core.records import DEAD, CreditNote, Invoice, InvoiceLine, LineAmounts
from syncjob.core.rules.dating import is_locked
from syncjob.core.rules.texts import one_line
from syncjob.errors import Park

#: Room in a line's description for the invoice's number and the reason (Xero takes 4000).
REASON_LENGTH_MAX = 500
_DESCRIPTION_LENGTH_MAX = 4000
_HUNDRED = Decimal(100)


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a person asked for: all that is left, an amount with its tax, or whole lines.

    `lines` are numbers from 1 as the invoice prints them. `again`: the same wish was granted
    before, and is meant a second time.
    """

    how: Literal["full", "amount", "lines"]
    reason: str
    amount: Decimal | None = None
    lines: tuple[int, ...] = ()
    again: bool = False


def fingerprint(invoice_id: str, wish: Wish) -> str:
    """The name of a wish: the same command twice is one credit note."""
    amount = plain(wish.amount) if wish.amount is not None else ""
    parts = (invoice_id, wish.how, amount, ",".join(map(str, wish.lines)), one_line(wish.reason))
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:24]


def left(invoice: Invoice, notes: Sequence[CreditNote]) -> Decimal:
    """How much of the invoice may still be credited: its total less what was applied to it, and
    less what else was given or promised by the credit notes of it: a customer who was paid back,
    or has used it for another invoice, has been credited all the same."""
    others = sum((_beside(note, invoice) for note in notes if note.status not in DEAD), ZERO)
    return max(invoice.total - _credited(invoice) - others, ZERO)


def _credited(invoice: Invoice) -> Decimal:
    applied = (s.amount for s in invoice.settlements if s.kind == "credit_note")
    return sum(applied, ZERO)


def _beside(note: CreditNote, invoice: Invoice) -> Decimal:
    """What there is of the note besides what was applied to the invoice."""
    applied = sum((amount for other, amount in note.allocations if other == invoice.id), ZERO)
    return max(note.total - applied, ZERO)


def without(note: CreditNote, others: Container[str]) -> CreditNote:
    """The note without what was applied to these invoices, which it is about as well."""
    applied = sum((amount for other, amount in note.allocations if other in others), ZERO)
    return msgspec.structs.replace(note, total=note.total - applied)


def credit_note(
    invoice: Invoice,
    wish: Wish,
    marker: str,
    today: date,
    locked_through: date | None,
    notes: Sequence[CreditNote] = (),
) -> CreditDraft:
    """The credit note. `notes` are those of this invoice, as far as they are of no other.

    Raises Park with the next step: the invoice is no approved one, its lines are not known, the
    books are closed, the wish makes no sense, or it is more than what is left.
    """
    _check_invoice(invoice, today, locked_through)
    remaining = left(invoice, notes)
    line_amounts, lines, total = _lines(invoice, wish, remaining)
    if total <= 0 or total > remaining:
        raise Park(
            f"{total:,.2f} {invoice.currency} would be credited, but {remaining:,.2f} of "
            f"{invoice.number or invoice.id} is left to credit.",
            where=invoice.number or invoice.id,
            next_step="Credit less, or delete a credit note that is one too many in the ledger.",
        )
    assert invoice.contact_id is not None
    return CreditDraft(
        marker=marker, invoice_id=invoice.id, contact_id=invoice.contact_id, date=today,
        currency=invoice.currency, line_amounts=line_amounts, lines=lines,
        reference=f"{invoice.number or ''} {marker}".strip(), total=total,
        request=fingerprint(invoice.id, wish), currency_rate=invoice.currency_rate,
    )  # fmt: skip


def _check_invoice(invoice: Invoice, today: date, locked_through: date | None) -> None:
    name = invoice.number or invoice.id
    if invoice.status in ("draft", "submitted"):
        raise Park(
            f"{name} is {invoice.status}; only an approved invoice is credited.", where=name,
            next_step="Edit or delete it in the ledger instead.",
        )  # fmt: skip
    if invoice.status in DEAD or invoice.kind != "sale":
        raise Park(
            f"{name} is {invoice.status}, so there is nothing to credit.", where=name,
            next_step="Nothing is to be done.",
        )  # fmt: skip
    if not invoice.lines or invoice.contact_id is None:
        raise Park(
            f"The ledger shows no lines of {name}.", where=name,
            next_step="Make the credit note in the ledger.",
        )  # fmt: skip
    if is_locked(today, locked_through):
        raise Park(
            f"A credit note is dated today, {today}, and the books are closed through "
            f"{locked_through}.", where=name, next_step="Ask finance to move the lock date.",
        )  # fmt: skip


Parts = tuple[LineAmounts, tuple[InvoiceLine, ...], Decimal]


def _lines(invoice: Invoice, wish: Wish, remaining: Decimal) -> Parts:
    lines = invoice.lines or ()
    words = f"Credit of {invoice.number or 'the invoice'} ({_reason(wish)})"
    if wish.how == "lines":
        return invoice.line_amounts, *_whole(invoice, _chosen(lines, wish, invoice), words)
    if wish.how == "full" and remaining == invoice.total:
        made, total = _whole(invoice, lines, words)
        # A rounding of the whole invoice is in none of its lines (facts: xero, RoundingAmount):
        # they alone would leave its cents open, or be more than there is.
        if total == remaining or not total:
            return invoice.line_amounts, made, total
    amount = remaining if wish.how == "full" else half_up(wish.amount or ZERO)
    if wish.amount is not None and wish.amount != amount:
        raise Park(
            f"The amount {plain(wish.amount)} has more than two decimals.", where="--amount",
            next_step="Give the amount to the cent, with its tax.",
        )  # fmt: skip
    return _share(invoice, amount, words)


def _reason(wish: Wish) -> str:
    reason = one_line(wish.reason)
    if not reason or len(reason) > REASON_LENGTH_MAX:
        raise Park(
            f"A credit note names its reason, in 1 to {REASON_LENGTH_MAX} characters.",
            where="--reason", next_step="Give the reason as the customer may read it.",
        )  # fmt: skip
    return reason


def _chosen(lines: Sequence[InvoiceLine], wish: Wish, invoice: Invoice) -> list[InvoiceLine]:
    numbers = sorted(set(wish.lines))
    if not numbers or numbers[0] < 1 or numbers[-1] > len(lines):
        raise Park(
            f"{invoice.number or invoice.id} has the lines 1 to {len(lines)}.", where="--lines",
            next_step="Give the numbers of the lines as the invoice prints them, such as 1,3.",
        )  # fmt: skip
    return [lines[number - 1] for number in numbers]


def _whole(
    invoice: Invoice, lines: Sequence[InvoiceLine], words: str
) -> tuple[tuple[InvoiceLine, ...], Decimal]:
    """These lines again. A credit note knows no discounts (spec, LineItem), so a line with one
    becomes one piece at what it came to; amount and tax stay what they were."""
    made = tuple(_again(line, words) for line in lines if line.amount is not None)
    net = sum((line.amount or ZERO for line in lines), ZERO)
    tax = sum((line.tax or ZERO for line in lines), ZERO)
    return made, net + tax if invoice.line_amounts == "exclusive" else net


def _again(line: InvoiceLine, words: str) -> InvoiceLine:
    described = f"{words}: {line.description or ''}".strip(": ")[:_DESCRIPTION_LENGTH_MAX]
    plainly = msgspec.structs.replace(
        line, description=described, amount=None, tax=None, id=None, item=None
    )
    if not line.discount_percent and not line.discount_amount:
        return plainly
    return msgspec.structs.replace(
        plainly, quantity=Decimal(1), unit_price=line.amount or ZERO, discount_percent=None,
        discount_amount=None,
    )  # fmt: skip


def _share(invoice: Invoice, amount: Decimal, words: str) -> Parts:
    """The amount spread over the invoice's accounts and rates as its lines are; with its tax in
    each, so that they sum to the amount exactly."""
    groups: dict[tuple[object, ...], tuple[InvoiceLine, Decimal]] = {}
    for line in invoice.lines or ():
        key = _kind(line)
        gross = (line.amount or ZERO) + (
            (line.tax or ZERO) if invoice.line_amounts == "exclusive" else ZERO
        )
        known = groups.get(key)
        groups[key] = (known[0] if known else line, (known[1] if known else ZERO) + gross)
    rows = [(line, gross) for line, gross in groups.values() if gross > 0]
    shares = spread(amount, [gross for _, gross in rows])
    lines = tuple(
        msgspec.structs.replace(
            line, description=words, quantity=Decimal(1), unit_price=share, amount=None, tax=None,
            id=None, item=None, discount_percent=None, discount_amount=None,
        )
        for (line, _), share in zip(rows, shares, strict=True)
        if share
    )  # fmt: skip
    style: LineAmounts = "no_tax" if invoice.line_amounts == "no_tax" else "inclusive"
    return style, lines, amount


def _kind(line: InvoiceLine) -> tuple[object, ...]:
    """What a credit of this line must have like it: account, tax rate, tracking."""
    bare = msgspec.structs.replace(
        line, description=None, quantity=ZERO, unit_price=ZERO, discount_percent=None,
        discount_amount=None, item=None, amount=None, tax=None, id=None,
    )  # fmt: skip
    return (msgspec.json.encode(bare, order="sorted"),)


def spread(amount: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """The amount in cents over positive weights, summing exactly; the largest remainders take
    the cents that rounding down leaves. Empty for no weights."""
    whole = sum(weights, ZERO)
    if not whole:
        return []
    exact = [amount * _HUNDRED * weight / whole for weight in weights]
    cents = [int(part) for part in exact]
    missing = int(amount * _HUNDRED) - sum(cents)
    order = sorted(range(len(exact)), key=lambda n: (cents[n] - exact[n], n))
    for n in order[:missing]:
        cents[n] += 1
    return [Decimal(part) / _HUNDRED for part in cents]
