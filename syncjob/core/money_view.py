"""What the deals' invoices come to: by currency, owner, age and month.

Amounts of different currencies are never added up. An invoice that is voided or deleted is none; a
draft is invoiced by nobody yet and stands apart.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
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
    """The whole of it on a day of the organisation. `open` is what is not paid, most overdue
    first, and `more` how many there are besides; `waits` counts invoices for each column of
    `wait_names()`, `median_wait` in days."""

    today: date
    currencies: tuple[Money, ...] = ()
    open: tuple[Sale, ...] = ()
    more: int = 0
    waits: tuple[int, ...] = ()
    median_wait: int | None = None


#: So many open invoices are listed: a page of more is no list that anybody reads.
OPEN_MAX = 200


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
    """The view over these invoices, in whatever order they come; only what the page shows of them
    is kept in memory."""
    sums: dict[str, _Sums] = {}
    waited: Counter[int] = Counter()
    shown: list[Sale] = []
    count = 0
    for sale in sales:
        sums.setdefault(sale.currency, _Sums()).add(sale)
        if sale.on and sale.won_on:
            waited[_wait(sale)] += 1
        if _is_open(sale):
            count += 1
            shown.append(sale)
        if len(shown) > 2 * OPEN_MAX:
            shown = sorted(shown, key=_urgency)[:OPEN_MAX]
    shown = sorted(shown, key=_urgency)[:OPEN_MAX]
    columns: Counter[int] = Counter()
    for days, times in waited.items():
        columns[sum(days > end for end in WAITS)] += times
    return MoneyView(
        today=today,
        currencies=tuple(found.money(name, today) for name, found in sorted(sums.items())),
        open=tuple(shown), more=count - len(shown),
        waits=tuple(columns[column] for column in range(len(WAITS) + 1)),
        median_wait=_median(waited),
    )  # fmt: skip


def _median(waited: Counter[int]) -> int | None:
    """The lower one of the two in the middle."""
    place = (waited.total() - 1) // 2
    for days in sorted(waited):
        place -= waited[days]
        if place < 0:
            return days
    return None


def _is_open(sale: Sale) -> bool:
    return sale.word == "draft" or sale.due > 0


def _urgency(sale: Sale) -> tuple[int, date, str]:
    return (-sale.days, sale.due_date or date.max, sale.number)


def _wait(sale: Sale) -> int:
    assert sale.on is not None
    assert sale.won_on is not None
    return max(0, (sale.on - sale.won_on).days)


class _Sums:
    """The sums of one currency while the invoices go by."""

    def __init__(self) -> None:
        self.amounts: defaultdict[str, Decimal] = defaultdict(Decimal)
        self.counts: Counter[str] = Counter()
        self.by_age = [ZERO] * (len(AGES) + 2)
        self.owners: dict[str, tuple[int, Decimal, Decimal]] = {}
        self.invoiced: defaultdict[tuple[int, int], Decimal] = defaultdict(Decimal)
        self.received: defaultdict[tuple[int, int], Decimal] = defaultdict(Decimal)

    def add(self, sale: Sale) -> None:
        """One more invoice."""
        if sale.word in ("draft", "awaiting approval"):
            self.counts["drafts"] += 1
            self.amounts["drafts_total"] += sale.total
            return
        self.counts["invoices"] += 1
        late = sale.due if sale.days else ZERO
        for name, amount in (
            ("invoiced", sale.total), ("paid", sale.paid), ("credited", sale.credited),
            ("due", sale.due), ("overdue", late),
        ):  # fmt: skip
            self.amounts[name] += amount
        self.by_age[1 + sum(sale.days > end for end in AGES) if sale.days else 0] += sale.due
        if sale.due > 0:
            number, due, overdue = self.owners.get(sale.owner, (0, ZERO, ZERO))
            self.owners[sale.owner] = (number + 1, due + sale.due, overdue + late)
        if sale.on:
            self.invoiced[sale.on.year, sale.on.month] += sale.total
        for day, amount in sale.cash:
            self.received[day.year, day.month] += amount

    def money(self, currency: str, today: date) -> Money:
        """What they come to."""
        amounts, owed = self.amounts, (
            Owed(owner=owner, invoices=number, due=due, overdue=overdue)
            for owner, (number, due, overdue) in self.owners.items()
        )  # fmt: skip
        months = (
            Month(first=date(*key, 1), invoiced=self.invoiced[key], received=self.received[key])
            for key in _last_months(today)
        )
        return Money(
            currency=currency, invoices=self.counts["invoices"], invoiced=amounts["invoiced"],
            paid=amounts["paid"], credited=amounts["credited"], due=amounts["due"],
            overdue=amounts["overdue"], drafts=self.counts["drafts"],
            drafts_total=amounts["drafts_total"], by_age=tuple(self.by_age),
            owners=tuple(sorted(owed, key=lambda one: (-one.overdue, -one.due, one.owner))),
            months=tuple(months),
        )  # fmt: skip


def _last_months(today: date) -> list[tuple[int, int]]:
    number = today.year * 12 + today.month - 1
    return [_month(n) for n in range(number - MONTHS + 1, number + 1)]


def _month(number: int) -> tuple[int, int]:
    """Months counted from year 0 as (year, month)."""
    year, month = divmod(number, 12)
    return year, month + 1
