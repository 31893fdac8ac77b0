"""What is overdue, by owner and by age: the rows of `syncjob overdue` and of the summary."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

import msgspec

#: Upper ends, in days, of the columns that receivables are aged by; the last one is open.
AGES: tuple[int, ...] = (30, 60, 90)

NO_OWNER = "(no owner)"


class Overdue(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One overdue invoice of a deal; `due` in `currency`, `days` since the due date."""

    deal_id: str
    title: str
    owner: str
    customer: str
    number: str
    currency: str
    total: Decimal
    due: Decimal
    due_date: date
    days: int
    muted: bool = False
    invoice_page: str | None = None
    deal_page: str | None = None


class Age(msgspec.Struct, frozen=True, kw_only=True):
    """What one owner's customers owe in one currency, by age; `due` holds one sum for each
    column of `ages()`."""

    owner: str
    currency: str
    invoices: int
    due: tuple[Decimal, ...]
    total: Decimal


class OverdueReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All that is overdue on a day of the organisation, oldest first, and its sums by owner."""

    connection: str
    today: date
    rows: tuple[Overdue, ...] = ()
    owners: tuple[Age, ...] = ()


def ages() -> tuple[str, ...]:
    """The columns in words: "1-30", "31-60", "61-90", "over 90"."""
    starts = (1, *(end + 1 for end in AGES))
    closed = tuple(f"{start}-{end}" for start, end in zip(starts, AGES, strict=False))
    return (*closed, f"over {AGES[-1]}")


def overdue_report(connection: str, today: date, rows: Iterable[Overdue]) -> OverdueReport:
    """The report over these rows, in whatever order they come."""
    ordered = sorted(rows, key=lambda row: (-row.days, row.owner, row.number, row.deal_id))
    groups: dict[tuple[str, str], list[Overdue]] = {}
    for row in ordered:
        groups.setdefault((row.owner, row.currency), []).append(row)
    owners = tuple(_aged(owner, currency, of) for (owner, currency), of in sorted(groups.items()))
    return OverdueReport(connection=connection, today=today, rows=tuple(ordered), owners=owners)


def _aged(owner: str, currency: str, rows: list[Overdue]) -> Age:
    sums = [Decimal(0)] * (len(AGES) + 1)
    for row in rows:
        sums[sum(row.days > end for end in AGES)] += row.due
    return Age(
        owner=owner, currency=currency, invoices=len(rows), due=tuple(sums),
        total=sum(sums, Decimal(0)),
    )  # fmt: skip
