"""What the deals' invoices come to: by currency, owner, age and month.

Amounts of different currencies are never added up. An invoice that is voided or deleted is none; a
draft is invoiced by nobody yet and stands apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise

import msgspec

from syncjob.core.aging import AGES, ages
from syncjob.core.money import ZERO

#: Months shown, the present one included.
MONTHS = 12
#: Upper ends, in days, of the columns "from won to invoiced"; the last one is open.
WAITS: tuple[int, ...] = (0, 1, 3, 7, 14, 30)


class Sale(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One invoice of a deal as the ledger had it last. `word` is the deal's word for its state,
    `days` how long it has been due (0: it is not overdue); `cash` are (day, amount) received."""

    deal_id: str
    title: str
    owner: str
    customer: str
    number: str
    currency: str
    word: str
    total: Decimal
    due: Decimal
    paid: Decimal
    credited: Decimal
    on: date | None = None
    due_date: date | None = None
    won_on: date | None = None
    days: int = 0
    cash: tuple[tuple[date, Decimal], ...] = ()
    deal_page: str | None = None
    invoice_page: str | None = None


class Owed(msgspec.Struct, frozen=True, kw_only=True):
    """What one owner's customers owe: in all, and what of it is overdue."""

    owner: str
    invoices: int
    due: Decimal
    overdue: Decimal


class Month(msgspec.Struct, frozen=True, kw_only=True):
    """What was invoiced and received in a calendar month; `first` is its first day."""

    first: date
    invoiced: Decimal
    received: Decimal


class Money(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The sums of one currency. `by_age` has one sum for each column of `age_names()`."""

    currency: str
    invoices: int
    invoiced: Decimal
    paid: Decimal
    credited: Decimal
    due: Decimal
    overdue: Decimal
    drafts: int = 0
    drafts_total: Decimal = ZERO
    by_age: tuple[Decimal, ...] = ()
    owners: tuple[Owed, ...] = ()
    months: tuple[Month, ...] = ()


class MoneyView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The whole of it on a day of the organisation. `open` is all that is not paid, most overdue
    first; `waits` counts invoices for each column of `wait_names()`, `median_wait` in days."""

    today: date
    currencies: tuple[Money, ...] = ()
    open: tuple[Sale, ...] = ()
    waits: tuple[int, ...] = ()
    median_wait: int | None = None


def age_names() -> tuple[str, ...]:
    """The column "not due", then the ages of what is overdue."""
    return ("not due", *ages())


def wait_names() -> tuple[str, ...]:
    """The columns "same day", "1", "2-3" ... of the days from won to invoiced."""
    names = ["same day"]
    for before, end in pairwise(WAITS):
        names.append(str(end) if end == before + 1 else f"{before + 1}-{end}")
    return (*names, f"over {WAITS[-1]}")


def money_view(sales: Iterable[Sale], today: date) -> MoneyView:
    """The view over these invoices, in whatever order they come."""
    known = list(sales)
    by_currency: dict[str, list[Sale]] = {}
    for sale in known:
        by_currency.setdefault(sale.currency, []).append(sale)
    waited = sorted(_wait(sale) for sale in known if sale.on and sale.won_on)
    counts = Counter(sum(days > end for end in WAITS) for days in waited)
    return MoneyView(
        today=today,
        currencies=tuple(_money(c, of, today) for c, of in sorted(by_currency.items())),
        open=tuple(sorted((s for s in known if _is_open(s)), key=_urgency)),
        waits=tuple(counts[column] for column in range(len(WAITS) + 1)),
        median_wait=waited[(len(waited) - 1) // 2] if waited else None,
    )


def _is_open(sale: Sale) -> bool:
    return sale.word == "draft" or sale.due > 0


def _urgency(sale: Sale) -> tuple[int, date, str]:
    return (-sale.days, sale.due_date or date.max, sale.number)


def _wait(sale: Sale) -> int:
    assert sale.on is not None
    assert sale.won_on is not None
    return max(0, (sale.on - sale.won_on).days)


def _money(currency: str, sales: Sequence[Sale], today: date) -> Money:
    drafts = [sale for sale in sales if sale.word in ("draft", "awaiting approval")]
    real = [sale for sale in sales if sale.word not in ("draft", "awaiting approval")]
    return Money(
        currency=currency, invoices=len(real), invoiced=_sum(s.total for s in real),
        paid=_sum(s.paid for s in real), credited=_sum(s.credited for s in real),
        due=_sum(s.due for s in real), overdue=_sum(s.due for s in real if s.days),
        drafts=len(drafts), drafts_total=_sum(s.total for s in drafts), by_age=_by_age(real),
        owners=_owners(real), months=_months(real, today),
    )  # fmt: skip


def _by_age(sales: Sequence[Sale]) -> tuple[Decimal, ...]:
    sums = [ZERO] * (len(AGES) + 2)
    for sale in sales:
        column = 1 + sum(sale.days > end for end in AGES) if sale.days else 0
        sums[column] += sale.due
    return tuple(sums)


def _owners(sales: Sequence[Sale]) -> tuple[Owed, ...]:
    """Who is owed most comes first."""
    groups: dict[str, list[Sale]] = {}
    for sale in sales:
        if sale.due > 0:
            groups.setdefault(sale.owner, []).append(sale)
    found = [
        Owed(
            owner=owner, invoices=len(of), due=_sum(s.due for s in of),
            overdue=_sum(s.due for s in of if s.days),
        )
        for owner, of in groups.items()
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda owed: (-owed.overdue, -owed.due, owed.owner)))


def _months(sales: Sequence[Sale], today: date) -> tuple[Month, ...]:
    invoiced: dict[tuple[int, int], Decimal] = {}
    received: dict[tuple[int, int], Decimal] = {}
    for sale in sales:
        if sale.on:
            key = (sale.on.year, sale.on.month)
            invoiced[key] = invoiced.get(key, ZERO) + sale.total
        for day, amount in sale.cash:
            key = (day.year, day.month)
            received[key] = received.get(key, ZERO) + amount
    return tuple(
        Month(
            first=date(*key, 1), invoiced=invoiced.get(key, ZERO), received=received.get(key, ZERO)
        )
        for key in _last_months(today)
    )


def _last_months(today: date) -> list[tuple[int, int]]:
    number = today.year * 12 + today.month - 1
    return [_month(n) for n in range(number - MONTHS + 1, number + 1)]


def _month(number: int) -> tuple[int, int]:
    """Months counted from year 0 as (year, month)."""
    year, month = divmod(number, 12)
    return year, month + 1


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, ZERO)
