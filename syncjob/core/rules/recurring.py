"""Products that are billed again and again: what the first invoice holds, what the template.

The first period stands on an ordinary invoice together with the one-time lines; a repeating
invoice begins at the second period, as a draft, never with a first date in the past
(BOOKKEEPING, "Money"). The ledger knows weeks and months only (facts: xero, 3).
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Literal

import msgspec

from syncjob.core.actions import InvoiceDraft, TemplateDraft
from syncjob.core.policy import Invoices
from syncjob.core.records import Deal, Line, PaymentTerms
from syncjob.core.rules.rows import is_fine, one_piece
from syncjob.core.rules.texts import line_label
from syncjob.errors import Held

Unit = Literal["weekly", "monthly"]

#: Our words for a frequency, which connectors translate theirs to, as the ledger's unit and period.
FREQUENCIES: dict[str, tuple[Unit, int]] = {
    "weekly": ("weekly", 1),
    "every 2 weeks": ("weekly", 2),
    "monthly": ("monthly", 1),
    "quarterly": ("monthly", 3),
    "semi-annually": ("monthly", 6),
    "annually": ("monthly", 12),
    "every 2 years": ("monthly", 24),
    "every 3 years": ("monthly", 36),
    "every 4 years": ("monthly", 48),
    "every 5 years": ("monthly", 60),
}


#: Decimals of a price that a template keeps whatever the ledger does: for it there is no `unitdp`
#: to ask for four with (spec), and an invoice's price is rounded to two without (facts: xero, 3).
PRICE_DIGITS = 2


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """When a template makes invoices: every `period` units from `first` on; `last` is the day on
    which its last period ends, None where a person ends it."""

    unit: Unit
    period: int
    first: date
    last: date | None


def recurring_lines(deal: Deal) -> tuple[Line, ...]:
    """The lines that are billed again, in their order; empty if the lines were not read."""
    return tuple(line for line in deal.lines or () if line.billing)


def first_period(deal: Deal, policy: Invoices) -> Deal:
    """The deal as its first invoice bills it: recurring lines count once, like all others.

    With `recurring: hold` the lines stay as they are, and the rows' own rule holds the deal.
    """
    if policy.recurring == "hold" or not recurring_lines(deal):
        return deal
    lines = tuple(msgspec.structs.replace(line, billing=None) for line in deal.lines or ())
    return msgspec.structs.replace(deal, lines=lines)


def schedule_for(deal: Deal, invoiced_on: date, today: date) -> Schedule | None:
    """The template's schedule; None if nothing recurs after the first period.

    `invoiced_on` is the date of the ordinary invoice, with which the first period begins unless
    the lines say when. Raises Held: "recurring_unknown" (a frequency that nobody documented),
    "recurring_mixed" (lines that differ: a deal has one template), "recurring_start_past" (the
    second period has begun, so the template would begin in the past), "recurring_discount" (a
    discount of the whole deal: for the first period, or for each?).
    """
    if not recurring_lines(deal):
        return None
    rhythm = rhythm_of(deal)
    if rhythm.cycles is not None and rhythm.cycles <= 1:
        return None
    forbid_discounts(deal)
    first = rhythm.first(invoiced_on)
    if first <= today:
        raise _past(first, rhythm.billing)
    return Schedule(
        unit=rhythm.unit, period=rhythm.period, first=first, last=rhythm.last(first)
    )  # fmt: skip


class Rhythm(msgspec.Struct, frozen=True):
    """How a deal's recurring lines are billed: every `period` units, `cycles` times in all (None:
    until a person ends it), from `starts` on (None: from the first invoice's own day)."""

    billing: str
    unit: Unit
    period: int
    cycles: int | None
    starts: date | None

    def first(self, invoiced_on: date) -> date:
        """The day on which the second period begins, with which the template does."""
        return later(self.starts or invoiced_on, self.unit, self.period)

    def last(self, first: date) -> date | None:
        """The day on which the last period ends, of a template that begins then."""
        if self.cycles is None:
            return None
        return later(first, self.unit, self.period * (self.cycles - 1)) - timedelta(days=1)


def rhythm_of(deal: Deal) -> Rhythm:
    """How the recurring lines are billed, of which there is one at least. Raises Held:
    "recurring_mixed", "recurring_unknown"."""
    lines = recurring_lines(deal)
    billing, cycles, starts = _the_same(lines)
    if billing not in FREQUENCIES:
        raise _unknown(lines[0])
    return Rhythm(billing, *FREQUENCIES[billing], cycles, starts)


def forbid_discounts(deal: Deal) -> None:
    """Raises Held "recurring_discount" if the deal has a discount as a whole."""
    if deal.discounts:
        raise Held(
            "recurring_discount",
            "The deal has recurring lines and a discount as a whole; nothing says whether it is "
            "meant for each period.",
            field="discounts",
            next_step="Give the discount on the lines instead of on the whole deal.",
        )


def _the_same(lines: Sequence[Line]) -> tuple[str, int | None, date | None]:
    found = {(line.billing or "", line.cycles, line.starts) for line in lines}
    if len(found) == 1:
        return found.pop()
    shown = "; ".join(f"{line_label(line)}: {_in_words(line)}" for line in lines)
    raise Held(
        "recurring_mixed",
        f"The deal's recurring lines differ in frequency, cycles or start ({shown}); a deal has "
        "one repeating invoice.",
        field="billing_frequency",
        next_step="Make the lines alike, or sell them in deals of their own.",
    )


def _in_words(line: Line) -> str:
    words = [line.billing or ""]
    words += [f"{line.cycles} times"] if line.cycles is not None else []
    words += [f"from {line.starts}"] if line.starts else []
    return " ".join(words)


def _unknown(line: Line) -> Held:
    return Held(
        "recurring_unknown",
        f"The {line_label(line)} is billed {line.billing!r}, which this version does not know.",
        field="billing_frequency",
        next_step=f"Choose one of {', '.join(FREQUENCIES)} in the CRM.",
    )


def _past(first: date, billing: str) -> Held:
    return Held(
        "recurring_start_past",
        f"Billed {billing} as the deal says, the second period would have begun on {first}; a "
        "repeating invoice is never given a first date in the past.",
        field="billing_start_date",
        next_step="Set the lines' billing start date to the period that is to be invoiced first, "
        "and invoice what lies before by hand.",
    )


def later(day: date, unit: Unit, count: int) -> date:
    """`count` weeks or months on; a day that a month lacks becomes that month's last."""
    if unit == "weekly":
        return day + timedelta(weeks=count)
    years, month = divmod(day.month - 1 + count, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def each_period(deal: Deal) -> Deal:
    """The deal as each invoice of the template bills it: its recurring lines and nothing else."""
    lines = tuple(msgspec.structs.replace(x, billing=None) for x in recurring_lines(deal))
    return msgspec.structs.replace(deal, lines=lines, discounts=(), instalments=(), value=None)


def for_each_period(policy: Invoices) -> Invoices:
    """The rules for a template: what is added to an invoice once is not added to each."""
    return policy.model_copy(
        update={"extra_lines": (), "numbering": "ledger", "without_products": "hold"}
    )


def template_of(draft: InvoiceDraft, schedule: Schedule, terms: PaymentTerms) -> TemplateDraft:
    """The template whose invoices say what `draft` says; its marker is the draft's. A line whose
    price is finer than surely kept is one piece at its sum. Raises Held "description_too_long"."""
    lines = tuple(
        one_piece(line) if is_fine(line.unit_price, PRICE_DIGITS) else line for line in draft.lines
    )
    return TemplateDraft(
        marker=draft.marker, contact_id=draft.contact_id, unit=schedule.unit,
        period=schedule.period, first=schedule.first, last=schedule.last, terms=terms,
        currency=draft.currency, line_amounts=draft.line_amounts, lines=lines,
        reference=draft.reference, total=draft.total, branding=draft.branding,
    )  # fmt: skip
