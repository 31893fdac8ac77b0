"""The money's view keeps what the page shows, and sums and counts the rest."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from syncjob.core.money_view import OPEN_MAX, Sale, money_view

TODAY = date(2026, 11, 23)


def _sales(count: int) -> Iterator[Sale]:
    for number in range(count):
        yield Sale(
            deal_id=str(number), title="", owner=f"Owner {number % 3}", customer="Acme",
            number=f"INV-{number:05}", currency="AUD", word="awaiting payment",
            total=Decimal(10), due=Decimal(4), paid=Decimal(6), credited=Decimal(0),
            on=TODAY - timedelta(days=number % 60), won_on=TODAY - timedelta(days=60),
            due_date=TODAY - timedelta(days=number % 50), days=number % 50,
        )  # fmt: skip


def test_of_many_open_invoices_the_most_urgent_are_kept_and_all_are_summed() -> None:
    count = 5 * OPEN_MAX + 7
    sales = list(_sales(count))
    Random(5).shuffle(sales)
    seen = money_view(iter(sales), TODAY)
    wanted = sorted(sales, key=lambda s: (-s.days, s.due_date, s.number))[:OPEN_MAX]
    assert list(seen.open) == wanted
    assert seen.more == count - OPEN_MAX
    (sums,) = seen.currencies
    assert (sums.invoices, sums.due, sums.paid) == (count, Decimal(4 * count), Decimal(6 * count))
    assert sum(sums.by_age) == sum(owed.due for owed in sums.owners) == sums.due
    assert sum(seen.waits) == count
    waited = sorted((s.on - s.won_on).days for s in sales if s.on and s.won_on)
    assert seen.median_wait == waited[(count - 1) // 2]


def test_in_whatever_order_they_come() -> None:
    sales = list(_sales(600))
    assert money_view(sales, TODAY) == money_view(reversed(sales), TODAY)


def test_few_are_all_kept() -> None:
    seen = money_view(_sales(3), TODAY)
    assert (len(seen.open), seen.more) == (3, 0)
    assert money_view([], TODAY).median_wait is None
